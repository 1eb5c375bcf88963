import logging

import pytest

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_fluent_speech_commands
from speechbrain_mtl.data.manifest import subset
from speechbrain_mtl.tasks.superb import IntentClassification
from tests.helpers.recordings import (
    CORRUPT,
    audio,
    complaint,
    failure_without,
    fill,
    loaders,
)

HEADER = ",path,speakerId,transcription,action,object,location\n"
PARTS = {"train": ("ann", "bob"), "valid": ("cat",), "test": ("dan",)}
ROWS = [
    ("Lights on, please", "activate", "lights", "kitchen"),
    ("Louder", "increase", "volume", "none"),
]


def wav(speaker, number):
    return f"wavs/speakers/{speaker}/{speaker}-{number}.wav"


def row(speaker, number):
    text, *intent = ROWS[number]
    return f'{number},{wav(speaker, number)},{speaker},"{text}",' + ",".join(
        intent
    )


def table(part):
    rows = [row(who, n) for who in PARTS[part] for n in range(2)]
    return HEADER + "".join(f"{line}\n" for line in rows)


def release(folder):
    files = {f"data/{part}_data.csv": table(part) for part in PARTS}
    for speakers in PARTS.values():
        for speaker in speakers:
            files |= {wav(speaker, n): audio(0.5) for n in range(2)}
    return fill(folder, files)


@pytest.fixture
def corpus(tmp_path):
    return release(tmp_path / "fluent")


load, refuse = loaders(prepare_fluent_speech_commands)


def test_every_order_has_its_intent_speaker_and_part(corpus):
    manifest = load(corpus)
    assert len(manifest) == 8
    assert manifest["cat-1"] == {
        "wav": f"{corpus}/{wav('cat', 1)}",
        "duration": 0.5,
        "sample_rate": 16000,
        "speaker": "cat",
        "text": "Louder",
        "intent": {
            "action": "increase",
            "object": "volume",
            "location": "none",
        },
        "split": "valid",
    }
    assert manifest["ann-0"]["text"] == "Lights on, please"
    require_clean(manifest)


def test_parts_are_those_of_the_tables(corpus):
    manifest = load(corpus)
    for part, speakers in PARTS.items():
        chosen = subset(manifest, split=part).values()
        assert {entry["speaker"] for entry in chosen} == set(speakers)


def test_the_task_learns_its_slots_from_the_manifest(corpus):
    manifest = load(corpus)
    task = IntentClassification()
    task.prepare((4,), subset(manifest, split="train"))
    assert task.problems(subset(manifest, split="test")) == []
    assert task.labels[:2] == ["action activate", "action increase"]


def test_a_small_copy_is_counted_against_the_whole(corpus, caplog):
    with caplog.at_level(logging.WARNING):
        load(corpus)
    assert "4 recordings of train, the whole corpus has 23132" in caplog.text


def test_parent_of_the_archive_is_understood(corpus, tmp_path):
    parent = tmp_path / "download"
    parent.mkdir()
    corpus.rename(parent / "fluent_speech_commands_dataset")
    assert len(load(parent)) == 8


@pytest.mark.parametrize("there", [True, False])
def test_missing_corpus_says_where_to_get_it_and_its_licence(tmp_path, there):
    message = failure_without(refuse, tmp_path / "fluent", there)
    assert "Get Fluent Speech Commands from https://fluent.ai/" in message
    assert "(Fluent Speech Commands Public License, academic" in message
    assert ("data/test_data.csv: missing" in message) == there


def test_half_the_corpus_is_refused(corpus):
    (corpus / "data/valid_data.csv").unlink()
    (corpus / "wavs").rename(corpus / "recordings")
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert "data/valid_data.csv: missing. Get Fluent" in message
    assert "wavs: missing. Get Fluent" in message


@pytest.mark.parametrize("column", ["object", "speakerId"])
def test_a_table_of_another_layout_is_refused(corpus, column):
    text = table("test").replace(column, "other", 1)
    fill(corpus, {"data/test_data.csv": text})
    message = refuse(corpus)
    assert f"test_data.csv: no column {column}. Copy the file again" in message


def test_a_label_that_is_missing_is_named(corpus):
    text = table("train").replace("increase", "", 1)
    fill(corpus, {"data/train_data.csv": text})
    message = refuse(corpus)
    assert "train_data.csv: 1 problem(s)" in message
    assert "line 3: no action. Copy the file again." in message


def test_lost_doubled_and_shared_are_all_named(corpus):
    (corpus / wav("dan", 0)).unlink()
    text = table("valid") + row("cat", 0) + "\n" + row("ann", 1) + "\n"
    fill(corpus, {"data/valid_data.csv": text})
    message = refuse(corpus)
    assert "4 problem(s)" in message
    for part in (
        f"{wav('dan', 0)}: missing, though data/test_data.csv lists it",
        "cat-0: listed 2 times. Copy the tables again.",
        "ann-1: listed 2 times.",
        "ann: speaks in train and valid. Copy the tables again.",
    ):
        assert part in message


def test_unreadable_recordings_are_all_named(corpus):
    fill(corpus, {wav("ann", 0): CORRUPT, wav("dan", 1): b""})
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert "ann-0.wav" in message
    assert "dan-1.wav" in message


def test_corpus_is_never_written_to(corpus):
    message = complaint(prepare_fluent_speech_commands, corpus, corpus)
    assert "Choose another output_folder" in message
