"""Weights without a solver, in the same form: what a selection must beat."""

import random
from collections.abc import Sequence

from speechbrain_mtl.selection.selection import Selection


def uniform(tasks: Selection | Sequence[str]) -> Selection:
    """Equal weights of sum 1.

    Arguments
    ---------
    tasks : Selection or sequence of str
        A measured selection, whose evidence is kept, or names of tasks.

    Returns
    -------
    selection : Selection

    Example
    -------
    >>> uniform(["f0", "zcr"]).weights
    {'f0': 0.5, 'zcr': 0.5}
    """
    base = _base(tasks)
    share = 1 / len(base.weights)
    return base.reweighted("uniform", dict.fromkeys(base.weights, share))


def everything(tasks: Selection | Sequence[str]) -> Selection:
    """Weight 1 for every task: the published "All".

    It differs from `uniform` by its total alone, which matters against any
    other loss.

    Arguments
    ---------
    tasks
        See `uniform`.

    Returns
    -------
    selection : Selection

    Example
    -------
    >>> everything(["f0", "zcr"]).weights
    {'f0': 1.0, 'zcr': 1.0}
    """
    base = _base(tasks)
    return base.reweighted("all", dict.fromkeys(base.weights, 1.0))


def random_weights(
    tasks: Selection | Sequence[str], seed: int = 0
) -> Selection:
    """Weights drawn evenly from the simplex (Dirichlet of ones).

    Arguments
    ---------
    tasks
        See `uniform`. The draw does not depend on their order.
    seed : int
        Of the draw; use several.

    Returns
    -------
    selection : Selection

    Example
    -------
    >>> weights = random_weights(["f0", "zcr"], seed=1).weights
    >>> round(sum(weights.values()), 9)
    1.0
    """
    base = _base(tasks)
    draw = random.Random(seed)
    gamma = {name: draw.expovariate(1.0) for name in sorted(base.weights)}
    total = sum(gamma.values())
    weights = {name: gamma[name] / total for name in base.weights}
    selection = base.reweighted("random", weights)
    selection.solver["seed"] = seed
    return selection


def naive_top_k(selection: Selection, k: int = 4) -> Selection:
    """Equal weights for the k tasks of best single score, 0 for the others.

    Our definition of the published "naive" selection, whose own is not
    public. Tasks flagged as noise-like or class-blind are never chosen.

    Arguments
    ---------
    selection : Selection
        A measured selection.
    k : int
        How many.

    Returns
    -------
    selection : Selection

    Raises
    ------
    ValueError
        When fewer than k tasks can be chosen, or scores are missing.

    Example
    -------
    >>> tasks = {"f0": {"ci": 0.2}, "zcr": {"ci": 0.1}, "rms": {"ci": 0.3}}
    >>> measured = Selection("words", "simplex", dict.fromkeys(tasks, 1), tasks)
    >>> naive_top_k(measured, k=2).weights
    {'f0': 0.5, 'zcr': 0.5, 'rms': 0.0}
    """
    scores = {
        name: task["ci"]
        for name, task in selection.tasks.items()
        if "ci" in task
        and not {"noise-like", "class-blind"} & set(task.get("flags", []))
    }
    if not 1 <= k <= len(scores):
        raise ValueError(
            f"k is {k}, but {len(scores)} of the tasks {list(selection.weights)} "
            "have a score and are fit to be chosen. Lower k, or measure a "
            "selection first."
        )
    best = sorted(scores, key=lambda name: (scores[name], name))[:k]
    weights = {
        name: 1 / k if name in best else 0.0 for name in selection.weights
    }
    return selection.reweighted("naive", weights)


def _base(tasks: Selection | Sequence[str]) -> Selection:
    """A selection to put weights in."""
    if isinstance(tasks, Selection):
        return tasks
    if isinstance(tasks, str) or not tasks:
        raise ValueError(f"tasks are {tasks!r}; give a list of names.")
    return Selection("", "", dict.fromkeys(tasks, 0.0))
