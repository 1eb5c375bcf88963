import numpy as np
import pytest
import torch
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve
from speechbrain.utils.metric_stats import EER, minDCF

from speechbrain_mtl.evaluation import equal_error_rate, min_dcf


def trials(seed, targets=40, others=60, ties=None):
    """Overlapping scores of two kinds, rounded when there shall be ties."""
    random = np.random.default_rng(seed)
    scores = np.append(
        random.normal(1, 1, targets), random.normal(0, 1, others)
    )
    labels = np.repeat([1, 0], [targets, others])
    order = random.permutation(len(scores))
    scores = scores if ties is None else scores.round(ties)
    return scores[order], labels[order]


def slow_rates(scores, labels):
    """Misses and false alarms, a loop over thresholds from above."""
    for threshold in [np.inf, *sorted(set(scores), reverse=True)]:
        accepted = [score >= threshold for score in scores]
        yield (
            np.mean([not a for a, x in zip(accepted, labels) if x]),
            np.mean([a for a, x in zip(accepted, labels) if not x]),
        )


def slow_eer(scores, labels):
    rates = list(slow_rates(scores, labels))
    for (m0, f0), (m1, f1) in zip(rates, rates[1:]):
        for way in np.linspace(0, 1, 100_001) if m1 <= f1 else ():
            miss, false_alarm = m0 + way * (m1 - m0), f0 + way * (f1 - f0)
            if miss <= false_alarm + 1e-12:
                return miss
    raise AssertionError("rates never meet")


@pytest.mark.parametrize("ties", [None, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_both_equal_loops_over_thresholds(seed, ties):
    scores, labels = trials(seed, ties=ties)
    assert equal_error_rate(scores, labels) == pytest.approx(
        slow_eer(scores, labels), abs=1e-5
    )
    for c_miss, c_fa, p_target in [(1, 1, 0.01), (10, 1, 0.2), (1, 1, 0.9)]:
        costs = [
            c_miss * p_target * miss + c_fa * (1 - p_target) * false_alarm
            for miss, false_alarm in slow_rates(scores, labels)
        ]
        trivial = min(c_miss * p_target, c_fa * (1 - p_target))
        assert min_dcf(scores, labels, c_miss, c_fa, p_target) == pytest.approx(
            min(costs) / trivial
        )


@pytest.mark.parametrize("ties", [None, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_equal_error_rate_is_where_scikit_learns_curve_meets_the_diagonal(
    seed, ties
):
    scores, labels = trials(seed, ties=ties)
    false_alarm, hit, _ = roc_curve(labels, scores, drop_intermediate=False)
    curve = interp1d(false_alarm, hit)
    meet = brentq(lambda x: 1 - x - curve(x), 0, 1)
    assert equal_error_rate(scores, labels) == pytest.approx(meet, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_equal_error_rate_is_speechbrains_when_the_rates_meet_in_a_step(seed):
    scores, labels = trials(seed, targets=50, others=50)
    theirs, _ = EER(*split(scores, labels))
    assert equal_error_rate(scores, labels) == pytest.approx(theirs, abs=1e-6)
    # Else theirs is half way between the two rates, within one trial of it.
    scores, labels = trials(seed, targets=40, others=70)
    theirs, _ = EER(*split(scores, labels))
    ours = equal_error_rate(scores, labels)
    assert ours == pytest.approx(theirs, abs=1 / 40)


@pytest.mark.parametrize("ties", [None, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_cost_is_speechbrains_once_normalised(seed, ties):
    scores, labels = trials(seed, ties=ties)
    for p_target in (0.01, 0.3):
        theirs, _ = minDCF(*split(scores, labels), p_target=p_target)
        ours = min_dcf(scores, labels, p_target=p_target)
        assert ours * p_target == pytest.approx(theirs, abs=1e-6)


def split(scores, labels):
    """Scores of the same and of different, as SpeechBrain takes them."""
    return torch.tensor(scores[labels == 1]), torch.tensor(scores[labels == 0])


@pytest.mark.parametrize(
    ("scores", "labels", "rate", "cost"),
    [
        ([2, 1, 0], [1, 1, 0], 0.0, 0.0),
        ([0, 1, 2], [1, 1, 0], 1.0, 1.0),
        ([5, 5, 5, 5], [1, 0, 1, 0], 0.5, 1.0),
        ([3, 1, 2, 0], [1, 1, 0, 0], 0.5, 0.5),
        # One tied pair in the middle: half of one in two.
        ([2, 1, 1, 0], [1, 1, 0, 0], 0.25, 0.5),
        ([float("inf"), -float("inf")], [1, 0], 0.0, 0.0),
    ],
)
def test_known_values(scores, labels, rate, cost):
    assert equal_error_rate(scores, labels) == pytest.approx(rate)
    assert min_dcf(scores, labels) == pytest.approx(cost)
    assert type(equal_error_rate(scores, labels)) is float
    assert type(min_dcf(scores, labels)) is float


def test_neither_depends_on_scale_order_or_kind_of_input():
    scores, labels = trials(0, ties=1)
    rate, cost = equal_error_rate(scores, labels), min_dcf(scores, labels)
    assert equal_error_rate(np.exp(scores), labels) == pytest.approx(rate)
    assert min_dcf(np.exp(scores), labels) == pytest.approx(cost)
    reverse = torch.tensor(scores[::-1].copy()), labels[::-1] == 1
    assert equal_error_rate(*reverse) == pytest.approx(rate)
    assert min_dcf(*reverse) == pytest.approx(cost)
    # Both rates trade places when same and different do.
    assert equal_error_rate(-scores, 1 - labels) == pytest.approx(rate)


@pytest.mark.parametrize("metric", [equal_error_rate, min_dcf])
@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([], [], "0 trials are of the same, 0 of different"),
        ([1, 2], [1, 1], "2 trials are of the same, 0 of different"),
        ([1, 2], [0, 0], "0 trials are of the same, 2 of different"),
        ([1, float("nan")], [0, 1], "1 of 2 scores are NaN, the first at 1"),
        ([1, 2], [0, 2], r"Labels are \[0 2\]. Give 1"),
        ([1, 2, 3], [0, 1], r"Scores are \(3,\), labels \(2,\)"),
        ([[1, 2]], [[0, 1]], r"Scores are \(1, 2\)"),
    ],
)
def test_what_has_no_rate_is_refused(metric, scores, labels, message):
    with pytest.raises(ValueError, match=message):
        metric(scores, labels)


@pytest.mark.parametrize(
    "options", [{"c_miss": 0}, {"c_fa": -1}, {"p_target": 0}, {"p_target": 1}]
)
def test_costs_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match="Give costs above 0"):
        min_dcf([1, 0], [1, 0], **options)
