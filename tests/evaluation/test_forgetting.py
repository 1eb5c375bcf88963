"""Forgetting is a difference of two numbers of the log, and its worst case."""

import pytest

from speechbrain_mtl.evaluation.forgetting import forgetting

MEASURES = {"av": {"recall": True}, "ssl": {"loss": False}}


def history(recall, loss):
    return {
        epoch: {"av/recall": r, "ssl/loss": x}
        for epoch, (r, x) in enumerate(zip(recall, loss), start=1)
    }


def test_by_hand_both_ways_up():
    found = forgetting(
        history([0.2, 0.8, 0.1, 0.5], [9.0, 4.0, 3.0, 4.5]),
        [2, 4],
        [["av", "ssl"], ["ssl"]],
        MEASURES,
    )
    recall, loss = found
    assert (recall["task"], recall["phase"]) == ("av", 1)
    assert recall["at_switch"] == 0.8 and recall["at_end"] == 0.5
    # Of recall .3 are gone, and at the worst moment .7 were.
    assert recall["lost"] == pytest.approx(0.3)
    assert recall["most_lost"] == pytest.approx(0.7)
    assert loss["lost"] == pytest.approx(0.5)
    assert loss["most_lost"] == pytest.approx(0.5)


def test_what_became_better_is_not_lost():
    [row] = forgetting(
        history([0.1, 0.2, 0.4], [1, 1, 1]), [1, 3], [["av"], ["av"]], MEASURES
    )
    assert row["lost"] == pytest.approx(-0.3) and row["most_lost"] == 0


def test_every_phase_but_the_last_is_compared_with_the_end():
    found = forgetting(
        history([0.9, 0.5, 0.3], [1.0, 2.0, 4.0]),
        [1, 2, 3],
        [["av"], ["ssl"], ["av"]],
        MEASURES,
    )
    assert [(row["phase"], row["task"]) for row in found] == [
        (1, "av"),
        (2, "ssl"),
    ]
    assert found[0]["lost"] == pytest.approx(0.6)
    assert found[1]["lost"] == pytest.approx(2.0)


def test_a_measure_that_was_not_taken_at_the_switch_is_left_out():
    seen = history([0.9, 0.5], [1.0, 2.0])
    del seen[1]["av/recall"]
    found = forgetting(seen, [1, 2], [["av", "ssl"], ["av"]], MEASURES)
    assert [row["task"] for row in found] == ["ssl"]


def test_phones_are_lost_within_and_across_speakers():
    taken = {
        epoch: {"wav2vec2/abx_within": within, "wav2vec2/abx_across": across}
        for epoch, within, across in ((1, 0.01, 0.04), (2, 0.01, 0.07))
    }
    found = forgetting(taken, [1, 2], [["wav2vec2"], ["grounding"]])
    lost = {row["measure"]: row["lost"] for row in found}
    assert lost == pytest.approx({"abx_within": 0.0, "abx_across": 0.03})


def test_one_phase_forgets_nothing():
    assert forgetting(history([0.5], [1.0]), [1], [["av"]], MEASURES) == []
