"""How well scores tell same from different: error rates of verification."""

import numpy as np
from numpy.typing import ArrayLike


def equal_error_rate(scores: ArrayLike, labels: ArrayLike) -> float:
    """Error rate where as many targets are missed as others are accepted.

    A trial is accepted from a threshold on. Every distinct score is a
    threshold, so that tied trials go together, and so is one above all. From
    threshold to threshold both rates are taken to change linearly; the result
    is where they meet.

    Arguments
    ---------
    scores : array-like
        Higher for what is more likely the same, [N].
    labels : array-like
        1 (or True) for the same, 0 for different, [N].

    Returns
    -------
    rate : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        When there are no trials or those of one kind only, when shapes
        differ, scores are NaN or labels neither 0 nor 1.

    Example
    -------
    >>> equal_error_rate([0.9, 0.7, 0.4, 0.6, 0.3, 0.1], [1, 1, 1, 0, 0, 0])
    0.3333333333333333
    """
    miss, false_alarm = _error_rates(scores, labels)
    after = int(np.argmax(miss <= false_alarm))  # miss falls, never from 0
    before = after - 1
    gap = miss[before] - false_alarm[before]
    closed = gap - (miss[after] - false_alarm[after])
    way = gap / closed
    return float(miss[before] + way * (miss[after] - miss[before]))


def min_dcf(
    scores: ArrayLike,
    labels: ArrayLike,
    c_miss: float = 1.0,
    c_fa: float = 1.0,
    p_target: float = 0.01,
) -> float:
    """Least cost of detection over all thresholds, normalised.

    NIST's cost, ``c_miss p_target P_miss + c_fa (1 - p_target) P_fa``, by
    that of the better of two systems that never listen, one accepting all,
    the other nothing. SpeechBrain's `minDCF` is not normalised.

    Arguments
    ---------
    scores, labels : array-like
        As for `equal_error_rate`.
    c_miss, c_fa : float
        Costs of missing a target and of accepting another.
    p_target : float
        How likely a target is before listening.

    Returns
    -------
    cost : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        As for `equal_error_rate`, and when a cost is not positive or
        `p_target` not between 0 and 1.

    Example
    -------
    >>> min_dcf([0.9, 0.7, 0.4, 0.6, 0.3, 0.1], [1, 1, 1, 0, 0, 0])
    0.3333333333333333
    """
    if not (c_miss > 0 and c_fa > 0 and 0 < p_target < 1):
        raise ValueError(
            f"c_miss is {c_miss}, c_fa {c_fa}, p_target {p_target}. Give "
            "costs above 0 and a probability between 0 and 1."
        )
    miss, false_alarm = _error_rates(scores, labels)
    missing, accepting = c_miss * p_target, c_fa * (1 - p_target)
    cost = (missing * miss + accepting * false_alarm).min()
    return float(cost / min(missing, accepting))


def _error_rates(
    scores: ArrayLike, labels: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Rates of misses, 1 to 0, and of false alarms, 0 to 1, by threshold."""
    scores, labels = np.asarray(scores, dtype=float), np.asarray(labels)
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise ValueError(
            f"Scores are {scores.shape}, labels {labels.shape}. Give one "
            "score and one label a trial."
        )
    if np.isnan(scores).any():
        raise ValueError(
            f"{np.isnan(scores).sum()} of {len(scores)} scores are NaN, the "
            f"first at {np.isnan(scores).argmax()}. Look for silent or empty "
            "recordings."
        )
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"Labels are {np.unique(labels)[:5]}. Give 1 for the same, 0 for "
            "different."
        )
    same = labels.astype(bool)
    targets, others = int(same.sum()), int((~same).sum())
    if not targets or not others:
        raise ValueError(
            f"{targets} trials are of the same, {others} of different. Give "
            "some of both."
        )
    order = np.argsort(-scores, kind="stable")
    ranked, same = scores[order], same[order]
    # The last of equal scores: the threshold accepts all of them.
    last = np.append(ranked[1:] != ranked[:-1], True)
    accepted = np.append(0, np.cumsum(same)[last])
    false_alarms = np.append(0, np.cumsum(~same)[last])
    return (targets - accepted) / targets, false_alarms / others
