"""Labels read off the power spectrum directly."""

import torch

from speechbrain_mtl.workers.analysis import SAMPLE_RATE, Analysis
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.spectrum import N_FFT, WINDOW, power_spectrum

FLOOR = 1e-12


class AlphaRatio(Worker):
    """Energy in 1-5 kHz over energy in 50-1000 Hz, in dB.

    The spectral balance of GeMAPS (Eyben et al. 2016), with the sign that
    openSMILE gives it: low for vowels, high for fricatives.

    Example
    -------
    >>> time = torch.arange(16000) / 16000
    >>> low = torch.sin(2 * torch.pi * 500 * time)
    >>> high = torch.sin(2 * torch.pi * 2000 * time)
    >>> labels = AlphaRatio()((low + 0.1 * high)[None], torch.ones(1))
    >>> round(labels.mean().item())
    -20
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Ten times the log ratio of two sums of bins."""
        low, mid, high = (
            hertz * N_FFT // SAMPLE_RATE for hertz in (50, 1000, 5000)
        )
        power = power_spectrum(analysis)
        below = power[..., low:mid].sum(-1, keepdim=True)
        above = power[..., mid:high].sum(-1, keepdim=True)
        return 10 * ((above + FLOOR) / (below + FLOOR)).log10()
