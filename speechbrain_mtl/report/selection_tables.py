"""The numbers of all tasks as tables, a line of explanation a column."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from speechbrain_mtl.report.markup import number, significant, table
from speechbrain_mtl.selection.selection import Selection

# field: (heading, explanation)
Columns = dict[str, tuple[str, str]]
DECISION: Columns = {
    "weight": ("weight", "of the task's loss in pretraining"),
    "ci": (
        "score",
        "what ranks the tasks and is minimised; lower is better",
    ),
    "interval": (
        "95 % interval",
        "of the score over resampled speakers, or recordings where speakers "
        "are not known",
    ),
    "relevance": (
        "relevance",
        "how much more alike the label is within a class than between classes",
    ),
    "relevance_p": (
        "p of relevance",
        "chance of so much relevance when the class tells nothing",
    ),
    "leave_one_out": (
        "left out",
        "relative rise of the group's score when the task is left out and the "
        "others are weighed anew; below 0 the task has its weight from the "
        "temperature alone, which spreads weights",
    ),
    "frequency": (
        "frequency",
        "share of resamples in which the task has a weight",
    ),
    "rank": (
        "place",
        "95 % interval of its place by score over resamples, 1 is best",
    ),
    "flags": ("flags", "what speaks against the task, explained on top"),
}
MEASURES: Columns = {
    "unbiased": (
        "unbiased",
        "dependence of speech and label within classes (HSIC, without bias); "
        "around 0, also below, for independence",
    ),
    "normalised": (
        "normalised",
        "the same in units of both kernels, at most 1: a label gains nothing "
        "by varying little",
    ),
    "z": (
        "z",
        "the unbiased one in deviations from what permutations within classes "
        "give",
    ),
    "p": ("p", "of that z: chance of so much dependence under independence"),
    "centered": (
        "centred",
        "HSIC with centred kernels; grows as classes shrink",
    ),
    "reference": (
        "published",
        "score as first published, whose centring makes it follow the spread",
    ),
    "mean_similarity": (
        "similarity",
        "mean of the published label kernel within classes, near 1 for a "
        "label that hardly varies",
    ),
    "within_class_spread": (
        "spread",
        "deviation of the label within classes, in deviations of its frames",
    ),
}


def score_tables(selection: Selection) -> str:
    """Two tables: what decides, and how dependence was measured.

    Arguments
    ---------
    selection : Selection
        Columns that no task has are left out.

    Returns
    -------
    html : str
        Nothing when the tasks have weights only.
    """
    tasks = {
        name: {**selection.tasks.get(name, {}), "weight": weight}
        for name, weight in selection.weights.items()
    }
    if not any(len(task) > 1 for task in tasks.values()):
        return ""
    order = sorted(tasks, key=lambda name: _order(tasks[name]))
    rows = {name: tasks[name] for name in order}
    return "".join(
        f"<h3>{title}</h3>{_table(rows, columns)}"
        for title, columns in (
            ("What decides", DECISION),
            ("Dependence on speech within classes", MEASURES),
        )
        if _present(rows, columns).keys() - {"weight"}
    )


def _order(task: Mapping[str, Any]) -> tuple[float, float]:
    """Heavy tasks first, then by score, then the unscored."""
    score = task.get("ci")
    return -task["weight"], math.inf if score is None else score


def _present(
    rows: Mapping[str, Mapping[str, Any]], columns: Columns
) -> Columns:
    """Columns in which any task has something."""
    return {
        key: words
        for key, words in columns.items()
        if any(task.get(key) not in (None, []) for task in rows.values())
    }


def _table(rows: Mapping[str, Mapping[str, Any]], columns: Columns) -> str:
    """A table and the meaning of its columns."""
    columns = _present(rows, columns)
    lines = []
    for name, task in rows.items():
        cells = "".join(_cell(key, task.get(key)) for key in columns)
        mark = ' class="chosen"' if task["weight"] > 0 else ""
        lines.append(f"<tr{mark}><th>{escape(name)}</th>{cells}</tr>")
    meanings = "".join(
        f"<div><dt>{title}</dt><dd>{meaning}</dd></div>"
        for title, meaning in columns.values()
    )
    heads = ["task", *(title for title, _ in columns.values())]
    return f'{table(heads, lines)}<dl class="legend">{meanings}</dl>'


def _cell(key: str, value: Any) -> str:
    """One number, interval or list of flags."""
    if key == "flags":
        flags = "".join(f"<em>{escape(flag)}</em>" for flag in value or ())
        return f'<td class="flags">{flags}</td>'
    if value is None:
        return "<td></td>"
    if key == "interval":
        text = " – ".join(map(significant, value))
    elif key == "rank":
        text = " – ".join(f"{end:g}" for end in value)
    elif key in ("p", "relevance_p"):
        text = "&lt; 0.001" if value < 0.001 else number(value, 3)
    elif key == "frequency":
        text = f"{100 * value:.0f} %"
    elif key == "leave_one_out":
        text = f"{100 * value:+.1f} %"
    elif key == "weight":
        text = number(value, 3)
    else:
        text = number(value, 1) if key == "z" else significant(value)
    return f"<td>{text}</td>"
