import numpy as np
import pytest
import soundfile

from speechbrain_mtl.data.corpora import prepare_folder
from speechbrain_mtl.data.manifest import (
    ManifestError,
    load_manifest,
    save_manifest,
)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "audio"
    for name in ("deep down/c.ogg", "b.flac", "deep down/a.WAV"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, np.full(8000, 0.1), 16000)
    (root / "notes.txt").write_text("not audio")
    (root / "._b.wav").write_text("a leftover of a file system")
    return root


def load(folder, **options):
    path = prepare_folder(folder, folder.parent / "out", **options)
    return load_manifest(path, data_root=folder)


def test_every_recording_below_is_listed_in_order(folder):
    manifest = load(folder)
    assert list(manifest) == ["b", "deep down/a", "deep down/c"]
    assert manifest["deep down/a"] == {
        "wav": f"{folder}/deep down/a.WAV",
        "duration": 0.5,
        "sample_rate": 16000,
    }


def test_order_does_not_depend_on_the_file_system(folder):
    for letter in "qzkxvjymwpsn":
        soundfile.write(folder / f"{letter}.wav", np.full(800, 0.1), 16000)
    assert list(load(folder)) == sorted(load(folder))


def test_only_wanted_endings_are_taken(folder):
    assert list(load(folder, extensions=[".ogg"])) == ["deep down/c"]


def test_speakers_come_from_the_manifest_of_the_folder(folder):
    entry = {"wav": "{data_root}/b.flac", "duration": 0.5, "speaker": "ann"}
    save_manifest(folder / "manifest.json", {"any": entry})
    manifest = load(folder)
    assert manifest["b"]["speaker"] == "ann"
    assert "speaker" not in manifest["deep down/c"]


def test_folder_without_audio_names_the_endings(folder):
    with pytest.raises(ManifestError, match="no files ending in .mp3. Set"):
        load(folder, extensions=[".mp3"])


def test_unreadable_files_are_all_named(folder):
    (folder / "x.wav").write_bytes(b"")
    (folder / "y.wav").write_bytes(b"text")
    soundfile.write(folder / "z.wav", np.zeros(0), 16000)
    with pytest.raises(ManifestError) as raised:
        load(folder)
    assert "3 problem(s)" in str(raised.value)
    for name in ("x.wav", "y.wav", "z.wav: no samples"):
        assert name in str(raised.value)


def test_files_that_differ_only_in_their_ending_are_named(folder):
    soundfile.write(folder / "b.wav", np.full(8000, 0.1), 16000)
    with pytest.raises(ManifestError, match="b: several files differ only"):
        load(folder)


def test_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ManifestError, match="gone: no such folder"):
        prepare_folder(tmp_path / "gone", tmp_path / "out")


def test_manifest_of_the_folder_is_never_overwritten(folder):
    with pytest.raises(ManifestError, match="Choose another output_folder"):
        prepare_folder(folder, folder)


def test_real_unlabelled_speech_gets_its_speakers(shared_data, tmp_path):
    folder = shared_data("librispeech_unlabelled")
    manifest = load_manifest(prepare_folder(folder, tmp_path), folder)
    assert len({entry["speaker"] for entry in manifest.values()}) == 251
