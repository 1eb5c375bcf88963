"""Test errors of tasks trained alone, together, and with each left out."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from speechbrain_mtl.evaluation.score import HIGHER_IS_BETTER

Errors = Mapping[str, Sequence[float]]
AFFINITIES = ("cosines", "lookahead")


@dataclass(frozen=True)
class Scenarios:
    """What a multi-task study measured.

    Arguments
    ---------
    tasks : list of str
        Of the joint run.
    metrics : dict
        By task, one of `HIGHER_IS_BETTER`.
    alone : dict
        ``{task: [test error of each seed]}``, 1 - accuracy where the metric
        is an accuracy, each task trained by itself.
    joint : dict
        The same, all tasks trained together; empty when they were not.
    without : dict
        ``{left out: {task: [...]}}``: together but for one. Not every task
        need be left out.
    transfer : dict
        ``{task: [...]}`` with an encoder of all other tasks.
    rules : dict
        ``{rule: {task: [...]}}``: `joint` with its weights chosen otherwise.
    affinity : dict
        ``"cosines"`` and ``"lookahead"`` of one joint run, [tasks, tasks] in
        the order of `tasks`, NaN for tasks that were not measured; means
        over `measurements`. Empty when nothing was measured.
    measurements : int, optional
        Steps of the run at which affinities were measured.
    record : dict
        What else the card says: command, commit, data.
    single : dict
        ``{task: [...]}`` with an encoder trained for this task by itself.
    """

    tasks: list[str]
    metrics: dict[str, str]
    alone: Errors
    joint: Errors
    without: Mapping[str, Errors]
    transfer: Errors
    rules: Mapping[str, Errors]
    affinity: dict[str, np.ndarray]
    measurements: int | None = None
    record: dict[str, Any] = field(default_factory=dict)
    single: Errors = field(default_factory=dict)

    def higher_is_better(self, task: str) -> bool:
        """Tell a task with an accuracy from one with an error rate."""
        return HIGHER_IS_BETTER[_kind(self.metrics[task])]


def read_scenarios(path: str | os.PathLike) -> Scenarios:
    """Read and check a card of scenarios.

    Arguments
    ---------
    path : str or path-like
        JSON with ``"tasks"``, ``"metrics"`` and ``"errors"``. Of the errors,
        ``"all"`` has every task, and what leaves one out has all others;
        ``"alone"``, ``"single"``, ``"transfer"`` and ``"all_by_rule"`` may
        lack tasks. All of them but one of ``"alone"`` and ``"all"`` may be
        missing, and so may ``"affinity"``. Scenarios with fewer seeds than
        others have the first of them.

    Returns
    -------
    scenarios : Scenarios

    Raises
    ------
    ValueError
        When the file is no such card, saying what is wrong with it.

    Example
    -------
    >>> path = getfixture("tmp_path") / "scenarios.json"
    >>> card = {"tasks": ["pr", "ks"], "metrics": {"pr": "PER"}}
    >>> card["metrics"]["ks"] = "accuracy"
    >>> card["errors"] = {"all": {"pr": [0.1], "ks": [0.05]}}
    >>> _ = path.write_text(json.dumps(card))
    >>> read_scenarios(path).higher_is_better("ks")
    True
    """
    path = Path(path)
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is no text, so no JSON ({error})") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON ({error})") from error
    try:
        return _scenarios(card)
    except ValueError as error:
        raise ValueError(
            f"{path}: no card of scenarios: {error}. Give the scenarios.json "
            "that the study's driver wrote."
        ) from error


def _scenarios(card: Any) -> Scenarios:
    """Check what JSON cannot promise."""
    if not isinstance(card, dict):
        raise ValueError("is no JSON object")
    missing = [k for k in ("tasks", "metrics", "errors") if k not in card]
    if missing:
        raise ValueError(f"lacks {missing}")
    tasks = card["tasks"]
    if (
        not isinstance(tasks, list)
        or not tasks
        or len({str(task) for task in tasks}) < len(tasks)
        or not all(isinstance(task, str) for task in tasks)
    ):
        raise ValueError(f"tasks are {tasks}: need a name or more, each new")
    metrics = _mapping(card["metrics"], "metrics")
    for task in tasks:
        kind = _kind(str(metrics.get(task)))
        if kind not in HIGHER_IS_BETTER:
            raise ValueError(
                f"the metric of {task} is {metrics.get(task)!r}, none of "
                f"{list(HIGHER_IS_BETTER)}"
            )
    errors = _mapping(card["errors"], "errors")
    alone = _errors(errors.get("alone"), tasks, "errors.alone")
    joint = _errors(errors.get("all"), tasks, "errors.all")
    if not alone and not joint:
        raise ValueError("errors have neither alone nor all")
    if joint and set(joint) != set(tasks):
        raise ValueError(
            f"errors.all lacks {sorted(set(tasks) - set(joint))}: the tasks "
            "were not trained together"
        )
    without = _nested(errors, "without", tasks)
    unknown = sorted(set(without) - set(tasks))
    if unknown:
        raise ValueError(f"errors.without leaves out {unknown}, no task of it")
    for left, found in without.items():
        if set(found) != set(tasks) - {left}:
            raise ValueError(
                f"errors.without.{left} has {list(found)}, not all tasks but "
                f"{left}"
            )
    affinity = _mapping(card.get("affinity"), "affinity")
    known = {"tasks", "metrics", "errors", "affinity"}
    return Scenarios(
        tasks=tasks,
        metrics={task: metrics[task] for task in tasks},
        alone=alone,
        joint=joint,
        without=without,
        transfer=_errors(errors.get("transfer"), tasks, "errors.transfer"),
        rules=_nested(errors, "all_by_rule", tasks),
        affinity=_affinity(affinity, tasks),
        measurements=affinity.get("steps"),
        record={k: v for k, v in card.items() if k not in known},
        single=_errors(errors.get("single"), tasks, "errors.single"),
    )


def _nested(
    errors: Mapping[str, Any], key: str, tasks: list[str]
) -> dict[str, Errors]:
    """Errors by what was left out, or by rule."""
    return {
        name: _errors(found, tasks, f"errors.{key}.{name}")
        for name, found in _mapping(errors.get(key), f"errors.{key}").items()
    }


def _errors(found: Any, tasks: list[str], where: str) -> Errors:
    """Errors of seeds by task, in the order of the tasks."""
    found = _mapping(found, where)
    unknown = sorted(set(found) - set(tasks))
    if unknown:
        raise ValueError(f"{where} has {unknown}, none of the tasks {tasks}")
    for task, values in found.items():
        if not isinstance(values, list) or not values:
            raise ValueError(f"{where}.{task} is {values}, no list of errors")
        for value in values:
            number = type(value) in (int, float)  # True is no number
            if not number or not math.isfinite(value) or value < 0:
                raise ValueError(
                    f"{where}.{task} is {values}: errors are numbers from 0 on"
                )
    return {task: found[task] for task in tasks if task in found}


def _affinity(
    found: Mapping[str, Any], tasks: list[str]
) -> dict[str, np.ndarray]:
    """Affinities in the order of the tasks, NaN for those it lacks."""
    if not found:
        return {}
    names = found.get("tasks")
    if not isinstance(names, list) or not all(n in tasks for n in names):
        raise ValueError(f"affinity.tasks are {names}, not some of {tasks}")
    places = [tasks.index(name) for name in names]
    matrices = {}
    for key in AFFINITIES:
        if found.get(key) is None:
            continue
        try:
            matrix = np.array(found[key], dtype=float)
        except (TypeError, ValueError) as error:
            raise ValueError(f"affinity.{key} is no matrix: {error}") from error
        shape = (len(names), len(names))
        if matrix.shape != shape or not np.isfinite(matrix).all():
            raise ValueError(
                f"affinity.{key} has shape {matrix.shape} or numbers that are "
                f"not finite; {shape} of finite numbers are needed"
            )
        matrices[key] = np.full((len(tasks), len(tasks)), np.nan)
        matrices[key][np.ix_(places, places)] = matrix
    return matrices


def _mapping(found: Any, where: str) -> dict[str, Any]:
    """An object of JSON; an empty one where there is none."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"{where} is {found}, no JSON object")
    return found


def _kind(metric: str) -> str:
    """The metric without what tells its ways to decode apart."""
    return metric.split(" with ")[0]
