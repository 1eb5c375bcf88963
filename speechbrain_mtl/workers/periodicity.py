"""Candidates for the period of each frame, from its autocorrelation."""

import functools
import math
from typing import NamedTuple

import torch

from speechbrain_mtl.workers.analysis import SAMPLE_RATE, Analysis
from speechbrain_mtl.workers.spectrum import power_blocks

WINDOW = 640  # three periods of the lowest pitch
N_FFT = 1024
LOWEST, HIGHEST = 75.0, 600.0  # Hz
BAND = 4000  # Hz; what lies above tells noise, not pitch
STEP = SAMPLE_RATE // (2 * BAND)  # samples between lags
CANDIDATES = 6
WEAKEST = 0.225
OCTAVE_COST = 0.01


class Tables(NamedTuple):
    """Constants of the analysis on one device."""

    window: torch.Tensor  # [WINDOW]
    to_lags: torch.Tensor  # [1 + lags, bins], row 0 gives the energy
    octave: torch.Tensor  # [inner lags, 1]


FIRST = int(SAMPLE_RATE / HIGHEST) // STEP * STEP
LAGS = range(
    FIRST - STEP,
    math.ceil(SAMPLE_RATE / LOWEST) // STEP * STEP + 2 * STEP,
    STEP,
)
BINS = BAND * N_FFT // SAMPLE_RATE + 1


@functools.lru_cache
def tables(device: torch.device) -> Tables:
    """Make the window and the transform from power to autocorrelation."""
    window = torch.hann_window(WINDOW, periodic=False, dtype=torch.float64)
    lags = torch.tensor([0, *LAGS])
    own = torch.fft.irfft(torch.fft.rfft(window, N_FFT).abs() ** 2)
    omega = 2 * torch.pi * torch.arange(BINS, dtype=torch.float64) / N_FFT
    cosine = torch.cos(lags[:, None] * omega) * (own[0] / own[lags])[:, None]
    cosine[:, 0] = 0.0  # without the mean
    octave = OCTAVE_COST * torch.log2(lags[2:-1] * LOWEST / SAMPLE_RATE)
    return Tables(
        window.float().to(device),
        cosine.float().to(device),
        octave[:, None].float().to(device),
    )


def edges() -> list[int]:
    """Cut the lags into bands of equal width in log period."""
    inner = len(LAGS) - 2
    first, last = LAGS[1], LAGS[-2] + STEP
    ratio = last / first
    cuts = [first * ratio ** (i / CANDIDATES) for i in range(CANDIDATES + 1)]
    cuts = [round((cut - first) / STEP) for cut in cuts]
    return [0, *cuts[1:-1], inner]


EDGES = edges()


class Candidates(NamedTuple):
    """What a frame's autocorrelation offers, [K, frames] each."""

    score: torch.Tensor  # strength less octave cost; -1 where none
    period: torch.Tensor  # samples
    strength: torch.Tensor  # normalised autocorrelation


def candidates(power: torch.Tensor, table: Tables) -> Candidates:
    """Pick the best peak of each band of lags, for [frames, BINS] of power."""
    correlation = table.to_lags @ power.t()
    energy, correlation = correlation[:1], correlation[1:]
    correlation = correlation / (energy + 1e-8)
    rising = correlation[1:] > correlation[:-1]
    peak = rising[:-1] > rising[1:]
    score = torch.where(peak, correlation[1:-1] - table.octave, -1.0)
    best = [score[low:high].max(0) for low, high in zip(EDGES[:-1], EDGES[1:])]
    score = torch.stack([b.values for b in best])
    index = torch.stack([b.indices + low for b, low in zip(best, EDGES)])
    before, here, after = (
        correlation.gather(0, index + shift) for shift in range(3)
    )
    bend = (before - 2 * here + after).clamp(max=-1e-6)
    shift = (0.5 * (before - after) / bend).clamp(-0.5, 0.5)
    period = LAGS[1] + STEP * (index + shift)
    strength = here - 0.25 * (before - after) * shift
    found = score > WEAKEST
    return Candidates(
        torch.where(found, score, -1.0),
        period,
        torch.where(score > -1, strength, 0.0),
    )


def all_candidates(analysis: Analysis) -> Candidates:
    """Analyse every frame of the batch; [K, B * rows] each."""
    table = tables(analysis.device)
    frames = analysis.frames(WINDOW)
    found = [
        candidates(power, table)
        for power in power_blocks(frames, table.window, N_FFT, BINS)
    ]
    missing = analysis.batch * analysis.rows - len(frames)
    return Candidates(
        *(
            torch.nn.functional.pad(
                torch.cat(values, dim=1), (0, missing), value=fill
            )
            for values, fill in zip(zip(*found), (-1.0, 100.0, 0.0))
        )
    )
