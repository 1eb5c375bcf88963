import logging

import pytest

from speechbrain_mtl.data.audio import read_entry
from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.data.superb import PARTS, TASKS, official_superb
from speechbrain_mtl.data.superb.official import SOURCES
from speechbrain_mtl.evaluation.trials import read_trials, trial_problems
from speechbrain_mtl.tasks.superb import (
    EmotionRecognition,
    IntentClassification,
    KeywordSpotting,
    PhoneRecognition,
    SlotFilling,
    SpeakerDiarization,
    SpeakerIdentification,
    SpeechRecognition,
    XVectorVerification,
)
from tests.helpers.recordings import CORRUPT
from tests.helpers.superb_corpora import (
    VOX_TEST,
    VOX_TRAIN,
    make_superb,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folders and options; tests that change one take their own."""
    return make_superb(tmp_path_factory.mktemp("superb"))


@pytest.fixture(scope="module")
def parts(made, tmp_path_factory):
    folders, options = made
    out = tmp_path_factory.mktemp("out")
    return official_superb(folders, out, options=options), out


def complaint(folders, out, **options):
    with pytest.raises(ManifestError) as raised:
        official_superb(folders, out, **options)
    return str(raised.value)


def voices(parts, task):
    return {
        part: {entry["speaker"] for entry in parts[task][part].values()}
        for part in PARTS
    }


def test_nine_tasks_have_their_parts_and_fields(parts):
    parts, _ = parts
    assert list(parts) == list(TASKS)
    for task, by_part in parts.items():
        assert list(by_part) == list(PARTS)
        for part, entries in by_part.items():
            assert entries
            for name, entry in entries.items():
                assert entry["split"] == part
                assert set(TASKS[task].fields) <= set(entry)
                assert len(read_entry(name, entry))


def test_splits_are_those_of_superb(parts):
    parts, _ = parts
    assert voices(parts, "pr") == voices(parts, "asr")
    assert voices(parts, "asr") == {
        "train": {"19", "60"},
        "valid": {"84"},
        "test": {"61"},
    }
    assert voices(parts, "sf")["test"] == {"Emma", "Brian"}
    everybody = {*VOX_TRAIN, *VOX_TEST}
    assert voices(parts, "sid") == dict.fromkeys(PARTS, everybody)
    assert {e["video"] for e in parts["sid"]["test"].values()} == {"video3"}
    assert voices(parts, "asv") == {
        "train": set(VOX_TRAIN[:2]),
        "valid": set(VOX_TRAIN[2:]),
        "test": set(VOX_TEST),
    }
    assert voices(parts, "er")["test"] == {"Ses01F"}
    # 0.2 of the others validates, by lot: on voices that train.
    assert len(voices(parts, "er")["valid"]) > 1
    assert voices(parts, "er")["valid"] <= voices(parts, "er")["train"]
    valid = len(parts["er"]["valid"])
    assert 1 <= valid <= 16 and valid + len(parts["er"]["train"]) == 32
    tests = parts["ks"]["test"].values()
    assert len(tests) == len({e["keyword"] for e in tests}) == 12
    assert all("test_set_v0.01" in e["wav"] for e in tests)


def test_answers_are_in_the_fields_the_tasks_read(parts):
    parts, _ = parts
    assert parts["pr"]["test"]["61-1-0000"]["phones"] == "G OW1 D UW1".split()
    moods = {e["emotion_label"] for e in parts["er"]["train"].values()}
    assert moods == {"ang", "hap", "neu", "sad"}
    assert parts["sf"]["train"]["Ivy-snips-train-0"]["bio"] == ["O", "B-artist"]


@pytest.mark.parametrize(
    ("task", "make"),
    [
        ("pr", PhoneRecognition),
        ("asr", SpeechRecognition),
        ("sf", SlotFilling),
        ("ks", KeywordSpotting),
        ("ic", IntentClassification),
        ("sid", SpeakerIdentification),
        ("asv", XVectorVerification),
        ("sd", SpeakerDiarization),
        ("er", EmotionRecognition),
    ],
)
def test_the_tasks_take_them_as_they_are(parts, task, make):
    parts, _ = parts
    sizes = {"hidden_size": 8} if task in ("asr", "sf", "sd") else {}
    made = make(**sizes)
    made.prepare((64,), parts[task]["train"])
    for part in PARTS:
        assert list(made.problems(parts[task][part])) == []


def test_official_trials_are_of_the_recordings_that_test(parts):
    parts, out = parts
    trials = read_trials(out / "voxceleb1" / "trials.json")
    tested = {name: e["speaker"] for name, e in parts["asv"]["test"].items()}
    assert len(trials) == 2 and trial_problems(trials, tested) == []


def test_only_what_trains_is_cut_into_chunks(made, tmp_path):
    folders, _ = made
    parts = official_superb(folders, tmp_path, ("sd",), chunk_seconds=0.5)
    assert [len(parts["sd"][part]) for part in PARTS] == [2, 1, 1]
    assert list(parts) == ["sd"]


def test_one_of_seven_missing_is_named_with_all_else(made, tmp_path):
    """All at once: a set not given, one half there, an empty part."""
    folders, options = made
    folders = dict(folders)
    del folders["voxceleb1"]
    folders["libri2mix"] = folders["libri2mix"] / "Libri2Mix"
    options = options | {"iemocap": {"valid_share": 1e-9}}
    message = complaint(folders, tmp_path, options=options)
    head, *lines = message.splitlines()
    assert head == "data of the tasks: 3 problem(s)"
    assert (
        "voxceleb1: no folder given, but sid and asv need it. Get VoxCeleb1 "
        "from https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox1.html (CC BY"
    ) in message
    assert "libri2mix: " in message
    assert "train/wav.scp: missing in" in message
    assert "er: valid is empty. Add recordings, or lengthen" in message


@pytest.mark.parametrize("name", SOURCES)
def test_every_data_set_is_missed_by_its_tasks(made, tmp_path, name):
    folders, _ = made
    tasks = SOURCES[name].tasks
    needs = " and ".join(tasks)
    options = {"librispeech": {"lexica": "any.txt"}}
    message = complaint({}, tmp_path, tasks=tasks, options=options)
    assert f"1 problem(s)\n  {name}: no folder given, but {needs} need" in (
        message
    )
    gone = {name: tmp_path / "gone"}
    message = complaint(gone, tmp_path, tasks=tasks, options=options)
    assert f"{name}: {tmp_path}/gone: no such folder. Get " in message


def test_corrupt_audio_in_two_sets_is_named_at_once(tmp_path):
    folders, options = make_superb(tmp_path / "data")
    bad = {
        "iemocap": "Session*/sentences/wav/*/*.wav",
        "audio_snips": "*/*.wav",
    }
    for name, pattern in bad.items():
        next(folders[name].glob(pattern)).write_bytes(CORRUPT)
    message = complaint(
        folders, tmp_path / "out", tasks=("sf", "er"), options=options
    )
    assert "data of the tasks: 2 problem(s)" in message
    assert "audio_snips: " in message and "iemocap: " in message


def test_phones_need_lexica(made, tmp_path):
    folders, _ = made
    message = complaint(folders, tmp_path, tasks=("pr", "sf"))
    assert "1 problem(s)" in message
    assert "pr: no lexica to tell phones by. Give options" in message


def test_names_that_do_not_exist_are_all_named(made, tmp_path):
    folders, _ = made
    message = complaint(
        {**folders, "timit": "x"},
        tmp_path,
        tasks=("er", "qbe"),
        options={"iemocap": {"folds": 2, "data_folder": "x"}},
    )
    assert "4 problem(s)" in message
    assert "qbe: no task of SUPERB. There are pr, asr" in message
    assert "timit: no data set of SUPERB. There are librispeech" in message
    assert "iemocap: no option folds. There are fold, classes, val" in message
    assert "iemocap: no option data_folder." in message


def test_lists_that_no_task_reads_need_not_be_there(tmp_path):
    folders, options = make_superb(tmp_path / "data")
    (folders["voxceleb1"] / "veri_test.txt").unlink()
    parts = official_superb(
        folders, tmp_path / "out", tasks=("sid",), options=options
    )
    assert list(parts) == ["sid"]
    message = complaint(folders, tmp_path / "out2", options=options)
    assert "voxceleb1: " in message and "no file veri_test.txt" in message


def test_a_wanted_fold_and_what_other_tasks_hear_are_told(
    made, tmp_path, caplog
):
    folders, options = made
    options = options | {"iemocap": {"fold": 3}}
    with caplog.at_level(logging.WARNING):
        parts = official_superb(
            folders, tmp_path, ("sid", "asv", "er"), options
        )
    assert voices(parts, "er")["test"] == {"Ses03F"}
    assert "recordings that test sid train asv" in caplog.text
