"""Fundamental frequency, voicing and harmonicity, from one pitch track."""

from typing import NamedTuple

import torch

from speechbrain_mtl.workers.analysis import HOP, SAMPLE_RATE, Analysis, shared
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.periodicity import (
    HIGHEST,
    LOWEST,
    WINDOW,
    local_mean,
    period_candidates,
)
from speechbrain_mtl.workers.viterbi import best_path

# Praat's standard settings of the path finder.
VOICING_THRESHOLD = 0.45
SILENCE_THRESHOLD = 0.03
OCTAVE_COST = 0.01
OCTAVE_JUMP_COST = 0.35
ONSET_COST = 0.14


class Track(NamedTuple):
    """A pitch track, [B, rows] each."""

    voiced: torch.Tensor  # bool
    period: torch.Tensor  # samples; the strongest candidate's if unvoiced
    strength: torch.Tensor  # its normalised autocorrelation


def unvoiced_strength(analysis: Analysis) -> torch.Tensor:
    """Strength of "no pitch", larger where it is nearly silent, [B, rows].

    Silence is judged by the loudest sample of the longest period amid each
    frame, relative to the loudest of the utterance.
    """
    hops = analysis.wavs.view(analysis.batch, -1, HOP)
    reach = int(SAMPLE_RATE / LOWEST / 2)
    left, right = hops[..., HOP - reach :], hops[..., :reach]
    left = torch.stack([left.amax(-1), -left.amin(-1)])
    right = torch.stack([right.amax(-1), -right.amin(-1)])

    mean = analysis.wavs.sum(1, keepdim=True) / analysis.samples[:, None]
    sign = mean.new_tensor([1.0, -1.0])[:, None, None]
    whole = torch.maximum(left, right) - sign * mean
    whole = whole.masked_fill(analysis.outside[:, ::HOP], 0.0)
    loudest = whole.amax((0, 2))[:, None] + 1e-9

    pad = torch.nn.functional.pad
    frame = torch.maximum(
        pad(left, (0, 2))[..., 1:-1], pad(right, (0, 2))[..., 2:]
    )
    frame = (frame - sign * local_mean(analysis)).amax(0)
    quiet = 2 - frame / loudest * (1 + VOICING_THRESHOLD) / SILENCE_THRESHOLD
    return VOICING_THRESHOLD + quiet.clamp(min=0)


@shared
def pitch_track(analysis: Analysis) -> Track:
    """Choose among the candidates of all frames by Viterbi's algorithm."""
    period, strength = period_candidates(analysis)
    f0 = SAMPLE_RATE / period
    score = strength + OCTAVE_COST * (f0 / LOWEST).log2()
    # Relative to the unvoiced state, sums stay small and precise.
    score -= unvoiced_strength(analysis)
    usable = (strength > 0) & (f0 >= LOWEST) & (f0 <= HIGHEST)
    score = torch.where(usable, score, -1e3)
    score = torch.nn.functional.pad(score, (0, 0, 0, 0, 1, 0))
    frame_lens = ((analysis.samples - WINDOW) // HOP + 1).clamp(min=1)
    path = best_path(f0.log2(), score, frame_lens, OCTAVE_JUMP_COST, ONSET_COST)
    voiced = path > 0
    chosen = torch.where(voiced, path - 1, strength.max(0).indices)[None]
    return Track(
        voiced, period.gather(0, chosen)[0], strength.gather(0, chosen)[0]
    )


class F0(Worker):
    """Fundamental frequency in Hz, 0 where unvoiced, from 75 to 600 Hz.

    Boersma's (1993) method, as in Praat: peaks of the autocorrelation of
    40 ms Hann windows, divided by that of the window, then the best path
    through them. Hz with unvoiced zeros is the field's standard, and a
    z-score of it is what published pretext tasks predict.

    Example
    -------
    >>> time = torch.arange(16000) / 16000
    >>> wavs = torch.sin(2 * torch.pi * 200 * time)[None]
    >>> labels = F0()(wavs, torch.ones(1))
    >>> labels.shape, round(labels.mean().item())
    (torch.Size([1, 97, 1]), 200)
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Turn the period of voiced frames into Hz."""
        track = pitch_track(analysis)
        f0 = torch.where(track.voiced, SAMPLE_RATE / track.period, 0.0)
        return f0[..., None]


class Voicing(Worker):
    """How periodic a frame is, from 0 to 1.

    The normalised autocorrelation at the period of the pitch track where
    voiced, else at the strongest peak; not cut off in unvoiced frames.

    Example
    -------
    >>> wavs = torch.sin(torch.arange(16000) * 0.1)[None]
    >>> Voicing()(wavs, torch.ones(1)).mean() > 0.99
    tensor(True)
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Read the strength of the pitch track."""
        return pitch_track(analysis).strength.clamp(0, 1)[..., None]
