"""Do two matrices over the same items agree? A rank test of Mantel's.

The n (n - 1) pairs of n items are not independent: every item is in many of
them, so that a p-value over pairs would be far too small. The test re-names
the items of one matrix instead, its rows and columns together (N. Mantel,
Cancer Research 27, 1967).
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

EXACT = 7  # items up to which all n! re-namings are tried: 5040
BLOCK = 2**20  # numbers held at once, 8 MiB
ROUNDING = 1e-9  # re-namings that only rounding tells apart count as equal


@dataclass(frozen=True)
class Mantel:
    """How two matrices agree.

    Arguments
    ---------
    correlation : float
        Spearman's, over pairs of different items.
    p : float
        Probability of one at least as high if items are re-named at random.
    items : int
        Rows, and columns.
    exact : bool
        Whether all re-namings were tried.
    """

    correlation: float
    p: float
    items: int
    exact: bool


def mantel_test(
    first: np.ndarray,
    second: np.ndarray,
    within_columns: bool = False,
    draws: int = 9999,
    seed: int = 0,
) -> Mantel | None:
    """Correlate the ranks of two matrices off their diagonals.

    Arguments
    ---------
    first, second : np.ndarray
        [n, n], symmetric or not; diagonals are ignored.
    within_columns : bool
        Rank each column by itself: do they order the items alike for each
        item, whatever the columns' levels?
    draws : int
        Re-namings drawn where there are more than 7 items.
    seed : int
        Of the draws.

    Returns
    -------
    mantel : Mantel or None
        None when there is no order, all of a matrix being equal.

    Raises
    ------
    ValueError
        For other shapes, fewer than three items, or what is not finite.

    Example
    -------
    >>> a = np.array([[0, 1, 2], [3, 0, 4], [5, 6, 0]])
    >>> mantel_test(a, 2.0 * a).correlation
    1.0
    """
    first, second = (np.asarray(m, dtype=float) for m in (first, second))
    n = len(first)
    if first.shape != (n, n) or second.shape != (n, n) or n < 3:
        raise ValueError(
            f"shapes {first.shape} and {second.shape}: give two square "
            "matrices over the same three items or more"
        )
    off = ~np.eye(n, dtype=bool)
    if not np.isfinite(first[off]).all() or not np.isfinite(second[off]).all():
        raise ValueError("A pair's value is NaN or infinite. Leave items out.")
    one, other = (_unit_ranks(m, within_columns) for m in (first, second))
    if not one.any() or not other.any():
        return None
    observed = float((one * other).sum())
    exact = n <= EXACT
    orders = _all_orders(n) if exact else _drawn_orders(n, draws, seed)
    reached = total = 0
    for order in orders:
        renamed = other[order[:, :, None], order[:, None, :]]
        found = np.tensordot(renamed, one, axes=2)
        reached += int((found >= observed - ROUNDING).sum())
        total += len(order)
    if not exact:  # the order there is belongs to the draws
        reached, total = reached + 1, total + 1
    return Mantel(round(observed, 12), reached / total, n, exact)


def _unit_ranks(matrix: np.ndarray, within_columns: bool) -> np.ndarray:
    """Ranks of mean 0 and norm 1, 0 on the diagonal, [n, n]."""
    n = len(matrix)
    off = ~np.eye(n, dtype=bool)
    ranks = np.zeros((n, n))
    if within_columns:
        for column in range(n):
            here = off[:, column]
            ranks[here, column] = rankdata(matrix[here, column]) - n / 2
    else:
        ranks[off] = rankdata(matrix[off]) - (n * (n - 1) + 1) / 2
    norm = np.linalg.norm(ranks)
    return ranks / norm if norm else ranks


def _all_orders(n: int) -> Iterator[np.ndarray]:
    """All orders of n items, [P, n] at a time."""
    orders = itertools.permutations(range(n))
    while block := list(itertools.islice(orders, max(1, BLOCK // n**2))):
        yield np.array(block)


def _drawn_orders(n: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Orders of n items at random, [P, n] at a time."""
    generator = np.random.default_rng(seed)
    size = max(1, BLOCK // n**2)
    for start in range(0, draws, size):
        rows = min(size, draws - start)
        yield generator.permuted(np.tile(np.arange(n), (rows, 1)), axis=1)
