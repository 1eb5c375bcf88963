"""How far a measured number may lie from the true one."""

import math
from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from scipy import stats

BLOCK = 2**22  # counts held at once by the bootstrap; 32 MiB


def wilson_interval(
    correct: int, total: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of a proportion (E. B. Wilson, JASA 22, 1927).

    Arguments
    ---------
    correct : int
        Successes.
    total : int
        Independent trials.
    confidence : float
        Probability to cover the true proportion.

    Returns
    -------
    low, high : float
        Within [0, 1], also when none or all are correct.

    Raises
    ------
    ValueError
        When there are no trials, or more successes than trials.

    Example
    -------
    >>> low, high = wilson_interval(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if not 0 <= correct <= total or total == 0:
        raise ValueError(
            f"{correct} correct of {total}: give 0 <= correct <= total, with "
            "at least one trial."
        )
    _check_confidence(confidence)
    z = stats.norm.ppf((1 + confidence) / 2)
    share = correct / total
    centre = share + z**2 / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    low, high = (
        float((centre + side) / (1 + z**2 / total)) for side in (-half, half)
    )
    # Exact ends, which rounding alone would miss.
    return low if correct else 0.0, high if correct < total else 1.0


def bootstrap_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    sizes: Sequence[float] | None = None,
    seed: int = 0,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean (Efron, Ann. Statist. 7, 1979).

    Arguments
    ---------
    values : sequence of float
        One value an item, such as 0 or 1 for wrong or right.
    clusters : sequence, optional
        What each item belongs to, such as its speaker. Whole clusters are
        then drawn, since items of one cluster resemble each other.
    sizes : sequence of float, optional
        Denominator of each item, such as its number of words when values are
        edits: the interval is then of sum(values) / sum(sizes).
    seed : int
        Equal seeds give equal intervals.
    confidence : float
        Probability to cover the true mean, for many items or clusters.
    resamples : int
        Bootstrap samples.

    Returns
    -------
    low, high : float
        The interval.

    Raises
    ------
    ValueError
        When there are fewer than two items or clusters, a value is not
        finite, a cluster has no size, or the numbers of values, clusters and
        sizes differ.

    Example
    -------
    >>> low, high = bootstrap_interval([0, 1] * 50)
    >>> round(low, 1), round(high, 1)
    (0.4, 0.6)
    """
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("A value is NaN or infinite. Find out why first.")
    _check_confidence(confidence)
    clusters = range(len(values)) if clusters is None else clusters
    sizes = np.ones(len(values)) if sizes is None else sizes
    if not len(clusters) == len(sizes) == len(values):
        raise ValueError(
            f"{len(values)} values, {len(clusters)} clusters, {len(sizes)} "
            "sizes. Give the cluster and the size of each value."
        )
    ids: dict[Hashable, int] = {}
    index = [ids.setdefault(cluster, len(ids)) for cluster in clusters]
    if len(ids) < 2:
        raise ValueError(
            f"{len(ids)} item(s) or cluster(s) to draw from. An interval "
            "needs two or more."
        )
    sums = np.bincount(index, weights=values)
    sizes = np.bincount(index, weights=sizes)
    if not (sizes > 0).all():
        raise ValueError(
            "A cluster has size 0: a mean over it alone does not exist. Leave "
            "empty items out."
        )
    means = [
        (counts @ sums) / (counts @ sizes)
        for counts in draws(len(ids), seed, resamples)
    ]
    return percentiles(np.concatenate(means), confidence)


def draws(items: int, seed: int = 0, resamples: int = 2000) -> Iterator:
    """Draw bootstrap samples: how often each of them holds each item.

    Arguments
    ---------
    items : int
        Items, or clusters, to draw from; as many are drawn.
    seed : int
        Equal seeds give equal draws.
    resamples : int
        Bootstrap samples.

    Yields
    ------
    counts : np.ndarray
        [R, items]; some of the samples, as memory allows.

    Example
    -------
    >>> [counts.sum(axis=1).tolist() for counts in draws(5, resamples=2)]
    [[5, 5]]
    """
    generator = np.random.default_rng(seed)
    equal = np.full(items, 1 / items)
    block = max(1, BLOCK // items)
    for i in range(0, resamples, block):
        size = min(block, resamples - i)
        yield generator.multinomial(items, equal, size=size)


def percentiles(
    values: np.ndarray, confidence: float = 0.95
) -> tuple[float, float]:
    """Give the interval that holds the middle of a sample.

    Example
    -------
    >>> percentiles(np.arange(101), confidence=0.5)
    (25.0, 75.0)
    """
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(values, ends)
    return float(low), float(high)


def seed_interval(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of the mean over a few seeds (Student, Biometrika 6, 1908).

    Arguments
    ---------
    values : sequence of float
        One result a seed.
    confidence : float
        Probability to cover the mean over all seeds, if results are normal.

    Returns
    -------
    low, high : float
        Mean -+ t s / sqrt(n).

    Raises
    ------
    ValueError
        When there are fewer than two values or one is not finite.

    Example
    -------
    >>> low, high = seed_interval([0.70, 0.72, 0.74])
    >>> round(low, 3), round(high, 3)
    (0.67, 0.77)
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(
            f"{values.tolist()}: an interval over seeds needs two or more "
            "finite values."
        )
    _check_confidence(confidence)
    error = values.std(ddof=1) / math.sqrt(len(values))
    t = stats.t.ppf((1 + confidence) / 2, df=len(values) - 1)
    return float(values.mean() - t * error), float(values.mean() + t * error)


def _check_confidence(confidence: float) -> None:
    """Refuse 95 where 0.95 is meant."""
    if not 0 < confidence < 1:
        raise ValueError(
            f"confidence is {confidence}. Give a fraction, such as 0.95."
        )
