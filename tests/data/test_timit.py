from collections import Counter

import pytest

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_timit
from speechbrain_mtl.data.corpora.timit import CORE_TEST, DEVELOPMENT
from speechbrain_mtl.data.corpora.timit_phones import (
    FOLDINGS,
    PHONES_61,
    fold_phone,
)
from speechbrain_mtl.data.manifest import subset
from tests.helpers.recordings import CORRUPT, audio, complaint, fill, loaders

SENTENCES = ("SA1", "SA2", "SI649", "SI1027", "SI1657") + tuple(
    f"SX{number}" for number in (37, 127, 217, 307, 397)
)
PHN = "0 800 h#\n800 1600 sh\n1600 2400 ix\n2400 3200 q\n3200 4000 h#\n"
WRD = "800 2400 she\n2400 3200 had\n"
TRAIN = ("FCJF0", "MDAC0")
OTHER = "MGMM0"  # of the test folder, in neither list


def speaker(half, dialect, name, letters):
    files = {}
    for sentence in SENTENCES:
        place = f"{half}/DR{dialect}/{name}/{sentence}"
        files |= {
            f"{place}.WAV": audio(0.25, kind="NIST", subtype="PCM_16"),
            f"{place}.PHN": PHN,
            f"{place}.WRD": WRD,
            f"{place}.TXT": "0 4000 She had.\n",
        }
    return {letters(path): content for path, content in files.items()}


def release(folder, letters=str.upper):
    files = {letters("README.DOC"): "about"}
    for dialect, name in enumerate(TRAIN, start=1):
        files |= speaker("TRAIN", dialect, name, letters)
    for number, name in enumerate(sorted(CORE_TEST | DEVELOPMENT)):
        files |= speaker("TEST", number % 8 + 1, name, letters)
    files |= speaker("TEST", 8, OTHER, letters)
    return fill(folder, files)


@pytest.fixture
def corpus(tmp_path):
    return release(tmp_path / "TIMIT")


load, refuse = loaders(prepare_timit)


def test_every_sentence_has_its_words_phones_and_speaker(corpus):
    manifest = load(corpus)
    assert manifest["mdac0_si1027"] == {
        "wav": f"{corpus}/TRAIN/DR2/MDAC0/SI1027.WAV",
        "duration": 0.25,
        "sample_rate": 16000,
        "text": "she had",
        "words": [[0.05, 0.15, "she"], [0.15, 0.2, "had"]],
        "phones": [
            [0.0, 0.05, "sil"],
            [0.05, 0.1, "sh"],
            [0.1, 0.15, "ih"],
            [0.2, 0.25, "sil"],
        ],
        "speaker": "mdac0",
        "sex": "M",
        "dialect": 2,
        "sentence": "si1027",
        "split": "train",
    }
    require_clean(
        manifest, labels={"phones": set(FOLDINGS[39].values()), "words": None}
    )


def test_parts_are_the_usual_ones_without_sentences_sa(corpus):
    manifest = load(corpus)
    sizes = Counter(entry["split"] for entry in manifest.values())
    assert sizes == {"train": 16, "valid": 400, "test": 192, "unused": 8}
    for split, speakers in [("test", CORE_TEST), ("valid", DEVELOPMENT)]:
        part = subset(manifest, split=split).values()
        assert {entry["speaker"] for entry in part} == speakers
    assert not any("_sa" in key for key in manifest)


def test_official_lists_are_whole_and_disjoint():
    assert len(CORE_TEST) == 24
    assert sum(name.startswith("f") for name in CORE_TEST) == 8
    assert len(DEVELOPMENT) == 50
    assert not CORE_TEST & DEVELOPMENT


@pytest.mark.parametrize("place", ["timit", "data"])
def test_small_letters_and_parents_are_understood(tmp_path, place):
    release(tmp_path / "corpus" / place, str.lower)
    manifest = load(tmp_path / "corpus")
    wav = f"{tmp_path}/corpus/{place}/train/dr1/fcjf0/sx37.wav"
    assert manifest["fcjf0_sx37"]["wav"] == wav
    assert len(manifest) == 616


def test_doubles_in_another_form_are_not_looked_at(corpus):
    fill(corpus, {"TRAIN/DR1/FCJF0/SX37.WAV.wav": audio(0.25)})
    assert len(load(corpus)) == 616


def test_the_glottal_stop_stays_among_61_phones(corpus):
    labels = [
        label for *_, label in load(corpus, phones=61)["fcjf0_sx37"]["phones"]
    ]
    assert labels == ["h#", "sh", "ix", "q", "h#"]


@pytest.mark.parametrize("phones", [61, 48, 39])
def test_folding_leaves_as_many_phones_as_it_says(phones):
    assert len(set(PHONES_61)) == 61
    left = {fold_phone(phone, phones) for phone in PHONES_61} - {None}
    assert len(left) == phones
    assert fold_phone("q", phones) == ("q" if phones == 61 else None)


def test_folding_into_39_goes_through_48():
    """Lee and Hon's groups, and the phones that are their own."""
    groups = {}
    for phone in PHONES_61:
        groups.setdefault(fold_phone(phone), set()).add(phone)
    several = {k: v for k, v in groups.items() if k and v != {k}}
    assert several == {
        "aa": {"aa", "ao"},
        "ah": {"ah", "ax", "ax-h"},
        "er": {"er", "axr"},
        "hh": {"hh", "hv"},
        "ih": {"ih", "ix"},
        "l": {"l", "el"},
        "m": {"m", "em"},
        "n": {"n", "en", "nx"},
        "ng": {"ng", "eng"},
        "sh": {"sh", "zh"},
        "sil": set("h# pau epi bcl dcl gcl pcl tcl kcl".split()),
        "uw": {"uw", "ux"},
    }
    for phone in PHONES_61:
        twice = FOLDINGS[48][phone]
        if twice in FOLDINGS[39]:
            assert FOLDINGS[39][twice] == FOLDINGS[39][phone]


def test_the_last_label_may_end_a_little_late(corpus):
    fill(corpus, {"TRAIN/DR1/FCJF0/SX37.PHN": PHN.replace("4000", "4100")})
    assert load(corpus)["fcjf0_sx37"]["phones"][-1] == [0.2, 0.25, "sil"]


def test_other_numbers_of_phones_are_refused(corpus):
    assert "phones is 40. Give one of 61, 48, 39." in refuse(corpus, phones=40)


def test_missing_folder_says_where_to_get_the_corpus(tmp_path):
    message = refuse(tmp_path / "gone")
    assert "gone: no such folder. Get TIMIT from https://catalog" in message
    assert "LDC93S1 (to be bought from the LDC, under its licence)" in message


def test_another_folder_says_what_is_missing(tmp_path):
    (tmp_path / "TRAIN").mkdir()
    other = tmp_path / "other"
    other.mkdir()
    message = refuse(other)
    assert "no folders TRAIN and TEST, in large or small letters" in message
    assert "folders there: none. Get TIMIT from https" in message
    assert "folders there: TRAIN, other. Get" in refuse(tmp_path)


def test_missing_speakers_sentences_and_labels_are_all_named(corpus):
    for name in ("SX37.WAV", "SX127.PHN", "SI649.WRD"):
        (corpus / "TRAIN/DR1/FCJF0" / name).unlink()
    for kind in ("WAV", "PHN", "WRD"):
        (corpus / f"TRAIN/DR2/MDAC0/SI649.{kind}").unlink()
    for name in ("MDAB0", "FAKS0"):
        [folder] = (corpus / "TEST").glob(f"*/{name}")
        folder.rename(corpus / name)
    for folder in (corpus / "MDAB0", corpus / "FAKS0"):
        for file in folder.iterdir():
            file.unlink()
    message = refuse(corpus)
    assert "6 problem(s)" in message
    for part in (
        "train/dr1/fcjf0/sx37.wav: missing. Copy the corpus again",
        "train/dr1/fcjf0/sx127.phn: missing",
        "train/dr1/fcjf0/si649.wrd: missing",
        "TEST: no speakers mdab0. Copy",
        "TEST: no speakers faks0. Copy",
        "mdac0: 2 sentences SI, not 3",
    ):
        assert part in message


def test_a_folder_without_training_is_refused(corpus):
    for name in TRAIN:
        [folder] = (corpus / "TRAIN").glob(f"*/{name}")
        for file in folder.iterdir():
            file.unlink()
    assert "TRAIN: no recordings. Get TIMIT" in refuse(corpus)


def test_misnamed_and_doubled_files_are_all_named(corpus):
    fill(
        corpus,
        {
            "TRAIN/DR9/FCJF0/SX1.WAV": audio(0.25),
            "TRAIN/DR1/FCJF0/TAKE2.WAV": audio(0.25),
            "TRAIN/DR2/FCJF0/SX37.WAV": audio(0.25),
        },
    )
    message = refuse(corpus)
    assert "3 problem(s)" in message
    assert "TRAIN/DR9/FCJF0/SX1.WAV: not TRAIN or TEST/DR<1-8>/" in message
    assert "TRAIN/DR1/FCJF0/TAKE2.WAV: not TRAIN or TEST" in message
    assert "TRAIN/DR2/FCJF0/SX37.WAV: lies in two places" in message


def test_labels_that_are_unknown_or_out_of_place_are_all_named(corpus):
    place = "TRAIN/DR1/FCJF0"
    fill(
        corpus,
        {
            f"{place}/SX37.PHN": PHN.replace("sh", "shh"),
            f"{place}/SX127.PHN": PHN.replace("3200 4000", "3200 9000"),
            f"{place}/SX217.WRD": "2400 2400 she\nhad\n",
            f"{place}/SX307.WRD": "",
        },
    )
    message = refuse(corpus)
    assert "6 problem(s)" in message
    for part in (
        "SX37.PHN of FCJF0: shh is no phone of TIMIT",
        "SX127.PHN of FCJF0, line 5: '3200 9000 h#' is not <start>",
        "in 4000 samples",
        "SX217.WRD of FCJF0, line 1: '2400 2400 she'",
        "SX217.WRD of FCJF0, line 2: 'had'",
        "SX217.WRD of FCJF0: no labels",
        "SX307.WRD of FCJF0: no labels",
    ):
        assert part in message


def test_unreadable_recordings_are_all_named(corpus):
    place = "TRAIN/DR1/FCJF0"
    fill(corpus, {f"{place}/SX37.WAV": CORRUPT, f"{place}/SX127.WAV": b""})
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert "SX37.WAV" in message
    assert "SX127.WAV" in message


def test_corpus_is_never_written_to(corpus):
    message = complaint(prepare_timit, corpus, corpus)
    assert "Choose another output_folder" in message
