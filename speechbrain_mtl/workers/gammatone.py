"""Log energies in bands as wide as those of the cochlea."""

import functools
import math

import torch

from speechbrain_mtl.workers.analysis import SAMPLE_RATE, Analysis
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.spectrum import (
    FLOOR,
    N_FFT,
    WINDOW,
    power_spectrum,
)

LOWEST = 50.0  # Hz
# A band at f Hz is 24.7 + f / 9.26449 Hz wide, in equivalent rectangles
# (Glasberg and Moore 1990); a gammatone's own width is 1.019 of that.
NARROWEST, QUALITY, WIDTH = 24.7, 9.26449, 1.019


@functools.lru_cache
def centres(bands: int) -> torch.Tensor:
    """Space frequencies evenly in band widths, 50 Hz to 8 kHz, [bands]."""
    corner = NARROWEST * QUALITY
    low, high = (math.log(f + corner) for f in (LOWEST, SAMPLE_RATE / 2))
    edges = torch.linspace(low, high, bands + 2, dtype=torch.float64)
    return edges[1:-1].exp() - corner


@functools.lru_cache
def gammatone_filters(bands: int, device: torch.device) -> torch.Tensor:
    """Power responses of fourth-order gammatones, [N_FFT // 2 + 1, bands].

    Each has gain 1 at its centre. What its mirror image at negative
    frequencies adds is left out: a percent at the lowest band.
    """
    centre = centres(bands)
    width = WIDTH * (NARROWEST + centre / QUALITY)
    bins = torch.arange(N_FFT // 2 + 1, dtype=torch.float64)
    distance = bins[:, None] * (SAMPLE_RATE / N_FFT) - centre
    response = (1 + (distance / width) ** 2) ** -4
    return response.float().to(device)


class Gammatone(Worker):
    """Natural log of the power in gammatone bands of 20 ms frames.

    Fourth-order gammatones (Patterson et al. 1992) weigh the power
    spectrum; below about 1 kHz they are narrower than what 20 ms can
    resolve, so neighbouring bands there share much of what they hear.

    Arguments
    ---------
    bands : int
        Filters between 50 Hz and 8 kHz, evenly spaced on the scale of
        equivalent rectangular bandwidths.

    Example
    -------
    >>> Gammatone()(torch.zeros(2, 16000), torch.ones(2)).shape
    torch.Size([2, 99, 64])
    """

    def __init__(self, bands: int = 64) -> None:
        super().__init__(dim=bands, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Weigh the shared power spectrum."""
        filters = gammatone_filters(self.dim, analysis.device)
        return (power_spectrum(analysis) @ filters).clamp_(min=FLOOR).log_()
