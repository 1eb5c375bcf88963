import numpy as np
import pytest

from speechbrain_mtl.evaluation import trial_intervals
from speechbrain_mtl.evaluation.trial_intervals import (
    equal_error_rate_interval,
)
from speechbrain_mtl.evaluation.verification import equal_error_rate


def trials(seed, speakers=6, number=80, ties=None):
    random = np.random.default_rng(seed)
    first, second = random.integers(speakers, size=(2, number))
    second = np.where(random.random(number) < 0.4, first, second)
    labels = (first == second).astype(int)
    # Some voices are heard as others' more often.
    voices = random.normal(size=speakers)
    scores = random.normal(labels + voices[first] * (1 - labels), 1)
    return scores if ties is None else scores.round(ties), labels, first, second


@pytest.mark.parametrize("ties", [None, 0])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_that_of_trials_written_out_as_often_as_drawn(seed, ties):
    scores, labels, first, second = trials(seed, ties=ties)
    names: dict = {}
    for speaker in [*first, *second]:
        names.setdefault(speaker, len(names))
    generator = np.random.default_rng(3)
    equal = np.full(len(names), 1 / len(names))
    rates = []
    for drawn in generator.multinomial(len(names), equal, size=50):
        times = []
        for same, a, b in zip(labels, first, second):
            once = drawn[names[a]]
            times.append(once if same else once * drawn[names[b]])
        repeated = np.repeat(labels, times)
        if 0 < repeated.sum() < len(repeated):
            rates.append(equal_error_rate(np.repeat(scores, times), repeated))
    assert len(rates) > 40
    found = equal_error_rate_interval(
        scores, labels, first, second, seed=3, resamples=50
    )
    assert found == pytest.approx(tuple(np.quantile(rates, [0.025, 0.975])))


def test_blocks_change_nothing(monkeypatch):
    whole = equal_error_rate_interval(*trials(0), resamples=30)
    monkeypatch.setattr(trial_intervals, "BLOCK", 200)
    assert equal_error_rate_interval(*trials(0), resamples=30) == whole


def test_it_covers_the_rate_and_narrows_with_speakers():
    widths = []
    for speakers in (6, 60):
        scores, labels, first, second = trials(1, speakers, 3000)
        low, high = equal_error_rate_interval(scores, labels, first, second)
        assert low < equal_error_rate(scores, labels) < high
        widths.append(high - low)
    assert widths[1] < widths[0]


def test_one_speaker_a_kind_has_none():
    assert equal_error_rate_interval([1, 0], [1, 1], "ab", "ab") is None
