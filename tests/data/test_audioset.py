import json
import logging

import pytest

from speechbrain_mtl.data.corpora.audioset import prepare_audioset
from tests.helpers.recordings import failure_without, loaders
from tests.helpers.trees import change, write_lines, write_tone

# Guitars are under strings and, as some labels are, under a second parent.
ONTOLOGY = {
    "/m/04szw": ("Musical instrument", ["/m/str", "/m/drum"]),
    "/m/str": ("Plucked string instrument", ["/m/guitar"]),
    "/m/guitar": ("Guitar", []),
    "/m/drum": ("Drum", ["/m/guitar"]),
    "/m/dog": ("Dog", []),
}
SEGMENTS = {
    "balanced_train": {
        "-0_guitar-_": ("30.000", "/m/guitar,/m/dog"),
        "YYYYYYYYYYY": ("0.000", "/m/str"),
        "dogdogdogdo": ("10.000", "/m/dog"),
    },
    "unbalanced_train": {
        "drum_30_40_": ("420.000", "/m/04szw,/m/drum"),
        "gonegonegon": ("0.000", "/m/drum"),
    },
    "eval": {"evalevaleva": ("5.000", "/m/guitar")},
}


def rows(part):
    return [
        f'{clip}, {start}, {float(start) + 10:.3f}, "{labels}"'
        for clip, (start, labels) in SEGMENTS[part].items()
    ]


@pytest.fixture
def corpus(tmp_path):
    """Six segments, five of instruments, one of these gone."""
    root = tmp_path / "audioset"
    for part in SEGMENTS:
        write_lines(
            root / f"{part}_segments.csv",
            "# Segments csv created Sun Mar  5 10:54:31 2017",
            "# num_ytids=2, num_segs=2, num_unique_labels=2",
            "# YTID, start_seconds, end_seconds, positive_labels",
            *rows(part),
        )
    items = [
        {"id": i, "name": name, "child_ids": children, "restrictions": []}
        for i, (name, children) in ONTOLOGY.items()
    ]
    (root / "ontology.json").write_text(json.dumps(items))
    for name in (
        "-0_guitar-_.wav",
        "bal_train/YYYYYYYYYYYY.flac",
        "bal_train/dogdogdogdo.wav",
        "deep/down/drum_30_40__420.000.ogg",
        "eval/evalevaleva_5000_15000.WAV",
    ):
        write_tone(root / name)
    return root


load, failure = loaders(prepare_audioset)


def failure_with(corpus, text, **options):
    (corpus / "ontology.json").write_text(text)
    return failure(corpus, **options)


def test_clips_under_musical_instrument_are_taken_under_any_name(corpus):
    manifest = load(corpus)
    assert list(manifest) == sorted(
        ["-0_guitar-_", "YYYYYYYYYYY", "drum_30_40_", "evalevaleva"]
    )
    assert manifest["drum_30_40_"] == {
        "wav": f"{corpus}/deep/down/drum_30_40__420.000.ogg",
        "duration": pytest.approx(0.1, abs=0.01),
        "sample_rate": 16000,
        "labels": ["Musical instrument", "Drum"],
        "part": "unbalanced_train",
        "split": "train",
    }
    assert manifest["YYYYYYYYYYY"]["wav"].endswith("/YYYYYYYYYYYY.flac")
    assert manifest["evalevaleva"]["split"] == "test"
    # A dog barks beside the guitar; it is no instrument.
    assert manifest["-0_guitar-_"]["labels"] == ["Guitar"]


def test_another_root_takes_other_clips(corpus):
    manifest = load(corpus, root="/m/dog", parts=["balanced_train"])
    assert set(manifest) == {"-0_guitar-_", "dogdogdogdo"}
    assert {tuple(e["labels"]) for e in manifest.values()} == {("Dog",)}


def test_only_wanted_parts_are_read(corpus):
    (corpus / "unbalanced_train_segments.csv").unlink()
    manifest = load(corpus, parts=["balanced_train", "eval"])
    assert {e["part"] for e in manifest.values()} == {"balanced_train", "eval"}


def test_table_of_a_wanted_part_must_be_there(corpus):
    (corpus / "unbalanced_train_segments.csv").unlink()
    assert "unbalanced_train_segments.csv: missing. Get" in failure(corpus)


def test_missing_clips_are_counted_and_named(corpus, caplog):
    with caplog.at_level(logging.WARNING):
        load(corpus)
    [record] = caplog.records
    assert (
        "unbalanced_train: 1 of 2 clips (50.0%) have no audio, such as "
        "gonegonegon."
    ) in record.message


def test_more_missing_than_allowed_is_refused(corpus):
    message = failure(corpus, max_missing=0.49)
    assert "1 of 2 clips (50.0%) have no audio, such as gonegonegon" in message
    assert "Download them, raise max_missing, or leave the part" in message
    for file in corpus.rglob("*.wav"):
        file.unlink()
    assert "balanced_train: 1 of 2" in failure(corpus, max_missing=0)


@pytest.mark.parametrize("there", [True, False])
def test_missing_corpus_says_where_to_get_it_and_its_licence(tmp_path, there):
    folder = tmp_path / "audioset"
    message = failure_without(failure, folder, there)
    assert "https://research.google.com/audioset/download.html" in message
    assert "(CC BY 4.0, the ontology CC BY-SA 4.0" in message
    assert ("4 problem(s)" in message) == there


def test_misnamed_doubled_and_wrongly_cut_files_are_all_named(corpus):
    write_tone(corpus / "song.wav")
    write_tone(corpus / "eval" / "Yevalevaleva.mp3")
    drum = corpus / "deep" / "down" / "drum_30_40__420.000.ogg"
    drum.rename(drum.with_name("drum_30_40__30.ogg"))
    write_tone(corpus / "._song.wav")
    message = failure(corpus)
    assert "3 problem(s)" in message
    assert "song.wav: not named <YouTube id>, Y<YouTube id>" in message
    assert "evalevaleva_5000_15000.WAV: Yevalevaleva.mp3 is there" in message
    assert "begins at 30, the segment at 420 s. Cut it" in message


def test_whole_videos_are_not_taken_for_their_segments(corpus):
    write_tone(corpus / "-0_guitar-_.wav", 11.5)
    message = failure(corpus)
    assert "-0_guitar-_.wav: 11.5 s, its segment lasts 10 s" in message
    assert "Cut 30 to 40 s out of the video." in message
    write_tone(corpus / "-0_guitar-_.wav", 10.5)
    assert len(load(corpus)) == 4


def test_unreadable_files_are_all_named(corpus):
    (corpus / "-0_guitar-_.wav").write_bytes(b"text")
    (corpus / "bal_train" / "YYYYYYYYYYYY.flac").write_bytes(b"")
    message = failure(corpus)
    assert "2 problem(s)" in message
    assert "Copy the file again." in message


def test_segments_of_another_form_are_all_named(corpus):
    table = corpus / "eval_segments.csv"
    line = rows("eval")[0]
    write_lines(table, line, line, "abc, 1", line.replace("5.000", "soon"))
    message = failure(corpus)
    assert "3 problem(s)" in message
    assert "evalevaleva: stands twice" in message
    assert "'abc, 1': not <id>, <start>, <stop>" in message
    write_lines(table, "# nothing")
    assert "no segments. Get AudioSet from" in failure(corpus)


def test_unknown_labels_are_all_named(corpus):
    change(corpus / "eval_segments.csv", "/m/guitar", "/m/lute,/m/kazoo")
    message = failure(corpus)
    assert "2 problem(s)" in message
    assert "evalevaleva: label '/m/lute' is not in the ontology" in message


def test_ontology_of_another_form_is_refused(corpus):
    path = corpus / "ontology.json"
    text = path.read_text()
    lost = '"Guitar", "child_ids": ["/m/x"]'
    assert "no label '/m/none'" in failure(corpus, root="/m/none")
    assert "no segment has such a label" in failure_with(
        corpus, text.replace('["/m/str", "/m/drum"]', "[]"), parts=["eval"]
    )
    assert "Guitar: its child /m/x has no entry" in failure_with(
        corpus, text.replace('"Guitar", "child_ids": []', lost)
    )
    assert "not a list of labels" in failure_with(corpus, '{"a": 1}')
    assert "not a list of labels" in failure_with(corpus, "no JSON")


@pytest.mark.parametrize(
    "options", [{"parts": ["train"]}, {"parts": []}, {"max_missing": 2}]
)
def test_options_that_make_no_sense_are_refused(corpus, options):
    assert "Choose of balanced_train, unbalanced" in failure(corpus, **options)
