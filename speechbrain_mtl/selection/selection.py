"""What a selection is: weights of pretext tasks and the evidence for them."""

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.selection.table import ranked_table

FORMAT = "speechbrain_mtl/selection/1"
SECTIONS = ("tasks", "data", "kernel", "solver", "cost")


class SelectionError(ValueError):
    """A selection file that cannot be used; the message says why."""


@dataclasses.dataclass(frozen=True)
class Selection:
    """Weights of pretext tasks for one downstream task.

    Arguments
    ---------
    label_field : str
        Field of the manifest that holds the downstream classes.
    method : str
        Where the weights come from: "sparsemax", "softmax", "entmax",
        "simplex", or a baseline: "uniform", "all", "random", "naive",
        "single_best", "lowest_spread", "mrmr", "rfe".
    weights : dict
        Weight by task, at least 0.
    tasks : dict
        Numbers by task: "weight" and, where measured, "ci" (the score that
        ranks; lower is better), "interval" (95 %, over speakers) and "rank"
        (that of the place by ci, 1 is best), "frequency" (share of bootstrap
        draws that weigh the task), "leave_one_out" (relative rise of the
        group's ci without the task), "z" and "p" (permutations within
        classes), "relevance" and "relevance_p", "within_class_spread",
        "mean_similarity", "reference", "centered", "unbiased", "normalised",
        and "flags".
    data, kernel, solver, cost : dict
        What was compared, how, what the solver found, what it cost.
    seed : int
        Of everything drawn.

    Example
    -------
    >>> selection = Selection("words", "uniform", {"f0": 0.5, "zcr": 0.5})
    >>> path = getfixture("tmp_path") / "selection.json"
    >>> selection.save(path)
    >>> Selection.load(path).weights
    {'f0': 0.5, 'zcr': 0.5}
    """

    label_field: str
    method: str
    weights: dict[str, float]
    tasks: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
    kernel: dict[str, Any] = dataclasses.field(default_factory=dict)
    solver: dict[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0
    cost: dict[str, Any] = dataclasses.field(default_factory=dict)

    def reweighted(self, method: str, weights: dict[str, float]) -> "Selection":
        """The same evidence under other weights.

        Arguments
        ---------
        method : str
            Where the weights come from.
        weights : dict
            Weight by task.

        Returns
        -------
        selection : Selection
        """
        tasks = {
            name: {**self.tasks.get(name, {}), "weight": weight}
            for name, weight in weights.items()
        }
        return dataclasses.replace(
            self, method=method, weights=weights, tasks=tasks, solver={}
        )

    def save(self, path: str | os.PathLike) -> None:
        """Write the selection as JSON, atomically.

        Arguments
        ---------
        path : str or path-like
            The file.
        """
        content = {"format": FORMAT, **dataclasses.asdict(self)}
        content["tasks"] = {
            name: {**self.tasks.get(name, {}), "weight": weight}
            for name, weight in self.weights.items()
        }
        write_json(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Selection":
        """Read and check a file that `save` wrote.

        Arguments
        ---------
        path : str or path-like
            The file.

        Returns
        -------
        selection : Selection

        Raises
        ------
        SelectionError
            When the file is missing, not JSON, or not such a selection.
        """
        path = Path(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise SelectionError(
                f"{path}: no such selection. Make one by "
                "`python -m speechbrain_mtl select`."
            ) from error
        except ValueError as error:
            raise SelectionError(f"{path}: not JSON ({error}).") from error
        problem = _problem(content)
        if problem:
            raise SelectionError(
                f"{path}: {problem} Make the file anew by "
                "`python -m speechbrain_mtl select`."
            )
        del content["format"]
        return cls(**content)

    def table(self) -> str:
        """Lay the numbers out as text; see `ranked_table`.

        Returns
        -------
        text : str
            One line a task, the heaviest first.
        """
        return ranked_table(self.weights, self.tasks)


def _problem(content: Any) -> str | None:
    """Say what is wrong with the content of a selection file."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return f'the field "format" is not "{FORMAT}".'
    fields = {field.name for field in dataclasses.fields(Selection)}
    missing = sorted(fields - set(content))
    extra = sorted(set(content) - fields - {"format"})
    if missing or extra:
        return f"fields missing: {missing}; unknown: {extra}."
    for section in (*SECTIONS, "weights"):
        if not isinstance(content[section], dict):
            return f"{section!r} is not an object."
    weights = content["weights"]
    if not weights or set(weights) != set(content["tasks"]):
        return "'weights' and 'tasks' do not name the same tasks, at least one."
    for name, weight in weights.items():
        number = isinstance(weight, int | float) and not isinstance(
            weight, bool
        )
        if not number or not math.isfinite(weight) or weight < 0:
            return f"the weight of {name!r} is {weight!r}, not a number >= 0."
        if content["tasks"][name].get("weight") != weight:
            return f"task {name!r} and 'weights' disagree on its weight."
    if sum(weights.values()) <= 0:
        return "all weights are zero."
    return None
