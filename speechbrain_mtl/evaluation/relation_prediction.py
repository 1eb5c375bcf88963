"""Do affinities of one joint run foretell what leaving tasks out shows?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from speechbrain_mtl.evaluation.mantel import Mantel, mantel_test
from speechbrain_mtl.evaluation.prediction import reliability
from speechbrain_mtl.evaluation.relations import Effects

LEAST = 3  # tasks


@dataclass(frozen=True)
class Foretold:
    """How an affinity agrees with the effects of leaving tasks out.

    Arguments
    ---------
    affinity : str
        Its name.
    view : str
        "directed": every task on every other. "symmetric": both directions
        meaned, in the affinity too. "per task": the order of the others for
        each task, whatever moves that task's error most.
    agreement : Mantel or None
        Their rank correlation; None when one has no order.
    """

    affinity: str
    view: str
    agreement: Mantel | None


def foretold(
    affinities: Mapping[str, np.ndarray],
    tasks: Sequence[str],
    effects: Effects,
    draws: int = 9999,
    seed: int = 0,
) -> list[Foretold]:
    """Set affinities against the truth, in three views each.

    Arguments
    ---------
    affinities : dict
        By name, [tasks, tasks]: of the row's task for the column's. Rows of
        NaN are tasks that were not measured.
    tasks : sequence of str
        In the order of rows and columns.
    effects : dict
        From `leave_one_out`. Tasks that were never left out, or not measured,
        are not looked at: the test re-names rows and columns together.
    draws, seed
        See `mantel_test`.

    Returns
    -------
    foretold : list of Foretold
        Without affinities of fewer than three tasks.

    Example
    -------
    >>> from speechbrain_mtl.evaluation.relations import Effect
    >>> tasks, cosines = list("abc"), np.arange(9.0).reshape(3, 3)
    >>> effects = {
    ...     x: {y: Effect((cosines[i, j],)) for j, y in enumerate(tasks)}
    ...     for i, x in enumerate(tasks)
    ... }
    >>> found = foretold({"cosines": cosines}, tasks, effects)
    >>> [(f.view, f.agreement.correlation) for f in found]
    [('directed', 1.0), ('symmetric', 1.0), ('per task', 1.0)]
    """
    found = []
    for name, matrix in affinities.items():
        measured = np.isfinite(matrix).any(axis=1)
        kept = [
            place
            for place, task in enumerate(tasks)
            if measured[place] and task in effects
        ]
        if len(kept) < LEAST:
            continue
        score = np.asarray(matrix, dtype=float)[np.ix_(kept, kept)]
        truth = _truth([tasks[place] for place in kept], effects)
        both = (score + score.T) / 2, (truth + truth.T) / 2
        for view, pair, within in (
            ("directed", (score, truth), False),
            ("symmetric", both, False),
            ("per task", (score, truth), True),
        ):
            agreement = mantel_test(*pair, within, draws, seed)
            found.append(Foretold(name, view, agreement))
    return found


def repeatability(effects: Effects) -> float | None:
    """How well other seeds' effects would order the pairs as these do.

    No affinity can be expected to agree with the effects better than they
    agree with themselves.

    Arguments
    ---------
    effects : dict
        From `leave_one_out`.

    Returns
    -------
    repeatability : float or None
        Expected Spearman correlation of two such matrices, at least 0; None
        with fewer than two common seeds or three pairs.

    Example
    -------
    >>> from speechbrain_mtl.evaluation.relations import Effect
    >>> row = {n: Effect((v, v)) for n, v in zip("abc", (0.1, 0.2, 0.3))}
    >>> repeatability({"d": row})
    1.0
    """
    shares = [e.shares for row in effects.values() for e in row.values() if e]
    seeds = min(map(len, shares), default=0)
    table = np.array([s[:seeds] for s in shares])
    if seeds < 2 or len(table) < 3 or not np.ptp(table, axis=0).all():
        return None
    with np.errstate(divide="ignore"):  # two seeds in opposite orders
        return max(0.0, reliability(table.tolist()))


def _truth(tasks: Sequence[str], effects: Effects) -> np.ndarray:
    """Effects as a matrix [tasks, tasks], 0 on the diagonal."""
    truth = np.zeros((len(tasks), len(tasks)))
    for row, left in enumerate(tasks):
        for column, task in enumerate(tasks):
            if left != task:
                truth[row, column] = effects[left][task].value
    return truth
