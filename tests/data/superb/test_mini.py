import json
import logging
from collections import Counter

import pytest
import soundfile

pytest.importorskip("espeakng_loader")

from speechbrain_mtl.data.audio import read_entry
from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.manifest import ManifestError, load_manifest
from speechbrain_mtl.data.superb import (
    PARTS,
    TASKS,
    check_tasks,
    mini_superb,
    verification_trials,
)
from speechbrain_mtl.data.superb.layout import recording, voices
from speechbrain_mtl.data.superb.mini import keep_known
from speechbrain_mtl.data.synthetic.plan import Plan

SETTINGS = {"minutes": 6, "speakers": 10, "seed": 2, "mixtures": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("superb") / "corpus"


@pytest.fixture(scope="module")
def parts(folder):
    return mini_superb(folder, chunk_seconds=3.0, **SETTINGS)


def test_nine_tasks_have_three_parts_that_can_be_trained_on(parts):
    assert set(parts) == set(TASKS)
    for task, by_part in parts.items():
        assert tuple(by_part) == PARTS
        for part, entries in by_part.items():
            require_clean(entries, f"{task} {part}", quick=True)
            assert {entry["split"] for entry in entries.values()} == {part}
    check_tasks(parts)


def test_the_same_settings_give_the_same_parts(parts, folder):
    assert mini_superb(folder, chunk_seconds=3.0, **SETTINGS) == parts


def test_speakers_are_in_one_part_but_for_identification(parts):
    for task, by_part in parts.items():
        people = [
            set().union(*map(voices, entries.values()))
            for entries in by_part.values()
        ]
        if task == "sid":
            assert people[0] == people[1] == people[2]
        else:
            assert len(set().union(*people)) == sum(map(len, people))


def test_nothing_that_a_task_tests_on_trains_any(parts):
    trained = {
        recording(e) for p in parts.values() for e in p["train"].values()
    }
    for by_part in parts.values():
        for part in ("valid", "test"):
            assert not trained & {recording(e) for e in by_part[part].values()}


def test_held_out_word_pairs_are_only_tested(parts):
    for by_part in parts.values():
        for part in ("train", "valid"):
            assert not any(e.get("held_out") for e in by_part[part].values())
    assert any(e["held_out"] for e in parts["asr"]["test"].values())


def test_chunks_are_read_as_long_as_they_say(parts, folder):
    chunks = parts["sd"]["train"]
    assert len(chunks) >= 5 * 16 / 3
    full = load_manifest(folder / "manifest.json")
    for name, chunk in list(chunks.items())[:5]:
        wav = read_entry(name, chunk)
        assert len(wav) / 16000 == pytest.approx(
            chunk["stop"] - chunk["start"], abs=2e-4
        )
        samples, _ = soundfile.read(chunk["wav"], dtype="float32")
        begin = round(chunk["start"] * 16000)
        assert (wav.numpy() == samples[begin : begin + len(wav)]).all()
        assert chunk["speakers"] == full[name[:-3]]["speakers"]


def test_speech_of_the_chunks_is_all_of_the_mixtures(parts, folder):
    full = load_manifest(folder / "manifest.json")
    whole = Counter()
    for entry in full.values():
        for turn in entry["turns"] or ():
            whole[turn["speaker"]] += turn["end"] - turn["start"]
    heard = Counter()
    for entries in parts["sd"].values():
        for entry in entries.values():
            for turn in entry["turns"]:
                assert 0 <= turn["start"] < turn["end"] <= 3 + 1e-9
                heard[turn["speaker"]] += turn["end"] - turn["start"]
    assert heard == pytest.approx(whole)


def test_trials_are_balanced_and_of_two_recordings(parts):
    trials = verification_trials(parts["asv"], pairs=30)
    assert trials == verification_trials(parts["asv"], pairs=30)
    assert trials != verification_trials(parts["asv"], pairs=30, seed=1)
    for part, pairs in trials.items():
        assert Counter(same for same, *_ in pairs) == {0: 30, 1: 30}
        entries = parts["asv"][part]
        assert len({frozenset(names) for _, *names in pairs}) == 60
        for same, first, second in pairs:
            assert first != second
            one, two = (entries[n]["speaker"] for n in (first, second))
            assert (one == two) == same


def test_too_few_trials_are_refused():
    entries = {f"{s}{i}": {"speaker": s} for s in "ab" for i in range(3)}
    with pytest.raises(ManifestError, match="valid: 6 pairs of each kind"):
        verification_trials({"valid": entries, "test": entries}, least=7)
    one = {name: {"speaker": "a"} for name in entries}
    with pytest.raises(ManifestError, match="asv, valid: 200 pairs of 6"):
        verification_trials({"valid": one, "test": entries})


def test_a_corpus_too_short_names_all_that_is_empty(tmp_path):
    with pytest.raises(ManifestError) as raised:
        mini_superb(tmp_path / "c", minutes=0.3, speakers=10, mixtures=1)
    for line in ("sd: valid is empty", "sd: test is empty", "sid: valid"):
        assert line in str(raised.value)


def test_a_rare_word_that_never_trains_is_left_out_and_logged(caplog):
    def said(*texts):
        return {text: {"text": text} for text in texts}

    asr = {
        "train": said("house", "tree"),
        "valid": said("rose", "zero"),
        "test": said("her", "zoo", "hut", "zoos"),
    }
    asv = {part: {"a": {"speaker": part}} for part in PARTS}
    with caplog.at_level(logging.WARNING):
        parts = keep_known({"asr": asr, "asv": asv})
    assert list(parts["asr"]["valid"]) == ["rose"]
    assert list(parts["asr"]["test"]) == ["her", "hut"]
    assert parts["asv"]["test"]
    assert [record.message for record in caplog.records] == [
        "asr, valid: 1 recording(s) of 2 hold a text that never trains and "
        "are left out: zero",
        "asr, test: 2 recording(s) of 4 hold a text that never trains and "
        "are left out: zoo, zoos",
    ]


@pytest.mark.parametrize("speakers", [4, 9])
def test_too_few_speakers_are_refused_before_anything_is_made(
    tmp_path, speakers
):
    with pytest.raises(ValueError, match=f"speakers is {speakers}"):
        mini_superb(tmp_path / "corpus", speakers=speakers)
    assert not (tmp_path / "corpus").exists()


def test_default_settings_have_sixty_chunks_to_train_on():
    plan = Plan(minutes=32, speakers=24, mixtures=24)
    items = [plan[len(plan) - 24 + i] for i in range(24)]
    splits = Counter(item.split for item in items)
    # 17 s on average are five chunks of 4 s at most
    assert splits == {"train": 15, "test": 6, "valid": 3}
    assert 15 * 17 / 4 > 60


def test_mixtures_are_part_of_what_a_corpus_is(parts, folder):
    found = json.loads((folder / "corpus.json").read_text())
    assert found["settings"]["mixtures"] == found["items"]["mixture"] == 8
