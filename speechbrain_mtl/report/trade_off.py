"""What a label tells of the class, against what speech tells of the label.

A good label lies right, for the class tells much of it, and low, for within a
class the speech tells little more. The score that ranks is the slope of the
line from the origin, so labels of equal score lie on one ray.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from speechbrain_mtl.report.canvas import Colors
from speechbrain_mtl.report.placement import settle
from speechbrain_mtl.report.selection_words import plain, published
from speechbrain_mtl.selection.selection import Selection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Tasks = Mapping[str, Mapping[str, Any]]
# Slopes, that of the frame's diagonal being 1: rays nearer to an axis than
# these are not told from it.
FLAT, STEEP = 0.12, 8.0


def has_trade_off(selection: Selection) -> bool:
    """Whether any task was measured on both sides."""
    return bool(_measured(selection))


def has_bars(selection: Selection, task: Mapping[str, Any]) -> bool:
    """Whether a task is drawn with an interval."""
    return any(_intervals(selection, task))


def draw_trade_off(ax: "Axes", selection: Selection, colors: Colors) -> None:
    """Draw the trade-off with 95 % intervals, where the file has them.

    Arguments
    ---------
    ax : Axes
        To draw on.
    selection : Selection
        Of its tasks "relevance" and "unbiased" are drawn, with
        "relevance_interval" and "unbiased_interval" where it has them. Of the
        published estimator, whose score is no ratio: "reference" with
        "interval", and no rays.
    colors : Colors
        Of the page or of a picture.
    """
    side, tasks = _side(selection), _measured(selection)
    bars = {}
    for name, task in tasks.items():
        across, up = _intervals(selection, task)
        bars[name] = (
            across or [task["relevance"]] * 2,
            up or [task[side]] * 2,
        )
    _frame(ax, tasks, side, bars)
    _names_of_axes(ax, colors)
    if not published(selection):
        _rays(ax, tasks, colors)
    for name, task in tasks.items():
        heavy = task.get("weight", 0) > 0
        color = colors.accent if heavy else colors.muted
        x, y = task["relevance"], task[side]
        across, up = bars[name]
        style = {"color": color, "alpha": 0.55, "lw": 1.5, "zorder": 2}
        ax.plot(across, [y, y], **style)
        ax.plot([x, x], up, **style)
        ax.plot(
            x,
            y,
            "X" if task.get("flags") else "o",
            ms=9,
            mfc=color if heavy else colors.paper,
            mec=color,
            mew=1.6,
            zorder=3,
        )
    _name_points(ax, tasks, side, bars, colors)


def _side(selection: Selection) -> str:
    """The field that is drawn upward."""
    return "reference" if published(selection) else "unbiased"


def _intervals(
    selection: Selection, task: Mapping[str, Any]
) -> tuple[list[float] | None, list[float] | None]:
    """Of what is drawn to the right, and upward."""
    up = "interval" if published(selection) else "unbiased_interval"
    return task.get("relevance_interval"), task.get(up)


def _measured(selection: Selection) -> Tasks:
    """Tasks with both numbers."""
    side = _side(selection)
    return {
        name: task
        for name, task in selection.tasks.items()
        if task.get("relevance") is not None and task.get(side) is not None
    }


def _frame(ax: "Axes", tasks: Tasks, side: str, bars: Mapping) -> None:
    """Limits that hold all points and bars, and the origin of the rays."""
    for ends, limit in ((0, ax.set_xlim), (1, ax.set_ylim)):
        values = [end for pair in bars.values() for end in pair[ends]]
        key = ("relevance", side)[ends]
        values += [task[key] for task in tasks.values()]
        low, high = min(0.0, *values), max(*values, 1e-12)
        room = 0.06 * (high - low)
        limit(low - room * (low < 0), high + room)


def _names_of_axes(ax: "Axes", colors: Colors) -> None:
    ax.set_xlabel("relevance: what the class tells of the label · better →")
    ax.set_ylabel("← better · what speech tells of it within classes")
    ax.tick_params(axis="y", labelcolor=colors.muted)
    ax.locator_params(nbins=5)
    for spine in ("left", "bottom"):
        ax.spines[spine].set_visible(True)
    for zero in (ax.axvline, ax.axhline):
        zero(0, color=colors.grid, lw=1.2, zorder=1)


def _rays(ax: "Axes", tasks: Tasks, colors: Colors) -> None:
    """Lines of equal score, as many as are told apart."""
    scored = [t for t in tasks.values() if t.get("ci") and t["relevance"] > 0]
    if not scored:
        return
    # The score is in units of the speech kernel; far from chance it is the
    # plain ratio, so the most relevant label gives the unit.
    sure = max(scored, key=lambda task: task["relevance"])
    unit = sure["unbiased"] / sure["relevance"] / sure["ci"]
    right, top = ax.get_xlim()[1], ax.get_ylim()[1]
    if unit <= 0:
        return
    diagonal = top / right / unit
    scores = _round_scores(FLAT * diagonal, STEEP * diagonal)
    for score in scores:
        slope = score * unit
        x, y = min(right, top / slope), min(top, right * slope)
        ax.plot([0, x], [0, y], color=colors.grid, lw=1, zorder=1)
        over = y == top
        ax.annotate(
            f"score {score:g}" if score == scores[-1] else f"{score:g}",
            (x, y),
            xytext=(0, 3) if over else (4, 0),
            textcoords="offset points",
            ha="center" if over else "left",
            va="bottom" if over else "center",
            color=colors.muted,
            fontsize=8.5,
            annotation_clip=False,
        )


def _round_scores(low: float, high: float) -> list[float]:
    """Numbers like 0.1, 0.2, 0.5, 1 between two."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    scores = [digit * 10.0**n for n in decades for digit in (1, 2, 5)]
    return [float(f"{s:.1g}") for s in scores if low <= s <= high]


def _name_points(
    ax: "Axes", tasks: Tasks, side: str, bars: Mapping, colors: Colors
) -> None:
    """Write each name near its point, clear of the others."""
    labels = []
    for name, task in tasks.items():
        heavy = task.get("weight", 0) > 0
        text = f"{plain(name)} {task['weight']:.2f}" if heavy else plain(name)
        label = ax.annotate(
            text,
            (task["relevance"], task[side]),
            xytext=(0, 0),
            textcoords="offset points",
            color=colors.accent if heavy else colors.ink,
            fontweight="bold" if heavy else "normal",
            zorder=4,
        )
        label.set_in_layout(False)
        labels.append(label)
    lines = [
        ends
        for (x, y), (across, up) in zip(
            (label.xy for label in labels), bars.values()
        )
        for ends in ([(e, y) for e in across], [(x, e) for e in up])
    ]
    settle(ax, labels, lines, colors.muted)
