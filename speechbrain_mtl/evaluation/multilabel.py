"""How well several labels at once are found, where not all are known."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from speechbrain_mtl.evaluation.intervals import draws, percentiles

THRESHOLD = 0.5


def mean_f1(
    scores: ArrayLike,
    labels: ArrayLike,
    mask: ArrayLike | None = None,
    threshold: float = THRESHOLD,
    absence: bool = False,
) -> float:
    """Mean over classes of F1, the harmonic mean of precision and recall.

    Arguments
    ---------
    scores : array-like
        Probability of each class, [N, C].
    labels : array-like
        Whether the class is there, or a probability that counts from one
        half on, [N, C].
    mask : array-like, optional
        1 where the label is known, else 0, [N, C]; all known by default.
        Elsewhere neither score nor label matters.
    threshold : float
        Score from which a class is found.
    absence : bool
        Average the F1 of a class's presence with that of its absence, the
        two rows that OpenMIC-2018's own tutorial prints for each instrument
        (scikit-learn's ``average="macro"`` over the two). By default
        presence alone counts (``average="binary"``). Absence is easier, so
        that the two are not comparable: say which.

    Returns
    -------
    f1 : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        When shapes differ, what counts is NaN, or a class has no known
        presence (or, with `absence`, no known absence).

    Example
    -------
    >>> scores = [[0.9, 0.2], [0.6, 0.8], [0.1, 0.3]]
    >>> labels = [[1, 0], [0, 1], [0, 1]]
    >>> mean_f1(scores, labels)
    0.6666666666666666
    >>> mean_f1(scores, labels, mask=[[1, 1], [0, 1], [1, 0]])
    1.0
    """
    scores, there, known = _checked(scores, labels, mask)
    found = scores >= threshold
    f1 = _f1(found, there, known, "presence")
    if absence:
        f1 = (f1 + _f1(~found, ~there, known, "absence")) / 2
    return float(f1.mean())


def mean_f1_interval(
    scores: ArrayLike,
    labels: ArrayLike,
    mask: ArrayLike | None = None,
    clusters: Sequence[Hashable] | None = None,
    threshold: float = THRESHOLD,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of `mean_f1` by a percentile bootstrap over items.

    Arguments
    ---------
    scores, labels, mask, threshold
        As for `mean_f1`.
    clusters : sequence, optional
        What each item belongs to, [N]: whole clusters are drawn then.
    seed : int
        Equal seeds give equal intervals.

    Returns
    -------
    low, high : float
        A sample in which a class neither occurs nor is found counts the
        other classes.

    Raises
    ------
    ValueError
        As `mean_f1`; also when there are fewer than two items or clusters.

    Example
    -------
    >>> scores, labels = [[0.9], [0.2]] * 50, [[1], [1]] * 50
    >>> low, high = mean_f1_interval(scores, labels)
    >>> low < mean_f1(scores, labels) < high
    True
    """
    scores, there, known = _checked(scores, labels, mask)
    _require(there & known, "presence")
    clusters = range(len(scores)) if clusters is None else clusters
    ids: dict[Hashable, int] = {}
    index = [ids.setdefault(cluster, len(ids)) for cluster in clusters]
    if len(ids) < 2 or len(index) != len(scores):
        raise ValueError(
            f"{len(ids)} cluster(s) of {len(index)} for {len(scores)} items. "
            "Give each item one, and two or more in all."
        )
    found = (scores >= threshold) & known
    there = there & known
    # All that F1 depends on, added up over each cluster.
    right, cases = (np.zeros((len(ids), scores.shape[1])) for _ in range(2))
    np.add.at(right, index, found & there)
    np.add.at(cases, index, found.astype(int) + there)
    means = []
    for counts in draws(len(ids), seed):
        total = counts @ cases
        f1 = 2 * (counts @ right) / np.maximum(total, 1)
        means.append(f1.sum(axis=1) / (total > 0).sum(axis=1))
    return percentiles(np.concatenate(means))


def mean_average_precision(
    scores: ArrayLike, labels: ArrayLike, mask: ArrayLike | None = None
) -> float:
    """Mean over classes of average precision.

    Precision at each threshold, weighted by the recall it gains, without
    interpolation, as scikit-learn defines it; equal scores go together.

    Arguments
    ---------
    scores : array-like
        Higher where the class is more likely, [N, C].
    labels, mask : array-like
        As for `mean_f1`.

    Returns
    -------
    precision : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        When shapes differ, what counts is NaN, or a class has no known
        presence.

    Example
    -------
    >>> mean_average_precision([[0.9], [0.6], [0.1]], [[1], [0], [1]])
    0.8333333333333333
    """
    scores, there, known = _checked(scores, labels, mask)
    _require(there & known, "presence")
    # What is unknown comes last, where it is counted neither way.
    order = np.lexsort((-scores, ~known), axis=0)
    ranked, hit, counted = (
        np.take_along_axis(values, order, axis=0)
        for values in (scores, there & known, known)
    )
    hits, seen = hit.cumsum(axis=0), counted.cumsum(axis=0)
    # Each rank takes the precision of the last one of its score.
    last = np.ones_like(hit)
    last[:-1] = (ranked[1:] != ranked[:-1]) | ~counted[1:]
    ranks = np.arange(len(last))[:, None]
    ends = np.where(last, ranks, len(last) - 1)
    ends = np.minimum.accumulate(ends[::-1], axis=0)[::-1]
    precision = np.take_along_axis(hits / np.maximum(seen, 1), ends, axis=0)
    return float(((precision * hit).sum(axis=0) / hits[-1]).mean())


def _f1(
    found: np.ndarray, there: np.ndarray, known: np.ndarray, what: str
) -> np.ndarray:
    """F1 of each class."""
    _require(there & known, what)
    right = (found & there & known).sum(axis=0)
    return 2 * right / ((found & known).sum(axis=0) + (there & known).sum(0))


def _checked(
    scores: ArrayLike, labels: ArrayLike, mask: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, and as booleans what is there and what is known."""
    scores = np.asarray(scores, dtype=float)
    labels = np.asarray(labels, dtype=float)
    known = np.ones(labels.shape) if mask is None else np.asarray(mask)
    shapes = {scores.shape, labels.shape, known.shape}
    if len(shapes) > 1 or scores.ndim != 2 or not scores.size:
        raise ValueError(
            f"Scores are {scores.shape}, labels {labels.shape}, the mask "
            f"{known.shape}. Give each as [items, classes], not empty."
        )
    if not np.isin(known, (0, 1)).all():
        raise ValueError(
            f"The mask holds {np.unique(known)[:5]}. Give 1 where a label is "
            "known, else 0."
        )
    known = known.astype(bool)
    for name, values in (("scores", scores), ("labels", labels)):
        if (bad := np.isnan(values) & known).any():
            raise ValueError(
                f"{bad.sum()} known {name} are NaN, the first of item "
                f"{bad.any(axis=1).argmax()}. Mask them, or look where they "
                "come from."
            )
    if ((labels < 0) | (labels > 1))[known].any():
        raise ValueError(
            "Known labels lie outside 0 to 1. Give 0, 1 or probabilities."
        )
    return np.where(known, scores, 0.0), labels >= 0.5, known


def _require(cases: np.ndarray, what: str) -> None:
    """Refuse classes of which nothing is known: their value is undefined."""
    empty = np.flatnonzero(~cases.any(axis=0))
    if len(empty):
        raise ValueError(
            f"Class {', '.join(map(str, empty))}: no item of known {what}. "
            "Leave these classes out, or give more items."
        )
