import math

import numpy as np
import pytest
from scipy import stats

from speechbrain_mtl.evaluation import (
    bootstrap_interval,
    seed_interval,
    wilson_interval,
)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
@pytest.mark.parametrize(
    ("correct", "total"), [(0, 10), (10, 10), (3, 7), (150, 300), (1, 1)]
)
def test_wilson_equals_scipy(correct, total, confidence):
    theirs = stats.binomtest(correct, total).proportion_ci(
        confidence, method="wilson"
    )
    ours = wilson_interval(correct, total, confidence)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_ends_solve_the_score_equation():
    z = 1.959963984540054
    for end in wilson_interval(37, 50):
        assert abs(0.74 - end) == pytest.approx(
            z * math.sqrt(end * (1 - end) / 50)
        )


def test_wilson_stays_inside_and_is_symmetric():
    for total in range(1, 60):
        low, high = wilson_interval(0, total)
        assert low == 0.0
        assert 0 < high < 1
        mirrored = wilson_interval(total, total)
        assert mirrored == pytest.approx((1 - high, 1.0), abs=1e-12)
        assert mirrored[1] <= 1.0


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(correct, total):
    with pytest.raises(ValueError, match=f"{correct} correct of {total}"):
        wilson_interval(correct, total)


def test_bootstrap_of_many_bits_is_the_normal_interval():
    bits = np.repeat([0, 1], [300, 700])
    half = 1.96 * math.sqrt(0.7 * 0.3 / 1000)
    low, high = bootstrap_interval(bits, resamples=5000)
    assert (low, high) == pytest.approx((0.7 - half, 0.7 + half), abs=2e-3)


def test_bootstrap_over_three_items_has_the_exact_distribution():
    # 27 equally likely resamples of (0, 0, 9): mean 0 has chance 8/27, mean 9
    # has chance 1/27, so these quantiles are certain.
    values = [0.0, 0.0, 9.0]
    assert bootstrap_interval(values, confidence=0.5)[0] == 0.0
    low, high = bootstrap_interval(values, confidence=0.99)
    assert (low, high) == (0.0, 9.0)
    assert bootstrap_interval(values, confidence=0.8)[1] == 6.0


def test_bootstrap_of_pure_clusters_draws_clusters_not_items():
    means = np.random.default_rng(0).random(12)
    values = np.repeat(means, 50)
    clusters = np.repeat(list("abcdefghijkl"), 50).tolist()
    by_cluster = bootstrap_interval(values, clusters, seed=3)
    assert by_cluster == pytest.approx(bootstrap_interval(means, seed=3))
    low, high = bootstrap_interval(values, seed=3)
    assert high - low < (by_cluster[1] - by_cluster[0]) / 4


def test_bootstrap_weighs_clusters_by_their_size():
    values = [0.0] * 2 + [1.0] * 8
    clusters = ["a"] * 2 + ["b"] * 8
    # Half of the resamples hold both clusters: their mean is that of items.
    low, high = bootstrap_interval(values, clusters, confidence=0.2)
    assert (low, high) == (0.8, 0.8)
    # The others hold one of them twice.
    assert bootstrap_interval(values, clusters) == (0.0, 1.0)


def test_bootstrap_does_not_depend_on_the_order_of_members():
    values = np.arange(12.0)
    clusters = np.arange(12) // 3
    order = np.array([2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9])
    assert bootstrap_interval(values, clusters.tolist()) == bootstrap_interval(
        values[order], clusters[order].tolist()
    )


def test_bootstrap_repeats_with_a_seed_and_changes_with_another():
    values = np.random.default_rng(1).random(40)
    assert bootstrap_interval(values, seed=5) == bootstrap_interval(
        values, seed=5
    )
    assert bootstrap_interval(values, seed=5) != bootstrap_interval(
        values, seed=6
    )


def test_bootstrap_in_blocks_equals_bootstrap_at_once(monkeypatch):
    values = np.random.default_rng(1).random(40)
    whole = bootstrap_interval(values)
    monkeypatch.setattr("speechbrain_mtl.evaluation.intervals.BLOCK", 1000)
    assert bootstrap_interval(values) == pytest.approx(whole)


def test_bootstrap_with_sizes_is_that_of_the_single_tokens():
    # Items of 1 and 3 tokens; all tokens of an item are right or wrong.
    edits = [1.0, 0.0, 3.0, 0.0, 3.0, 1.0]
    sizes = [1, 1, 3, 3, 3, 1]
    tokens = np.repeat(np.array(edits) / sizes, sizes)
    owners = np.repeat(np.arange(6), sizes).tolist()
    assert bootstrap_interval(edits, sizes=sizes) == pytest.approx(
        bootstrap_interval(tokens, owners)
    )


@pytest.mark.parametrize("sizes", [[1.0, 0.0], [1.0]])
def test_bootstrap_refuses_sizes_without_a_mean(sizes):
    with pytest.raises(ValueError, match="size"):
        bootstrap_interval([1.0, 2.0], sizes=sizes)


@pytest.mark.parametrize(
    ("values", "clusters", "message"),
    [
        ([0.5], None, "1 item"),
        ([], None, "0 item"),
        ([0.5, 0.6], ["a", "a"], "1 item"),
        ([0.5, 0.6], ["a"], "2 values, 1 clusters, 2 sizes"),
        ([0.5, math.nan], None, "NaN or infinite"),
    ],
)
def test_bootstrap_refuses_what_has_no_interval(values, clusters, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(values, clusters)


def test_seed_interval_of_three_values_in_closed_form():
    # mean 2, deviation 1; the 97.5 % point of t with 2 degrees of freedom
    # is 0.95 sqrt(2 / (1 - 0.95^2)).
    half = 0.95 * math.sqrt(2 / (1 - 0.95**2)) / math.sqrt(3)
    assert seed_interval([1, 2, 3]) == pytest.approx((2 - half, 2 + half))


@pytest.mark.parametrize("confidence", [0.5, 0.9])
def test_seed_interval_equals_scipy(confidence):
    values = np.random.default_rng(0).normal(5, 2, size=7)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    ours = seed_interval(values, confidence)
    assert ours == pytest.approx((theirs.low, theirs.high), rel=1e-12)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, math.nan]])
def test_seed_interval_needs_two_finite_values(values):
    with pytest.raises(ValueError, match="two or more finite values"):
        seed_interval(values)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidence_is_a_fraction(confidence):
    for interval in (
        lambda: wilson_interval(1, 2, confidence),
        lambda: bootstrap_interval([1, 2], confidence=confidence),
        lambda: seed_interval([1, 2], confidence),
    ):
        with pytest.raises(ValueError, match="Give a fraction"):
            interval()
