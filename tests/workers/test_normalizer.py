import copy

import pytest
import torch
from speechbrain.utils.checkpoints import Checkpointer

from speechbrain_mtl.workers import LabelNormalizer


def batches(dim=3, n=5):
    generator = torch.Generator().manual_seed(3)
    for _ in range(n):
        labels = torch.randn(4, 20, dim, generator=generator) * 7 + 1000
        yield labels, torch.randint(0, 21, (4,), generator=generator)


def kept(labels, frame_lens):
    return torch.cat([x[:n] for x, n in zip(labels, frame_lens)])


def test_statistics_are_those_of_all_valid_frames_together():
    normalizer = LabelNormalizer(3)
    for labels, frame_lens in batches():
        normalizer.update(labels, frame_lens)
    frames = torch.cat([kept(*batch) for batch in batches()]).double()
    assert normalizer.count == len(frames)
    torch.testing.assert_close(
        normalizer.mean, frames.mean(0), rtol=1e-13, atol=0
    )
    torch.testing.assert_close(
        normalizer.std, frames.std(0, correction=0), rtol=1e-12, atol=0
    )
    z = normalizer(frames.float())
    assert z.dtype == torch.float32
    assert z.mean(0).abs().max() < 1e-4
    assert (z.std(0, correction=0) - 1).abs().max() < 1e-4


def test_padding_never_counts_whatever_it_holds():
    clean, padded = LabelNormalizer(3), LabelNormalizer(3)
    for labels, frame_lens in batches():
        clean.update(labels, frame_lens)
        for row, n in zip(labels, frame_lens):
            row[n:] = torch.nan
        padded.update(labels, frame_lens)
    torch.testing.assert_close(clean.state_dict(), padded.state_dict())


def test_a_small_spread_on_a_large_mean_keeps_its_precision():
    normalizer = LabelNormalizer(1)
    for _ in range(50):
        values = torch.tensor([4095.0, 4097.0]).repeat(10)
        normalizer.update(values[None, :, None], torch.tensor([20]))
    assert abs(normalizer.std.item() - 1) < 1e-12


def test_the_checkpointer_brings_statistics_back(tmp_path):
    before, after = LabelNormalizer(3), LabelNormalizer(3)
    for batch in batches():
        before.update(*batch)
    Checkpointer(tmp_path, {"normalizer": before}).save_checkpoint()
    Checkpointer(tmp_path, {"normalizer": after}).recover_if_possible()
    torch.testing.assert_close(before.state_dict(), after.state_dict())
    labels = next(batches())[0]
    assert torch.equal(before(labels), after(labels))
    assert torch.equal(copy.deepcopy(before)(labels), before(labels))


def test_normalising_before_any_update_is_refused():
    with pytest.raises(ValueError, match="f0: no statistics yet"):
        LabelNormalizer(1, "f0")(torch.zeros(1, 1, 1))


@pytest.mark.parametrize("value", [0.0, 0.1, torch.nan])
def test_a_constant_or_broken_label_is_refused_by_name(value):
    normalizer = LabelNormalizer(2, "mfcc")
    labels = torch.randn(2, 9, 2)
    labels[..., 1] = value
    normalizer.update(labels, torch.tensor([9, 9]))
    with pytest.raises(ValueError, match="mfcc: value 1 of 2 is constant"):
        normalizer(labels)


def test_a_spread_of_rounding_errors_counts_as_constant():
    normalizer = LabelNormalizer(1, "rms")
    labels = torch.full((1, 8, 1), 0.1)
    labels[:, ::2] = torch.nextafter(torch.tensor(0.1), torch.tensor(1.0))
    normalizer.update(labels, torch.tensor([8]))
    with pytest.raises(ValueError, match="rms: value 0 of 1 is constant"):
        normalizer(labels)


def test_loaded_statistics_are_checked_again():
    normalizer = LabelNormalizer(3)
    normalizer.update(*next(batches()))
    normalizer(next(batches())[0])
    normalizer.load_state_dict(LabelNormalizer(3).state_dict())
    with pytest.raises(ValueError, match="no statistics yet"):
        normalizer(next(batches())[0])


def test_labels_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"frames, 3.*got \[4, 20, 2\]"):
        LabelNormalizer(3).update(torch.zeros(4, 20, 2), torch.ones(4))
