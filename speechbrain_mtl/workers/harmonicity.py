"""Harmonics-to-noise ratio."""

import torch

from speechbrain_mtl.workers.analysis import Analysis
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.periodicity import (
    LOWEST,
    SAMPLE_RATE,
    WINDOW,
    local_mean,
)
from speechbrain_mtl.workers.pitch import pitch_track

SPAN = int(SAMPLE_RATE / LOWEST)  # samples compared, the longest period
START = WINDOW // 2 - SPAN
BLOCK = 500
LEAST, MOST = 0.01, 0.9999  # -20 and 40 dB


def period_correlation(
    frames: torch.Tensor, later: torch.Tensor
) -> torch.Tensor:
    """Correlate frames with what follows a period later.

    Arguments
    ---------
    frames : torch.Tensor
        [n, SPAN].
    later : torch.Tensor
        [n, SPAN + 2], from one sample before the period on.

    Returns
    -------
    correlation : torch.Tensor
        [n], its top near the period, from a parabola through three lags.
    """
    products = torch.stack(
        [(frames * later[:, shift : shift + SPAN]).sum(1) for shift in range(3)]
    )
    edge = later[:, [0, 1, -2, -1]].t().square()
    first = torch.linalg.vector_norm(later[:, :SPAN], dim=1).square()
    second = first - edge[0] + edge[2]
    energy = torch.stack([first, second, second - edge[1] + edge[3]])
    energy *= torch.linalg.vector_norm(frames, dim=1).square()
    before, here, after = products / energy.clamp(min=1e-18).sqrt()
    bend = (2 * here - before - after).clamp(min=1e-6)
    slope = (after - before) / 2
    return here + slope * (slope / bend).clamp(-1, 1) / 2


class LogHNR(Worker):
    """Harmonics-to-noise ratio in dB, from -20 to 40.

    The correlation r of a stretch of signal with what follows a period later
    says which share of its power repeats: 10 log10(r / (1 - r)). Stretch
    and lag are those of Praat's cross-correlation harmonicity, the period is
    the pitch track's (the strongest candidate's where unvoiced).

    Example
    -------
    >>> time = torch.arange(16000) / 16000
    >>> tone = torch.sin(2 * torch.pi * 200 * time)
    >>> noise = torch.randn(16000, generator=torch.Generator().manual_seed(0))
    >>> wavs = (tone + 0.1 * noise / 2**0.5)[None]
    >>> round(LogHNR()(wavs, torch.ones(1)).mean().item())
    20
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Compare each frame with itself a period later."""
        frames = analysis.frames(WINDOW)
        lag = pitch_track(analysis).period.round().long().view(-1)
        centre = local_mean(analysis).view(-1, 1)
        flat = analysis.wavs.view(-1)
        shifted = flat.unfold(0, SPAN + 2, 1)
        start = torch.arange(len(frames), device=flat.device) * 160 + START - 1
        share = flat.new_zeros(lag.shape)
        for low in range(0, len(frames), BLOCK):
            part = slice(low, min(low + BLOCK, len(frames)))
            later = shifted.index_select(0, (start[part] + lag[part]))
            later = later - centre[part]
            now = frames[part, START : START + SPAN] - centre[part]
            share[part] = period_correlation(now, later)
        share = share.clamp(LEAST, MOST).view(analysis.batch, -1)
        return 10 * (share / (1 - share)).log10()[..., None]
