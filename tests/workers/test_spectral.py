import pytest
import torch

from speechbrain_mtl.workers import AlphaRatio
from speechbrain_mtl.workers.analysis import Analysis
from speechbrain_mtl.workers.spectrum import mel_filters, power_spectrum


def test_the_power_spectrum_is_that_of_each_hamming_windowed_frame():
    wav = torch.randn(2, 9000)
    power = power_spectrum(Analysis(wav, torch.ones(2)))
    window = torch.hamming_window(320, periodic=False).double()
    for b, t in [(0, 0), (0, 54), (1, 3), (1, 54)]:
        frame = wav[b, 160 * t : 160 * t + 320].double() * window
        expected = torch.fft.rfft(frame, n=512).abs() ** 2
        torch.testing.assert_close(
            power[b, t].double(), expected, rtol=1e-4, atol=1e-4
        )


def test_no_mel_band_is_empty():
    for bands, low, scale in [(80, 0.0, "slaney"), (26, 20.0, "htk")]:
        filters = mel_filters(bands, low, scale, torch.device("cpu"))
        assert filters.sum(0).min() > 0.3


@pytest.mark.parametrize("decibel", [-30, 0, 20])
def test_two_tones_have_the_ratio_of_their_powers(decibel):
    time = torch.arange(16000) / 16000
    low = torch.sin(2 * torch.pi * 500 * time)
    high = torch.sin(2 * torch.pi * 3000 * time) * 10 ** (decibel / 20)
    above = torch.sin(2 * torch.pi * 6500 * time)
    labels = AlphaRatio()((low + high + above)[None], torch.ones(1))
    assert (labels - decibel).abs().max() < 0.3
