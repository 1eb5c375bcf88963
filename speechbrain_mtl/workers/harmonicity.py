"""Harmonics-to-noise ratio."""

import torch

from speechbrain_mtl.workers.analysis import SAMPLE_RATE, Analysis, blocks
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.periodicity import (
    LOWEST,
    WINDOW,
    local_mean,
)
from speechbrain_mtl.workers.pitch import pitch_track

SPAN = int(SAMPLE_RATE / LOWEST)  # samples compared, the longest period
START = WINDOW // 2 - SPAN
BOUNDS = (-20.0, 40.0)  # dB


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
    first = torch.linalg.vector_norm(later[:, :SPAN], dim=1).square()
    second = first - later[:, 0].square() + later[:, -2].square()
    third = second - later[:, 1].square() + later[:, -1].square()
    energy = torch.stack([first, second, third])
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
        # Every stretch of the waveform as a row, to select those we need.
        step = frames.stride(0)
        rows = (len(frames) - 1) * step + WINDOW - SPAN - 1
        stretches = frames.as_strided((rows, SPAN + 2), (1, 1))
        start = torch.arange(len(frames), device=lag.device) * step
        start += START - 1 + lag[: len(frames)]
        share = centre.new_zeros(lag.shape)
        for part in blocks(len(frames), analysis.device):
            later = stretches.index_select(0, start[part])
            later -= centre[part]
            now = frames[part, START : START + SPAN] - centre[part]
            share[part] = period_correlation(now, later)
        share = share.clamp(1e-6, 1 - 1e-6).view(analysis.batch, -1, 1)
        return (10 * (share / (1 - share)).log10()).clamp(*BOUNDS)
