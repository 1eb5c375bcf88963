"""A selection whose every number is known."""

import pytest

from speechbrain_mtl.report import selection_figures, selection_page
from speechbrain_mtl.selection import Selection
from tests.helpers.selections import measured


@pytest.fixture
def selection():
    tasks = {
        "voicing": measured(0.02, 0.10, 0.625),
        "log_hnr": measured(0.03, 0.12, 0.375),
        "f0": measured(0.05, 0.05, 0.0),
        "rms": measured(0.08, 0.01, 0.0, flags=["class-blind"]),
    }
    weights = {name: task["weight"] for name, task in tasks.items()}
    return Selection(
        label_field="digit",
        method="sparsemax",
        weights=weights,
        tasks=tasks,
        data={
            "manifest": "DATA/fsdd/manifest.json",
            "label_field": "digit",
            "strata": 2,
            "segments": 1234,
            "hours": 0.25,
            "speakers": 6,
            "min_per_class": 10,
            "max_per_class": 300,
            "dropped_classes": ["oh"],
            "samples": {"one": 600, "two": 634},
            "effective_strata": 1.987,
            "split_half_agreement": 0.714,
        },
        kernel={"centering": "centered", "variance": {"f0": 0.5}},
        solver={
            "name": "projected",
            "temperature": 2.0,
            "gap": 1e-10,
            "converged": True,
            "path": {
                "temperature": [0.1, 1.0, 10.0],
                "weights": {
                    "voicing": [1.0, 0.75, 0.5],
                    "log_hnr": [0.0, 0.25, 0.25],
                    "f0": [0.0, 0.0, 0.25],
                    "rms": [0.0, 0.0, 0.0],
                },
            },
        },
        seed=3,
        cost={"wall_s": 4.5},
    )


@pytest.fixture
def no_pictures(monkeypatch):
    """Spare the time of drawing where only words are looked at."""
    for name in ("trade_off", "doubts", "path"):
        monkeypatch.setattr(
            selection_figures, f"{name}_figure", lambda _: "<svg></svg>"
        )
    monkeypatch.setattr(selection_page, "summary_picture", lambda *_: None)
