"""Where names of points go, so that none covers another or a point."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

# Twelve directions; right and left of the point first, as one reads.
DIRECTIONS = np.deg2rad([0, 180, 90, 270, 30, 330, 150, 210, 60, 300, 120, 240])
RINGS = 14  # distances tried in each direction
OUTSIDE, ON_A_NAME, ON_A_THING, FAR = 1e4, 1e3, 1.0, 2.0


def place(
    points: np.ndarray,
    sizes: np.ndarray,
    things: np.ndarray,
    frame: np.ndarray,
    gap: float,
) -> np.ndarray:
    """Find a place for the name of each point.

    Every name takes the cheapest of 168 places around its point: first one
    inside the frame, then clear of other names, then of points and lines,
    then near. Names in a crowd choose first; a few rounds let all choose
    again.

    Arguments
    ---------
    points : np.ndarray
        [k, 2], of any unit.
    sizes : np.ndarray
        Width and height of each name, [k, 2].
    things : np.ndarray
        Boxes better not covered: left, bottom, right, top, [m, 4].
    frame : np.ndarray
        The box names stay in, [4].
    gap : float
        Distance of the nearest places.

    Returns
    -------
    boxes : np.ndarray
        Left, bottom, right and top of each name, [k, 4].

    Example
    -------
    >>> points, sizes = np.array([[5.0, 5.0]]), np.array([[2.0, 1.0]])
    >>> place(points, sizes, np.zeros((0, 4)), np.array([0, 0, 9, 9]), 0.5)
    array([[5.5, 4.5, 7.5, 5.5]])
    """
    names = np.zeros((len(points), 4))
    placed = np.zeros(len(points), dtype=bool)
    # A spot instead of each point, so that names keep off points too.
    spots = np.concatenate([points - gap / 2, points + gap / 2], axis=1)
    things = np.concatenate([things, spots])
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    order = np.argsort(distances.sum(axis=1), kind="stable")
    for _ in range(4):
        for k in order:
            placed[k] = False
            boxes = _candidates(points[k], sizes[k], gap)
            cost = (
                OUTSIDE * _outside(boxes, frame)
                + ON_A_NAME * _overlap(boxes, names[placed]).sum(axis=1)
                + ON_A_THING * _overlap(boxes, things).sum(axis=1)
                + FAR * np.repeat(np.arange(RINGS), len(DIRECTIONS)) * gap
            )
            names[k] = boxes[cost.argmin()]
            placed[k] = True
    return names


def apart(points: np.ndarray, gap: float) -> np.ndarray:
    """Move points of a line until neighbours keep a distance.

    Of all ways to do so in their order it is the one with the least sum of
    squared moves.

    Arguments
    ---------
    points : np.ndarray
        [k], in any order.
    gap : float
        Least distance.

    Returns
    -------
    moved : np.ndarray
        [k], in the order of `points`.

    Example
    -------
    >>> apart(np.array([5.0, 1.0, 1.0, 9.0]), 2.0)
    array([5., 0., 2., 9.])
    """
    order = np.argsort(points, kind="stable")
    steps = gap * np.arange(len(points))
    # Without the gaps, what is asked for is only not to fall: where it does,
    # neighbours meet at their mean.
    groups: list[list[float]] = []
    for value in points[order] - steps:
        groups.append([float(value)])
        while len(groups) > 1 and np.mean(groups[-2]) > np.mean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    level = [np.mean(group) for group in groups for _ in group]
    moved = np.empty(len(points))
    moved[order] = level + steps
    return moved


def settle(
    ax: "Axes",
    labels: Sequence["Annotation"],
    lines: Sequence[Sequence[tuple[float, float]]],
    color: str,
) -> None:
    """Move the names of points to where they cover nothing.

    Arguments
    ---------
    ax : matplotlib axes
        With everything else drawn.
    labels : sequence of matplotlib annotations
        Each at its point, in the units of the data.
    lines : sequence
        Ends of lines better not covered, in the units of the data.
    color : str
        Of the thread to a point whose name is not beside it.
    """
    figure = ax.figure.get_figure(root=True)
    figure.draw_without_rendering()  # the layout is known afterwards
    extents = [label.get_window_extent() for label in labels]
    sizes = np.array([[box.width, box.height] for box in extents])
    pixel = 72 / figure.dpi
    points = ax.transData.transform([label.xy for label in labels])
    ends = [ax.transData.transform(line) for line in lines]
    things = [[*(e.min(axis=0) - 2), *(e.max(axis=0) + 2)] for e in ends]
    frame = np.array(ax.get_window_extent().extents)
    boxes = place(points, sizes, np.array(things), frame, 8 / pixel)
    for label, box, point in zip(labels, boxes, points):
        middle = (box[:2] + box[2:]) / 2
        label.set_ha("center")
        label.set_va("center")
        label.xyann = tuple((middle - point) * pixel)
        # A thread to the point, where the name could not stay beside it.
        edge = point.clip(box[:2], box[2:])
        if np.linalg.norm(edge - point) > 20 / pixel:
            thread = ax.transData.inverted().transform([point, edge])
            ax.plot(*thread.T, color=color, lw=0.7, zorder=1)


def _candidates(point: np.ndarray, size: np.ndarray, gap: float) -> np.ndarray:
    """Boxes around a point, [RINGS * directions, 4], near ones first."""
    away = np.stack([np.cos(DIRECTIONS), np.sin(DIRECTIONS)], axis=1).round(9)
    rings = gap * (1 + np.arange(RINGS))[:, None, None]
    # The side that looks at the point keeps the distance, not the middle.
    middles = point + away * (rings + size / 2)
    corners = np.concatenate([middles - size / 2, middles + size / 2], axis=-1)
    return corners.reshape(-1, 4)


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Area each of n boxes shares with each of m others, [n, m]."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.clip(high - low, 0, None).prod(axis=-1)


def _outside(boxes: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """How far each of n boxes reaches over the frame, [n]."""
    low = np.clip(frame[:2] - boxes[:, :2], 0, None)
    high = np.clip(boxes[:, 2:] - frame[2:], 0, None)
    return (low + high).sum(axis=1)
