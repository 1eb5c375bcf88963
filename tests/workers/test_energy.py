import pytest
import torch

from speechbrain_mtl.workers import RMSEnergy


@pytest.mark.parametrize("amplitude", [0.001, 0.5, 1.0])
def test_a_sine_has_its_amplitude_over_root_two(amplitude):
    time = torch.arange(16000) / 16000
    wav = amplitude * torch.sin(2 * torch.pi * 400 * time)
    labels = RMSEnergy()(wav[None], torch.ones(1))
    expected = torch.full_like(labels, amplitude / 2**0.5)
    torch.testing.assert_close(labels, expected, rtol=1e-5, atol=0)


def test_each_frame_is_the_root_of_its_mean_square():
    wav = torch.randn(1, 3210, generator=torch.Generator().manual_seed(0))
    labels = RMSEnergy()(wav, torch.ones(1))
    for t, value in enumerate(labels[0, :, 0]):
        frame = wav[0, 160 * t : 160 * t + 320].double()
        assert abs(value - frame.square().mean().sqrt()) < 1e-6
