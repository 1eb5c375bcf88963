"""Diarization errors against closed forms and a count of milliseconds."""

import itertools
import random

import numpy as np
import pytest

from speechbrain_mtl.evaluation import (
    diarization_error_rate,
    diarization_errors,
)

STEP = 0.001


def some_turns(seed, speakers, count, end=8.0):
    """Turns at whole milliseconds, overlapping as they like."""
    draw = random.Random(seed)
    turns = []
    for _ in range(count):
        start = draw.randrange(int(end / STEP) - 100)
        length = draw.randrange(1, 2500)
        stop = min(start + length, int(end / STEP))
        turns.append((start * STEP, stop * STEP, draw.choice(speakers)))
    return turns


def slow_errors(reference, hypothesis, collar, end=9.0):
    """Count milliseconds under every mapping of speakers; keep the best."""
    who = sorted({s for *_, s in reference})
    found = sorted({s for *_, s in hypothesis})
    moments = int(end / STEP)
    true = [set() for _ in range(moments)]
    said = [set() for _ in range(moments)]
    for table, turns in ((true, reference), (said, hypothesis)):
        for start, stop, speaker in turns:
            for t in range(round(start / STEP), round(stop / STEP)):
                table[t].add(speaker)
    kept = [True] * moments
    if collar:
        reach = round(collar / STEP)
        for t in range(moments):
            before = true[t - 1] if t else set()
            if before != true[t]:
                for near in range(max(0, t - reach), min(moments, t + reach)):
                    kept[near] = False
    best = None
    size = max(len(who), len(found))
    for order in itertools.permutations(range(size)):
        name = {s: who[order[i]] for i, s in enumerate(found)
                if order[i] < len(who)}  # fmt: skip
        speech = missed = alarm = confused = 0
        for t in range(moments):
            if kept[t]:
                n, m = len(true[t]), len(said[t])
                right = sum(name.get(s) in true[t] for s in said[t])
                speech += n
                missed += max(0, n - m)
                alarm += max(0, m - n)
                confused += min(n, m) - right
        errors = [x * STEP for x in (speech, missed, alarm, confused)]
        if best is None or sum(errors[1:]) < sum(best[1:]):
            best = errors
    return best


@pytest.mark.parametrize("collar", [0.0, 0.05, 0.25])
@pytest.mark.parametrize(
    ("seed", "true", "found"),
    [(0, "ab", "xy"), (1, "abc", "xy"), (2, "a", "xyz"), (3, "abc", "xyz")],
)
def test_errors_are_those_of_a_count_of_milliseconds(collar, seed, true, found):
    reference = some_turns(seed, true, 6)
    hypothesis = some_turns(seed + 100, found, 7)
    errors = diarization_errors({"r": reference}, {"r": hypothesis}, collar)
    slow = slow_errors(reference, hypothesis, collar)
    assert list(errors["r"]) == pytest.approx(slow, abs=1e-9)
    assert errors["r"].total > 0


def test_shares_of_several_recordings_weigh_by_their_speech():
    reference = {"r": some_turns(5, "ab", 5), "q": some_turns(6, "ab", 2)}
    hypothesis = {"r": some_turns(7, "xy", 5), "q": some_turns(8, "xy", 2)}
    slow = np.sum(
        [slow_errors(reference[n], hypothesis[n], 0.0) for n in reference],
        axis=0,
    )
    rate = diarization_error_rate(reference, hypothesis)
    assert type(rate) is float
    assert rate == pytest.approx(slow[1:].sum() / slow[0])


BOTH = [(0.0, 4.0, "ann"), (2.0, 6.0, "bob")]


@pytest.mark.parametrize(
    ("hypothesis", "errors"),
    [
        (BOTH, (0, 0, 0)),
        # Names mean nothing.
        ([(0.0, 4.0, "bob"), (2.0, 6.0, "ann")], (0, 0, 0)),
        ([(0.0, 4.0, "x"), (2.0, 6.0, "y"), (6.0, 7.5, "z")], (0, 1.5, 0)),
        ([], (8, 0, 0)),
        # One speaker for all: the overlap is missed once.
        ([(0.0, 6.0, "x")], (2, 0, 2)),
        # Turns that touch or overlap are one.
        ([(0.0, 3.0, "x"), (2.5, 4.0, "x"), (2.0, 6.0, "y")], (0, 0, 0)),
        # Each second in the middle is half right.
        ([(0.0, 4.0, "x"), (2.0, 4.0, "z"), (4.0, 6.0, "y")], (0, 0, 2)),
    ],
)
def test_closed_forms(hypothesis, errors):
    found = diarization_errors({"r": BOTH}, {"r": hypothesis})["r"]
    assert found.speech == 8
    assert found[1:] == pytest.approx(errors, abs=1e-12)
    rate = diarization_error_rate({"r": BOTH}, {"r": hypothesis})
    assert rate == pytest.approx(sum(errors) / 8)


def test_the_mapping_is_the_best_and_not_a_greedy_one():
    # Greedy: x to ann (5 s), y to nobody. Best: x to bob, y to ann.
    reference = [(0, 9, "ann"), (10, 14, "bob")]
    hypothesis = [(0, 5, "x"), (10, 14, "x"), (5, 9, "y")]
    found = diarization_errors({"r": reference}, {"r": hypothesis})["r"]
    assert found.confusion == 5


def test_a_collar_frees_borders_but_not_those_within_one_speech():
    reference = [(0.0, 1.0, "ann"), (1.0, 3.0, "ann"), (4.0, 5.0, "bob")]
    hypothesis = [(0.2, 3.1, "x"), (4.0, 5.2, "y")]
    found = diarization_errors({"r": reference}, {"r": hypothesis}, 0.1)["r"]
    # 0.1 to 0.2 missed, 5.1 to 5.2 too much; 2.8 + 0.8 s scored.
    assert found == pytest.approx((3.6, 0.1, 0.1, 0.0), abs=1e-9)


def test_files_are_read_and_silent_recordings_are_missed(tmp_path):
    lines = "SPEAKER {} 1 {} {} <NA> <NA> {} <NA> <NA>\n"
    reference, hypothesis = tmp_path / "ref.rttm", tmp_path / "hyp.rttm"
    reference.write_text(
        lines.format("r", 0.0, 4.0, "ann") + lines.format("q", 0.0, 4.0, "ann")
    )
    hypothesis.write_text(lines.format("r", 1.0, 3.0, "1"))
    assert diarization_error_rate(reference, str(hypothesis)) == 5 / 8


@pytest.mark.parametrize(
    ("reference", "hypothesis", "collar", "message"),
    [
        ({"r": BOTH}, {"q": []}, 0, "not in the reference: .'q'"),
        ({"r": []}, {"r": BOTH}, 0, "no speech to score"),
        ({"r": BOTH}, {}, -1, "collar is -1"),
        ({"r": [(2, 1, "ann")]}, {}, 0, "r: ann speaks from 2 to 1 s"),
        ({"r": BOTH}, {"r": [(0, float("nan"), "x")]}, 0, "r: x speaks"),
        ({}, {}, 0, "no speech to score"),
        ({"r": []}, {"r": []}, 0, "no speech to score"),
    ],
)
def test_bad_input_is_refused(reference, hypothesis, collar, message):
    with pytest.raises(ValueError, match=message):
        diarization_error_rate(reference, hypothesis, collar)
