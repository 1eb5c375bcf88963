import pytest
import torch

from speechbrain_mtl.workers import ZeroCrossingRate


@pytest.mark.parametrize("hertz", [100, 441, 1000, 3777])
def test_a_sine_crosses_twice_a_period(hertz):
    time = torch.arange(16000) / 16000
    wav = torch.sin(2 * torch.pi * hertz * time + 0.1)
    labels = ZeroCrossingRate()(wav[None], torch.ones(1))
    assert (labels - 2 * hertz / 16000).abs().max() < 1.01 / 959


def test_each_frame_counts_the_changes_between_its_own_samples():
    generator = torch.Generator().manual_seed(0)
    wav = torch.randint(-1, 2, (1, 3000), generator=generator).float()
    labels = ZeroCrossingRate()(wav, torch.ones(1))[0, :, 0]
    assert len(labels) == 13
    for t, value in enumerate(labels.tolist()):
        frame = wav[0, 160 * t : 160 * t + 960].sign().tolist()
        count = sum(abs(a - b) / 2 for a, b in zip(frame, frame[1:]))
        assert abs(value - count / 959) < 1e-6


def test_turning_the_signal_over_changes_nothing():
    wav = torch.randint(-1, 2, (1, 3000)).float()
    worker = ZeroCrossingRate()
    assert torch.equal(worker(wav, torch.ones(1)), worker(-wav, torch.ones(1)))
