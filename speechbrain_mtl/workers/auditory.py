"""Labels of an auditory spectrum: loudness, and its RASTA-filtered kind."""

import functools
import math

import torch

from speechbrain_mtl.workers.analysis import Analysis, shared
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.filters import one_pole
from speechbrain_mtl.workers.spectrum import WINDOW, mel_power

BANDS = 26
LOWEST = 20.0
COMPRESSION = 0.33
SILENCE = 1e-9  # of a band's power; RASTA feels how deep digital silence is
POLE = 0.94  # of the RASTA filter; 1 Hz at 100 frames a second


@functools.lru_cache
def equal_loudness(device: torch.device) -> torch.Tensor:
    """Hearing's sensitivity at the centre of each band, log of at most 1.

    The 40 dB curve of perceptual linear prediction, with its term for
    signals that reach above 5 kHz (Hermansky 1990).
    """
    edges = torch.linspace(
        1127 * math.log1p(LOWEST / 700),
        1127 * math.log1p(8000 / 700),
        BANDS + 2,
        dtype=torch.float64,
    )
    square = (2 * torch.pi * 700 * torch.expm1(edges[1:-1] / 1127)) ** 2
    curve = (square + 56.8e6) * square**2
    curve /= (square + 6.3e6) ** 2 * (square + 0.38e9)
    curve /= square**3 + 9.58e26
    return (curve / curve.max()).log().float().to(device)


@shared
def log_bands(analysis: Analysis) -> torch.Tensor:
    """Log power in 26 auditory bands, [B, rows, 26]."""
    return mel_power(analysis, BANDS, LOWEST, "htk").clamp(min=SILENCE).log()


def rasta(log_power: torch.Tensor) -> torch.Tensor:
    """Keep of each band's log power what changes as fast as speech does.

    The band-pass filter of Hermansky and Morgan (1994), with the pole that
    openSMILE's labels show. It is causal; its first four frames only fill
    its memory, and its output rests at zero there.

    Arguments
    ---------
    log_power : torch.Tensor
        [B, F, D].

    Returns
    -------
    filtered : torch.Tensor
        [B, F, D].
    """
    slope = 0.2 * (log_power[:, 4:] - log_power[:, :-4])
    slope += 0.1 * (log_power[:, 3:-1] - log_power[:, 1:-3])
    slope = torch.nn.functional.pad(slope, (0, 0, 4, 0))
    return one_pole(slope[:, : log_power.shape[1]], POLE)


class Loudness(Worker):
    """Loudness: sum over 26 mel bands of weighted power to the 0.33.

    Example
    -------
    >>> wavs = torch.sin(torch.arange(16000) * 0.5)[None]
    >>> labels = Loudness()(torch.cat([wavs, 8 * wavs]), torch.ones(2))
    >>> round((labels[1] / labels[0]).mean().item() / 64**0.33, 4)
    1.0
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Sum the compressed auditory spectrum."""
        bands = log_bands(analysis) + equal_loudness(analysis.device)
        return (COMPRESSION * bands).exp().sum(-1, keepdim=True)


class RastaL1(Worker):
    """Sum of the RASTA-filtered auditory spectrum (L1 norm).

    It rises at onsets and falls at offsets; steady sound and the colour of
    the channel leave it alone.

    Example
    -------
    >>> wavs = torch.sin(torch.arange(16000) * 0.5)[None]
    >>> labels = RastaL1()(torch.cat([wavs, 8 * wavs]), torch.ones(2))
    >>> bool((labels[1] / labels[0] - 1).abs().max() < 1e-4)
    True
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Sum the compressed, filtered auditory spectrum."""
        bands = rasta(log_bands(analysis)) + equal_loudness(analysis.device)
        return (COMPRESSION * bands).exp().sum(-1, keepdim=True)
