"""How far a measured equal error rate may lie from the true one."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

BLOCK = 2**22  # weights held at once; 32 MiB


def equal_error_rate_interval(
    scores: ArrayLike,
    labels: ArrayLike,
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    seed: int = 0,
    confidence: float = 0.95,
    resamples: int = 1000,
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of `equal_error_rate`, over speakers.

    Trials share speakers, so speakers are drawn, not trials: a trial counts
    as often as its speaker was drawn, or as the product for two speakers
    (Snijders and Borgatti, Connections 22, 1999). Draws that leave trials of
    one kind only are left out.

    Arguments
    ---------
    scores, labels : array-like
        As for `equal_error_rate`, [N].
    first, second : sequence
        Speaker of either side of each trial, [N].
    seed : int
        Equal seeds give equal intervals.
    confidence : float
        Probability to cover the true rate, for many speakers.
    resamples : int
        Draws.

    Returns
    -------
    interval : tuple of float, optional
        Low and high; None when no draw has trials of both kinds.

    Example
    -------
    >>> speakers = "abcdefgh"
    >>> pairs = [(a, b) for a in speakers for b in speakers]
    >>> same = [float(a == b) for a, b in pairs]
    >>> equal_error_rate_interval(same, same, *zip(*pairs))
    (0.0, 0.0)
    """
    scores = np.asarray(scores, dtype=float)
    order = np.argsort(-scores, kind="stable")
    same = np.asarray(labels).astype(bool)[order]
    # The last of equal scores: a threshold accepts all of them.
    last = np.append(np.diff(scores[order]) != 0, True)
    names: dict[Hashable, int] = {}
    sides = [
        np.array([names.setdefault(speaker, len(names)) for speaker in side])
        for side in (first, second)
    ]
    one, other = (side[order] for side in sides)
    generator = np.random.default_rng(seed)
    equal = np.full(len(names), 1 / len(names))
    block = max(1, BLOCK // len(scores))
    rates = []
    for begin in range(0, resamples, block):
        size = min(block, resamples - begin)
        drawn = generator.multinomial(len(names), equal, size=size)
        weights = drawn[:, one] * np.where(same, 1, drawn[:, other])
        rates.append(_rates(weights, same, last))
    rates = np.concatenate(rates)
    if not len(rates):
        return None
    low, high = np.quantile(rates, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _rates(
    weights: np.ndarray, same: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Equal error rates of trials ranked by score, counted [R, N] times."""
    targets, others = weights[:, same].sum(1), weights[:, ~same].sum(1)
    both = (targets > 0) & (others > 0)
    weights, targets, others = weights[both], targets[both], others[both]
    if not len(weights):
        return np.zeros(0)
    accepted = np.cumsum(weights * same, axis=1)[:, last]
    false_alarms = np.cumsum(weights * ~same, axis=1)[:, last]
    start = np.zeros((len(weights), 1))
    miss = 1 - np.hstack([start, accepted / targets[:, None]])
    false_alarm = np.hstack([start, false_alarms / others[:, None]])
    after = np.argmax(miss <= false_alarm, axis=1)[:, None]
    gap = miss - false_alarm
    before_gap, after_gap, high, low = (
        np.take_along_axis(values, place, axis=1)[:, 0]
        for values, place in [
            (gap, after - 1),
            (gap, after),
            (miss, after - 1),
            (miss, after),
        ]
    )
    way = before_gap / (before_gap - after_gap)
    return high + way * (low - high)
