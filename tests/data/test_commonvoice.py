import pytest
import soundfile

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_commonvoice
from tests.helpers.recordings import CORRUPT, audio, complaint, fill, loaders

NEW = ("client_id", "path", "sentence_id", "sentence", "sentence_domain")
OLD = ("client_id", "path", "sentence", "up_votes", "down_votes")
SPOKEN = {"train": "aab", "dev": "cc", "test": "d"}  # clips, by who spoke


def table(columns, *rows):
    lines = ["\t".join(columns)]
    lines += ["\t".join(row.get(name, "") for name in columns) for row in rows]
    return "\n".join(lines) + "\n"


def clip(part, index, speaker):
    return {
        "client_id": speaker * 128,
        "path": f"common_voice_en_{part}{index}.mp3",
        "sentence": f'She said "{part}", and\'s gone.',
    }


def release(folder, columns=NEW):
    rows = {
        part: [clip(part, i, voice) for i, voice in enumerate(voices)]
        for part, voices in SPOKEN.items()
    }
    files = {f"{part}.tsv": table(columns, *rows[part]) for part in rows}
    files["validated.tsv"] = table(columns, *sum(rows.values(), []))
    for number, row in enumerate(sum(rows.values(), []), start=1):
        files[f"clips/{row['path']}"] = audio(0.5 * number, 48000, "MP3")
    fill(folder / "en", files)
    return folder


@pytest.fixture
def corpus(tmp_path):
    return release(tmp_path / "cv-corpus-17.0-2024-03-15")


load, refuse = loaders(prepare_commonvoice)


@pytest.mark.parametrize("columns", [NEW, OLD], ids=["new", "old"])
def test_every_clip_has_its_sentence_speaker_and_split(tmp_path, columns):
    corpus = release(tmp_path / "cv", columns)
    manifest = load(corpus)
    assert manifest["common_voice_en_dev1"] == {
        "wav": f"{corpus}/en/clips/common_voice_en_dev1.mp3",
        "duration": 2.5,
        "sample_rate": 48000,
        "text": 'She said "dev", and\'s gone.',
        "speaker": "c" * 128,
        "split": "valid",
    }
    splits = [entry["split"] for entry in manifest.values()]
    assert splits == ["train"] * 3 + ["valid"] * 2 + ["test"]
    require_clean(manifest, labels={"text": None, "speaker": None})


def test_validated_clips_are_one_part(corpus):
    manifest = load(corpus, parts=["validated"])
    assert len(manifest) == 6
    assert {entry["split"] for entry in manifest.values()} == {"validated"}


def test_old_releases_name_clips_without_their_ending(corpus):
    path = corpus / "en" / "test.tsv"
    path.write_text(path.read_text().replace(".mp3", ""))
    assert list(load(corpus, parts=["test"])) == ["common_voice_en_test0"]


def test_lines_may_end_as_on_windows(corpus):
    known = load(corpus)
    for path in (corpus / "en").glob("*.tsv"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(corpus) == known


def test_clips_too_short_or_long_are_left_out(corpus):
    manifest = load(corpus, min_seconds=1.0, max_seconds=2.5)
    assert [e["duration"] for e in manifest.values()] == [1.0, 1.5, 2.0, 2.5]


def test_durations_of_the_release_spare_opening_clips(corpus):
    fill(
        corpus / "en",
        {
            "clip_durations.tsv": table(
                ("clip", "duration[ms]"),
                {"clip": "common_voice_en_train0.mp3", "duration[ms]": "500"},
            ),
            "clips/common_voice_en_train0.mp3": CORRUPT,
        },
    )
    assert len(load(corpus, min_seconds=1.0)) == 5
    assert "train0.mp3" in refuse_again(corpus)


def refuse_again(corpus):
    (corpus.parent / "out" / "manifest.json").unlink()
    return refuse(corpus)


def test_broken_durations_are_named(corpus):
    fill(
        corpus / "en",
        {"clip_durations.tsv": "clip\tduration[ms]\na.mp3\tlong\n"},
    )
    assert "clip_durations.tsv, line 2: 'long' is no time" in refuse(corpus)


def test_no_clip_of_the_wanted_length_is_refused(corpus):
    message = refuse(corpus, min_seconds=60)
    assert "none of 6 clips lasts 60 to inf s. Change min_seconds" in message


def test_speakers_in_two_parts_are_warned_of(corpus, caplog):
    load(corpus)
    assert "speakers are in more" not in caplog.text
    path = corpus / "en" / "test.tsv"
    path.write_text(path.read_text().replace("d" * 128, "a" * 128))
    load(corpus)
    assert "1 of 3 speakers are in more than one part" in caplog.text


def test_missing_folder_says_where_to_get_the_corpus(tmp_path):
    message = refuse(tmp_path / "gone")
    assert "gone: no such folder. Get Common Voice from https" in message
    assert "commonvoice.mozilla.org/datasets (CC0 1.0)" in message


def test_another_language_or_half_a_release_is_refused(corpus):
    message = refuse(corpus, lang="fr")
    assert "fr: no clips, train.tsv, dev.tsv, test.tsv. Check lang" in message
    (corpus / "en" / "dev.tsv").unlink()
    message = refuse(corpus)
    assert "en: no dev.tsv. Check lang and parts. Get Common Voice" in message
    assert "no parts are wanted" in refuse(corpus, parts=[])


def test_libraries_without_mp3_are_named_with_the_remedy(corpus, monkeypatch):
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": ""})
    message = refuse(corpus)
    assert "reads no MP3. Get libsndfile 1.1 or newer" in message
    assert "pip install -U soundfile" in message


def test_missing_clips_broken_lines_and_repetitions_are_all_named(corpus):
    rows = [clip("train", 0, "a"), {"client_id": "e", "path": "e.mp3"}]
    fill(corpus / "en", {"test.tsv": table(NEW, *rows)})
    (corpus / "en/clips/common_voice_en_dev0.mp3").unlink()
    message = refuse(corpus)
    assert "3 problem(s)" in message
    assert "dev.tsv, line 2: common_voice_en_dev0.mp3 is not in" in message
    assert "test.tsv, line 2: common_voice_en_train0.mp3 is listed" in message
    assert "test.tsv, line 3: no sentence in 'e\\te.mp3" in message


def test_tables_without_a_column_are_refused(corpus):
    path = corpus / "en" / "dev.tsv"
    path.write_text(path.read_text().replace("client_id", "speaker", 1))
    message = refuse(corpus)
    assert "dev.tsv: no column client_id, only speaker, path" in message


def test_unreadable_clips_are_all_named(corpus):
    fill(
        corpus / "en/clips",
        {
            "common_voice_en_dev0.mp3": CORRUPT,
            "common_voice_en_train2.mp3": b"",
        },
    )
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert "common_voice_en_dev0.mp3" in message
    assert "common_voice_en_train2.mp3" in message


def test_corpus_is_never_written_to(corpus):
    message = complaint(prepare_commonvoice, corpus, corpus)
    assert "Choose another output_folder" in message
