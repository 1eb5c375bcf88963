"""The pictures of relations: matrix, graphs, and gains over training alone."""

import math
import os
from collections.abc import Callable
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
from speechbrain_mtl.report.relation_results import RelationResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST = 0.05  # relative effect from which unclear relations are drawn, pale
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

    Arguments
    ---------
    figure : matplotlib figure
        Empty.
    results : RelationResults
        With gains.
    colors : Colors
        Of the page or the picture.
    """
    ax = figure.subplots()
    shades = (colors.accent, colors.muted, colors.contrast)
    names = [*results.scenarios.tasks, "mean"]
    thick = 0.8 / len(results.gains)
    for place, (scenario, found) in enumerate(results.gains.items()):
        rows = {**found, "mean": results.mean_gains[scenario]}
        known = [name for name in names if name in rows]
        shift = (place - (len(results.gains) - 1) / 2) * thick
        at = [names.index(name) + shift for name in known]
        values = [100 * rows[name].value for name in known]
        color = shades[place]
        ax.barh(at, values, 0.86 * thick, color=color, label=scenario)
        for y, name in zip(at, known):
            if rows[name].interval is not None:
                ends = [100 * end for end in rows[name].interval]
                ax.plot(ends, [y, y], color=colors.ink, lw=1.1)
    ax.axvline(0, color=colors.ink, lw=1.2)
    ax.axhline(len(names) - 1.5, color=colors.grid, lw=0.8)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel("gain over training alone, % of its error · better →")
    ax.grid(axis="x")
    figure.legend(
        loc="outside upper center", ncols=len(results.gains), frameon=False
    )


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
    "gain of each scenario over training alone",
    draw_gains,
    lambda results: 1.1 + 0.5 * (1 + len(results.scenarios.tasks))
    if results.gains
    else 0,
)
