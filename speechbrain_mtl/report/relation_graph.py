"""Tasks in a circle, with arrows to those they help, or hurt."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from speechbrain_mtl.evaluation.relations import Effect
from speechbrain_mtl.report.canvas import Colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pair = tuple[str, str, Effect]
WIDEST, THINNEST = 5.5, 0.6  # points
PALE = 0.35
NODE, LINE = 9.0, 14.0  # points


def shown(pairs: Sequence[Pair], least: float) -> list[Pair]:
    """Choose relations to draw: the clear ones, and all that are large.

    Arguments
    ---------
    pairs : sequence
        Task left out, task looked at, effect.
    least : float
        What counts as large.

    Returns
    -------
    shown : list
        To be drawn in this order: clear ones cover others, large ones small.

    Example
    -------
    >>> small, large = Effect((0.001,)), Effect((-0.2,))
    >>> [p[:2] for p in shown([("a", "b", small), ("b", "a", large)], 0.01)]
    [('b', 'a')]
    """
    kept = [
        pair
        for pair in pairs
        if pair[2].verdict != "unclear" or abs(pair[2].value) >= least
    ]
    return sorted(
        kept,
        key=lambda pair: (pair[2].verdict != "unclear", abs(pair[2].value)),
    )


def draw_graphs(
    figure: "Figure",
    tasks: Sequence[str],
    pairs: Sequence[Pair],
    colors: Colors,
    least: float,
) -> None:
    """Draw who helps whom, and beside it who hurts whom.

    Arguments
    ---------
    figure : matplotlib figure
        Empty.
    tasks : sequence of str
        In the order of the circle, clockwise from the top.
    pairs : sequence
        Task left out, task looked at, effect.
    colors : Colors
        Of the page or the picture.
    least : float
        Relations that are not clear are drawn, pale, from this effect on.
    """
    from matplotlib.lines import Line2D

    kept = shown(pairs, least)
    top = max((abs(effect.value) for *_, effect in kept), default=1.0) or 1.0
    figure.get_layout_engine().set(w_pad=0.12)
    left, right = figure.subplots(1, 2)
    # Above the topmost name, which has a line a word.
    pad = 18 + LINE * tasks[0].count("_")
    for ax, sign, title, color in (
        (left, 1, "helps", colors.accent),
        (right, -1, "hurts", colors.contrast),
    ):
        own = [p for p in kept if sign * p[2].value > 0]
        _graph(ax, tasks, own, top, color, colors)
        ax.set_title(
            f"{title}: {len(own)} of {len(pairs)}", loc="center", pad=pad
        )
    handles = [
        Line2D([], [], color=colors.muted, lw=_width(share, top), label=label)
        for share, label in _scale(top)
    ]
    handles += [
        Line2D([], [], color=colors.ink, lw=3, alpha=alpha, label=label)
        for alpha, label in ((1.0, "clear"), (PALE, "not clear"))
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        labelcolor=colors.muted,
        fontsize=9,
    )


def _graph(
    ax: "Axes",
    tasks: Sequence[str],
    pairs: Sequence[Pair],
    top: float,
    color: str,
    colors: Colors,
) -> None:
    """One circle with its arrows."""
    from matplotlib.patches import FancyArrowPatch

    turn = 2 * np.pi * np.arange(len(tasks)) / len(tasks)
    places = dict(zip(tasks, np.stack([np.sin(turn), np.cos(turn)], axis=1)))
    for start, end, effect in pairs:
        width = _width(abs(effect.value), top)
        arrow = FancyArrowPatch(
            places[start],
            places[end],
            # Bent, so that the two directions of a pair lie apart.
            connectionstyle="arc3,rad=0.14",
            arrowstyle="-|>,head_length=0.55,head_width=0.28",
            mutation_scale=8 + 1.8 * width,
            lw=width,
            color=color,
            alpha=1.0 if effect.verdict != "unclear" else PALE,
            shrinkA=NODE,
            shrinkB=NODE,
            capstyle="butt",
            joinstyle="miter",
        )
        ax.add_patch(arrow)
    for task, place in places.items():
        ax.plot(*place, "o", ms=NODE, color=colors.ink, zorder=3)
        side, up = place.round(6)
        ax.annotate(
            task.replace("_", "_\n"),  # long names leave the circle room
            place,
            xytext=11 * place,
            textcoords="offset points",
            ha="center" if abs(side) < 0.2 else "left" if side > 0 else "right",
            va="center" if abs(up) < 0.8 else "bottom" if up > 0 else "top",
            fontweight="bold",
        )
    # Names above and below stay within, so that no title covers them.
    ax.set(xlim=(-1.12, 1.12), ylim=(-1.2, 1.2), aspect="equal")
    ax.set_axis_off()


def _width(share: float, top: float) -> float:
    """Points a line is wide."""
    return max(THINNEST, WIDEST * share / top)


def _scale(top: float) -> list[tuple[float, str]]:
    """Round effects for a legend: about the largest, and a fifth of it."""
    unit = 10.0 ** np.floor(np.log10(top))
    high = unit * max(step for step in (1, 2, 5) if step * unit <= top)
    return [(share, f"{100 * share:g} %") for share in (high / 5, high)]
