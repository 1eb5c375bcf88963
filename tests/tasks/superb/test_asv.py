"""Speaker verification of SUPERB: padding, short recordings, trials."""

from types import SimpleNamespace

import pytest
import torch

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.plain_xvector import PlainXVector
from speechbrain_mtl.tasks import Inputs
from speechbrain_mtl.tasks.superb import XVectorVerification

SPEAKERS = {f"u{i}": {"speaker": "abcd"[i % 4]} for i in range(12)}


def made(**settings):
    torch.manual_seed(0)
    sizes = {"projection": 12, "pooled_size": 16, "embedding_size": 10}
    task = XVectorVerification(**{**sizes, **settings})
    task.prepare((6, 6), SPEAKERS)
    return task


def encoded(x, lens):
    return Encoded((x, x), lens, 0.02, 0.0125)


def targets(task, entries=SPEAKERS):
    data = torch.stack([task.encode(entry) for entry in entries.values()])
    return Inputs(None, None, target=SimpleNamespace(data=data))


def test_a_padded_batch_is_like_single_recordings():
    task = made()
    torch.manual_seed(1)
    # Some shorter than a context of 15 frames.
    lens = torch.tensor([40, 15, 16, 14, 3, 1, 30, 29, 20, 22, 25, 17])
    x = torch.randn(12, 40, 6)
    for row, size in enumerate(lens):
        x[row, size:] = 1e4
    together = task.embed(encoded(x, lens))
    longer = torch.nn.functional.pad(x, (0, 0, 0, 9), value=-1e4)
    torch.testing.assert_close(
        task.embed(encoded(longer, lens)), together, rtol=1e-4, atol=1e-5
    )
    inputs = targets(task)
    total = 0.0
    for row, size in enumerate(lens.tolist()):
        one = encoded(x[row : row + 1, :size], lens[row : row + 1])
        torch.testing.assert_close(
            task.embed(one)[0], together[row], rtol=1e-4, atol=1e-5
        )
        data = inputs.target.data[row : row + 1]
        total += task(
            one, Inputs(None, None, target=SimpleNamespace(data=data))
        )
    loss = task(encoded(x, lens), inputs)
    assert loss.item() == pytest.approx(total.item() / 12, rel=1e-4)


def test_nothing_flows_back_to_padding_and_all_is_finite():
    task = made()
    lens = torch.tensor([20, 15, 2] * 4)
    x = torch.randn(12, 20, 6, requires_grad=True)
    task(encoded(x, lens), targets(task)).backward()
    assert torch.isfinite(x.grad).all()
    for row, size in enumerate(lens):
        assert not x.grad[row, size:].any() and x.grad[row, :size].any()
    for name, weight in task.named_parameters():
        assert torch.isfinite(weight.grad).all(), name


def test_the_embedding_sees_fifteen_frames_and_no_end():
    head = PlainXVector(4, 6, 8, 5)
    assert head.context == 15
    assert head.frames(torch.randn(1, 20, 4), torch.tensor([20])).shape[2] == 6
    with pytest.raises(ValueError, match="2 kernel_sizes and 1 dilations"):
        PlainXVector(4, kernel_sizes=(3, 3), dilations=(1,))


def test_it_learns_voices_and_tells_new_recordings_apart():
    task = made()
    torch.manual_seed(2)
    voices = torch.randn(4, 1, 6).repeat(3, 1, 1)
    lens = torch.tensor([30, 18, 24] * 4)

    def heard():
        return encoded(voices + 0.3 * torch.randn(12, 30, 6), lens)

    optimizer = torch.optim.Adam(task.parameters(), lr=0.01)
    for _ in range(40):
        loss = task(heard(), targets(task))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5
    with torch.no_grad():
        found = dict(zip(SPEAKERS, task.eval().predict(heard(), None)))
    rate, cost = task.score(found, SPEAKERS)
    assert (rate.metric, cost.metric) == ("EER", "minDCF")
    assert rate.value < 0.05 and not rate.higher_is_better
    # Who does not train does not count.
    new = {"v": {"speaker": "new"}}
    one = encoded(torch.randn(1, 20, 6), torch.tensor([20]))
    assert task(one, targets(task, new)).item() == 0.0


def test_parts_of_recordings_teach_as_well():
    task = made()
    assert task.chunkable and not task.learns
    assert (task.margin, task.scale, task.reader.which) == (0.4, 30.0, "mix")
