"""The whole power spectrum as a label."""

import torch

from speechbrain_mtl.workers.analysis import Analysis
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.spectrum import (
    FLOOR,
    N_FFT,
    WINDOW,
    power_spectrum,
)


class LogSpectrum(Worker):
    """Natural log of the power in each of 257 bins from 0 to 8 kHz.

    Harmonics and formants as they are, where `Fbank` blurs them into bands
    of hearing.

    Example
    -------
    >>> LogSpectrum()(torch.zeros(2, 16000), torch.ones(2)).shape
    torch.Size([2, 99, 257])
    """

    def __init__(self) -> None:
        super().__init__(dim=N_FFT // 2 + 1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Take the log of the shared spectrum."""
        return power_spectrum(analysis).clamp(min=FLOOR).log_()
