"""The pictures of relations: matrix, graphs, and gains of the scenarios."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from speechbrain_mtl.evaluation.relations import Effect, mean_effect
from speechbrain_mtl.report.canvas import (
    PAGE,
    PRINT,
    Colors,
    photograph,
    picture,
)
from speechbrain_mtl.report.relation_graph import draw_graphs
from speechbrain_mtl.report.relation_results import (
    JOINT_GAIN,
    RelationResults,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST = 0.05  # relative effect from which unclear relations are drawn, pale
PALE = 0.45  # opacity of bars of "single", beside those of "all"
DEEPEST = 0.6  # of a cell's colour; text stays legible on it
LONG = 9  # letters of a name that a column of nine has room for


@dataclass(frozen=True)
class Drawing:
    """A picture that a page or a file can have.

    Arguments
    ---------
    name : str
        What it shows.
    draw : callable
        Draws results on an empty figure, in given colours.
    height : callable
        Inches for given results; 0 where there is nothing to show.
    """

    name: str
    draw: Callable[["Figure", RelationResults, Colors], None]
    height: Callable[[RelationResults], float]

    def svg(self, results: RelationResults) -> str:
        """Draw for a page; nothing when there is nothing to show."""
        if not self.height(results):
            return ""
        with picture(self.name, self.height(results)) as sheet:
            self.draw(sheet.figure, results, PAGE)
        return sheet.svg

    def save(self, results: RelationResults, path: str | os.PathLike) -> bool:
        """Draw into a PNG; False when there is nothing to show."""
        if not self.height(results):
            return False
        with photograph(path, self.height(results)) as figure:
            self.draw(figure, results, PRINT)
        return True


def draw_matrix(
    figure: "Figure", results: RelationResults, colors: Colors
) -> None:
    """Draw the effect of each task left out, row, on each other, column.

    Arguments
    ---------
    figure : matplotlib figure
        Empty.
    results : RelationResults
        With effects.
    colors : Colors
        Of the page or the picture.
    """
    ax = figure.subplots()
    tasks = results.scenarios.tasks
    rows = list(results.effects)
    top = max(abs(effect.value) for *_, effect in results.pairs) or 1.0
    for y, left in enumerate(rows):
        cells = results.effects[left]
        for x, task in enumerate(tasks):
            if cells[task] is not None:
                _cell(ax, x, y, cells[task], top, colors)
        others = [effect for effect in cells.values() if effect is not None]
        _cell(ax, len(tasks) + 0.4, y, mean_effect(others), top, colors)
    long = max(map(len, tasks)) > LONG
    ax.set_xticks(
        [*range(len(tasks)), len(tasks) + 0.4],
        [*tasks, "mean"],
        rotation=30 if long else 0,
        ha="left" if long else "center",
    )
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(axis="x", top=False, labeltop=True, labelbottom=False)
    ax.tick_params(axis="x", labelcolor=colors.ink)
    ax.xaxis.set_label_position("top")
    ax.set_xlabel("rise of the error of, %", labelpad=8)
    ax.set_ylabel("when left out")
    ax.set(xlim=(-0.55, len(tasks) + 0.95), ylim=(len(rows) - 0.45, -0.55))
    ax.spines["bottom"].set_visible(False)


def draw_relations(
    figure: "Figure", results: RelationResults, colors: Colors
) -> None:
    """Draw who helps and who hurts whom; see `draw_graphs`."""
    tasks, pairs = results.scenarios.tasks, results.pairs
    draw_graphs(figure, tasks, pairs, colors, LEAST)


def draw_gains(
    figure: "Figure", results: RelationResults, colors: Colors
) -> None:
    """Draw how far each scenario's errors lie below those alone, by task.

    Beside it, where "single" was measured, what joint training adds to it.

    Arguments
    ---------
    figure : matplotlib figure
        Empty.
    results : RelationResults
        With gains.
    colors : Colors
        Of the page or the picture.
    """
    from matplotlib.colors import to_rgba

    shades = {
        "single": to_rgba(colors.accent, PALE),
        "all": colors.accent,
        "without one, mean": colors.muted,
        "transfer": colors.contrast,
        JOINT_GAIN: colors.accent,
    }
    rows = dict(results.gain_rows)
    joint = {n: rows.pop(n) for n in list(rows) if n == JOINT_GAIN}
    panels = {
        "gain over heads alone, % of their error · better →": rows,
        "gain of all over single, % of its error · better →": joint,
    }
    panels = {label: found for label, found in panels.items() if found}
    names = [*results.scenarios.tasks, "mean"]
    axes = figure.subplots(
        1,
        len(panels),
        sharey=True,
        squeeze=False,
        width_ratios=[3, 2][: len(panels)],
    )[0]
    for ax, (label, found) in zip(axes, panels.items()):
        thick = 0.8 / max(2, len(found))
        for place, (scenario, row) in enumerate(found.items()):
            shift = (place - (len(found) - 1) / 2) * thick
            color = shades[scenario]
            _bars(ax, row, shift, 0.86 * thick, color, colors.ink, scenario)
        ax.axvline(0, color=colors.ink, lw=1.2)
        ax.axhline(len(names) - 1.5, color=colors.grid, lw=0.8)
        ax.set_xlabel(label)
        ax.grid(axis="x")
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    if rows:
        handles = axes[0].get_legend_handles_labels()[0]
        figure.legend(
            handles=handles,
            loc="outside upper center",
            ncols=len(rows),
            frameon=False,
        )


def _bars(
    ax: "Axes",
    row: Sequence[Effect | None],
    shift: float,
    thick: float,
    color: str | tuple[float, ...],
    ink: str,
    label: str,
) -> None:
    """A bar each effect, with its interval where it has one."""
    known = [(y + shift, e) for y, e in enumerate(row) if e is not None]
    values = [100 * effect.value for _, effect in known]
    ax.barh([y for y, _ in known], values, thick, color=color, label=label)
    for y, effect in known:
        if effect.interval is not None:
            ends = [100 * end for end in effect.interval]
            ax.plot(ends, [y, y], color=ink, lw=1.1)


def _cell(
    ax: "Axes", x: float, y: float, effect: Effect, top: float, colors: Colors
) -> None:
    """A coloured number, framed where it is clear."""
    from matplotlib.patches import Rectangle

    clear = effect.verdict != "unclear"
    color = colors.accent if effect.value > 0 else colors.contrast
    # Roots, since a few large effects would else leave all others white.
    depth = DEEPEST * math.sqrt(min(1.0, abs(effect.value) / top))
    box = {"xy": (x - 0.46, y - 0.44), "width": 0.92, "height": 0.88}
    ax.add_patch(Rectangle(**box, facecolor=color, alpha=depth, lw=0))
    if clear:
        ax.add_patch(
            Rectangle(**box, facecolor="none", edgecolor=colors.ink, lw=1.8)
        )
    ax.text(
        x,
        y,
        f"{100 * effect.value:+.1f}",
        ha="center",
        va="center",
        fontweight="bold" if clear else "normal",
    )


MATRIX = Drawing(
    "effect of leaving each task out on each other",
    draw_matrix,
    lambda results: 0.9 + 0.42 * len(results.effects) if results.pairs else 0,
)
GRAPH = Drawing(
    "who helps and who hurts whom",
    draw_relations,
    lambda results: 5.6 if results.pairs else 0,
)
GAINS = Drawing(
    "gain of each scenario over heads alone, and of joint training",
    draw_gains,
    lambda results: 1.1 + 0.5 * (1 + len(results.scenarios.tasks))
    if results.gain_rows
    else 0,
)
