"""Candidates for the period of each frame, from its autocorrelation.

Boersma's (1993) method as in Praat: 40 ms Hann windows, their
autocorrelation divided by that of the window. The shape of the
autocorrelation is taken from 0-3 kHz, where every other lag shows all of its
peaks and a parabola their tops; its scale from the energy of the full band,
so that noise above still counts as noise.
"""

import functools
import math
from typing import NamedTuple

import torch

from speechbrain_mtl.workers.analysis import HOP, SAMPLE_RATE, Analysis, shared
from speechbrain_mtl.workers.spectrum import squared_spectrum, windowed_blocks

WINDOW = 4 * HOP  # three periods of the lowest pitch
N_FFT = 864  # window and longest lag without wrapping round; 2**5 * 3**3
BINS = 3000 * N_FFT // SAMPLE_RATE + 1
LOWEST, HIGHEST = 75.0, 600.0  # Hz
CANDIDATES = 4
SILENCE = 1e-12  # energy of a frame, far below 16-bit rounding noise


class Tables(NamedTuple):
    """Constants of the analysis on one device."""

    window: torch.Tensor  # [WINDOW]
    to_lags: torch.Tensor  # [lags, BINS], from power to autocorrelation


class Candidates(NamedTuple):
    """The best peak of each band of lags; float [K, B, rows] each."""

    period: torch.Tensor  # samples
    strength: torch.Tensor  # normalised autocorrelation, 0 where no peak


FIRST = math.floor(SAMPLE_RATE / HIGHEST)
LAST = math.ceil(SAMPLE_RATE / LOWEST)
LAGS = range(FIRST - 2, LAST + 3)  # with neighbours of the first and last


@functools.lru_cache
def band_edges() -> list[int]:
    """Cut every other lag from FIRST to LAST into bands of equal ratio.

    A band is less than an octave wide: a period and its double, the likely
    mistakes, are in different bands.
    """
    ratio = (LAST / FIRST) ** (1 / CANDIDATES)
    edges = [FIRST * (ratio**band - 1) / 2 for band in range(CANDIDATES)]
    return [*map(round, edges), (LAST - FIRST) // 2 + 1]


@functools.lru_cache
def tables(device: torch.device) -> Tables:
    """Make the window and the transform from power to autocorrelation."""
    window = torch.hann_window(WINDOW, periodic=False, dtype=torch.float64)
    lags = torch.tensor(LAGS)
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
        Of the lag two before the highest, [K, n].
    values : torch.Tensor
        At that and the four following lags, [5 * K, n].
    """
    coarse, edges = correlation[2:-2:2], band_edges()
    index = torch.stack(
        [
            coarse[low:high].max(0).indices + low
            for low, high in zip(edges[:-1], edges[1:])
        ]
    )
    index *= 2
    five = torch.cat([index + shift for shift in range(5)])
    return index, correlation.gather(0, five)


def refine(tops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Put a parabola through the best of five values and its neighbours.

    Arguments
    ---------
    tops : torch.Tensor
        [5, ...].

    Returns
    -------
    place, height : torch.Tensor
        Of the parabola's top, [...]: place counts from the first value, the
        height is 0 where the values have no top.
    """
    best = tops[1:4].max(0, keepdim=True).indices
    before, here, after = (tops.gather(0, best + i)[0] for i in range(3))
    slope = (after - before) / 2
    shift = slope / (2 * here - before - after).clamp(min=1e-9)
    peak = (before < here) & (here >= after)
    height = torch.where(peak, here + slope * shift / 2, 0.0)
    return best[0] + 1 + shift.clamp(-0.5, 0.5), height


@shared
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
    tops = frames.new_zeros((5 * CANDIDATES, rows))
    index = torch.zeros_like(tops[:CANDIDATES], dtype=torch.long)
    for part, padded in windowed_blocks(frames, window, N_FFT, centre):
        energy[part] = torch.linalg.vector_norm(padded[:, :WINDOW], dim=1)
        correlation = to_lags @ squared_spectrum(padded, BINS).t()
        index[:, part], tops[:, part] = band_tops(correlation)
    tops = tops.div_(energy.square_() + SILENCE)
    place, height = refine(tops.view(5, CANDIDATES, rows))
    shape = (CANDIDATES, analysis.batch, analysis.rows)
    period = LAGS[0] + index + place
    return Candidates(period.view(shape), height.view(shape))
