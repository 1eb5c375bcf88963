"""The pictures of a selection as the page holds them."""

import dataclasses
import re

import numpy as np

from speechbrain_mtl.report import selection_figures
from tests.helpers.selections import measured, without


def test_names_with_markup_are_drawn_as_they_are(selection):
    task = measured(0.05, 0.05, 0.5)
    selection = dataclasses.replace(
        selection, tasks=selection.tasks | {"a<b>$c": task}
    )
    assert "a&lt;b&gt;$c" in selection_figures.trade_off_figure(selection)


def test_the_path_marks_the_temperature_used(selection):
    svg = selection_figures.path_figure(selection)
    texts = re.findall(r">([^<>]+)</text>", svg)
    assert "used: 2" in texts
    # What weighs most over the path is at the bottom, and named first.
    named = [t for t in texts if t.endswith("%") and t[0].isalpha()]
    assert named == ["voicing 50%", "log HNR 25%", "F0 25%"]
    outside = selection.solver | {"temperature": 50.0}
    selection = dataclasses.replace(selection, solver=outside)
    assert "used" not in selection_figures.path_figure(selection)


def test_doubts_stand_best_on_top(selection):
    svg = selection_figures.doubts_figure(selection)
    texts = re.findall(r">([^<>]+)</text>", svg)
    names = [t for t in texts if t in ("voicing", "log HNR", "F0", "RMS")]
    assert names == ["RMS", "F0", "log HNR", "voicing"]  # from below
    assert "resamples with a weight" in texts
    few = without(selection, "frequency")
    assert "resamples" not in selection_figures.doubts_figure(few)


def test_names_of_many_bands_and_places_stay_apart(selection):
    names = [f"task_{index}" for index in range(30)]
    selection = dataclasses.replace(
        selection,
        tasks={name: measured(0.02, 0.1, 0.0) for name in names},
        solver={
            "path": {
                "temperature": [1.0, 2.0],
                "weights": dict.fromkeys(names, [1 / 30, 1 / 30]),
            }
        },
    )
    svg = selection_figures.path_figure(selection)
    places = re.findall(r'y="([\d.]+)"[^>]*>task [^<]+</text>', svg)
    heights = sorted(map(float, places))
    assert len(heights) == 30
    assert min(np.diff(heights)) > 10  # points, as the text
    below = re.search(r'y="([\d.]+)"[^>]*>temperature', svg)
    assert heights[-1] < float(below[1])
    svg = selection_figures.doubts_figure(selection)
    places = [t for t in re.findall(r">(\d+)</text>", svg) if int(t) > 1]
    assert 3 <= len(places) <= 10
