import json

import pytest

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_voxceleb1
from speechbrain_mtl.data.manifest import subset
from tests.helpers.recordings import CORRUPT, audio, complaint, fill, loaders

DEV = ("id10001", "id10002", "id11251")
TEST = ("id10270", "id10309")
VIDEOS = ("1zcIwhmdeo4", "-_xY")
TRIALS = [
    (1, "id10270/1zcIwhmdeo4/00001", "id10270/-_xY/00002"),
    (0, "id10270/1zcIwhmdeo4/00001", "id10309/-_xY/00001"),
]


def names(speakers):
    return [
        f"{speaker}/{video}/0000{number}"
        for speaker in speakers
        for video in VIDEOS
        for number in (1, 2)
    ]


def iden_split():
    """First videos train, second ones validate and test."""
    parts = {(VIDEOS[0], "1"): 1, (VIDEOS[0], "2"): 1, (VIDEOS[1], "1"): 2}
    return "".join(
        f"{parts.get((n.split('/')[1], n[-1]), 3)} {n}.wav\n"
        for n in names(DEV + TEST)
    )


def lists():
    lines = [f"{same} {a}.wav {b}.wav\n" for same, a, b in TRIALS]
    return {
        "veri_test.txt": "".join(lines),
        "veri_test2.txt": lines[0],
        "iden_split.txt": iden_split(),
    }


def release(folder, dev="dev/wav", test="test/wav"):
    files = {f"{dev}/{name}.wav": audio(0.5) for name in names(DEV)}
    files |= {f"{test}/{name}.wav": audio(0.5) for name in names(TEST)}
    return fill(folder, files | lists())


@pytest.fixture
def corpus(tmp_path):
    return release(tmp_path / "vox1")


load, refuse = loaders(prepare_voxceleb1)


def speakers(manifest, split):
    return {e["speaker"] for e in subset(manifest, split=split).values()}


def test_every_recording_has_its_speaker_video_and_splits(corpus):
    manifest = load(corpus)
    assert list(manifest) == sorted(names(DEV + TEST))
    assert manifest["id10270/-_xY/00001"] == {
        "wav": f"{corpus}/test/wav/id10270/-_xY/00001.wav",
        "duration": 0.5,
        "sample_rate": 16000,
        "speaker": "id10270",
        "video": "-_xY",
        "split": "test",
        "identification_split": "valid",
    }
    require_clean(manifest, labels={"speaker": DEV + TEST})


def test_speakers_of_the_trials_test_and_the_others_train(corpus):
    manifest = load(corpus)
    assert speakers(manifest, "test") == set(TEST)
    assert speakers(manifest, "train") == set(DEV)


def test_some_training_speakers_may_validate(corpus):
    manifest = load(corpus, valid_speakers=1)
    assert speakers(manifest, "train") == {"id10001", "id10002"}
    assert speakers(manifest, "valid") == {"id11251"}


@pytest.mark.parametrize("count", [-1, 3])
def test_as_many_validating_speakers_as_there_are_are_refused(corpus, count):
    message = refuse(corpus, valid_speakers=count)
    assert f"{count} of 3 training speakers cannot validate" in message
    assert "Give 0 to 2." in message


def test_identification_parts_videos_as_the_list_says(corpus):
    manifest = load(corpus)
    parts = [e["identification_split"] for e in manifest.values()]
    assert [parts.count(p) for p in ("train", "valid", "test")] == [10, 5, 5]


def test_trials_are_written_as_ids_of_the_manifest(corpus):
    manifest = load(corpus)
    trials = json.loads((corpus.parent / "out" / "trials.json").read_text())
    assert [tuple(trial) for trial in trials] == TRIALS
    assert all(a in manifest and b in manifest for _, a, b in trials)


def test_cleaned_trials_from_elsewhere(corpus):
    elsewhere = (corpus / "veri_test2.txt").rename(corpus.parent / "v.txt")
    load(corpus, trials=elsewhere)
    trials = json.loads((corpus.parent / "out" / "trials.json").read_text())
    assert [tuple(trial) for trial in trials] == TRIALS[:1]


def test_lists_that_are_not_wanted_need_not_be_there(corpus):
    for name in ("veri_test.txt", "iden_split.txt"):
        (corpus / name).unlink()
    manifest = load(corpus, trials=None, identification=None)
    assert "identification_split" not in manifest["id10001/-_xY/00001"]
    assert not (corpus.parent / "out" / "trials.json").exists()


@pytest.mark.parametrize(
    ("dev", "test"),
    [("wav", "wav"), ("vox1_dev_wav/wav", "vox1_test_wav/wav")],
)
def test_other_places_of_the_archives_are_understood(tmp_path, dev, test):
    corpus = release(tmp_path / "vox1", dev, test)
    assert list(load(corpus)) == sorted(names(DEV + TEST))


def test_missing_folder_says_where_to_get_the_corpus(tmp_path):
    message = refuse(tmp_path / "gone")
    assert "gone: no such folder. Get VoxCeleb1 from https" in message
    assert "(CC BY 4.0" in message


def test_another_folder_says_what_is_missing(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    message = refuse(other)
    assert "no folder wav, dev/wav, test/wav" in message
    assert "Get VoxCeleb1 from https" in message


@pytest.mark.parametrize(("half", "gone"), [("dev", DEV), ("test", TEST)])
def test_half_the_corpus_is_refused(corpus, half, gone):
    (corpus / half).rename(corpus / "elsewhere")
    message = refuse(corpus, trials=None, identification=None)
    assert f"no recordings of the {half} speakers" in message
    assert f"Extract vox1_{half}_wav.zip" in message


@pytest.mark.parametrize("name", ["veri_test.txt", "iden_split.txt"])
def test_missing_lists_are_named_with_the_remedies(corpus, name):
    (corpus / name).unlink()
    message = refuse(corpus)
    assert f"vox1: no file {name}. Get it from https" in message
    assert "or None if you can do without" in message


def test_misnamed_and_doubled_recordings_are_all_named(corpus):
    fill(
        corpus,
        {
            "dev/wav/Eartha_Kitt/x0/00001.wav": audio(0.5),
            "dev/wav/id10001/00001.wav": audio(0.5),
            f"dev/wav/{names(TEST)[0]}.wav": audio(0.5),
            "dev/wav/id10001/1zcIwhmdeo4/._00001.wav": "a leftover",
        },
    )
    message = refuse(corpus)
    assert "3 problem(s)" in message
    assert "Eartha_Kitt/x0/00001.wav: not id<5 digits>/<video>" in message
    assert "id10001/00001.wav: not id<5 digits>/<video>" in message
    assert "id10270/1zcIwhmdeo4/00001.wav: lies in two places" in message


def test_what_is_wrong_with_the_trials_is_all_named(corpus):
    known, other = "id10270/1zcIwhmdeo4/00001", "id10309/-_xY/00001"
    rows = [
        f"1 {known}.wav id10270/gone/00001.wav",
        f"0 {known}.wav id10001/-_xY/00001.wav",
        f"1 {known}.wav {other}.wav",
        f"2 {known}.wav {other}.wav",
        f"0 {known}.wav",
        f"0 {known}.wav Eartha_Kitt/x0_00001.wav",
    ]
    fill(corpus, {"veri_test.txt": "\n".join(rows)})
    message = refuse(corpus)
    assert "6 problem(s)" in message
    for part in (
        "line 1: no id10270/gone/00001.wav. Extract vox1_test_wav.zip",
        "line 2: id10001 would train. Take veri_test.txt or",
        "line 3: 1 for id10270/1zcIwhmdeo4/00001 and id10309",
        "line 4: '2 id10270/",
        "line 5: '0 id10270/",
        "line 6: '0 id10270/",
        "is not 0 or 1 and 2 file(s)",
    ):
        assert part in message


def test_empty_lists_are_refused(corpus):
    fill(corpus, {"veri_test.txt": "\n"})
    assert "veri_test.txt: no trials" in refuse(corpus)


def test_what_is_wrong_with_the_identification_split_is_all_named(corpus):
    text = iden_split().replace("1 id10002/1zcIwhmdeo4/00001.wav\n", "")
    text += "1 id10002/gone/00001.wav\n4 id10002/gone/00002.wav\n"
    fill(corpus, {"iden_split.txt": text})
    message = refuse(corpus)
    assert "3 problem(s)" in message
    assert "iden_split.txt, line 20: no id10002/gone/00001.wav" in message
    assert "line 21: '4 id10002/gone/00002.wav' is not 1 or 2" in message
    assert "id10002/1zcIwhmdeo4/00001.wav: not in iden_split.txt" in message


def test_unreadable_recordings_are_all_named(corpus):
    fill(
        corpus,
        {
            "dev/wav/id10001/-_xY/00001.wav": CORRUPT,
            "test/wav/id10309/-_xY/00002.wav": b"",
        },
    )
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert "00001.wav" in message
    assert "00002.wav" in message
    assert not (corpus.parent / "out" / "trials.json").exists()


def test_corpus_is_never_written_to(corpus):
    message = complaint(prepare_voxceleb1, corpus, corpus)
    assert "Choose another output_folder" in message
