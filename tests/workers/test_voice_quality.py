import math

import numpy as np
import pytest
import torch

from speechbrain_mtl.workers import F0, Jitter, Shimmer
from speechbrain_mtl.workers.analysis import Analysis
from speechbrain_mtl.workers.pulses import (
    HALF,
    LAGS,
    Search,
    Waveform,
    pulses,
)
from speechbrain_mtl.workers.voice_quality import perturbation

ONE = torch.ones(1)


MOUTH = [(700, 300)]  # silent again before the next pulse


def train(periods, amplitudes, formants=MOUTH):
    """Band-limited pulses at exact times, through resonators, [1, T]."""
    times = np.cumsum(periods)
    count = int(times[-1]) + 800
    hertz = np.fft.rfftfreq(2 * count, 1 / 16000)
    turn = np.exp(-2j * np.pi * hertz / 16000)
    phase = -2j * np.pi * hertz / 16000
    spectrum = sum(a * np.exp(phase * t) for t, a in zip(times, amplitudes))
    spectrum = spectrum * np.clip((7500 - hertz) / 1000, 0, 1)
    for formant, width in formants:
        pole = np.exp((-np.pi * width + 2j * np.pi * formant) / 16000)
        spectrum = spectrum * abs(1 - pole) ** 2
        spectrum = spectrum / ((1 - pole * turn) * (1 - pole.conj() * turn))
    wav = np.fft.irfft(spectrum)[:count]
    return torch.tensor(0.5 * wav / abs(wav).max()).float()[None]


def voiced(worker, wav, margin=6):
    """Labels of the voiced frames, but for those at the ends."""
    labels, f0 = worker(wav, ONE)[0, :, 0], F0()(wav, ONE)[0, :, 0]
    return labels[margin:-margin][f0[margin:-margin] > 0]


def alternating(depth, count=150):
    return 1 + depth * (-1.0) ** np.arange(count)


# Two periods are longer than any the tracker takes for one.
@pytest.mark.parametrize("depth", [0.0, 0.0025, 0.01, 0.03])
@pytest.mark.parametrize("period", [122.37, 200.7])
def test_periods_that_alternate_by_a_share_have_twice_that_jitter(
    depth, period
):
    wav = train(period * alternating(depth), np.ones(150))
    jitter = voiced(Jitter(), wav)
    assert len(jitter) > 100
    assert (jitter - 2 * depth).abs().max() < 2e-4
    assert voiced(Shimmer(), wav).max() < 5e-3


@pytest.mark.parametrize("depth", [0.0, 0.01, 0.05, 0.2])
def test_amplitudes_that_alternate_by_a_share_have_twice_that_shimmer(depth):
    wav = train(np.full(150, 120.4), alternating(depth))
    shimmer = voiced(Shimmer(), wav)
    assert len(shimmer) > 100
    assert (shimmer - 2 * depth).abs().max() < 0.04 * depth + 2e-3
    assert voiced(Jitter(), wav).max() < 1e-4


def praat(wav):
    """Local jitter and shimmer of a whole recording."""
    parselmouth = pytest.importorskip("parselmouth")
    sound = parselmouth.Sound(wav[0].double().numpy(), 16000)
    call = parselmouth.praat.call
    points = call(sound, "To PointProcess (periodic, cc)", 75, 600)
    limits = (0, 0, 1e-4, 0.02, 1.3)
    return [
        call(points, "Get jitter (local)", *limits),
        call([sound, points], "Get shimmer (local)", *limits, 1.6),
    ]


def figures(wavs):
    """Means over voiced frames beside Praat's, [2, measure, recordings]."""
    ours, theirs = [], []
    for wav in wavs:
        ours.append(
            [voiced(w, wav, 1).mean().item() for w in (Jitter(), Shimmer())]
        )
        theirs.append(praat(wav))
    return np.array([ours, theirs]).transpose(0, 2, 1)


def ranks(values):
    return values.argsort().argsort()


def test_irregular_voices_are_ranked_as_praat_ranks_them():
    rng = np.random.default_rng(0)
    wavs = []
    for depth in np.linspace(0.001, 0.03, 10):
        noise = rng.standard_normal((2, 120))
        period = rng.uniform(60, 130)
        wavs.append(
            train(
                period * (1 + depth * noise[0]),
                1 + 2 * depth * noise[1],
                [(600, 80), (1200, 120), (2600, 160)],
            )
        )
    for ours, theirs in zip(*figures(wavs)):
        assert np.corrcoef(ranks(ours), ranks(theirs))[0, 1] > 0.95
        assert 0.8 < np.median(ours / theirs) < 1.25


def test_speakers_have_the_jitter_and_shimmer_that_praat_gives_them(speech):
    ours, theirs = figures(speech("librispeech_unlabelled", 12, seconds=8))
    assert np.corrcoef(ours[0], theirs[0])[0, 1] > 0.95
    assert np.corrcoef(ours[1], theirs[1])[0, 1] > 0.9


@pytest.mark.parametrize("worker", [Jitter(), Shimmer()])
def test_unvoiced_frames_have_none(worker):
    generator = torch.Generator().manual_seed(0)
    noise = 0.3 * torch.randn(1, 8000, generator=generator)
    wav = torch.cat([train(alternating(0.01) * 120, np.ones(150)), noise], 1)
    labels, f0 = worker(wav, ONE), F0()(wav, ONE)
    assert (f0 == 0).sum() > 20
    assert not labels[f0 == 0].any()


def test_a_voice_upside_down_is_the_same_voice():
    rng = np.random.default_rng(1)
    periods = 110 * (1 + 0.01 * rng.standard_normal(100))
    wav = train(periods, 1 + 0.05 * rng.standard_normal(100), [(700, 100)])
    for worker in (Jitter(), Shimmer()):
        torch.testing.assert_close(worker(wav, ONE), worker(-wav, ONE))


def test_pulses_are_followed_to_where_slow_correlation_says():
    rng = np.random.default_rng(2)
    wav = np.convolve(rng.standard_normal(6000), np.hanning(30), "same")
    waveform = Waveform(Analysis(torch.tensor(wav[None]), ONE))
    samples = waveform.stretches[:, 0].double().numpy()
    period = torch.tensor([40.3, 97.8, 213.2])
    place = torch.tensor([3000, 3500, 4000])
    step = Search(period).follow(waveform, place.repeat(2))
    for k in range(6):
        expected, start = period[k % 3].item(), place[k % 3].item()
        half = int(expected / 2)

        def stretch(centre, half=half):
            return samples[centre - half : centre + half + 1]

        def match(lag, start=start, sign=1 if k > 2 else -1, of=stretch):
            a, b = of(start), of(start + sign * lag)
            return a @ b / math.sqrt((a @ a) * (b @ b))

        lags = range(math.ceil(0.8 * expected), int(1.25 * expected) + 1)
        best = max(lags, key=match)
        before, top, after = (match(best + i) for i in (-1, 0, 1))
        assert abs(step.place[k].item() - start) == best
        peak = before < top >= after and top > 0.45
        assert step.found[k].item() == peak
        if peak:
            shift = (after - before) / 2 / (2 * top - before - after)
            assert step.period[k].item() == pytest.approx(
                best + shift, abs=0.02
            )
    assert step.found.any()
    assert 2 * HALF + LAGS <= 320


def test_no_period_counts_beyond_one_that_is_not_found():
    generator = torch.Generator().manual_seed(0)
    wav = train(np.full(150, 120), np.arange(150) % 12 < 8)
    noise = torch.randn(1, wav.shape[1] + 7, generator=generator)
    wav += 0.1 * noise.unfold(1, 8, 1).mean(-1)  # may repeat by chance
    found = pulses(Analysis(wav, ONE)).found[0]
    first, second, third, fourth = found[found.any(1)].unbind(1)
    assert not (first & ~second).any() and not (fourth & ~third).any()
    assert not second.all() and not third.all()


def test_neighbours_of_too_large_a_ratio_are_not_compared():
    values = torch.tensor([[100.0, 110.0, 150.0, 140.0], [1.0, 2, 4, 8]])
    usable = torch.tensor([[True, True, True]] * 2)
    expected = torch.tensor([20 / 250, 0.0])
    torch.testing.assert_close(perturbation(values, usable, 1.3), expected)
    usable[0, 2] = False
    expected = torch.tensor([10 / 105, 0.0])
    torch.testing.assert_close(perturbation(values, usable, 1.3), expected)
