"""A selection as text: a ranked table, and what its columns mean."""

import math
from collections.abc import Mapping
from typing import Any

# Field, heading, one line for the legend.
COLUMNS = (
    ("weight", "weight", "of the task's loss in training"),
    (
        "ci",
        "ci",
        "the score that ranks and is minimised, and its 95 % interval over "
        "speakers; lower is better",
    ),
    ("interval", "of ci", ""),
    (
        "block_error",
        "blocks",
        "standard error of ci from comparing large classes in blocks",
    ),
    ("rank", "rank", "95 % interval of the place by ci over speakers"),
    ("frequency", "freq", "share of draws of speakers that weigh the task"),
    (
        "leave_one_out",
        "loo",
        "rise of the group's ci without the task; below 0 where it is weighed "
        "only to spread the weights",
    ),
    ("z", "z", "dependence on speech within classes, from permutations"),
    ("relevance", "relevance", "dependence on the class"),
    ("within_class_spread", "spread", "deviation within classes"),
    (
        "mean_similarity",
        "similarity",
        "mean published label kernel within classes",
    ),
    ("reference", "published", "the published score"),
    ("centered", "centered", "HSIC within classes, biased"),
    ("unbiased", "unbiased", "HSIC within classes, unbiased"),
    ("normalised", "normalised", "the same as a correlation of kernels"),
)


def ranked_table(
    weights: Mapping[str, float], tasks: Mapping[str, Mapping[str, Any]]
) -> str:
    """Lay out one line a task, the heaviest first, then by score.

    Arguments
    ---------
    weights : dict
        Weight by task.
    tasks : dict
        Numbers by task; columns that no task has are left out.

    Returns
    -------
    text : str

    Example
    -------
    >>> tasks = {"f0": {"ci": 0.5, "rank": [1, 2], "flags": ["noise-like"]}}
    >>> print(ranked_table({"f0": 1.0}, tasks))
    task      weight        ci  rank  flags
    f0         1.000     0.500   1-2  noise-like
    """
    rows = {
        name: {**tasks.get(name, {}), "weight": weight}
        for name, weight in weights.items()
    }
    order = sorted(
        rows, key=lambda n: (-weights[n], rows[n].get("ci", math.inf), n)
    )
    columns = [
        (field, title)
        for field, title, _ in COLUMNS
        if any(field in row for row in rows.values())
    ]
    cells = [
        [title for _, title in columns],
        *(
            [_cell(field, rows[name].get(field)) for field, _ in columns]
            for name in order
        ),
    ]
    least = [8 if _is_number(field) else 4 for field, _ in columns]
    widths = [
        max(low, *(len(row[i]) for row in cells)) for i, low in enumerate(least)
    ]
    first = max(6, *(len(name) for name in order))
    flags = ["flags", *(", ".join(rows[n].get("flags", [])) for n in order)]
    return "\n".join(
        "  ".join(
            [
                f"{name:<{first}}",
                *(f"{cell:>{width}}" for cell, width in zip(row, widths)),
                flag,
            ]
        ).rstrip()
        for name, row, flag in zip(["task", *order], cells, flags)
    )


def legend(tasks: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what each column of the table means, a line each.

    Arguments
    ---------
    tasks : dict
        Numbers by task.

    Returns
    -------
    text : str

    Example
    -------
    >>> print(legend({"f0": {"weight": 1.0}}))
    weight      of the task's loss in training
    """
    return "\n".join(
        f"{title:<10}  {meaning}"
        for field, title, meaning in COLUMNS
        if meaning and any(field in task for task in tasks.values())
    )


def _is_number(field: str) -> bool:
    """Whether a column holds a plain number."""
    return field not in ("interval", "rank", "frequency", "leave_one_out")


def _cell(field: str, value: Any) -> str:
    """One number, with three significant digits where it is small."""
    if value is None:
        return "-"
    if field == "rank":
        low, high = value
        return f"{low}" if low == high else f"{low}-{high}"
    if field == "interval":
        return " ".join(_number(end) for end in value)
    if field == "frequency":
        return f"{value:.0%}"
    if field == "leave_one_out":
        return f"{value:+.0%}"
    return _number(value)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.3g}"
