"""Candidates for the period of each frame, from its autocorrelation.

Boersma's (1993) method as in Praat: 40 ms Hann windows, their
autocorrelation divided by that of the window. The shape of the
autocorrelation is taken from 0-3 kHz, where 2-sample lags and a parabola
find its peaks; its scale from the energy of the full band, so that noise
above still counts as noise.
"""

import functools
import math
from typing import NamedTuple

import torch

from speechbrain_mtl.workers.analysis import HOP, SAMPLE_RATE, Analysis, shared
from speechbrain_mtl.workers.spectrum import squared_spectrum, windowed_blocks

WINDOW = 4 * HOP  # three periods of the lowest pitch
N_FFT = 1024  # window and longest lag, without wrapping round
BINS = 3000 * N_FFT // SAMPLE_RATE + 1
LOWEST, HIGHEST = 75.0, 600.0  # Hz
STEP = 2  # samples between lags
CANDIDATES = 4
SILENCE = 1e-12  # energy of a frame; a millionth of 16-bit rounding noise


class Tables(NamedTuple):
    """Constants of the analysis on one device."""

    window: torch.Tensor  # [WINDOW]
    to_lags: torch.Tensor  # [lags, BINS], from power to autocorrelation


class Candidates(NamedTuple):
    """The best peak of each band of lags; float [K, B, rows] each."""

    period: torch.Tensor  # samples
    strength: torch.Tensor  # normalised autocorrelation, 0 where no peak


@functools.lru_cache
def lag_bands() -> tuple[list[int], list[int]]:
    """Cut the lags into bands of equal ratio, less than an octave wide.

    Returns
    -------
    lags : list of int
        Samples, with one more lag at both ends for comparison.
    edges : list of int
        Where the bands begin and end in the lags without these two.
    """
    first = math.floor(SAMPLE_RATE / HIGHEST)
    last = math.ceil(SAMPLE_RATE / LOWEST)
    lags = list(range(first - STEP, last + 2 * STEP, STEP))
    ratio = (last / first) ** (1 / CANDIDATES)
    edges = [
        round(first * (ratio**band - 1) / STEP) for band in range(CANDIDATES)
    ]
    return lags, [*edges, len(lags) - 2]


@functools.lru_cache
def tables(device: torch.device) -> Tables:
    """Make the window and the transform from power to autocorrelation."""
    window = torch.hann_window(WINDOW, periodic=False, dtype=torch.float64)
    lags = torch.tensor(lag_bands()[0])
    own = torch.fft.irfft(torch.fft.rfft(window, N_FFT).abs() ** 2)
    omega = 2 * torch.pi * torch.arange(BINS, dtype=torch.float64) / N_FFT
    to_lags = torch.cos(lags[:, None] * omega) * 2 / N_FFT
    to_lags[:, 0] /= 2
    to_lags *= (own[0] / own[lags])[:, None]
    return Tables(window.float().to(device), to_lags.float().to(device))


def band_tops(correlation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the highest value in each band of lags, and its neighbours.

    Arguments
    ---------
    correlation : torch.Tensor
        Autocorrelation, [lags, n].

    Returns
    -------
    index : torch.Tensor
        Of the lag before the highest, [K, n].
    values : torch.Tensor
        Before, at and after the highest, [3 * K, n].
    """
    inner, edges = correlation[1:-1], lag_bands()[1]
    index = torch.stack(
        [
            inner[low:high].max(0).indices + low
            for low, high in zip(edges[:-1], edges[1:])
        ]
    )
    three = torch.cat([index, index + 1, index + 2])
    return index, correlation.gather(0, three)


def local_mean(analysis: Analysis) -> torch.Tensor:
    """Mean of the two hops at the middle of each frame, [B, rows]."""
    hops = analysis.wavs.view(analysis.batch, -1, HOP).sum(-1)
    hops = torch.nn.functional.pad(hops, (0, 2))
    return (hops[:, 1:-1] + hops[:, 2:]) / (2 * HOP)


@shared
def period_candidates(analysis: Analysis) -> Candidates:
    """Find the candidates of every frame of the batch."""
    window, to_lags = tables(analysis.device)
    frames = analysis.frames(WINDOW)
    centre = local_mean(analysis).view(-1, 1)
    rows = analysis.batch * analysis.rows
    energy = frames.new_ones(rows)
    tops = frames.new_zeros((3 * CANDIDATES, rows))
    index = torch.zeros_like(tops[:CANDIDATES], dtype=torch.long)
    for part, padded in windowed_blocks(frames, window, N_FFT, centre):
        energy[part] = torch.linalg.vector_norm(padded[:, :WINDOW], dim=1)
        correlation = to_lags @ squared_spectrum(padded, BINS).t()
        index[:, part], tops[:, part] = band_tops(correlation)
    tops = tops.div_(energy.square_() + SILENCE)
    before, here, after = tops.view(
        3, CANDIDATES, analysis.batch, analysis.rows
    )
    # The top of a parabola through three values.
    slope = (after - before) / 2
    shift = slope / (2 * here - before - after).clamp(min=1e-9)
    lag = lag_bands()[0][1] + STEP * index.view(here.shape)
    peak = (before < here) & (here >= after)
    return Candidates(
        lag + STEP * shift.clamp(-0.5, 0.5),
        torch.where(peak, here + slope * shift / 2, 0.0),
    )
