import torch

from speechbrain_mtl.workers.analysis import Analysis
from speechbrain_mtl.workers.periodicity import (
    LAGS,
    period_candidates,
    refine,
    tables,
)


def test_power_is_turned_into_the_low_passed_autocorrelation():
    window, to_lags = tables(torch.device("cpu"))
    signal = torch.randn(640, generator=torch.Generator().manual_seed(0)) + 1
    spectrum = torch.fft.rfft((signal * window).double(), n=864)
    spectrum[to_lags.shape[1] :] = 0  # 0 to 3 kHz
    low = torch.fft.irfft(spectrum, n=864)
    power = spectrum[: to_lags.shape[1]].abs().square().float()
    weights = window.double()
    for lag, value in zip(LAGS, to_lags @ power):
        raw = (torch.roll(low, -lag) * low).sum()
        own = (weights[lag:] * weights[: 640 - lag]).sum()
        expected = raw * weights.square().sum() / own
        assert abs(value - expected) < 1e-4 * expected.abs() + 1e-3


def test_three_values_of_a_parabola_give_its_top():
    place = torch.tensor([1.6, 2.0, 2.4, 3.2])
    steps = torch.arange(5.0)[:, None]
    found, height = refine(0.9 - 0.1 * (steps - place) ** 2)
    torch.testing.assert_close(found, place)
    torch.testing.assert_close(height, torch.full((4,), 0.9))


def test_a_slope_is_no_candidate():
    _, height = refine(torch.arange(5.0)[:, None] / 10)
    assert height == 0


def test_octaves_are_different_candidates():
    time = torch.arange(4000) / 16000
    wav = torch.sin(2 * torch.pi * 200 * time)[None]
    period, strength = period_candidates(Analysis(wav, torch.ones(1)))
    inner = period[:, 0, 3:15], strength[:, 0, 3:15]
    for expected in (80, 160):
        near = (inner[0] - expected).abs() < 0.5
        assert (near & (inner[1] > 0.98)).any(0).all()
