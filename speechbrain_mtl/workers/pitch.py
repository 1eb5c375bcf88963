"""Fundamental frequency, voicing and harmonicity, from one pitch track."""

from typing import NamedTuple

import torch

from speechbrain_mtl.workers.analysis import SAMPLE_RATE, Analysis, shared
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.periodicity import (
    LOWEST,
    WINDOW,
    all_candidates,
)
from speechbrain_mtl.workers.viterbi import best_path, transition_gain

VOICING_THRESHOLD = 0.45
SILENCE_THRESHOLD = 0.03
OCTAVE_JUMP_COST = 0.35
ONSET_COST = 0.14


class Track(NamedTuple):
    """A pitch track, [B, rows] each."""

    f0: torch.Tensor  # Hz, 0 where unvoiced
    strength: torch.Tensor  # of the chosen period, or of the strongest


def unvoiced_strength(analysis: Analysis) -> torch.Tensor:
    """Strength of "no pitch", larger in frames that are nearly silent."""
    loudness = analysis.wavs.abs()
    loudest = loudness.amax(1, keepdim=True)
    reach = int(SAMPLE_RATE / LOWEST / 2)
    padded = torch.nn.functional.pad(loudness, (0, WINDOW))
    centre = padded[:, WINDOW // 2 - reach :].unfold(1, 2 * reach, 160)
    peak = centre[:, : analysis.rows].amax(-1) / (loudest + 1e-9)
    quiet = 2 - peak / (SILENCE_THRESHOLD / (1 + VOICING_THRESHOLD))
    return VOICING_THRESHOLD + quiet.clamp(min=0)


@shared
def pitch_track(analysis: Analysis) -> Track:
    """Choose among the candidates of all frames by Viterbi's algorithm."""
    found = all_candidates(analysis)
    shape = (-1, analysis.batch, analysis.rows)
    score = found.score.view(shape)
    pitch = (SAMPLE_RATE / found.period).log2().view(shape)
    unvoiced = unvoiced_strength(analysis)

    frame_lens = ((analysis.samples - WINDOW) // 160 + 1).clamp(min=1)
    index = torch.arange(analysis.rows, device=analysis.device)
    outside = index >= frame_lens[:, None]
    strength = torch.cat([unvoiced[None], torch.where(score > -1, score, -9e3)])
    strength = torch.where(outside, 0.0, strength).permute(2, 0, 1)
    gain = transition_gain(pitch.permute(2, 0, 1), OCTAVE_JUMP_COST, ONSET_COST)
    gain = torch.where(outside.t()[:, None, None], 0.0, gain)
    path = best_path(gain, strength).t()
    voiced = path > 0
    strongest = found.strength.view(shape).argmax(0)
    chosen = torch.where(voiced, path - 1, strongest)[None]
    period = found.period.view(shape).gather(0, chosen)[0]
    f0 = torch.where(voiced, SAMPLE_RATE / period, 0.0)
    return Track(f0, found.strength.view(shape).gather(0, chosen)[0])


class F0(Worker):
    """Fundamental frequency in Hz, 0 where unvoiced, from 75 to 600 Hz.

    Boersma's (1993) method, as in Praat: peaks of the autocorrelation of
    40 ms Hann windows, divided by that of the window, then the cheapest path
    through them. z-scored as it is, unvoiced zeros included, this is the
    target the reference pipelines use.

    Example
    -------
    >>> time = torch.arange(16000) / 16000
    >>> wavs = torch.sin(2 * torch.pi * 200 * time)[None]
    >>> round(F0()(wavs, torch.ones(1)).mean().item())
    200
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Read the pitch track."""
        return pitch_track(analysis).f0[..., None]


class Voicing(Worker):
    """How periodic a frame is: its normalised autocorrelation, 0 to 1.

    At the period of the pitch track where voiced, else at the strongest peak.

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


class LogHNR(Worker):
    """Harmonics-to-noise ratio in dB.

    Example
    -------
    >>> wavs = torch.sin(torch.arange(16000) * 0.1)[None]
    >>> LogHNR()(wavs, torch.ones(1)).mean() > 20
    tensor(True)
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Turn the strength of the pitch track into a ratio."""
        share = pitch_track(analysis).strength.clamp(1e-2, 1 - 1e-4)
        return 10 * (share / (1 - share)).log10()[..., None]
