import logging

import pytest

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_librispeech
from speechbrain_mtl.data.manifest import load_manifest, subset
from tests.helpers.recordings import CORRUPT, audio, complaint, fill

SPEAKERS = """; a remark
;ID  |SEX| SUBSET           |MINUTES| NAME
19   | F | train-clean-100  | 25.19 | Kara
60   | M | train-clean-100  | 20.18 | One | with bars
84   | F | dev-clean        | 8.02  | Christie
61   | M | test-clean       | 8.08  | Paul
14   | F | train-clean-360  | 25.03 | Not asked for
"""
CHAPTERS = [
    ("train-clean-100", 19, 198),
    ("train-clean-100", 19, 227),
    ("train-clean-100", 60, 121082),
    ("dev-clean", 84, 121123),
    ("test-clean", 61, 70968),
]
GRID = """File type = "ooTextFile"
Object class = "TextGrid"

0
{end}
<exists>
2
"IntervalTier" "words" 0 {end} 3
0 0.1 ""
0.1 0.3 "go"
0.3 {end} "do"
"IntervalTier" "phones" 0 {end} 4
0 0.1 "sil"
0.1 0.2 "G"
0.2 0.3 "OW1"
0.3 {end} "D"
"""


def chapter(part, speaker, number):
    place, name = f"{part}/{speaker}/{number}", f"{speaker}-{number}"
    return {
        f"{place}/{name}.trans.txt": f"{name}-0000 GO DO\n{name}-0001 HEAR I'M\n",
        f"{place}/{name}-0000.flac": audio(0.5, kind="FLAC"),
        f"{place}/{name}-0001.flac": audio(0.5, kind="FLAC"),
        f"{place}/._{name}-0001.flac": "a leftover of a file system",
    }


@pytest.fixture
def corpus(tmp_path):
    files = {"SPEAKERS.TXT": SPEAKERS}
    for place in CHAPTERS:
        files |= chapter(*place)
    return fill(tmp_path / "data" / "LibriSpeech", files)


@pytest.fixture
def grids(tmp_path):
    return fill(
        tmp_path / "grids",
        {
            f"{p}/{s}/{c}/{s}-{c}-000{i}.TextGrid": GRID.format(end=0.5)
            for p, s, c in CHAPTERS
            for i in range(2)
        },
    )


def load(corpus, **options):
    out = corpus.parent / "out"
    path = prepare_librispeech(corpus, out, **options)
    return load_manifest(path, data_root=corpus)


def refuse(corpus, **options):
    return complaint(prepare_librispeech, corpus, corpus / "out", **options)


def test_every_utterance_has_its_text_speaker_and_split(corpus):
    manifest = load(corpus)
    assert len(manifest) == 10
    assert manifest["60-121082-0001"] == {
        "wav": f"{corpus}/train-clean-100/60/121082/60-121082-0001.flac",
        "duration": 0.5,
        "sample_rate": 16000,
        "text": "HEAR I'M",
        "speaker": "60",
        "sex": "M",
        "chapter": "121082",
        "subset": "train-clean-100",
        "split": "train",
    }
    require_clean(manifest, labels={"text": None, "speaker": None})
    for split, speakers in [
        ("train", {"19", "60"}),
        ("valid", {"84"}),
        ("test", {"61"}),
    ]:
        part = subset(manifest, split=split).values()
        assert {entry["speaker"] for entry in part} == speakers


def test_parent_of_the_archives_is_understood(corpus):
    wav = load(corpus.parent)["61-70968-0000"]["wav"]
    assert wav == f"{corpus}/test-clean/61/70968/61-70968-0000.flac"


def test_only_wanted_subsets_are_looked_at(corpus):
    fill(corpus, {"dev-clean/84/121123/84-121123-0000.flac": CORRUPT})
    assert set(load(corpus, subsets=["test-clean"])) == {
        "61-70968-0000",
        "61-70968-0001",
    }


def test_copies_thinner_than_the_corpus_are_warned_of(corpus, caplog):
    with caplog.at_level(logging.WARNING):
        load(corpus, subsets=["dev-clean"])
    assert "2 recordings of dev-clean" in caplog.text
    assert "has 2703" in caplog.text


def test_alignments_become_words_and_phones_without_silence(corpus, grids):
    entry = load(corpus, alignments=grids)["84-121123-0000"]
    assert entry["words"] == [[0.1, 0.3, "go"], [0.3, 0.5, "do"]]
    assert entry["phones"] == [
        [0.1, 0.2, "G"],
        [0.2, 0.3, "OW1"],
        [0.3, 0.5, "D"],
    ]


def test_alignments_may_lie_in_the_corpus_and_a_few_may_miss(
    corpus, grids, caplog
):
    for file in grids.rglob("*.TextGrid"):
        target = corpus / file.relative_to(grids)
        target.write_bytes(file.read_bytes())
    (corpus / "test-clean/61/70968/61-70968-0001.TextGrid").unlink()
    manifest = load(corpus, alignments=corpus.parent)
    assert len(manifest["61-70968-0000"]["words"]) == 2
    assert manifest["61-70968-0001"]["words"] == []
    assert manifest["61-70968-0001"]["phones"] == []
    assert "1 of 10 utterances have no alignment" in caplog.text
    assert "61-70968-0001" in caplog.text


def test_aligners_may_round_the_end(corpus, grids):
    name = "dev-clean/84/121123/84-121123-0000"
    fill(grids, {f"{name}.TextGrid": GRID.format(end=0.53)})
    manifest = load(corpus, alignments=grids)
    require_clean(manifest)
    assert manifest["84-121123-0000"]["words"][-1] == [0.3, 0.5, "do"]


def test_bad_alignments_are_all_named(corpus, grids):
    place, name = "dev-clean/84/121123", "84-121123"
    fill(
        grids,
        {
            f"{place}/{name}-0000.TextGrid": GRID.format(end=0.7),
            f"{place}/{name}-0001.TextGrid": "text",
            f"{place}/{name}-0002.TextGrid": GRID.format(end=0.5),
            "test-clean/61/70968/61-70968-0000.TextGrid": GRID.format(
                end=0.5
            ).replace("phones", "phonemes"),
        },
    )
    for file in (grids / "train-clean-100").rglob("*.TextGrid"):
        file.unlink()
    message = refuse(corpus, alignments=grids)
    assert "5 problem(s)" in message
    assert "ends at 0.7 s, the recording at 0.5 s" in message
    assert "84-121123-0001.TextGrid, line 1: " in message
    assert "84-121123-0002.TextGrid belongs to no recording" in message
    assert "no tier 'phones' with intervals, only ['phonemes'" in message
    assert "train-clean-100: no TextGrids in" in message
    assert "github.com/CorentinJ/librispeech-alignments" in message


def test_alignments_that_are_not_there_are_named(corpus):
    message = refuse(corpus, alignments=corpus / "gone")
    assert "gone: no such folder of alignments. Get them from" in message


def test_missing_folder_says_where_to_get_the_corpus(tmp_path):
    message = refuse(tmp_path / "gone")
    assert "gone: no such folder. Get LibriSpeech from https" in message
    assert "openslr.org/12 (CC BY 4.0)" in message


def test_another_folder_says_what_is_missing(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    message = refuse(other)
    assert "no folder train-clean-100, dev-clean, test-clean" in message
    assert "Extract train-clean-100.tar.gz" in message
    assert "openslr.org/12 (CC BY 4.0)" in message


def test_unknown_subsets_are_refused(corpus):
    message = refuse(corpus, subsets=["dev-clean", "dev-dirty"])
    assert "subsets ['dev-dirty'] are not of LibriSpeech" in message
    assert "train-other-500" in message


def test_missing_and_broken_tables_of_speakers_are_refused(corpus):
    fill(corpus, {"SPEAKERS.TXT": "19 | F | train-clean-100 | 25 | K\n60 | M"})
    message = refuse(corpus)
    assert "line 2: '60 | M' is not <id> | F or M" in message
    (corpus / "SPEAKERS.TXT").unlink()
    assert "SPEAKERS.TXT: no such file. Copy it from" in refuse(corpus)


def test_missing_misnamed_and_misplaced_files_are_all_named(corpus):
    fill(corpus, chapter("dev-clean", 99, 7))
    fill(
        corpus,
        {
            "dev-clean/84/121123/take two.flac": audio(0.5, kind="FLAC"),
            "dev-clean/84/84-121123-0009.flac": audio(0.5, kind="FLAC"),
            "test-clean/61/70968/61-70968-0007.flac": b"",
            "train-clean-100/19/227/19-227.trans.txt": "19-227-0000 A\n19-227\n",
        },
    )
    for file in (corpus / "train-clean-100/60/121082").iterdir():
        file.unlink()
    (corpus / "train-clean-100/60/121082").rmdir()
    (corpus / "train-clean-100/60").rmdir()
    (corpus / "train-clean-100/19/198/19-198-0001.flac").unlink()
    message = refuse(corpus)
    for part in (
        "8 problem(s)",
        "train-clean-100/60: missing. Extract train-clean-100.tar.gz",
        "19-198-0001.flac: missing from train-clean-100",
        "19-227.trans.txt, line 2: '19-227' is not an utterance",
        "19-227-0001.flac: no line in a .trans.txt",
        "dev-clean/99: SPEAKERS.TXT has no such speaker of dev-clean",
        "take two.flac: not <speaker>/<chapter>/<speaker>-<chapter>",
        "84/84-121123-0009.flac: not <speaker>/<chapter>",
        "61-70968-0007.flac: no line in a .trans.txt",
    ):
        assert part in message


def test_unreadable_recordings_are_all_named(corpus):
    fill(
        corpus,
        {
            "dev-clean/84/121123/84-121123-0000.flac": CORRUPT,
            "test-clean/61/70968/61-70968-0001.flac": b"",
        },
    )
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert "84-121123-0000.flac" in message
    assert "61-70968-0001.flac" in message


def test_corpus_is_never_written_to(corpus):
    message = complaint(prepare_librispeech, corpus, corpus)
    assert "Choose another output_folder" in message


def test_phones_come_from_lexica_the_first_way_without_silence(
    corpus, tmp_path
):
    lexica = fill(
        tmp_path,
        {
            "a.txt": "GO\tG OW1\nDO  D UW1\nDO  D AH0\nHEAR HH IY1 R\n",
            "b.txt": "GO G AO1\n\nI'M\tAY1 M\n",
        },
    )
    paths = [lexica / "a.txt", str(lexica / "b.txt")]
    manifest = load(corpus, lexica=iter(paths))
    said = manifest["19-198-0000"]["pronunciation"]
    assert said == ["G", "OW1", "D", "UW1"]
    said = manifest["61-70968-0001"]["pronunciation"]
    assert said == ["HH", "IY1", "R", "AY1", "M"]
    assert "pronunciation" not in load(corpus)["19-198-0000"]
    # In the order of the files, not of the words.
    manifest = load(corpus, lexica=paths[::-1])
    assert manifest["19-198-0000"]["pronunciation"][1] == "AO1"


def test_words_in_no_lexicon_are_all_named(corpus, tmp_path):
    lexicon = fill(tmp_path, {"a.txt": "GO G OW1\nDO D UW1\n"}) / "a.txt"
    message = refuse(corpus, lexica=lexicon)
    assert "lexica: 2 problem(s)" in message
    assert "HEAR: in no lexicon, but in 19-198-0001. Add it, or" in message
    assert "I'M: in no lexicon" in message


def test_lexica_that_cannot_be_used_are_all_named(corpus, tmp_path):
    lexica = fill(tmp_path, {"a.txt": "GO\n", "b.txt": "\n"})
    paths = [lexica / name for name in ("a.txt", "b.txt", "gone.txt")]
    message = refuse(corpus, lexica=paths)
    assert "lexica: 3 problem(s)" in message
    assert "a.txt, line 1: GO has no phones" in message
    assert "b.txt: empty. Get it from https://www.openslr.org/11" in message
    assert "gone.txt: no such lexicon" in message
    assert "no file is named" in refuse(corpus, lexica=[])
