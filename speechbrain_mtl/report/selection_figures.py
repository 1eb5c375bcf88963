"""The pictures of a selection: the trade-off, the doubts, the temperature."""

import os
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from speechbrain_mtl.report.bands import draw_bands
from speechbrain_mtl.report.canvas import (
    ACCENT,
    MUTED,
    PAGE,
    PRINT,
    Colors,
    photograph,
    picture,
)
from speechbrain_mtl.report.selection_words import (
    answer,
    chosen,
    plain,
)
from speechbrain_mtl.report.trade_off import draw_trade_off, has_trade_off
from speechbrain_mtl.selection.selection import Selection

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def trade_off_figure(selection: Selection) -> str:
    """Draw what each label tells of the class against what it asks of speech.

    Arguments
    ---------
    selection : Selection
        See `trade_off`.

    Returns
    -------
    svg : str
        Nothing when no task was measured.
    """
    if not has_trade_off(selection):
        return ""
    with picture("dependence and relevance of each task", 5.4) as sheet:
        ax = sheet.figure.subplots()
        draw_trade_off(ax, selection, PAGE)
    return sheet.svg


def doubts_figure(selection: Selection) -> str:
    """Draw score, rank and frequency of each task, with their intervals.

    Arguments
    ---------
    selection : Selection
        Of its tasks "ci" and "interval", "rank", "frequency" are drawn.

    Returns
    -------
    svg : str
        The best on top, a panel for each that was measured; nothing when none
        was.
    """
    tasks = {
        name: task
        for name, task in selection.tasks.items()
        if task.get("ci") is not None
    }
    panels = [
        (draw, title)
        for draw, key, title in (
            (_scores, "interval", "score · ← preferred"),
            (_ranks, "rank", "place by score · ← preferred"),
            (_frequencies, "frequency", "resamples with a weight"),
        )
        if tasks and all(task.get(key) is not None for task in tasks.values())
    ]
    if not panels:
        return ""
    names = sorted(tasks, key=lambda name: -tasks[name]["ci"])
    rows = [tasks[name] for name in names]
    height = 0.8 + 0.34 * len(names)
    with picture("score, place and frequency of each task", height) as sheet:
        axes = sheet.figure.subplots(1, len(panels), sharey=True, squeeze=False)
        sheet.figure.get_layout_engine().set(wspace=0.08)
        for ax, (draw, title) in zip(axes.flat, panels):
            draw(ax, rows)
            ax.set_xlabel(title)
            ax.grid(axis="x")
        axes[0, 0].set_yticks(range(len(names)), map(plain, names))
        axes[0, 0].set_ylim(-0.7, len(names) - 0.3)
    return sheet.svg


def path_figure(selection: Selection) -> str:
    """Draw the weights as stacked bands over temperature.

    Arguments
    ---------
    selection : Selection
        Its solver holds the path.

    Returns
    -------
    svg : str
        The temperature used as a line; tasks that never have a weight are
        left out. Nothing when there is no path.
    """
    path = selection.solver.get("path")
    if not path:
        return ""
    heat = np.array(path["temperature"], dtype=float)
    names = [name for name, row in path["weights"].items() if any(row)]
    shares = np.array([path["weights"][name] for name in names], dtype=float)
    # From the bottom: what stays longest as the temperature falls.
    order = np.argsort(-shares.mean(axis=1), kind="stable")
    height = max(3.8, 0.8 + 0.25 * len(names))
    with picture("weights by temperature", height) as sheet:
        ax = sheet.figure.subplots()
        texts = [f"{plain(names[i])} {shares[i, -1]:.0%}" for i in order]
        ax.set_xscale("log")
        draw_bands(ax, heat, shares[order], texts, MUTED)
        ax.xaxis.set_major_formatter("{x:g}")
        used = selection.solver.get("temperature") or 0.0
        if heat[0] <= used <= heat[-1]:
            ax.axvline(used, color=PAGE.ink, lw=1.4, ls=(0, (4, 3)))
            ax.set_title(
                f"used: {used:g}",
                x=_place_of(used, heat),
                loc="center",
                fontsize=10,
                fontweight="normal",
            )
        ax.set_xlabel("temperature · weights spread more evenly →")
    return sheet.svg


def summary_picture(
    selection: Selection, note: str, path: str | os.PathLike
) -> None:
    """Draw the weights, and why, as a picture that stands alone.

    Arguments
    ---------
    selection : Selection
        Anything with weights.
    note : str
        One line on what was compared.
    path : str or path-like
        The PNG to write.
    """
    measured = has_trade_off(selection)
    weights = chosen(selection)
    height = 5.6 if measured else 1.6 + 0.4 * len(weights)
    with photograph(path, height) as figure:
        figure.get_layout_engine().set(w_pad=0.15, h_pad=0.12)
        figure.suptitle(
            _wrapped(answer(selection)), fontsize=16, fontweight="bold"
        )
        ratios = [1, 2.1] if measured else [1]
        left, *right = figure.subplots(
            1, len(ratios), width_ratios=ratios, squeeze=False
        )[0]
        _weights(left, weights, PRINT)
        for ax in right:
            draw_trade_off(ax, selection, PRINT)
        figure.supxlabel(note, fontsize=9, color=PRINT.muted)


def _weights(ax: "Axes", weights: dict[str, float], colors: Colors) -> None:
    """Weights as bars, the heaviest on top."""
    names = list(weights)[::-1]
    values = [weights[name] for name in names]
    ax.barh(range(len(names)), values, 0.62, color=colors.accent)
    for y, value in enumerate(values):
        ax.annotate(
            f"{value:.2f}",
            (value, y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    ax.set_title("weights")
    ax.set_yticks(range(len(names)), map(plain, names))
    # Few bars keep the height they have among many.
    ax.set_ylim(len(names) - max(len(names), 5) - 0.5, len(names) - 0.5)
    ax.set_xlim(0, 1.2 * max(values))
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)


def _scores(ax: "Axes", rows: list[dict[str, Any]]) -> None:
    """The score of each task in its interval."""
    ends = [end for task in rows for end in task["interval"]]
    if min(ends) > 0 and max(ends) > 10 * min(ends):
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
    for y, task in enumerate(rows):
        _span(ax, y, task["interval"], task["ci"], task)


def _ranks(ax: "Axes", rows: list[dict[str, Any]]) -> None:
    """The place of each task by score, in its interval."""
    for y, task in enumerate(rows):
        _span(ax, y, task["rank"], len(rows) - y, task)
    ax.set_xlim(0.6, len(rows) + 0.4)
    ax.locator_params(axis="x", integer=True, nbins=8)


def _frequencies(ax: "Axes", rows: list[dict[str, Any]]) -> None:
    """How often each task has a weight."""
    shares = [task["frequency"] for task in rows]
    colors = [_color(task) for task in rows]
    ax.barh(range(len(rows)), shares, 0.55, color=colors)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])


def _span(
    ax: "Axes", y: float, ends: list[float], at: float, task: dict[str, Any]
) -> None:
    """A dot in its interval; filled where the task has a weight."""
    heavy = task.get("weight", 0) > 0
    color = _color(task)
    ax.plot(ends, [y, y], color=color, lw=2.6 if heavy else 1.6)
    face = color if heavy else PAGE.paper
    ax.plot(at, y, "o", ms=7, mfc=face, mec=color, mew=1.6)


def _color(task: dict[str, Any]) -> str:
    """Tasks with a weight stand out."""
    return ACCENT if task.get("weight", 0) > 0 else MUTED


def _place_of(used: float, heat: np.ndarray) -> float:
    """Where on a logarithmic axis a temperature lies, from 0 to 1."""
    return float(np.log(used / heat[0]) / np.log(heat[-1] / heat[0]))


def _wrapped(text: str, width: int = 66) -> str:
    """A heading on as many lines as it needs."""
    return "\n".join(textwrap.wrap(text, width))
