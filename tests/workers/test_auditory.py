import math

import pytest
import torch
from scipy.signal import lfilter

from speechbrain_mtl.workers import Loudness, RastaL1
from speechbrain_mtl.workers.auditory import equal_loudness, rasta


@pytest.mark.parametrize("frames", [1, 3, 4, 5, 300])
def test_rasta_is_the_published_filter_at_rest_for_four_frames(frames):
    log_power = torch.randn(1, frames, 5).double().numpy()
    slope = lfilter([0.2, 0.1, 0.0, -0.1, -0.2], [1.0], log_power, axis=1)
    slope[:, :4] = 0.0
    expected = lfilter([1.0], [1.0, -0.94], slope, axis=1)
    torch.testing.assert_close(
        rasta(torch.from_numpy(log_power).float()).double(),
        torch.from_numpy(expected),
        rtol=1e-4,
        atol=1e-4,
    )


def test_steady_sound_leaves_rasta_at_rest_whatever_its_colour():
    time = torch.arange(16000) / 16000
    resting = equal_loudness(torch.device("cpu")).mul(0.33).exp().sum()
    for hertz in (500, 2000):
        wav = torch.sin(2 * torch.pi * hertz * time)[None]
        labels = RastaL1()(wav, torch.ones(1))
        assert (labels / resting - 1).abs().max() < 0.02


def test_rasta_rises_at_an_onset_and_falls_at_an_offset():
    wav = torch.randn(1, 48000, generator=torch.Generator().manual_seed(0))
    wav[:, :16000] *= 0.01
    wav[:, 32000:] *= 0.01
    labels = RastaL1()(wav, torch.ones(1))[0, :, 0]
    steady = labels[60:90].mean()
    assert labels[100:110].max() > 1.5 * steady
    assert labels[200:215].min() < 0.7 * steady


def test_loudness_weights_tones_as_the_ear_does():
    time = torch.arange(16000) / 16000

    def loudness(hertz):
        wav = torch.sin(2 * torch.pi * hertz * time)[None]
        return Loudness()(wav, torch.ones(1)).mean()

    assert loudness(3000) > loudness(1000) > loudness(300) > loudness(80)
    assert loudness(3000) > loudness(7500)


def test_the_curve_of_equal_loudness_is_hermanskys():
    top = 1127 * math.log1p(8000 / 700)
    low = 1127 * math.log1p(20 / 700)
    curve = []
    for band in range(1, 27):
        hertz = 700 * math.expm1((low + (top - low) * band / 27) / 1127)
        w = (2 * math.pi * hertz) ** 2
        curve.append(
            (w + 56.8e6)
            * w**2
            / (w + 6.3e6) ** 2
            / (w + 0.38e9)
            / (w**3 + 9.58e26)
        )
    expected = torch.tensor([math.log(c / max(curve)) for c in curve])
    torch.testing.assert_close(
        equal_loudness(torch.device("cpu")), expected, rtol=1e-4, atol=1e-5
    )
