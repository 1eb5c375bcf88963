"""Few answers of many: how much, of what, and the same for every task."""

import pytest

from speechbrain_mtl.data.superb import few_labelled
from speechbrain_mtl.data.superb.layout import recording

RARE = "zz"


def entry(name, seconds, **fields):
    return {"wav": f"{name}.wav", "duration": seconds, **fields}


def parts_of(count=60):
    """Two tasks of 4 s recordings: all have phones, every third a keyword."""
    phones, words = {}, {}
    for number in range(count):
        name = f"u{number}"
        # One phone is said once, in a recording that may come last.
        said = ["a", "b"[number % 2 :] or "c"] + [RARE] * (number == 41)
        phones[name] = entry(name, 4.0, phones=said)
        if number % 3 == 0:
            words[name] = entry(name, 4.0, keyword=f"w{number % 2}")
    tested = {"t": entry("t", 9.0, phones=["a"], keyword="w0")}
    return {
        "pr": {"train": phones, "valid": tested, "test": tested},
        "ks": {"train": words, "valid": tested, "test": tested},
    }


def heard(parts, task):
    return {recording(one) for one in parts[task]["train"].values()}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("minutes", [1.0, 2.0])
def test_so_many_minutes_with_every_label(minutes, seed):
    parts = parts_of()
    few = few_labelled(parts, minutes, seed)
    assert len(heard(few, "pr")) == 15 * minutes
    said = [set(e["phones"]) for e in few["pr"]["train"].values()]
    assert set.union(*said) == {"a", "b", "c", RARE}
    words = {e["keyword"] for e in few["ks"]["train"].values()}
    assert words == {"w0", "w1"}
    # The same recordings for both, and nothing of one is kept back.
    assert heard(few, "ks") == heard(parts, "ks") & heard(few, "pr")
    for task in parts:
        for part in ("valid", "test"):
            assert few[task][part] is parts[task][part]
    assert len(parts["pr"]["train"]) == 60


def test_seeds_draw_other_recordings_and_equal_ones_the_same():
    parts = parts_of()
    drawn = [few_labelled(parts, 1.0, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    assert heard(drawn[0], "pr") != heard(drawn[2], "pr")
    # Wherever the recordings lie.
    moved = {
        task: {
            **by_part,
            "train": {
                name: {**one, "wav": f"/else/{one['wav']}"}
                for name, one in by_part["train"].items()
            },
        }
        for task, by_part in parts.items()
    }
    names = few_labelled(moved, 1.0)["pr"]["train"].keys()
    assert names == drawn[0]["pr"]["train"].keys()


def test_a_part_of_a_file_is_a_recording_of_its_own():
    cuts = {"a": (0.0, 30.0), "b": (30.0, 60.0)}
    halves = {
        name: entry("u", 60.0, speaker="ann", start=start, stop=stop)
        for name, (start, stop) in cuts.items()
    }
    parts = {"asv": {"train": halves, "valid": {}, "test": {}}}
    assert len(few_labelled(parts, 0.5)["asv"]["train"]) == 1
    assert len(few_labelled(parts, 1.0)["asv"]["train"]) == 2


def test_too_few_minutes_are_refused_with_what_is_needed():
    with pytest.raises(ValueError, match=r"0.01 .* \['ks', 'pr'\] take 0\.\d"):
        few_labelled(parts_of(), 0.01)
    parts = {"asv": {"train": {"u": entry("u", 9.0, speaker="ann")}}}
    with pytest.raises(ValueError, match=r"nothing for \['asv'\]"):
        few_labelled(parts, 0.0)
