"""RTTM files: read, written, refused."""

import pytest

from speechbrain_mtl.data.rttm import read_rttm, write_rttm
from speechbrain_mtl.data.synthetic.mixtures import Turn, rttm


def test_turns_survive_a_file(tmp_path):
    turns = {
        "b": [(0.25, 1.125, "ann"), (1.0, 2.5, "bob")],
        "a": [(0.0, 1.0, "ann")],
    }
    path = write_rttm(tmp_path / "x" / "a.rttm", turns)
    assert read_rttm(path) == turns
    assert list(read_rttm(path)) == ["a", "b"]
    assert [p.name for p in path.parent.iterdir()] == ["a.rttm"]


def test_turns_that_touch_go_on_touching(tmp_path):
    path = tmp_path / "a.rttm"
    lines = [
        f"SPEAKER a 1 {start} 0.1 <NA> <NA> x <NA> <NA>"
        for start in ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7")
    ]
    path.write_text("\n".join(lines))
    turns = read_rttm(path)["a"]
    for (_, end, _), (start, _, _) in zip(turns, turns[1:]):
        assert end == start
    thirds = [(i / 3, (i + 1) / 3, "x") for i in range(9)]
    turns = read_rttm(write_rttm(path, {"a": thirds}, decimals=2))["a"]
    for (_, end, _), (start, _, _) in zip(turns, turns[1:]):
        assert end == start


def test_the_embedded_corpus_is_read(tmp_path):
    path = tmp_path / "a.rttm"
    turns = [Turn(8000, 24000, "s0", "", [], []), Turn(20000, 22000, "s1", "", [], [])]  # fmt: skip
    path.write_text(rttm("m", turns))
    assert read_rttm(path) == {"m": [(0.5, 1.5, "s0"), (1.25, 1.375, "s1")]}


def test_other_lines_are_skipped(tmp_path):
    path = tmp_path / "a.rttm"
    path.write_text(
        ";; made by hand\n\n"
        "SPKR-INFO a 1 <NA> <NA> <NA> unknown ann <NA>\n"
        "SPEAKER a 1 0.5 0 <NA> <NA> ann <NA>\n"
    )
    assert read_rttm(path) == {"a": []}
    path.write_text("")
    assert read_rttm(path) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SPEAKER a 1 0.5 1", "a.rttm, line 1: 'SPEAKER a 1 0.5 1' is not"),
        ("SPEAKER a 1 x 1 <NA> <NA> ann", "line 1"),
        ("\nSPEAKER a 1 0 -1 <NA> <NA> ann", "line 2"),
        ("SPEAKER a 1 nan 1 <NA> <NA> ann", "line 1"),
        ("SPEAKER a 1 0 inf <NA> <NA> ann", "line 1"),
        ("start,end,speaker", "no line begins with SPEAKER"),
    ],
)
def test_broken_files_are_named(tmp_path, text, message):
    path = tmp_path / "a.rttm"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_rttm(path)
    with pytest.raises(ValueError, match="no such RTTM"):
        read_rttm(tmp_path / "b.rttm")


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ({"a b": [(0, 1, "x")]}, "'a b' is no name"),
        ({"a": [(0, 1, "")]}, "'' is no name"),
        ({"a": [(-1, 1, "x")]}, "from -1 to 1 s"),
        ({"a": [(2, 1, "x")]}, "from 2 to 1 s"),
        ({"a": [(0, float("nan"), "x")]}, "to nan s"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, turns, message):
    with pytest.raises(ValueError, match=message):
        write_rttm(tmp_path / "a.rttm", turns)
    assert not list(tmp_path.iterdir())
