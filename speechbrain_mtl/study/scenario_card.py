"""What scenarios found, as a card of numbers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from speechbrain_mtl.training.joint_results import BEST_OF_EACH


def scenario_card(
    results: Mapping[str, Mapping[int, Any]],
    tasks: Sequence[str],
    rule: str,
    affinities: Sequence[Path] = (),
) -> dict:
    """Collect test errors of all scenarios.

    Arguments
    ---------
    results : dict
        What `ScenarioExperiment.run` gave.
    tasks : sequence of str
        All of them.
    rule : str
        Which choice of checkpoints the scenarios ``single``, ``all`` and
        ``without`` are told by. Heads alone are chosen each by itself. For a
        single task all rules that read errors take its best validation, so
        that ``single`` loses nothing to a compromise as ``all`` may.
    affinities : sequence of path-like
        ``affinity.jsonl`` of runs with all tasks.

    Returns
    -------
    card : dict
        ``metrics`` by task; ``errors`` by scenario and task, one a seed;
        ``hours_of_audio`` by scenario, of one seed and all its tasks;
        ``affinity``, means over measurements.
    """
    metrics: dict[str, str] = {}
    errors: dict[str, Any] = {"alone": {}, "all": {}, "all_by_rule": {}}
    for result in results["alone"].values():
        _add(errors["alone"], result, BEST_OF_EACH, tasks, metrics)
    for result in results.get("all", {}).values():
        _add(errors["all"], result, rule, tasks, metrics)
        for other in result["rules"]:
            found = errors["all_by_rule"].setdefault(other, {})
            _add(found, result, other, tasks, metrics)
    for by_task in results.get("single", {}).values():
        found = errors.setdefault("single", {})
        for task, result in by_task.items():
            _add(found, result, rule, [task], metrics)
    for by_task in results.get("without", {}).values():
        for left, result in by_task.items():
            found = errors.setdefault("without", {}).setdefault(left, {})
            kept = [name for name in tasks if name != left]
            _add(found, result, rule, kept, metrics)
    chosen: dict[str, list[str]] = {}
    for by_task in results.get("transfer", {}).values():
        for left, result in by_task.items():
            best = min(result["errors"], key=result["errors"].get)
            chosen.setdefault(left, []).append(best)
            error, _ = first_error(result, BEST_OF_EACH, best)
            found = errors.setdefault("transfer", {}).setdefault(left, [])
            found.append(error)
    hours = {
        scenario: next(iter(results[scenario].values()))["hours"]
        for scenario in ("alone", "all")
        if scenario in results
    }
    if "single" in results:
        runs = next(iter(results["single"].values())).values()
        hours["single"] = sum(result["hours"] for result in runs)
    return {
        "tasks": list(tasks),
        "metrics": metrics,
        "seeds": sorted(results["alone"]),
        "rule": rule,
        "errors": errors,
        "head_rates_chosen": chosen,
        "hours_of_audio": hours,
        "affinity": mean_affinity(affinities),
    }


def first_error(result: Mapping, rule: str, task: str) -> tuple[float, str]:
    """Give a task's test error, by its first metric, and the metric's name."""
    for name, score in result["rules"][rule]["scores"].items():
        owner, _, metric = name.partition("/")
        if owner == task:
            value = score["value"]
            error = 1 - value if score["higher_is_better"] else value
            return error, metric
    raise ValueError(f"no score of task '{task}' by rule '{rule}'")


def mean_affinity(paths: Sequence[Path]) -> dict | None:
    """Average the measurements of runs; None where there are none."""
    found = [
        json.loads(line)
        for path in paths
        if Path(path).exists()
        for line in Path(path).read_text(encoding="utf-8").splitlines()
    ]
    if not found:
        return None
    names = max((one["tasks"] for one in found), key=len)
    mean: dict[str, Any] = {"tasks": names, "steps": len(found)}
    for what in ("cosines", "lookahead"):
        tables = np.full((len(found), len(names), len(names)), np.nan)
        for table, one in zip(tables, found):
            places = [names.index(name) for name in one["tasks"]]
            table[np.ix_(places, places)] = one[what]
        mean[what] = np.nanmean(tables, axis=0).tolist()
    return mean


def _add(
    errors: dict[str, list[float]],
    result: Mapping,
    rule: str,
    tasks: Sequence[str],
    metrics: dict[str, str],
) -> None:
    """Append one seed's errors, task by task."""
    for task in tasks:
        error, metrics[task] = first_error(result, rule, task)
        errors.setdefault(task, []).append(error)
