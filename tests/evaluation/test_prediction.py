import numpy as np
import pytest

from speechbrain_mtl.evaluation.prediction import agreement, reliability


def spearman_by_hand(x, y):
    """1 - 6 sum d^2 / (n (n^2 - 1)), for values without ties."""
    rank = [sorted(v).index(e) for v in (x, y) for e in v]
    n = len(x)
    gaps = sum((a - b) ** 2 for a, b in zip(rank[:n], rank[n:]))
    return 1 - 6 * gaps / (n * (n * n - 1))


def test_agreement_is_spearmans_with_the_mean_over_seeds():
    random = np.random.default_rng(0)
    scores, errors = random.random(9), random.random((9, 3))
    found = agreement(scores.tolist(), errors.tolist(), draws=50)
    expected = spearman_by_hand(scores.tolist(), errors.mean(1).tolist())
    assert found.spearman == pytest.approx(expected, abs=1e-12)
    concordant = sum(
        np.sign(scores[i] - scores[j])
        * np.sign(errors[i].mean() - errors[j].mean())
        for i in range(9)
        for j in range(i)
    )
    assert found.kendall == pytest.approx(concordant / 36, abs=1e-12)


def test_reversing_a_score_reverses_the_agreement():
    random = np.random.default_rng(1)
    scores, errors = random.random(12), random.random((12, 2)).tolist()
    ahead = agreement(scores.tolist(), errors)
    back = agreement((-scores).tolist(), errors)
    assert back.spearman == pytest.approx(-ahead.spearman)
    assert back.interval == pytest.approx(
        (-ahead.interval[1], -ahead.interval[0])
    )


def test_the_interval_covers_the_truth_as_often_as_it_says():
    random = np.random.default_rng(2)
    covered = 0
    for trial in range(60):
        score = random.normal(size=30)
        error = score[:, None] + random.normal(size=(30, 3))
        low, high = agreement(
            score.tolist(), error.tolist(), draws=200, seed=trial
        ).interval
        # Pearson's r of score and mean error, as a rank correlation.
        truth = 6 / np.pi * np.arcsin(np.sqrt(1 / (1 + 1 / 3)) / 2)
        covered += low <= truth <= high
    assert 50 <= covered <= 60


def test_errors_of_pure_noise_are_not_reliable_and_equal_ones_are():
    random = np.random.default_rng(3)
    assert abs(reliability(random.random((400, 3)).tolist())) < 0.25
    signal = random.random(20)
    assert reliability(np.stack([signal] * 3, 1).tolist()) == pytest.approx(1)
    assert reliability([[0.1], [0.2]]) is None


@pytest.mark.parametrize(
    ("scores", "errors", "told"),
    [
        ([1, 2, 3], [[1], [2], [3]], "four labels"),
        ([1, 2, 3, 4], [[1], [2], [3]], "shape"),
        ([1, 1, 1, 1], [[1], [2], [3], [4]], "equal"),
    ],
)
def test_what_cannot_be_ranked_is_refused(scores, errors, told):
    with pytest.raises(ValueError, match=told):
        agreement(scores, errors)
