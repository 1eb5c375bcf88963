"""A study in one picture: scores against errors, strategies against uniform."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.report.placement import settle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, BLUE, ORANGE, GREY = "#1b1f27", "#0072b2", "#d55e00", "#8a93a1"
COLUMNS = {"reference": "published score", "ci": "our score"}


def draw_study(card: dict, path: str | os.PathLike) -> Path:
    """Draw scores against errors, and the gain of every strategy.

    Arguments
    ---------
    card : dict
        From `study_card`.
    path : str or path-like
        The PNG.

    Returns
    -------
    path : Path
        The same.
    """
    from matplotlib.figure import Figure

    path = Path(path)
    tasks = list(card["downstream"])
    groups = len(card["groups"])
    rows = len(tasks)
    figure = Figure(
        figsize=(11, 3.1 * rows + 4.2 * groups), layout="constrained"
    )
    heights = [height for height in (3.1 * rows, 4.2 * groups) if height]
    parts = figure.subfigures(
        len(heights), 1, height_ratios=heights, squeeze=False
    )[:, 0]
    drawn = []
    if rows:
        axes = parts[0].subplots(rows, len(COLUMNS), squeeze=False)
        drawn = [
            (axis, *_scatter(axis, card["downstream"][task], task, *column))
            for row, task in zip(axes, tasks)
            for axis, column in zip(row, COLUMNS.items())
        ]
    if groups:
        below = parts[-1].subplots(groups, 1, squeeze=False)[:, 0]
        for axis, (task, strategies) in zip(below, card["groups"].items()):
            _gains(axis, task, strategies)
    for axis, names, bars in drawn:
        settle(axis, names, bars, GREY)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")
    return path


def _scatter(
    axis: "Axes", entry: dict, task: str, score: str, title: str
) -> tuple[list, list]:
    """Draw one score against the errors; give names yet to be placed."""
    labels = list(entry["errors"])
    x = [entry["scores"][label][score] for label in labels]
    runs = [[100 * e for e in entry["errors"][label]] for label in labels]
    y = [sum(values) / len(values) for values in runs]
    low = [mean - min(values) for mean, values in zip(y, runs)]
    high = [max(values) - mean for mean, values in zip(y, runs)]
    axis.errorbar(
        x, y, yerr=[low, high], fmt="o", ms=4.5, color=BLUE, ecolor=GREY, lw=1
    )
    untrained = 100 * sum(entry["untrained"]) / len(entry["untrained"])
    axis.axhline(untrained, color=ORANGE, lw=1, ls="--")
    axis.annotate(
        # Outside, where no label's name can be.
        "not\ntrained",
        (1, untrained),
        (3, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=7.5,
        color=ORANGE,
    )
    if min(x) > 0 and max(x) > 20 * min(x):
        axis.set_xscale("log")
    found = entry["agreement"][score]
    bounds = ", ".join(f"{end:+.2f}" for end in found["interval"])
    axis.set_title(
        f"{task}: {title}   rank correlation {found['spearman']:+.2f} "
        f"[{bounds}]",
        fontsize=9.5,
        color=INK,
        loc="left",
    )
    axis.set_xlabel(f"{title} (lower promises better)", fontsize=8.5)
    axis.set_ylabel("error, %", fontsize=8.5)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.12)
    names = [
        axis.annotate(
            label, at, (0, 0), textcoords="offset points", fontsize=7.5
        )
        for label, at in zip(labels, zip(x, y))
    ]
    for name in names:
        name.set_in_layout(False)
    bars = [[(a, min(values)), (a, max(values))] for a, values in zip(x, runs)]
    return names, bars


def _gains(axis: "Axes", task: str, strategies: dict) -> None:
    """Draw each strategy's gain in its interval."""
    order = sorted(
        (name for name in strategies if name != "uniform"),
        key=lambda name: strategies[name]["gain_over_uniform"]["mean"],
    )
    axis.axvline(0, color=ORANGE, lw=1, ls="--")
    for place, name in enumerate(order):
        gain = strategies[name]["gain_over_uniform"]
        if gain["interval"] is not None:
            ends = [100 * end for end in gain["interval"]]
            axis.plot(ends, [place, place], color=GREY, lw=1.4)
        axis.plot(100 * gain["mean"], place, "o", ms=5, color=BLUE)
    axis.set_yticks(range(len(order)), order, fontsize=8.5)
    axis.tick_params(axis="x", labelsize=8)
    axis.set_xlabel(
        "gain over equal weights, points of percent (95 % over seeds)",
        fontsize=8.5,
    )
    axis.set_title(
        f"{task}: groups of labels", fontsize=9.5, color=INK, loc="left"
    )
    axis.spines[["top", "right"]].set_visible(False)
