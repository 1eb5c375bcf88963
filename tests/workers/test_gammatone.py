import numpy as np
import pytest
import scipy.signal
import torch

from speechbrain_mtl.workers import Gammatone
from speechbrain_mtl.workers.gammatone import centres, gammatone_filters

ONE = torch.ones(1)
CPU = torch.device("cpu")


@pytest.mark.parametrize("bands", [40, 64])
def test_filters_are_the_responses_of_gammatone_impulse_responses(bands):
    filters = gammatone_filters(bands, CPU).numpy()
    frequencies = np.arange(257) * 31.25
    for band, centre in enumerate(centres(bands).tolist()):
        if centre > 5000:  # where sampling folds the impulse's own response
            break
        taps, _ = scipy.signal.gammatone(
            centre, "fir", order=4, numtaps=3200, fs=16000
        )
        _, response = scipy.signal.freqz(taps, worN=frequencies, fs=16000)
        error = np.abs(filters[:, band] - np.abs(response) ** 2).max()
        # The mirror image at negative frequencies reaches the lowest bands.
        assert error < (1e-3 if centre > 150 else 0.02), (centre, error)


def test_centres_are_evenly_apart_in_their_own_bandwidths():
    edges = torch.cat(
        [torch.tensor([50.0]), centres(64), torch.tensor([8000.0])]
    )
    middle = (edges[1:] + edges[:-1]) / 2
    steps = edges.diff() / (24.7 + middle / 9.26449)
    assert steps.std() / steps.mean() < 0.01


def test_a_tone_is_loudest_in_the_band_around_it_at_its_own_power():
    time = torch.arange(8000) / 16000
    for band in range(8, 64, 5):
        wav = torch.sin(2 * torch.pi * centres(64)[band] * time).float()[None]
        labels = Gammatone()(wav, ONE)[0, 20]
        assert labels.argmax() == band


def test_no_band_is_empty():
    for bands in (40, 64):
        assert gammatone_filters(bands, CPU).sum(0).min() > 0.9


def test_bands_are_sums_of_the_power_spectrum():
    wav = torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))
    window = torch.hamming_window(320, periodic=False).double()
    frame = wav[0, 480:800].double() * window
    power = np.abs(np.fft.rfft(frame, 512)) ** 2
    expected = np.log(power @ gammatone_filters(40, CPU).double().numpy())
    np.testing.assert_allclose(
        Gammatone(40)(wav, ONE)[0, 3], expected, atol=1e-4
    )
