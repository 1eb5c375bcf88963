"""An error over the layers of encoders, as one picture."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from speechbrain_mtl.report.canvas import (
    BLUE,
    GREEN,
    ORANGE,
    PRINT,
    PURPLE,
    SKY,
    VERMILLION,
    photograph,
)
from speechbrain_mtl.report.placement import apart

COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
MARKS = "oDs^vP"
LINE = 13.0  # points from one name to the next


def draw_layer_profile(
    profiles: Mapping[str, Sequence[float]],
    path: str | os.PathLike,
    title: str = "ABX error of each layer",
) -> Path:
    """Draw an error over layers, a line an encoder, the best layer named.

    Arguments
    ---------
    profiles : dict
        Errors of the layers, lowest first, as fractions, by what the line
        is called.
    path : str or path-like
        The PNG.
    title : str
        Of the picture.

    Returns
    -------
    path : Path
        The same.

    Raises
    ------
    ValueError
        When there is no profile, or one without layers.

    Example
    -------
    >>> path = getfixture("tmp_path") / "layers.png"
    >>> draw_layer_profile({"within": [0.2, 0.1, 0.3]}, path).name
    'layers.png'
    """
    empty = [name for name, errors in profiles.items() if not len(errors)]
    if not profiles or empty:
        raise ValueError(
            f"{len(profiles)} profiles, without layers: {empty}. Give at "
            "least one error a profile."
        )
    path = Path(path)
    with photograph(path, 4.2) as figure:
        ax = figure.subplots()
        names = []
        for index, (name, errors) in enumerate(profiles.items()):
            color = COLORS[index % len(COLORS)]
            percent = [100 * error for error in errors]
            layers = range(len(percent))
            best = min(layers, key=percent.__getitem__)
            mark = MARKS[index % len(MARKS)]
            ax.plot(layers, percent, mark + "-", color=color, lw=1.8, ms=5)
            ax.plot(best, percent[best], mark, color=color, ms=10)
            ax.annotate(
                f"{percent[best]:.1f}",
                (best, percent[best]),
                (0, -9),
                textcoords="offset points",
                ha="center",
                va="top",
                color=color,
                fontsize=9,
            )
            names.append(
                ax.annotate(
                    name,
                    (layers[-1], percent[-1]),
                    (9, 0),
                    textcoords="offset points",
                    va="center",
                    color=color,
                )
            )
        ax.set_title(title)
        ax.set_xlabel("layer, 0 is the lowest")
        ax.set_ylabel("error, %  ·  ↓ better", color=PRINT.muted)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(axis="y")
        ax.margins(y=0.15)
        figure.draw_without_rendering()  # the layout is known afterwards
        heights = ax.transData.transform([n.xy for n in names])[:, 1]
        heights *= 72 / figure.dpi  # points, as the offset is
        for name, move in zip(names, apart(heights, LINE) - heights):
            name.xyann = (9, float(move))
    return path
