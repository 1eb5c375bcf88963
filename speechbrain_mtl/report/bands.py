"""Shares of a whole, stacked and named at their ends."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from speechbrain_mtl.report.canvas import (
    BLUE,
    GREEN,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    VERMILLION,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
LINE = 0.236  # inches, height of a line of text


def draw_bands(
    ax: "Axes",
    x: Sequence[float],
    shares: np.ndarray,
    names: Sequence[str],
    muted: str,
) -> None:
    """Stack shares from the bottom, a name right of each band.

    Arguments
    ---------
    ax : Axes
        The only ones of their figure.
    x : list of float
        Increasing.
    shares : np.ndarray
        Of 1 in sum, [bands, len(x)].
    names : list of str
        One a band.
    muted : str
        Colour of the scale.
    """
    colors = [BANDS[i % len(BANDS)] for i in range(len(names))]
    ax.stackplot(x, shares, colors=colors, ec=PAPER, lw=1.2)
    middles = shares[:, -1].cumsum() - shares[:, -1] / 2
    heights = spread(middles, LINE / ax.figure.get_figheight())
    for name, color, middle, y in zip(names, colors, middles, heights):
        # A thread from the band to its name, where names had to move.
        ax.annotate(
            name,
            xy=(x[-1], middle),
            xytext=(1.035, y),
            textcoords=ax.get_yaxis_transform(),
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": color, "lw": 1.5},
        )
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(0, 1)
    ax.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    ax.tick_params(axis="y", labelcolor=muted)


def spread(places: np.ndarray, gap: float) -> np.ndarray:
    """Move increasing places apart, no further than needed (about).

    Arguments
    ---------
    places : np.ndarray
        Increasing, mostly within 0 and 1, [n].
    gap : float
        Least distance of neighbours.

    Returns
    -------
    moved : np.ndarray
        [n].

    Example
    -------
    >>> spread(np.array([0.5, 0.5]), 0.2)
    array([0.5, 0.7])
    """
    moved = places.copy()
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    moved[-1] -= max(0.0, moved[-1] - max(1.0, places[-1]))
    for i in range(len(moved) - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - gap)
    return moved
