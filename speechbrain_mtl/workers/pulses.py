"""The glottal pulses around each voiced frame.

From the loudest sample of a frame's middle, each pulse is followed to the
next by matching waveforms: the stretch of one period around it is compared
with stretches 0.8 to 1.25 periods away, as Praat's pulses by
cross-correlation are found. All frames advance together, in both directions.
"""

from typing import NamedTuple

import torch

from speechbrain_mtl.workers.analysis import HOP, Analysis, blocks, shared
from speechbrain_mtl.workers.periodicity import LAST, WINDOW
from speechbrain_mtl.workers.pitch import VOICING_THRESHOLD, pitch_track

REACH = 2  # periods to each side of a frame's middle
SHORTEST, LONGEST = 0.8, 1.25  # of the pitch track's period
PEAK = 0.2  # of a period, to each side of a pulse: its amplitude
HALF = LAST // 2 + 1  # samples to each side of a pulse, half a period
LAGS = int((LONGEST - SHORTEST) * LAST) + 5
N_FFT = 320  # a period and LAGS without wrapping round; 2**6 * 5
MARGIN = 6 * HOP  # zeros around an utterance; no pulse is further away
TINY = 1e-18


class Pulses(NamedTuple):
    """Pulses of each frame in order of time; all zero where unvoiced."""

    period: torch.Tensor  # samples from one to the next, [B, rows, 2 REACH]
    found: torch.Tensor  # bool: which periods are real, [B, rows, 2 REACH]
    energy: torch.Tensor  # around each pulse, [B, rows, 2 REACH + 1]


class Step(NamedTuple):
    """What following pulses to their neighbours finds, [n] each."""

    place: torch.Tensor  # sample nearest to the neighbour
    period: torch.Tensor  # samples
    found: torch.Tensor  # bool


class Waveform:
    """The waveforms of a batch end to end, read around given samples.

    Arguments
    ---------
    analysis : Analysis
        The batch. An utterance's mean is taken off: offset is no voice.
    """

    def __init__(self, analysis: Analysis) -> None:
        wavs = analysis.wavs
        mean = wavs.sum(1, keepdim=True) / analysis.samples[:, None]
        wavs = (wavs - mean).masked_fill_(analysis.outside, 0.0)
        wavs = torch.nn.functional.pad(wavs, (MARGIN, MARGIN))
        self.length = wavs.shape[1]
        samples = wavs.view(-1)
        # Differences of the sum must keep the precision of its quiet parts.
        summed = samples.double().square_().cumsum(0)
        self.summed = torch.nn.functional.pad(summed, (1, 0))
        self.stretches = samples.unfold(0, N_FFT, 1)
        self.sums = self.summed.unfold(0, LAGS, 1)

    def around(self, place: torch.Tensor) -> torch.Tensor:
        """Read stretches from HALF before places [n] on, [n, N_FFT]."""
        return self.stretches.index_select(0, place - HALF)

    def energy(self, place: torch.Tensor, half: torch.Tensor) -> torch.Tensor:
        """Sum squares up to `half` samples away from places, shaped alike."""
        return (
            self.summed[place + half + 1] - self.summed[place - half]
        ).float()

    def energies(self, place: torch.Tensor, half: torch.Tensor) -> torch.Tensor:
        """Do so for LAGS samples from each of places [n] on, [n, LAGS]."""
        high = self.sums.index_select(0, place + half + 1)
        return (high - self.sums.index_select(0, place - half)).float()


class Search:
    """Where the neighbours of pulses may be, n backward and n ahead.

    Arguments
    ---------
    period : torch.Tensor
        Expected period in samples, [n].
    """

    def __init__(self, period: torch.Tensor) -> None:
        ahead = torch.arange(2 * len(period), device=period.device)
        ahead = ahead >= len(period)
        period = period.repeat(2)
        self.half = (period / 2).long()
        index = torch.arange(N_FFT, device=period.device)
        self.period_around = (
            (index - HALF).abs() <= self.half[:, None]
        ).float()
        nearest = (SHORTEST * period).long() - 1
        self.first = torch.where(ahead, nearest, 1 - LAGS - nearest)
        lag = (self.first[:, None] + index[:LAGS]).abs()
        period = period[:, None]
        self.outside = (lag < SHORTEST * period) | (lag > LONGEST * period)

    def follow(self, waveform: Waveform, place: torch.Tensor) -> Step:
        """Follow pulses at places [2 n] to their neighbours."""
        here = waveform.around(place).mul_(self.period_around)
        there = waveform.around(place + self.first)
        match = torch.fft.rfft(here).conj() * torch.fft.rfft(there)
        match = torch.fft.irfft(match, N_FFT)[:, :LAGS]
        energy = waveform.energies(place + self.first, self.half)
        energy *= waveform.energy(place, self.half)[:, None]
        match = match / energy.clamp_(min=TINY).sqrt_()

        best = match.masked_fill(self.outside, -1).argmax(1, keepdim=True)
        best = best.clamp(1, LAGS - 2)
        before, top, after = (
            match.gather(1, best + shift)[:, 0] for shift in (-1, 0, 1)
        )
        slope = (after - before) / 2
        shift = slope / (2 * top - before - after).clamp(min=1e-9)
        lag = self.first + best[:, 0]
        return Step(
            place + lag,
            (lag + shift.clamp(-0.5, 0.5)).abs(),
            (before < top) & (top >= after) & (top > VOICING_THRESHOLD),
        )


def loudest(
    waveform: Waveform, centre: torch.Tensor, period: torch.Tensor
) -> torch.Tensor:
    """Find the largest sample of the period around each centre, [n]."""
    around = waveform.around(centre).abs_()
    offset = torch.arange(N_FFT, device=centre.device) - HALF
    outside = offset.abs() > period[:, None] / 2
    return centre - HALF + around.masked_fill_(outside, -1).argmax(1)


def in_order(outwards: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Split [2 n] by distance into [n, distances] before and after.

    The first n of each went backward: their order is turned round.
    """
    back, ahead = torch.stack(outwards, dim=1).chunk(2)
    return back.flip(1), ahead


@shared
def pulses(analysis: Analysis) -> Pulses:
    """Find the pulses of every voiced frame of the batch."""
    batch, rows, device = analysis.batch, analysis.rows, analysis.device
    track, waveform = pitch_track(analysis), Waveform(analysis)
    start = torch.arange(batch, device=device) * waveform.length
    row = torch.arange(rows, device=device) * HOP
    centre = (start[:, None] + row).view(-1) + MARGIN + WINDOW // 2

    period = torch.zeros(batch * rows, 2 * REACH, device=device)
    found = torch.zeros_like(period, dtype=torch.bool)
    energy = torch.zeros(batch * rows, 2 * REACH + 1, device=device)
    voiced = track.voiced.view(-1).nonzero()[:, 0]
    for part in blocks(len(voiced), device):
        frame = voiced[part]
        expected = track.period.view(-1)[frame]
        middle = loudest(waveform, centre[frame], expected)
        search = Search(expected)
        steps = [search.follow(waveform, middle.repeat(2))]
        while len(steps) < REACH:
            last = steps[-1]
            step = search.follow(waveform, last.place)
            steps.append(step._replace(found=step.found & last.found))
        places, periods, real = (in_order(list(x)) for x in zip(*steps))
        period[frame] = torch.cat(periods, dim=1)
        found[frame] = torch.cat(real, dim=1)
        place = torch.cat([places[0], middle[:, None], places[1]], dim=1)
        half = (PEAK * expected).long()
        energy[frame] = waveform.energy(place, half[:, None])
    shape = (batch, rows, -1)
    return Pulses(period.view(shape), found.view(shape), energy.view(shape))
