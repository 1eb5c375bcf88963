"""The trade-off is drawn where it was measured."""

import dataclasses
import re

import numpy as np
import pytest

from speechbrain_mtl.report.canvas import PRINT
from speechbrain_mtl.report.trade_off import draw_trade_off
from tests.helpers.selections import UNIT, measured


def drawn(selection):
    """Axes with the trade-off on them."""
    matplotlib_figure = pytest.importorskip("matplotlib.figure")
    figure = matplotlib_figure.Figure(figsize=(10.5, 5.4), layout="constrained")
    ax = figure.subplots()
    draw_trade_off(ax, selection, PRINT)
    return ax


def test_a_label_on_a_ray_has_the_score_written_at_its_end(selection):
    ax = drawn(selection)
    ends = {
        float(text.get_text().removeprefix("score ")): text.xy
        for text in ax.texts
        if re.fullmatch(r"(score )?[\d.]+", text.get_text())
    }
    assert len(ends) >= 3
    for score, (x, y) in ends.items():
        assert y / x == pytest.approx(score * UNIT)
        right, top = ax.get_xlim()[1], ax.get_ylim()[1]
        assert x == pytest.approx(right) or y == pytest.approx(top)


def test_points_stand_where_they_were_measured_within_their_bars(selection):
    lines = [line.get_xydata().tolist() for line in drawn(selection).lines]
    for task in selection.tasks.values():
        x, y = task["relevance"], task["unbiased"]
        assert [[x, y]] in lines
        assert [[end, y] for end in task["relevance_interval"]] in lines
        assert [[x, end] for end in task["unbiased_interval"]] in lines


def test_the_published_score_is_the_height_and_has_no_rays(selection):
    selection = dataclasses.replace(
        selection, kernel={"centering": "reference"}
    )
    ax = drawn(selection)
    assert not any(re.match("score", text.get_text()) for text in ax.texts)
    points = [line.get_xydata().tolist() for line in ax.lines]
    assert [[0.1, 0.321]] in points
    assert [[0.1, end] for end in selection.tasks["voicing"]["interval"]] in (
        points
    )


def test_names_in_the_picture_do_not_cover_each_other(selection):
    for index in range(6):
        name = f"crowd_{index}"
        selection.tasks[name] = measured(0.02, 0.1 + 1e-4 * index, 0.01)
    ax = drawn(selection)
    named = [t for t in ax.texts if not t.get_text().startswith("score")]
    boxes = [text.get_window_extent() for text in named]
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:index])


def test_negative_estimates_have_a_place(selection):
    task = measured(-0.01, 0.05, 0.0) | {"ci": 0.1}
    selection.tasks["zcr"] = task | {"relevance": -0.02}
    ax = drawn(selection)
    assert ax.get_xlim()[0] < -0.02
    assert ax.get_ylim()[0] < -0.01
    assert np.isfinite(ax.get_ylim()).all()
