"""What a selection is said to mean: answer, rule, warnings, rivals."""

import dataclasses

import pytest

from speechbrain_mtl.report.selection_words import (
    answer,
    rivals,
    rule,
    warnings,
)
from speechbrain_mtl.selection import Selection
from tests.helpers.selections import without


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"f0": 0.0, "zcr": 2.0}, "Predict ZCR alone"),
        ({"f0": 0.25, "zcr": 0.75}, "Predict ZCR (0.75) and F0 (0.25)"),
        ({"f0": 1.0, "zcr": 1.0}, "Predict F0 and ZCR, weighted alike"),
        (
            dict(zip("abcdef", (0.3, 0.2, 0.2, 0.1, 0.1, 0.1))),
            "Predict a (0.30), b (0.20), c (0.20), d (0.10) and 2 more",
        ),
        (
            dict(zip("abcde", (0.3, 0.2, 0.2, 0.2, 0.1))),
            "Predict a (0.30), b (0.20), c (0.20), d (0.20) and e (0.10)",
        ),
        (
            dict.fromkeys("abcde", 0.2) | {"f": 0.0},
            "Predict 5 candidates, weighted alike",
        ),
    ],
)
def test_the_answer_names_what_has_weight(weights, said):
    assert answer(Selection("word", "sparsemax", weights)) == said


def test_the_rule_is_that_of_the_weights(selection):
    assert "divided by" in rule(selection)
    published = dataclasses.replace(
        selection, kernel={"centering": "reference"}
    )
    assert "plays no part" in rule(published)
    baseline = dataclasses.replace(selection, method="random")
    assert rule(baseline).startswith("A baseline")


def test_warnings_say_in_words_what_speaks_against_the_answer(selection):
    selection.solver["converged"] = False
    said = warnings(selection)
    assert said[0].startswith("The solver did not converge")
    assert said[1].startswith("Flagged class-blind, RMS: the class tells")
    assert said[2].startswith("Only 6 speakers")
    assert "fewer than 10 segments: oh." in said[3]


@pytest.mark.parametrize(
    ("speakers", "said"),
    [(0, ["No speaker is known"]), (1, ["One speaker"]), (10, [])],
)
def test_few_speakers_are_said(speakers, said):
    selection = Selection(
        "w", "sparsemax", {"f0": 1.0}, data={"speakers": speakers}
    )
    assert [text.split(":")[0] for text in warnings(selection)] == said


def test_rivals_are_tasks_whose_interval_reaches_the_best(selection):
    # Scores 2, 2.5, 10, 80, from half to double.
    assert rivals(selection) == ["log_hnr"]
    assert rivals(without(selection, "interval")) == []
