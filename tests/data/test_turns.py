"""Turns of entries, told in the manifest or in RTTM files."""

import os

import pytest

from speechbrain_mtl.data.rttm import write_rttm
from speechbrain_mtl.data.turns import turns_of

TURNS = [(0.5, 2.0, "ann"), (1.5, 3.0, "bob")]


def test_all_forms_say_the_same(tmp_path):
    path = str(write_rttm(tmp_path / "a.rttm", {"a": TURNS}))
    names = ("start", "end", "speaker")
    for told in (TURNS, [dict(zip(names, t)) for t in TURNS], path):
        entry = {"wav": "x/a.wav", "duration": 3.0, "turns": told}
        assert turns_of(entry) == TURNS
        assert turns_of({**entry, "turns": None, "told": told}, "told") == TURNS


def test_a_part_of_a_file_hears_what_lies_in_it(tmp_path):
    path = write_rttm(tmp_path / "all.rttm", {"a": TURNS, "b": TURNS[:1]})
    entry = {"wav": "a.flac", "duration": 3.0, "start": 1.0, "stop": 1.75}
    entry["turns"] = str(path)
    # The first is longer than the part on both sides.
    assert turns_of(entry) == [(0.0, 0.75, "ann"), (0.5, 0.75, "bob")]
    assert turns_of({**entry, "wav": "b.flac"}) == [(0.0, 0.75, "ann")]
    assert turns_of({**entry, "start": 2.5, "stop": 3, "wav": "b.wav"}) == []
    with pytest.raises(ValueError, match="no recording 'c'"):
        turns_of({**entry, "wav": "c.flac"})
    # Times of the manifest count from the part's own begin.
    entry["turns"] = [[0.0, 0.5, "ann"]]
    assert turns_of(entry) == [(0.0, 0.5, "ann")]


def test_a_changed_file_is_read_anew(tmp_path):
    path = write_rttm(tmp_path / "a.rttm", {"a": TURNS})
    entry = {"wav": "a.wav", "duration": 3.0, "turns": str(path)}
    assert len(turns_of(entry)) == 2
    write_rttm(path, {"a": TURNS[:1]})
    os.utime(path, (1, 1))
    assert len(turns_of(entry)) == 1


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        (None, "None is neither"),
        (7, "7 is neither"),
        ([["a", 1, "ann"]], "is neither a list"),
        ([{"start": 0}], "is neither a list"),
        ([[0, 1]], "is neither a list"),
        ([[0.0, 3.5, "ann"]], "ann speaks from 0.0 to 3.5 s of 3.0 s"),
        ([[2, 1, "ann"]], "ann speaks from 2.0 to 1.0 s"),
        ([[-1, 1, "ann"]], "ann speaks from -1.0"),
        ([[0, float("nan"), "ann"]], "ann speaks from 0.0 to nan"),
        ("gone.rttm", "gone.rttm: no such RTTM file"),
    ],
)
def test_other_forms_are_refused(turns, message):
    with pytest.raises(ValueError, match=message):
        turns_of({"wav": "a.wav", "duration": 3.0, "turns": turns})


def test_silence_and_rounding_are_no_mistakes():
    entry = {"wav": "a.wav", "duration": 3.0, "turns": []}
    assert turns_of(entry) == []
    assert turns_of({**entry, "turns": [[1, 1, "ann"]]}) == []
    assert turns_of({**entry, "turns": [[1, 3.005, "ann"]]})
