"""Pretext tasks: masked means of aligned, normalised errors."""

import pytest
import torch

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks import FrameLabels, Inputs, PretextTask
from speechbrain_mtl.training.model import MultiTaskModel
from speechbrain_mtl.workers import F0, MFCC, RMSEnergy, WorkerBank
from tests.helpers.encoders import small_crdnn

LOSSES = {"l1": abs, "mse": lambda e: e * e}


def small_model(seed=0, **tasks):
    torch.manual_seed(seed)
    bank = WorkerBank({"f0": F0(), "mfcc": MFCC(), "rms": RMSEnergy()})
    dims = {"f0": 1, "mfcc": 60, "rms": 1}
    tasks = tasks or {
        name: PretextTask(name, dim, input_size=16, hidden_size=8)
        for name, dim in dims.items()
    }
    encoder = small_crdnn(mask_prob=0.0)
    return MultiTaskModel(encoder, tasks, bank)


def tones(lengths):
    torch.manual_seed(1)
    wavs = torch.zeros(len(lengths), max(lengths))
    for row, length in enumerate(lengths):
        t = torch.arange(length) / 16000
        sweep = torch.sin(2 * torch.pi * (120 + 60 * row + 40 * t) * t)
        wavs[row, :length] = (0.1 + 0.2 * t) * sweep
    wavs += 0.01 * torch.randn_like(wavs)
    for row, length in enumerate(lengths):
        wavs[row, length:] = 0
    return wavs, torch.tensor(lengths) / max(lengths)


@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_loss_equals_a_loop_over_frames(loss):
    torch.manual_seed(0)
    task = PretextTask("f0", 2, input_size=4, loss=loss, hidden_size=3)
    lens = torch.tensor([6, 4])
    labels = FrameLabels(torch.randn(2, 6, 2), lens, 0.01, 0.01)
    inputs = Inputs(None, None, {"f0": labels})
    task.calibrate(inputs)
    hidden = torch.randn(2, 6, 4)
    got = task(Encoded((hidden,), lens, 0.01, 0.01), inputs)
    rows = torch.cat([labels.values[0, :6], labels.values[1, :4]])
    mean, std = rows.mean(0), rows.std(0, unbiased=False)
    total, count = 0.0, 0
    for b in range(2):
        for t in range(int(lens[b])):
            guess = task.head(hidden[b, t])
            for d in range(2):
                target = (labels.values[b, t, d] - mean[d]) / std[d]
                total += LOSSES[loss](float(guess[d] - target))
                count += 1
    assert float(got) == pytest.approx(total / count, rel=1e-4)


def test_padding_changes_no_loss():
    wavs, _ = tones([16000, 11000])
    model = small_model().eval()
    model.calibrate(wavs, torch.tensor([1.0, 11000 / 16000]))
    active = list(model.tasks)
    alone, _ = model(wavs[1:, :11000], torch.ones(1), active)
    padded = torch.cat([wavs[1:], torch.zeros(1, 9000)], dim=1)
    longer, _ = model(padded, torch.tensor([11000 / 25000]), active)
    for name in active:
        torch.testing.assert_close(
            alone[name], longer[name], rtol=1e-4, atol=1e-5
        )


def test_statistics_do_not_count_padding():
    wavs, lens = tones([16000, 9000])
    one, two = small_model(), small_model()
    one.calibrate(wavs, lens)
    two.calibrate(wavs[:1], torch.ones(1))
    two.calibrate(wavs[1:, :9000], torch.ones(1))
    for key, value in one.state_dict().items():
        torch.testing.assert_close(
            value, two.state_dict()[key], rtol=1e-4, atol=1e-5
        )


def test_an_inactive_task_is_not_executed():
    model = small_model().eval()
    wavs, lens = tones([12000])
    model.calibrate(wavs, lens)
    model.tasks["mfcc"].forward = None
    losses, _ = model(wavs, lens, ["f0"])
    assert set(losses) == {"f0"}


def test_doubling_a_weight_doubles_its_gradient():
    from speechbrain_mtl.training import FixedWeights

    wavs, lens = tones([12000, 8000])
    grads = []
    for weight in (0.3, 0.6):
        model = small_model()
        model.calibrate(wavs, lens)
        losses, _ = model(wavs, lens, ["f0"])
        FixedWeights({"f0": weight})(losses).backward()
        grads.append(model.encoder.projection.weight.grad)
    torch.testing.assert_close(2 * grads[0], grads[1])
    assert grads[0].abs().sum() > 0


def test_centred_labels_ignore_a_constant():
    task = PretextTask("f0", 1, input_size=4, centre=True)
    values, lens = torch.randn(1, 9, 1), torch.tensor([9])
    encoded = Encoded((torch.zeros(1, 9, 4),), lens, 0.01, 0.01)
    inputs = [
        Inputs(None, None, {"f0": FrameLabels(values + c, lens, 0.01, 0.01)})
        for c in (0.0, 5.0)
    ]
    task.calibrate(inputs[0])
    one, two = (task.targets(encoded, i)[0] for i in inputs)
    torch.testing.assert_close(one, two)


def test_a_task_without_its_worker_is_refused():
    task = PretextTask("chroma", 12, input_size=16)
    with pytest.raises(ValueError, match="wants labels of worker 'chroma'"):
        small_model(chroma=task)


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="'l3' is none of"):
        PretextTask("f0", 1, input_size=4, loss="l3")
