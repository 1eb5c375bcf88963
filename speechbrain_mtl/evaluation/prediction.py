"""Does a score, known before training, order errors known only after it?"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import kendalltau, rankdata, spearmanr


@dataclass(frozen=True)
class Agreement:
    """How a score orders the errors of several labels.

    Arguments
    ---------
    spearman, kendall : float
        Rank correlations with the errors meaned over seeds; 1 when the score
        orders the labels as the errors do.
    interval : tuple of float
        95 % interval of Spearman's, labels and seeds drawn again.
    labels, seeds : int
        How many.
    """

    spearman: float
    kendall: float
    interval: tuple[float, float]
    labels: int
    seeds: int

    def as_dict(self) -> dict:
        """The numbers, ready for JSON."""
        return {**asdict(self), "interval": list(self.interval)}


def agreement(
    scores: list[float],
    errors: list[list[float]],
    draws: int = 2000,
    seed: int = 0,
) -> Agreement:
    """Correlate a score with downstream errors over labels.

    The interval is a percentile bootstrap over labels and, apart from them,
    over seeds: it covers the choice of labels and the noise of training.

    Arguments
    ---------
    scores : list of float
        Score of each label; lower promises a lower error.
    errors : list of list of float
        Error of each label, one a training seed.
    draws : int
        Bootstrap draws.
    seed : int
        Of the draws.

    Returns
    -------
    agreement : Agreement

    Raises
    ------
    ValueError
        For fewer than four labels, unequal lengths, or a constant column.

    Example
    -------
    >>> agreement([1, 2, 3, 4], [[0.1], [0.2], [0.3], [0.4]]).kendall
    1.0
    """
    score, error = np.asarray(scores, float), np.asarray(errors, float)
    if error.ndim != 2 or len(score) != len(error) or len(score) < 4:
        raise ValueError(
            f"{len(score)} scores and errors of shape {error.shape}: give one "
            "score and as many seeds' errors for each of four labels or more"
        )
    if np.ptp(score) == 0 or np.ptp(error.mean(axis=1)) == 0:
        raise ValueError("all scores or all errors are equal: nothing to rank")
    labels, seeds = error.shape
    random = np.random.default_rng(seed)
    rows = random.integers(labels, size=(draws, labels))
    columns = random.integers(seeds, size=(draws, seeds))
    means = error[rows[:, :, None], columns[:, None, :]].mean(axis=2)
    drawn = _spearman(score[rows], means)
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    mean = error.mean(axis=1)
    return Agreement(
        float(spearmanr(score, mean).statistic),
        float(kendalltau(score, mean).statistic),
        (float(low), float(high)),
        labels,
        seeds,
    )


def reliability(errors: list[list[float]]) -> float | None:
    """How well one seed's errors order the labels as another's do.

    No score can be expected to agree with errors better than errors agree
    with themselves.

    Arguments
    ---------
    errors : list of list of float
        Error of each label, one a seed.

    Returns
    -------
    reliability : float or None
        Mean Spearman correlation over pairs of seeds, stepped up to the mean
        of all seeds by the Spearman-Brown formula; None for a single seed.

    Example
    -------
    >>> reliability([[0.1, 0.2], [0.2, 0.3], [0.3, 0.4]])
    1.0
    """
    error = np.asarray(errors, float)
    seeds = error.shape[1]
    if seeds < 2:
        return None
    ranks = spearmanr(error).statistic
    if seeds > 2:
        ranks = ranks[np.triu_indices(seeds, 1)].mean()
    return float(seeds * ranks / (1 + (seeds - 1) * ranks))


def _spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Correlate ranks row by row, [R, n]; NaN for a row without an order."""
    ranks = np.stack([rankdata(x, axis=1), rankdata(y, axis=1)])
    ranks -= ranks.mean(axis=2, keepdims=True)
    with np.errstate(invalid="ignore"):  # a draw of one label alone
        norms = np.sqrt((ranks**2).sum(axis=2)).prod(axis=0)
        return (ranks[0] * ranks[1]).sum(axis=1) / norms
