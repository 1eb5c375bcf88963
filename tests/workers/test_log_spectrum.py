import numpy as np
import torch

from speechbrain_mtl.workers import LogSpectrum

ONE = torch.ones(1)


def test_labels_are_the_log_power_of_each_bin():
    wav = torch.randn(1, 4000, generator=torch.Generator().manual_seed(0))
    window = torch.hamming_window(320, periodic=False).double()
    labels = LogSpectrum()(wav, ONE)[0]
    for t in (0, 7, 22):
        frame = wav[0, 160 * t : 160 * t + 320].double() * window
        expected = np.log(np.abs(np.fft.rfft(frame, 512)) ** 2)
        np.testing.assert_allclose(labels[t], expected, atol=2e-3)


def test_ten_times_the_amplitude_adds_the_log_of_a_hundred():
    wav = torch.randn(1, 4000)
    added = LogSpectrum()(10 * wav, ONE) - LogSpectrum()(wav, ONE)
    expected = torch.full_like(added, np.log(100))
    torch.testing.assert_close(added, expected, rtol=0, atol=2e-3)
