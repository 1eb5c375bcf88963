import itertools

import numpy as np
import pytest

from speechbrain_mtl.report.placement import apart, place

FRAME = np.array([0.0, 0.0, 700.0, 400.0])


def shared_area(a, b):
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0) * max(high, 0)


def crowd(seed, spread, names=12):
    rng = np.random.default_rng(seed)
    points = np.array([350.0, 200.0]) + spread * rng.standard_normal((names, 2))
    sizes = np.stack([rng.uniform(20, 90, names), np.full(names, 12.0)], 1)
    return points, sizes


@pytest.mark.parametrize("spread", [0.0, 5.0, 40.0])
@pytest.mark.parametrize("seed", range(3))
def test_names_of_a_crowd_cover_neither_each_other_nor_the_edge(seed, spread):
    points, sizes = crowd(seed, spread)
    boxes = place(points, sizes, np.zeros((0, 4)), FRAME, 8.0)
    assert np.allclose(boxes[:, 2:] - boxes[:, :2], sizes)
    for i, box in enumerate(boxes):
        assert all(shared_area(box, other) == 0 for other in boxes[:i])
    assert (boxes[:, :2] >= FRAME[:2]).all()
    assert (boxes[:, 2:] <= FRAME[2:]).all()


def test_a_name_at_the_edge_turns_inward():
    points, sizes = np.array([[698.0, 2.0]]), np.array([[60.0, 12.0]])
    left, bottom, right, top = place(
        points, sizes, np.zeros((0, 4)), FRAME, 8.0
    )[0]
    assert right <= 700
    assert bottom >= 0


def test_a_name_keeps_off_other_points_and_bars():
    points = np.array([[100.0, 100.0], [130.0, 100.0]])
    sizes = np.array([[50.0, 12.0], [50.0, 12.0]])
    bar = np.array([[60.0, 98.0, 99.0, 102.0]])
    first, second = place(points, sizes, bar, FRAME, 8.0)
    assert shared_area(first, bar[0]) == 0
    assert shared_area(first, [126, 96, 134, 104]) == 0
    assert second[0] == 138.0  # nothing is in the way on the right


def test_places_do_not_depend_on_the_order_of_the_names():
    points, sizes = crowd(0, 60.0)
    boxes = place(points, sizes, np.zeros((0, 4)), FRAME, 8.0)
    turned = place(points[::-1], sizes[::-1], np.zeros((0, 4)), FRAME, 8.0)
    assert np.allclose(turned[::-1], boxes)


def test_points_of_a_line_move_no_more_than_they_must():
    """Against all ways on a grid that keep order and distance."""
    gap, grid = 1.0, np.arange(-8, 17) / 4
    for points in ([0.0, 0.0, 0.25], [1.0, 0.25, 0.0], [2.0, -1.0, 0.5]):
        rank = np.argsort(points)
        least = min(
            sum((a - b) ** 2 for a, b in zip(sorted(points), moved))
            for moved in itertools.product(grid, repeat=3)
            if moved[1] - moved[0] >= gap and moved[2] - moved[1] >= gap
        )
        found = apart(np.array(points), gap)
        assert (np.diff(found[rank]) >= gap - 1e-9).all()
        assert ((found - points) ** 2).sum() <= least + 1e-9
