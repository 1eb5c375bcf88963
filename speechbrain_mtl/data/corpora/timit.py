"""TIMIT: 630 speakers of American English read ten sentences each, 16 kHz.

J. Garofolo and others, LDC93S1; to be bought under the licence of the
Linguistic Data Consortium, https://catalog.ldc.upenn.edu/LDC93S1
"""

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.corpora.timit_phones import FOLDINGS
from speechbrain_mtl.data.manifest import (
    LISTED,
    ManifestError,
    raise_problems,
    save_manifest,
)

CORPUS = Corpus(
    "TIMIT",
    "https://catalog.ldc.upenn.edu/LDC93S1",
    "to be bought from the LDC, under its licence",
    "TRAIN/ and TEST/, at once or in TIMIT/, in large or small letters",
)
# The core test set: two men and a woman of each dialect region.
CORE_TEST = frozenset(
    "mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 "
    "mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0"
    "".split()
)
# The usual fifty others of the test folder that validate.
DEVELOPMENT = frozenset(
    "faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 "
    "mcsh0 fadg0 fdms0 fedw0 mgjf0 mglb0 mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 "
    "frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4 "
    "fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 "
    "fmml0 mrws1".split()
)
SIZES = {"train": 3696, "valid": 400, "test": 192}  # recordings of each
PLACE = re.compile(
    r"(?P<half>train|test)/dr(?P<dialect>[1-8])/(?P<speaker>[fm][a-z]{3}\d)/"
    r"(?P<sentence>s[aix]\d+)"
)
LINE = re.compile(r"(\d+)\s+(\d+)\s+(\S+)")
SENTENCES = {"si": 3, "sx": 5}  # of each speaker
ROUNDING = 0.1  # s; how far the last label may reach beyond the end


def prepare_timit(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    phones: int = 39,
) -> Path:
    """Write the manifest of TIMIT with its words and phones.

    Sentences SA are left out: every speaker says the same two. The training
    folder trains, the core test set tests, the usual fifty speakers of the
    test folder validate, its others are unused.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``TRAIN/DR<1-8>/<speaker>/<sentence>.WAV`` with ``.PHN`` and
        ``.WRD``, and ``TEST/`` alike, in large or small letters, at once or
        in ``TIMIT/`` or ``data/``. Recordings may be SPHERE or WAV.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    phones : int
        How many labels of phones: the 61 transcribed, or the 48 or 39 they
        are usually folded into.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, text, words, phones, speaker,
        sex, dialect, sentence, split}}`` in small letters; an id is
        ``mdab0_sx49``, ``split`` train, valid, test or unused. Load it with
        ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus; when speakers, sentences or labels
        are missing, misnamed, unknown or unreadable (all are named).

    Example
    -------
    >>> prepare_timit("/gone", "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: /gone: no such folder. ...
    """
    data_folder, path = CORPUS.open(data_folder, output_folder)
    if phones not in FOLDINGS:
        raise ManifestError(
            f"{data_folder}: phones is {phones!r}. Give one of "
            f"{', '.join(map(str, FOLDINGS))}."
        )
    root = _root(data_folder)
    files, problems = _files(root)
    entries = {
        key: {
            "speaker": match["speaker"],
            "sex": match["speaker"][0].upper(),
            "dialect": int(match["dialect"]),
            "sentence": match["sentence"],
            "split": _split(match),
        }
        for key, (match, _) in files.items()
    }
    problems += _gaps(entries)
    raise_problems(root, problems)
    sizes = Counter(entry["split"] for entry in entries.values())
    for split, size in SIZES.items():
        CORPUS.compare_size(split, sizes[split], size)

    recordings = {parts["wav"]: key for key, (_, parts) in files.items()}
    manifest: dict[str, dict[str, Any]] = {}
    for file, header in read_headers(data_folder, recordings).items():
        key = recordings[file]
        parts = files[key][1]
        words = _segments(parts["wrd"], header, problems)
        sounds = _segments(parts["phn"], header, problems)
        manifest[key] = header | {
            "text": " ".join(word for _, _, word in words),
            "words": words,
            "phones": _fold(parts["phn"], sounds, phones, problems),
            **entries[key],
        }
    raise_problems(root, problems)
    return save_manifest(path, manifest)


def _root(data_folder: Path) -> Path:
    """Find the folder of both halves, whatever its letters."""
    below = [d for d in sorted(data_folder.iterdir()) if d.is_dir()]
    inner = [data_folder, *below]
    for folder in inner:
        if folder != data_folder and folder.name.lower() not in (
            "timit",
            "data",
        ):
            continue
        names = {d.name.lower() for d in folder.iterdir() if d.is_dir()}
        if {"train", "test"} <= names:
            return folder
    raise ManifestError(
        f"{data_folder}: no folders TRAIN and TEST, in large or small letters, "
        f"both in one place; folders there: "
        f"{', '.join(d.name for d in below[:LISTED]) or 'none'}. {CORPUS}"
    )


def _files(
    root: Path,
) -> tuple[dict[str, tuple[re.Match, dict[str, Path]]], list[str]]:
    """Recording, words and phones of each sentence but SA."""
    found: dict[str, tuple[re.Match, dict[str, Path]]] = {}
    problems = []
    halves = [d for d in root.iterdir() if d.name.lower() in ("train", "test")]
    for file in sorted(f for half in halves for f in half.rglob("[!.]*")):
        kind = file.suffix.lower().removeprefix(".")
        # Some copies have WAV.wav beside WAV.
        if kind not in ("wav", "phn", "wrd") or "." in file.stem:
            continue
        place = file.relative_to(root)
        match = PLACE.fullmatch(place.with_suffix("").as_posix().lower())
        if match is None:
            problems.append(
                f"{place}: not TRAIN or TEST/DR<1-8>/<speaker>/<sentence>. "
                "Move it away."
            )
            continue
        if match["sentence"].startswith("sa"):
            continue
        key = f"{match['speaker']}_{match['sentence']}"
        parts = found.setdefault(key, (match, {}))[1]
        if kind in parts:
            problems.append(f"{place}: lies in two places. Move one away.")
        parts[kind] = file
    problems += [
        f"{match[0]}.{kind}: missing. Copy the corpus again."
        for match, parts in found.values()
        for kind in ("wav", "phn", "wrd")
        if kind not in parts
    ]
    return found, problems


def _split(match: re.Match) -> str:
    """Part of a speaker."""
    if match["half"] == "train":
        return "train"
    if match["speaker"] in CORE_TEST:
        return "test"
    return "valid" if match["speaker"] in DEVELOPMENT else "unused"


def _gaps(entries: dict[str, dict[str, Any]]) -> list[str]:
    """Speakers and sentences that are missing."""
    splits: dict[str, set[str]] = {}
    counts: dict[str, Counter] = {}
    for entry in entries.values():
        splits.setdefault(entry["split"], set()).add(entry["speaker"])
        kinds = counts.setdefault(entry["speaker"], Counter())
        kinds[entry["sentence"][:2]] += 1
    problems = []
    for split, wanted in [("test", CORE_TEST), ("valid", DEVELOPMENT)]:
        missing = sorted(wanted - splits.get(split, set()))
        if missing:
            problems.append(
                f"TEST: no speakers {', '.join(missing)}. Copy the corpus "
                f"again. {CORPUS}"
            )
    if not splits.get("train"):
        problems.append(f"TRAIN: no recordings. {CORPUS}")
    return problems + [
        f"{speaker}: {kinds[kind]} sentences {kind.upper()}, not {number}. "
        "Copy the corpus again."
        for speaker, kinds in counts.items()
        for kind, number in SENTENCES.items()
        if kinds[kind] != number
    ]


def _segments(
    path: Path, header: dict[str, Any], problems: list[str]
) -> list[list]:
    """Labels with times in seconds; their file has samples."""
    segments = []
    rate, duration = header["sample_rate"], header["duration"]
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        match = LINE.fullmatch(line.strip())
        start = int(match[1]) / rate if match else 0.0
        end = int(match[2]) / rate if match else 0.0
        if start >= end or end > duration + ROUNDING:
            problems.append(
                f"{path.name} of {path.parent.name}, line {number}: "
                f"{line!r:.40} is not <start> <end> <label> in "
                f"{round(duration * rate)} samples. Copy the file again."
            )
        elif start < duration:
            # The last label of some sentences ends a little too late.
            segments.append([start, min(end, duration), match[3].lower()])
    if not segments:
        problems.append(f"{path.name} of {path.parent.name}: no labels.")
    return segments


def _fold(
    path: Path, segments: list[list], phones: int, problems: list[str]
) -> list[list]:
    """Phones under their labels among so many; those without one left out."""
    folding = FOLDINGS[phones]
    if unknown := sorted({s[2] for s in segments} - set(folding)):
        problems.append(
            f"{path.name} of {path.parent.name}: {', '.join(unknown)} is no "
            "phone of TIMIT. Copy the file again."
        )
        return []
    return [
        [start, end, folding[phone]]
        for start, end, phone in segments
        if folding[phone] is not None
    ]
