import copy
import logging

import pytest

from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.data.superb import PARTS, TASKS, check_tasks

ANSWERS = {
    "pr": {"phones": [[0.0, 0.1, "SIL"], [0.1, 0.2, "AH"]]},
    "asr": {"text": "so it is"},
    "sf": {"bio": ["O", "B-city", "I-city"], "text": "to new york"},
    "ic": {"intent": {"action": "set", "object": "heat", "location": "none"}},
    "sd": {"turns": []},
}


def entry(task, part, number):
    """Two speakers a part, two recordings of each."""
    known = task == "sid"
    speaker = f"{'' if known else part}{number % 2}"
    labels = {"ks": f"word{number % 2}", "er": f"mood{number % 2}"}
    found = {
        "wav": f"{task}_{part}_{number}.wav",
        "speaker": speaker,
        "keyword": labels["ks"] if task == "ks" else None,
        "emotion_label": labels["er"] if task == "er" else None,
        **ANSWERS.get(task, {}),
    }
    if task == "sd":
        found |= {"speaker": None, "speakers": [f"{part}0", f"{part}1"]}
    return found


@pytest.fixture
def parts():
    return {
        task: {
            part: {
                f"{task}_{part}_{n}": copy.deepcopy(entry(task, part, n))
                for n in range(4)
            }
            for part in PARTS
        }
        for task in TASKS
    }


def complaint(parts, **options):
    with pytest.raises(ManifestError) as raised:
        check_tasks(parts, **options)
    head, *lines = str(raised.value).splitlines()
    assert head == f"data of the tasks: {len(lines)} problem(s)"
    return [line.strip() for line in lines]


def test_nine_tasks_in_order_pass(parts, caplog):
    assert len(TASKS) == 9
    check_tasks(parts)
    assert not caplog.records


def test_everything_wrong_is_named_at_once(parts):
    del parts["sid"]
    parts["er"]["valid"] = {}
    parts["ks"]["test"]["ks_test_0"]["keyword"] = "zebra"
    parts["xy"] = parts["ks"]
    lines = complaint(parts)
    assert lines == [
        f"xy: no task of SUPERB. There are {', '.join(TASKS)}.",
        "ks, test: keyword zebra never in train. Add such recordings to "
        "train, or leave these out.",
        "sid: no data for speaker identification. Prepare VoxCeleb1, or "
        "leave the task out.",
        "er: valid is empty. Add recordings, or lengthen the corpus.",
    ]


def test_tasks_not_wanted_need_no_data(parts):
    check_tasks({"ks": parts["ks"]}, tasks=("ks",))


@pytest.mark.parametrize("part", ["train", "valid", "test"])
@pytest.mark.parametrize("task", TASKS)
def test_a_part_that_is_missing_is_named(parts, task, part):
    del parts[task][part]
    assert f"{task}: {part} is empty" in complaint(parts)[0]


@pytest.mark.parametrize(
    ("task", "change", "new"),
    [
        ("pr", {"phones": [[0.0, 0.1, "ZH"]]}, "ZH"),
        ("asr", {"text": "so it was"}, "a, w"),
        ("sf", {"bio": ["O", "B-year"], "text": "in two"}, "year"),
        ("ks", {"keyword": "zebra"}, "zebra"),
        (
            "ic",
            {"intent": {"action": "set", "object": "tv", "location": "none"}},
            "object tv",
        ),
        ("sid", {"speaker": "eve"}, "eve"),
        ("er", {"emotion_label": "awe"}, "awe"),
    ],
)
def test_classes_only_tested_are_named(parts, task, change, new):
    parts[task]["test"][f"{task}_test_0"] |= change
    [line] = complaint(parts)
    assert line.startswith(f"{task}, test:")
    assert f" {new} never in train." in line


@pytest.mark.parametrize("task", sorted(set(TASKS) - {"sid"}))
def test_speakers_in_two_parts_are_named(parts, task):
    first = parts[task]["test"][f"{task}_test_0"]
    if task == "sd":
        first["speakers"] = ["train0", "test1"]
    else:
        first["speaker"] = "train0"
    [line] = complaint(parts)
    assert line == (
        f"{task}: 1 speaker(s) in train and test: train0. Keep each in one "
        "part."
    )


def test_validating_voices_may_be_known_where_that_is_said(parts):
    parts["er"]["valid"]["er_valid_0"]["speaker"] = "train0"
    parts["ks"]["valid"]["ks_valid_0"]["speaker"] = "train0"
    [line] = complaint(parts, known_voices=("er",))
    assert line.startswith("ks: 1 speaker(s) in train and valid")
    # Test speakers are new all the same.
    parts["er"]["test"]["er_test_0"]["speaker"] = "train0"
    lines = complaint(parts, known_voices=("er",))
    assert lines[1].startswith("er: 1 speaker(s) in train and valid and test")


def test_silence_is_nobody_s_voice(parts):
    for part in PARTS:
        parts["ks"][part]["noise"] = {
            "wav": f"{part}.wav",
            "keyword": "_silence_",
            "speaker": "pink_noise",
        }
    check_tasks(parts)


def test_a_recording_in_two_parts_is_named_but_not_two_parts_of_a_file(parts):
    test = parts["sid"]["test"]
    test["sid_test_0"]["wav"] = "sid_train_0.wav"
    [line] = complaint(parts)
    assert "sid: 1 recording(s) in train and test: sid_train_0.wav" in line
    test["sid_test_0"] |= {"start": 1.0, "stop": 2.0}
    check_tasks(parts)


@pytest.mark.parametrize("task", TASKS)
def test_answers_that_are_missing_are_named(parts, task):
    field = TASKS[task].fields[0]
    parts[task]["train"][f"{task}_train_3"][field] = None
    lines = complaint(parts)
    assert any(
        f"{task}, train: 1 without {field}: {task}_train_3." in line
        for line in lines
    )


def test_an_answer_may_stand_in_another_field(parts):
    for entries in parts["er"].values():
        for one in entries.values():
            one["emotion"] = one.pop("emotion_label")
    assert "12 problem(s)" not in complaint(parts)[0]
    check_tasks(parts, fields={"er": "emotion"})


def test_a_tag_too_few_is_named(parts):
    parts["sf"]["valid"]["sf_valid_1"]["bio"].pop()
    [line] = complaint(parts)
    assert line.startswith("sf, valid: 1 not one tag a word: sf_valid_1.")


def test_mixtures_of_three_are_named(parts):
    parts["sd"]["test"]["sd_test_2"]["speakers"].append("test2")
    [line] = complaint(parts)
    assert line.startswith("sd, test: 1 not of two speakers: sd_test_2.")


@pytest.mark.parametrize("names", [["a"] * 4, ["a", "b", "c", "d"]])
def test_verification_without_pairs_is_refused(parts, names):
    for one, name in zip(parts["asv"]["valid"].values(), names):
        one["speaker"] = name
    [line] = complaint(parts)
    assert "asv, valid: 4 recording(s) of" in line and "make no pairs" in line


def test_one_class_to_learn_is_refused(parts):
    for entries in parts["er"].values():
        for one in entries.values():
            one["emotion_label"] = "sad"
    [line] = complaint(parts)
    assert line == "er, train: emotion_label is always sad. Add another."


def test_what_one_task_trains_on_and_another_tests_on_is_logged(parts, caplog):
    parts["asv"]["train"]["x"] = {"wav": "sid_test_0.wav", "speaker": "train1"}
    with caplog.at_level(logging.WARNING):
        check_tasks(parts)
    assert [record.message for record in caplog.records] == [
        "1 recordings that test sid train asv: joint training has heard them."
    ]
