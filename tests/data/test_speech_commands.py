import logging

import numpy as np
import pytest

from speechbrain_mtl.data.audio import read_audio
from speechbrain_mtl.data.check import check_manifest
from speechbrain_mtl.data.corpora.silence import silence_entries
from speechbrain_mtl.data.corpora.speech_commands import (
    KEYWORDS,
    WORDS_V1,
    WORDS_V2,
    prepare_speech_commands,
)
from speechbrain_mtl.data.manifest import ManifestError, load_manifest, subset
from tests.helpers.recordings import failure_without, loaders
from tests.helpers.trees import change, write_lines, write_tone

SPEAKERS = {"0a7c2a8d": "train", "1b4c9b89": "valid", "9a7c1f83": "test"}


def build(root, words):
    """Each word once by three speakers, one a part."""
    for word in words:
        for speaker in SPEAKERS:
            write_tone(root / word / f"{speaker}_nohash_0.wav")
    for name, speaker in [("validation", "1b4c9b89"), ("testing", "9a7c1f83")]:
        clips = [f"{word}/{speaker}_nohash_0.wav" for word in words]
        write_lines(root / f"{name}_list.txt", *clips)
    for number, noise in enumerate(("pink_noise", "running_tap")):
        write_tone(root / "_background_noise_" / f"{noise}.wav", 12 + number)
    write_lines(root / "_background_noise_" / "README.md", "Noise.")
    return root


@pytest.fixture
def corpus(tmp_path):
    return build(tmp_path / "commands", WORDS_V1)


load, failure = loaders(prepare_speech_commands)


def test_every_clip_has_its_word_speaker_and_split(corpus, caplog):
    manifest = load(corpus)
    assert len(manifest) == 90
    assert manifest["wow_1b4c9b89_nohash_0"] == {
        "wav": f"{corpus}/wow/1b4c9b89_nohash_0.wav",
        "duration": 0.1,
        "sample_rate": 16000,
        "word": "wow",
        "speaker": "1b4c9b89",
        "split": "valid",
    }
    for entry in manifest.values():
        assert entry["split"] == SPEAKERS[entry["speaker"]]
    assert not caplog.records


def test_second_version_has_35_words(tmp_path):
    manifest = load(build(tmp_path / "commands", WORDS_V2))
    assert {entry["word"] for entry in manifest.values()} == set(WORDS_V2)
    assert (len(WORDS_V1), len(WORDS_V2)) == (30, 35)


@pytest.mark.parametrize("folders", ["", "SpeechCommands"])
def test_parents_of_the_archive_are_understood(corpus, folders):
    parent = corpus.parent / "download"
    place = parent / folders / "speech_commands_v0.01"
    place.parent.mkdir(parents=True)
    corpus.rename(place)
    wav = load(parent)["go_0a7c2a8d_nohash_0"]["wav"]
    assert wav == str(place / "go" / "0a7c2a8d_nohash_0.wav")


def test_twelve_classes_are_ten_words_the_others_and_silence(corpus):
    manifest = load(corpus, twelve=True)
    by_class = {
        keyword: len(subset(manifest, keyword=keyword))
        for keyword in (*KEYWORDS, "_unknown_", "_silence_")
    }
    assert by_class == {
        **dict.fromkeys(KEYWORDS, 3),
        "_unknown_": 60,
        "_silence_": 3,
    }
    assert manifest["bed_0a7c2a8d_nohash_0"]["keyword"] == "_unknown_"
    assert manifest["go_0a7c2a8d_nohash_0"]["keyword"] == "go"
    # SpeechBrain takes the fields of all entries from the first.
    assert len({tuple(sorted(entry)) for entry in manifest.values()}) == 1
    assert check_manifest(manifest, {"keyword": None}) == []


def test_cuts_of_silence_are_read_by_their_times(corpus):
    manifest = load(corpus, twelve=True)
    for entry in manifest.values():
        cut = read_audio(entry["wav"], start=entry["start"], stop=entry["stop"])
        seconds = 1.0 if entry["keyword"] == "_silence_" else 0.1
        assert len(cut) == 16000 * seconds


def test_parts_of_silence_never_overlap_and_fill_their_zones(corpus):
    wanted = {"train": 200, "valid": 31, "test": 30}
    entries = silence_entries(corpus, corpus / "_background_noise_", wanted)
    assert len(entries) == 261
    heard = {}
    for entry in entries.values():
        assert round(entry["stop"] - entry["start"], 6) == 1
        times = heard.setdefault((entry["speaker"], entry["split"]), [])
        times += [entry["start"], entry["stop"]]
    for noise, seconds in [("pink_noise", 12), ("running_tap", 13)]:
        edges = [t for part in wanted for t in _ends(heard[noise, part])]
        assert edges == sorted(edges)
        zones = np.array([0, 0.8, 0.8, 0.9, 0.9, 1]) * seconds
        np.testing.assert_allclose(edges, zones, atol=2e-3)
    counts = {
        part: [len(heard[noise, part]) // 2 for noise, p in heard if p == part]
        for part in wanted
    }
    assert counts == {"train": [100, 100], "valid": [16, 15], "test": [15, 15]}


def _ends(times):
    return min(times), max(times)


@pytest.mark.parametrize("there", [True, False])
def test_missing_corpus_says_where_to_get_it_and_its_licence(tmp_path, there):
    folder = tmp_path / "commands"
    message = failure_without(failure, folder, there)
    assert "http://download.tensorflow.org/data/speech_commands" in message
    assert "(CC BY 4.0)" in message
    assert ("testing_list.txt: missing" in message) == there


def test_noise_is_needed_for_silence_only(corpus):
    for file in (corpus / "_background_noise_").iterdir():
        file.unlink()
    assert "no WAV files. Copy the folder again" in failure(corpus, twelve=True)
    (corpus / "_background_noise_").rmdir()
    assert "_background_noise_: missing. Get" in failure(corpus, twelve=True)
    assert len(load(corpus)) == 90


def test_noise_too_short_to_part_is_named(corpus):
    write_tone(corpus / "_background_noise_" / "pink_noise.wav", 9)
    message = failure(corpus, twelve=True)
    assert "pink_noise.wav: 9 s, too short to part in three" in message


def test_missing_misnamed_and_unknown_are_all_named(corpus):
    (corpus / "cat" / "9a7c1f83_nohash_0.wav").unlink()
    write_tone(corpus / "dog" / "me.wav")
    write_tone(corpus / "parrot" / "0a7c2a8d_nohash_0.wav")
    for file in (corpus / "tree").iterdir():
        file.unlink()
    message = failure(corpus)
    # Three of tree: the word, and the two clips that lists name.
    assert "6 problem(s)" in message
    assert "cat/9a7c1f83_nohash_0.wav: missing, though a list" in message
    assert "dog/me.wav: not named <speaker>_nohash_<n>.wav" in message
    assert "parrot/: no word of this data set. Move the folder" in message
    assert "tree/: no clips of this word. Get Speech Commands" in message


def test_second_version_with_a_word_lost_is_noticed(tmp_path):
    words = [word for word in WORDS_V2 if word != "visual"]
    message = failure(build(tmp_path / "commands", words))
    assert "1 problem(s)" in message
    assert "visual/: no clips of this word" in message


def test_lists_that_contradict_or_say_nothing_are_refused(corpus):
    change(corpus / "testing_list.txt", "go/9a7c1f83", "go/1b4c9b89")
    message = failure(corpus)
    assert "go/1b4c9b89_nohash_0.wav: in both lists" in message
    write_lines(corpus / "testing_list.txt")
    assert "testing_list.txt: empty. Copy from http" in failure(corpus)


def test_half_a_list_is_warned_of_by_its_speakers(corpus, caplog):
    change(corpus / "testing_list.txt", "go/9a7c1f83_nohash_0.wav\n", "")
    with caplog.at_level(logging.WARNING):
        load(corpus)
    assert "1 speaker(s) in more than one part, such as 9a7c1f83" in caplog.text


def test_unreadable_clips_are_all_named(corpus):
    for word in ("go", "wow"):
        (corpus / word / "0a7c2a8d_nohash_0.wav").write_bytes(b"text")
    message = failure(corpus)
    assert "2 problem(s)" in message
    assert "Copy the file again." in message


def test_corpus_is_never_written_to(corpus):
    with pytest.raises(ManifestError, match="Choose another output_folder"):
        prepare_speech_commands(corpus, corpus)


def test_real_clips_agree_with_their_own_manifest(shared_data, tmp_path):
    folder = shared_data("speech_commands_mini30")
    known = load_manifest(folder / "manifest.json")
    # That copy has no lists; its manifest holds what they say.
    copy = tmp_path / "commands"
    copy.mkdir()
    for word in WORDS_V1:
        (copy / word).symlink_to(folder / word)
    for name, part in [("validation", "valid"), ("testing", "test")]:
        write_lines(
            copy / f"{name}_list.txt",
            *(
                key.replace("_", "/", 1) + ".wav"
                for key in subset(known, partition=part)
            ),
        )
    manifest = load(copy)
    assert set(manifest) == set(known)
    for key, entry in known.items():
        ours = manifest[key]
        assert ours["duration"] == pytest.approx(entry["duration"], abs=1e-4)
        assert ours["word"] == entry["word"]
        assert ours["speaker"] == entry["speaker"]
        assert ours["split"] == entry["partition"]


UNKNOWN_CLIP = "_unknown_/bed_9a7c1f83_nohash_0.wav"


@pytest.fixture
def archive(tmp_path):
    """The archive of the test set, outside the corpus."""
    folder = tmp_path / "speech_commands_test_set_v0.01"
    for word in KEYWORDS:
        write_tone(folder / word / "9a7c1f83_nohash_0.wav")
    write_tone(folder / UNKNOWN_CLIP)
    write_tone(folder / "_silence_" / "3.wav", 1.0)
    write_lines(folder / "LICENSE", "CC BY 4.0")
    return folder


def test_the_authors_test_set_takes_the_place_of_their_list(corpus, archive):
    manifest = load(corpus, twelve=True, test_folder=archive)
    tests = subset(manifest, split="test")
    assert len(tests) == 12
    assert tests["test__unknown__bed_9a7c1f83_nohash_0"] == {
        "wav": str(archive / UNKNOWN_CLIP),
        "duration": 0.1,
        "sample_rate": 16000,
        "word": "bed",
        "speaker": "9a7c1f83",
        "split": "test",
        "keyword": "_unknown_",
        "start": 0.0,
        "stop": 0.1,
    }
    assert tests["test__silence__3"]["keyword"] == "_silence_"
    # What trains and validates is as without it.
    for part in ("train", "valid"):
        own = subset(load(corpus, twelve=True), split=part)
        assert subset(manifest, split=part) == own
    assert len({tuple(sorted(entry)) for entry in manifest.values()}) == 1
    assert check_manifest(manifest, {"keyword": None}) == []


def test_a_test_set_in_the_corpus_s_parent_is_found_by_its_name(
    corpus, archive
):
    corpus.rename(corpus.parent / "speech_commands_v0.01")
    path = prepare_speech_commands(
        corpus.parent, corpus.parent / "out", True, archive.name
    )
    wavs = [entry["wav"] for entry in load_manifest(path, "/moved").values()]
    assert all(wav.startswith("/moved/speech_commands_") for wav in wavs)


def test_a_small_test_set_is_counted_against_the_whole(corpus, archive, caplog):
    with caplog.at_level(logging.WARNING):
        load(corpus, twelve=True, test_folder=archive)
    assert "12 recordings of twelve classes, the whole corpus" in caplog.text
    assert "has 3081" in caplog.text


def test_what_is_wrong_with_the_test_set_is_all_named(corpus, archive):
    (archive / "_silence_" / "3.wav").unlink()
    write_tone(archive / "go" / "take_one.wav")
    write_tone(archive / "bed" / "9a7c1f83_nohash_0.wav")
    message = failure(corpus, twelve=True, test_folder=archive)
    assert "3 problem(s)" in message
    assert "_silence_/: no clips. Extract http://download" in message
    assert "bed/: none of yes, no, up" in message
    assert "go/take_one.wav: not named [<word>_]<speaker>_nohash" in message


def test_a_test_set_that_is_not_there_says_where_to_get_it(corpus):
    message = failure(corpus, twelve=True, test_folder="gone")
    assert "no folder gone. Get the test set of Speech Commands" in message
    assert "(CC BY 4.0)" in message


def test_unreadable_clips_of_the_test_set_are_named(corpus, archive):
    (archive / UNKNOWN_CLIP).write_bytes(b"not audio at all")
    message = failure(corpus, twelve=True, test_folder=archive)
    assert "bed_9a7c1f83_nohash_0.wav" in message


def test_a_test_set_of_twelve_classes_asks_for_them(corpus, archive):
    message = failure(corpus, test_folder=archive)
    assert "Ask for twelve, or leave test_folder out" in message
