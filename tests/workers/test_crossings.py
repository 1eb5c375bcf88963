import pytest
import torch

from speechbrain_mtl.workers import ZeroCrossingRate


@pytest.mark.parametrize("hertz", [100, 441, 1000, 3777])
def test_a_sine_crosses_twice_a_period(hertz):
    time = torch.arange(16000) / 16000
    wav = torch.sin(2 * torch.pi * hertz * time + 0.1)
    labels = ZeroCrossingRate()(wav[None], torch.ones(1))
    assert (labels - 2 * hertz / 16000).abs().max() < 1.01 / 958


def count(frame):
    """Crossings inside a list of samples, by the definition."""
    total = 0
    for before, here, after in zip(frame, frame[1:], frame[2:]):
        total += before * here < 0
        total += here == 0 and before * after <= 0
    return total


@pytest.mark.parametrize("values", [1, 3])
def test_each_frame_counts_its_own_crossings(values):
    generator = torch.Generator().manual_seed(0)
    shape = (2, 3000)
    wavs = torch.randint(-values, values + 1, shape, generator=generator)
    lens = torch.tensor([1.0, 0.1])
    labels = ZeroCrossingRate()(wavs.float(), lens)[..., 0]
    assert labels.shape == (2, 13)
    for t, value in enumerate(labels[0].tolist()):
        frame = wavs[0, 160 * t : 160 * t + 960].tolist()
        assert abs(value - count(frame) / 958) < 1e-6
    short = count(wavs[1, :300].tolist())
    assert abs(labels[1, 0] - short / 958) < 1e-6


def test_turning_the_signal_over_changes_nothing():
    wav = torch.randint(-1, 2, (1, 3000)).float()
    worker = ZeroCrossingRate()
    assert torch.equal(worker(wav, torch.ones(1)), worker(-wav, torch.ones(1)))
