import json
from collections import Counter

import pytest

from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.evaluation.trials import (
    draw_trials,
    read_trials,
    trial_problems,
)

SPEAKERS = {
    f"{speaker}{take}": speaker
    for speaker, takes in [("a", 5), ("b", 3), ("c", 1), ("d", 4)]
    for take in range(takes)
}


def test_drawn_pairs_are_balanced_right_and_none_twice():
    trials = draw_trials(SPEAKERS, pairs=6)
    assert Counter(same for same, *_ in trials) == {1: 6, 0: 6}
    for same, first, second in trials:
        assert first != second
        assert (SPEAKERS[first] == SPEAKERS[second]) == bool(same)
    assert len({frozenset(pair) for _, *pair in trials}) == 12


def test_every_pair_can_be_drawn():
    """19 pairs of one speaker: 10 of a, 3 of b, 6 of d."""
    drawn = set()
    for seed in range(40):
        drawn |= set(draw_trials(SPEAKERS, pairs=19, seed=seed))
    same = {
        pair for s, *pair in map(list, drawn) if s for pair in [tuple(pair)]
    }
    other = {tuple(pair) for s, *pair in drawn if not s}
    assert len(same) == 19
    assert len(other) == 13 * 12 // 2 - 19


def test_the_draw_depends_on_the_seed_and_not_on_the_order():
    reverse = dict(reversed(SPEAKERS.items()))
    assert draw_trials(SPEAKERS, 5, 1) == draw_trials(reverse, 5, 1)
    assert draw_trials(SPEAKERS, 5, 1) != draw_trials(SPEAKERS, 5, 2)


def test_there_are_no_more_than_there_can_be():
    few = {"a1": "a", "a2": "a", "b1": "b"}
    assert [same for same, *_ in draw_trials(few, 1000)] == [1, 0]


@pytest.mark.parametrize(
    "speakers", [{}, {"a1": "a", "a2": "a"}, {"a1": "a", "b1": "b"}]
)
def test_what_gives_no_pairs_is_refused(speakers):
    with pytest.raises(ValueError, match="cannot be drawn. Give two speakers"):
        draw_trials(speakers, 10)


def test_trials_are_read_as_they_are(tmp_path):
    path = tmp_path / "trials.json"
    path.write_text(json.dumps([[1, "x/1", "x/2"], [0, "x/1", "y/1"]]))
    assert read_trials(path) == [(1, "x/1", "x/2"), (0, "x/1", "y/1")]


def test_a_published_list_is_read_as_it_is(tmp_path):
    path = tmp_path / "veri_test.txt"
    path.write_text("1 x/1.wav x/2.wav\n\n0 y/1.wav x/1.wav\n")
    assert read_trials(path) == [(1, "x/1", "x/2"), (0, "y/1", "x/1")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1 a.wav b.wav\n2 a.wav b.wav\n", r"trial 2: \['2', 'a', 'b'\]"),
        (b"1 a.wav\n", "trial 1: "),
        (b"\n", "not a list with trials"),
        (b"1 \xff.wav b.wav\n", "not a text in UTF-8"),
    ],
)
def test_bad_published_lists_are_refused(tmp_path, content, message):
    path = tmp_path / "veri_test.txt"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=f"(?s)veri_test.txt.*{message}"):
        read_trials(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not a list with trials"),
        ('{"a": 1}', "not a list with trials"),
        ("[1, ", "not JSON"),
        ('[[1, "a", "b"], [2, "a", "b"], ["a", "b"]]', "trial 2: .*trial 3: "),
    ],
)
def test_bad_lists_are_refused(tmp_path, text, message):
    path = tmp_path / "trials.json"
    path.write_text(text)
    with pytest.raises(ManifestError, match=f"(?s)trials.json.*{message}"):
        read_trials(path)


def test_a_list_that_is_not_there_has_a_remedy(tmp_path):
    with pytest.raises(ManifestError, match="no such file. Give the trials'"):
        read_trials(tmp_path / "gone.json")


def test_missing_recordings_and_contradictions_are_named():
    trials = [(1, "a0", "a1"), (0, "a0", "a2"), (1, "a0", "b0"), (0, "x", "y")]
    lines = trial_problems(trials, SPEAKERS)
    assert [line.split(":")[0] for line in lines] == [
        "x", "y", "a0 and a2", "a0 and b0",
    ]  # fmt: skip
    assert "the trials say 0, their speakers are a and a" in lines[2]
    assert trial_problems(trials[:1], SPEAKERS) == []
