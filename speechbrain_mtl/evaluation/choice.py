"""Which of many validated models to take, when tasks disagree."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import rankdata

RULES = ("mean_error", "mean_gain", "average_rank", "last")
Errors = Mapping[int, Mapping[str, float]]


def choose_epoch(
    rule: str, errors: Errors, reference: Mapping[str, float] | None = None
) -> int:
    """Choose one model for all tasks from validation errors.

    Arguments
    ---------
    rule : str
        ``"mean_error"``: lowest mean of the tasks' errors, which tasks with
        large errors decide. ``"mean_gain"``: highest mean of the errors'
        relative falls below `reference`, as in "Multi-Task Learning for Dense
        Prediction Tasks", https://arxiv.org/abs/2004.13379.
        ``"average_rank"``: lowest mean of the ranks among all validations;
        equals share the mean of their ranks. ``"last"``.
    errors : dict
        By epoch, and in it by task.
    reference : dict, optional
        Each task's error alone, on the same validation part.

    Returns
    -------
    epoch : int
        The first, where several are equally good.

    Raises
    ------
    ValueError
        When there is no validation, or no such rule, or no reference to gain
        over.

    Example
    -------
    >>> errors = {1: {"asr": 0.9, "sid": 0.01}, 2: {"asr": 0.8, "sid": 0.02}}
    >>> choose_epoch("mean_error", errors)
    2
    >>> choose_epoch("mean_gain", errors, {"asr": 0.9, "sid": 0.01})
    1
    """
    if not errors:
        raise ValueError("nothing was validated, so there is nothing to choose")
    epochs = list(errors)
    if rule == "last":
        return max(epochs)
    tasks = list(errors[epochs[0]])
    table = np.array([[errors[e][task] for task in tasks] for e in epochs])
    if rule == "mean_error":
        cost = table.mean(axis=1)
    elif rule == "average_rank":
        cost = rankdata(table, axis=0).mean(axis=1)
    elif rule == "mean_gain":
        if reference is None or set(tasks) - set(reference):
            missing = sorted(set(tasks) - set(reference or {}))
            raise ValueError(
                f"mean_gain needs each task's error alone; missing {missing}. "
                "Train them alone first, or choose by another rule."
            )
        cost = [-mean_gain(errors[e], reference) for e in epochs]
    else:
        raise ValueError(f"rule '{rule}' is none of {list(RULES)}")
    return epochs[int(np.argmin(cost))]


def best_of_each(errors: Errors) -> dict[str, int]:
    """Choose an epoch for every task by itself: as many models as tasks.

    Example
    -------
    >>> best_of_each({1: {"asr": 0.9, "sid": 0.1}, 2: {"asr": 0.8, "sid": 0.2}})
    {'asr': 2, 'sid': 1}
    """
    tasks = list(next(iter(errors.values())))
    return {t: min(errors, key=lambda e, t=t: errors[e][t]) for t in tasks}


def mean_gain(
    errors: Mapping[str, float], reference: Mapping[str, float]
) -> float:
    """Average over tasks how far errors fall below a reference, as shares.

    A task without any error alone gains nothing where it makes none, and
    loses its error, unscaled, where it does.

    Example
    -------
    >>> mean_gain({"asr": 0.2, "sid": 0.3}, {"asr": 0.4, "sid": 0.2})
    0.0
    """
    gains = [
        (alone - error) / alone if alone > 0 else -error
        for error, alone in ((errors[t], reference[t]) for t in errors)
    ]
    return round(float(np.mean(gains)), 12)
