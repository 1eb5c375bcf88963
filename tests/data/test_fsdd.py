import numpy as np
import pytest
import soundfile

from speechbrain_mtl.data.corpora import prepare_fsdd
from speechbrain_mtl.data.manifest import ManifestError, load_manifest, subset

SPEAKERS = ("ann", "bob", "cyd", "dan")


@pytest.fixture
def corpus(tmp_path):
    """A small corpus in the public layout: 10 digits x 4 speakers x 8."""
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for digit in range(10):
        for speaker in SPEAKERS:
            for index in range(8):
                path = folder / f"{digit}_{speaker}_{index}.wav"
                soundfile.write(path, np.full(800, 0.1), 8000)
    return tmp_path / "fsdd"


def load(corpus, **options):
    path = prepare_fsdd(corpus, corpus.parent / "out", **options)
    return load_manifest(path, data_root=corpus)


def test_every_recording_has_its_digit_speaker_and_index(corpus):
    manifest = load(corpus, test_speaker="ann")
    assert len(manifest) == 320
    assert manifest["7_cyd_6"] == {
        "wav": f"{corpus}/recordings/7_cyd_6.wav",
        "duration": 0.1,
        "sample_rate": 8000,
        "digit": "seven",
        "speaker": "cyd",
        "index": 6,
        "split": "train",
        "official_split": "train",
        "utterance_split": "valid",
    }


@pytest.mark.parametrize(
    ("test", "valid"), [("ann", "bob"), ("cyd", "dan"), ("dan", "ann")]
)
def test_each_speaker_can_be_left_out_and_the_next_validates(
    corpus, test, valid
):
    manifest = load(corpus, test_speaker=test)
    by_split = {
        split: {e["speaker"] for e in subset(manifest, split=split).values()}
        for split in ("train", "valid", "test")
    }
    assert by_split["test"] == {test}
    assert by_split["valid"] == {valid}
    assert by_split["train"] == set(SPEAKERS) - {test, valid}


def test_official_and_utterance_splits_go_by_index(corpus):
    manifest = load(corpus, test_speaker="ann")
    for field, split, indices in [
        ("official_split", "test", {0, 1, 2, 3, 4}),
        ("official_split", "train", {5, 6, 7}),
        ("utterance_split", "test", {0, 1, 2, 3, 4}),
        ("utterance_split", "valid", {5, 6}),
        ("utterance_split", "train", {7}),
    ]:
        part = subset(manifest, **{field: split}).values()
        assert {entry["index"] for entry in part} == indices
        assert {entry["speaker"] for entry in part} == set(SPEAKERS)


def test_parent_of_the_public_clone_is_understood(corpus):
    clone = corpus.rename(corpus.parent / "free-spoken-digit-dataset")
    path = prepare_fsdd(clone.parent, clone.parent / "out", test_speaker="ann")
    wav = load_manifest(path, data_root="/x")["0_ann_0"]["wav"]
    assert wav == "/x/free-spoken-digit-dataset/recordings/0_ann_0.wav"


def test_folder_without_recordings_says_where_to_get_them(tmp_path):
    with pytest.raises(ManifestError) as raised:
        prepare_fsdd(tmp_path, tmp_path / "out")
    assert f"{tmp_path}: no folder 'recordings'" in str(raised.value)
    assert "git clone https://github.com/Jakobovski/" in str(raised.value)
    assert "CC BY-SA 4.0" in str(raised.value)


def test_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ManifestError, match="gone: no such folder"):
        prepare_fsdd(tmp_path / "gone", tmp_path / "out")


def test_folder_without_wav_files_says_where_to_get_them(tmp_path):
    (tmp_path / "recordings").mkdir()
    with pytest.raises(
        ManifestError, match="no WAV files. Get the corpus from"
    ):
        prepare_fsdd(tmp_path, tmp_path / "out")


def test_missing_misnamed_and_broken_files_are_all_named(corpus):
    folder = corpus / "recordings"
    (folder / "3_bob_4.wav").unlink()
    (folder / "9_dan_7.wav").unlink()
    (folder / "notes.wav").touch()
    with pytest.raises(ManifestError) as raised:
        load(corpus, test_speaker="ann")
    assert "3 problem(s)" in str(raised.value)
    assert "3_bob_4.wav: missing. Copy it from https" in str(raised.value)
    assert "9_dan_7.wav: missing" in str(raised.value)
    assert "notes.wav: not named <digit>_<speaker>_<index>" in str(raised.value)


def test_unreadable_files_are_all_named(corpus):
    for name in ("3_bob_4.wav", "9_dan_7.wav"):
        (corpus / "recordings" / name).write_bytes(b"")
    with pytest.raises(ManifestError) as raised:
        load(corpus, test_speaker="ann")
    assert "3_bob_4.wav" in str(raised.value)
    assert "9_dan_7.wav" in str(raised.value)
    assert "Copy the file again." in str(raised.value)


def test_unknown_test_speaker_is_refused_with_those_there_are(corpus):
    with pytest.raises(ManifestError, match="'theo'.*ann, bob, cyd, dan"):
        load(corpus)


def test_two_speakers_are_too_few_to_train_validate_and_test(corpus):
    for speaker in SPEAKERS[2:]:
        for path in (corpus / "recordings").glob(f"*_{speaker}_*"):
            path.unlink()
    with pytest.raises(ManifestError, match="must be three or more"):
        load(corpus, test_speaker="ann")


def test_corpus_is_never_written_to(corpus):
    with pytest.raises(ManifestError, match="Choose another output_folder"):
        prepare_fsdd(corpus, corpus, test_speaker="ann")


def test_real_corpus_agrees_with_its_own_manifest(shared_data, tmp_path):
    folder = shared_data("fsdd")
    known = load_manifest(folder / "manifest.json")
    manifest = load_manifest(prepare_fsdd(folder, tmp_path), folder)
    words = "zero one two three four five six seven eight nine".split()
    assert set(manifest) == set(known)
    for key, entry in known.items():
        ours = manifest[key]
        assert ours["wav"] == entry["wav"]
        assert ours["duration"] == pytest.approx(entry["duration"], abs=1e-4)
        assert words.index(ours["digit"]) == entry["digit"]
        assert ours["speaker"] == entry["speaker"]
    assert len(subset(manifest, official_split="test")) == 300
    assert len(subset(manifest, split="train")) == 800
