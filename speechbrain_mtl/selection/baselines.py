"""Weights without a solver, in the same form: what a selection must beat.

`mrmr` and `rfe` name labels in order; `equal_shares` makes a selection of them.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from speechbrain_mtl.selection.selection import Selection

# Flags of labels that know nothing of the class.
UNFIT = frozenset({"noise-like", "class-blind"})


def uniform(tasks: Selection | Sequence[str]) -> Selection:
    """Equal weights of sum 1: the published "All" at total weight 1.

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
    fit = {
        name: task
        for name, task in selection.tasks.items()
        if not UNFIT & set(task.get("flags", []))
    }
    return equal_shares(selection, _lowest(selection, fit, "ci", k), "naive")


def single_best(selection: Selection) -> Selection:
    """All weight on the task of best single score: `naive_top_k` with k = 1.

    Arguments
    ---------
    selection : Selection
        A measured selection.

    Returns
    -------
    selection : Selection

    Raises
    ------
    ValueError
        See `naive_top_k`.

    Example
    -------
    >>> tasks = {"f0": {"ci": 0.2}, "zcr": {"ci": 0.1}}
    >>> measured = Selection("words", "simplex", dict.fromkeys(tasks, 1), tasks)
    >>> single_best(measured).weights
    {'f0': 0.0, 'zcr': 1.0}
    """
    best = naive_top_k(selection, k=1)
    return equal_shares(
        selection, [n for n, w in best.weights.items() if w], "single_best"
    )


def lowest_spread(selection: Selection, k: int = 4) -> Selection:
    """Equal weights for the k tasks that vary least within classes.

    The simplest thing a score of conditional independence could be mistaken
    for: a label that hardly varies within a class depends on nothing there.
    Nothing else is asked of the tasks; noise may be among them.

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
        When fewer than k tasks have been measured.

    Example
    -------
    >>> tasks = {"f0": {"within_class_spread": 0.8}}
    >>> tasks["zcr"] = {"within_class_spread": 0.3}
    >>> measured = Selection("words", "simplex", dict.fromkeys(tasks, 1), tasks)
    >>> lowest_spread(measured, k=1).weights
    {'f0': 0.0, 'zcr': 1.0}
    """
    names = _lowest(selection, selection.tasks, "within_class_spread", k)
    return equal_shares(selection, names, "lowest_spread")


def equal_shares(
    tasks: Selection | Sequence[str], names: Sequence[str], method: str
) -> Selection:
    """Equal weights of sum 1 for the named tasks, 0 for the others.

    Arguments
    ---------
    tasks
        See `uniform`.
    names : sequence of str
        The tasks chosen, as by `mrmr` or `rfe`.
    method : str
        Who chose them.

    Returns
    -------
    selection : Selection

    Raises
    ------
    ValueError
        When none or an unknown task is named, or one twice.

    Example
    -------
    >>> equal_shares(["f0", "rms", "zcr"], ["zcr", "f0"], "mrmr").weights
    {'f0': 0.5, 'rms': 0.0, 'zcr': 0.5}
    """
    base = _base(tasks)
    if (
        not names
        or set(names) - set(base.weights)
        or len(set(names)) < len(names)
    ):
        raise ValueError(
            f"chosen are {list(names)}; name each once, at least one of "
            f"{list(base.weights)}."
        )
    weights = {
        name: 1 / len(names) if name in names else 0.0 for name in base.weights
    }
    return base.reweighted(method, weights)


def _lowest(
    selection: Selection,
    candidates: Mapping[str, Mapping[str, Any]],
    score: str,
    k: int,
) -> list[str]:
    """The k candidates of lowest score, ties by the alphabet."""
    scores = {n: task[score] for n, task in candidates.items() if score in task}
    if not 1 <= k <= len(scores):
        raise ValueError(
            f"k is {k}, but {len(scores)} of the tasks {list(selection.weights)} "
            "have a score and are fit to be chosen. Lower k, or measure a "
            "selection first."
        )
    return sorted(scores, key=lambda name: (scores[name], name))[:k]


def _base(tasks: Selection | Sequence[str]) -> Selection:
    """A selection to put weights in."""
    if isinstance(tasks, Selection):
        return tasks
    if isinstance(tasks, str) or not tasks:
        raise ValueError(f"tasks are {tasks!r}; give a list of names.")
    return Selection("", "", dict.fromkeys(tasks, 0.0))
