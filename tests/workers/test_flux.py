import numpy as np
import torch

from speechbrain_mtl.workers import SpectralFlux

ONE = torch.ones(1)


def test_flux_is_the_distance_of_neighbouring_magnitude_spectra():
    wav = torch.randn(1, 4000, generator=torch.Generator().manual_seed(0))
    window = torch.hamming_window(320, periodic=False).double()
    spectra = [
        np.abs(np.fft.rfft(wav[0, t : t + 320].double() * window, 512))[1:]
        for t in range(0, 4000 - 319, 160)
    ]
    expected = [0.0]
    for before, after in zip(spectra[:-1], spectra[1:]):
        expected.append(np.sqrt(((after - before) ** 2).mean()))
    labels = SpectralFlux()(wav, ONE)[0, :, 0]
    torch.testing.assert_close(labels, torch.tensor(expected).float())


def test_the_first_frame_of_every_utterance_has_no_flux():
    labels = SpectralFlux()(torch.randn(3, 1600), torch.ones(3))
    assert not labels[:, 0].any()
    assert labels[:, 1:].all()


def test_flux_grows_with_the_level():
    wav = torch.randn(1, 4000)
    torch.testing.assert_close(
        SpectralFlux()(8 * wav, ONE), 8 * SpectralFlux()(wav, ONE)
    )


def test_a_period_that_fills_the_hop_has_no_flux():
    wav = torch.sin(torch.arange(8000) * 2 * torch.pi / 80)[None]
    assert SpectralFlux()(wav, ONE).max() < 1e-3
