import logging

import pytest

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_libri2mix
from speechbrain_mtl.data.superb import chunk_mixtures
from speechbrain_mtl.data.turns import turns_of
from tests.helpers.recordings import CORRUPT, audio, complaint, fill, loaders

# Readers of each part, and the folders of the mixtures.
READERS = {"train": (19, 60), "dev": (84, 174), "test": (61, 121)}
FOLDERS = {"train": "train-100", "dev": "dev", "test": "test"}
TIMES = {0: [(0.0, 0.4), (0.5, 1.04)], 1: [(0.25, 0.75)]}
FILES = ("wav.scp", "utt2spk", "segments")


def mixture(part, number=0):
    first, second = READERS[part]
    return f"{first}-198-000{number}_{second}-227-0000"


def place(part, number=0):
    return f"wav16k/max/{FOLDERS[part]}/mix_both/{mixture(part, number)}.wav"


def named(name, times):
    """A segment's name, as the script makes it: nobody's name is in it."""
    return name + "".join(f"_{int(1000 * t):06d}" for t in times)


def kaldi(part, times=TIMES, root="/elsewhere/corpora/Libri2Mix"):
    """What prepare_diarization.py writes of one mixture, times in seconds."""
    name = mixture(part)
    rows = [
        (named(name, both), READERS[part][turn], both)
        for turn, own in times.items()
        for both in own
    ]
    return {
        "wav.scp": f"{name} {root}/{place(part)}\n",
        "utt2spk": "".join(f"{key} {who}\n" for key, who, _ in rows),
        "segments": "".join(
            f"{key} {name} {start} {end}\n" for key, _, (start, end) in rows
        ),
    }


def labels(folder, part, **options):
    files = kaldi(part, **options)
    fill(folder, {f"{part}/{name}": text for name, text in files.items()})


@pytest.fixture
def corpus(tmp_path):
    root = tmp_path / "data"
    for part in READERS:
        labels(root / "diarization", part)
        fill(root / "Libri2Mix", {place(part): audio(1.0)})
    return root


load, refuse = loaders(prepare_libri2mix)


def test_every_mixture_has_its_readers_and_turns(corpus):
    manifest = load(corpus)
    assert len(manifest) == 3
    assert manifest[mixture("dev")] == {
        "wav": f"{corpus}/Libri2Mix/{place('dev')}",
        "duration": 1.0,
        "sample_rate": 16000,
        "speakers": ["174", "84"],
        "turns": [
            {"speaker": "84", "start": 0.0, "end": 0.4},
            {"speaker": "174", "start": 0.25, "end": 0.75},
            {"speaker": "84", "start": 0.5, "end": 1.0},
        ],
        "split": "valid",
    }
    require_clean(manifest)
    assert [e["split"] for e in manifest.values()] == ["train", "valid", "test"]


def test_turns_are_read_and_cut_by_the_diarization_task(corpus):
    """The aligner's end is 40 ms late: cut off, or chunks would lie outside."""
    manifest = load(corpus)
    for entry in manifest.values():
        assert len(turns_of(entry)) == 3
    for chunk in chunk_mixtures(manifest, 0.5).values():
        assert len(turns_of(chunk)) == 2


def test_a_name_that_stands_twice_is_of_both_readers(corpus):
    both = {0: [(0.0, 0.5)], 1: [(0.0, 0.5)]}
    labels(corpus / "diarization", "train", times=both)
    turns = load(corpus)[mixture("train")]["turns"]
    assert [turn["speaker"] for turn in turns] == ["19", "60"]


def test_labels_may_lie_elsewhere_and_data_folder_be_the_corpus(
    corpus, tmp_path
):
    elsewhere = (corpus / "diarization").rename(tmp_path / "labels")
    manifest = load(corpus / "Libri2Mix", diarization_folder=elsewhere)
    assert manifest[mixture("dev")]["wav"].startswith(f"{corpus}/Libri2Mix/wav")


def test_a_small_copy_is_counted_against_the_whole(corpus, caplog):
    with caplog.at_level(logging.WARNING):
        load(corpus)
    assert "1 recordings of train, the whole corpus has 13901" in caplog.text


def test_missing_folder_says_where_to_get_the_corpus(tmp_path):
    message = refuse(tmp_path / "gone")
    assert "gone: no such folder. Get Libri2Mix from https://github" in message
    assert "(LibriSpeech CC BY 4.0, WHAM! noise CC BY-NC 4.0)" in message


def test_half_the_labels_are_refused(corpus):
    (corpus / "diarization/dev").rename(corpus / "diarization/valid")
    (corpus / "diarization/test/segments").unlink()
    message = refuse(corpus)
    assert "4 problem(s)" in message
    for name in [*(f"dev/{file}" for file in FILES), "test/segments"]:
        assert f"{name}: missing in {corpus}/diarization. Get Lib" in message


def test_mixtures_that_are_not_there_are_named(corpus):
    (corpus / "Libri2Mix" / place("test")).unlink()
    message = refuse(corpus)
    assert "test/wav.scp, line 1: no file /elsewhere/corpora/Lib" in message
    assert f"{mixture('test')}.wav in {corpus}. Get Libri2Mix" in message


def test_wrong_lines_are_all_named(corpus):
    folder = corpus / "diarization"
    name = mixture("train")
    texts = kaldi("train")
    segments = texts["segments"] + (
        f"a {name} 0.5 0.1\n"  # backwards
        f"b {name} 0.1 nan\n"
        "c other 0.1 0.2\n"  # of no mixture
        f"d {name} 0.1 0.2\n"  # of nobody
        f"e {name} 0.1\n"
    )
    fill(folder, {"train/segments": segments, "test/utt2spk": ""})
    fill(folder, {"dev/wav.scp": "x sox a.wav |\n"})
    message = refuse(corpus)
    for part in (
        f"train/segments, line 4: a of {name} from 0.5 to 0.1 is no segment",
        f"train/segments, line 5: b of {name} from 0.1 to nan is no seg",
        "train/segments, line 6: c of other from 0.1 to 0.2 is no segment",
        "train/segments, line 7: d not in utt2spk. Run prepare_diar",
        f"train/segments, line 8: 'e {name} 0.1' has not 4 columns",
        "test/utt2spk: empty",
        "dev/wav.scp, line 1: 'x sox a.wav |' has not 2 columns, the last no",
    ):
        assert part in message


def test_mixtures_of_one_or_none_are_refused(corpus):
    folder = corpus / "diarization"
    labels(folder, "dev", times={0: [(0.0, 0.4)]})
    fill(folder, {"test/segments": "x y 0.0 0.1\n"})
    message = refuse(corpus)
    assert f"dev, {mixture('dev')}: not of two" in message
    assert f"test, {mixture('test')}: nobody speaks" in message


def test_readers_in_two_parts_are_refused(corpus, monkeypatch):
    monkeypatch.setitem(READERS, "test", (61, 19))
    labels(corpus / "diarization", "test")
    fill(corpus / "Libri2Mix", {place("test"): audio(1.0)})
    message = refuse(corpus)
    assert "1 problem(s)" in message
    assert "19: speaks in test and train." in message


def test_mode_min_and_8_khz_are_refused(corpus):
    fill(
        corpus / "Libri2Mix",
        {place("train"): audio(0.9), place("dev"): audio(1.0, rate=8000)},
    )
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert f"{mixture('train')}: 1.04 s is spoken in 0.9 s. Take" in message
    assert f"{mixture('dev')}: 8000 Hz. Take wav16k, not wav8k" in message


def test_unreadable_recordings_are_all_named(corpus):
    for part in ("train", "test"):
        fill(corpus / "Libri2Mix", {place(part): CORRUPT})
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert f"{mixture('train')}.wav" in message
    assert f"{mixture('test')}.wav" in message


def test_corpus_is_never_written_to(corpus):
    message = complaint(prepare_libri2mix, corpus, corpus)
    assert "Choose another output_folder" in message
