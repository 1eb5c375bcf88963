"""LibriSpeech: 960 hours of English read aloud, 16 kHz.

V. Panayotov, G. Chen, D. Povey and S. Khudanpur, CC BY 4.0,
https://www.openslr.org/12
"""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.lexicon import pronounce
from speechbrain_mtl.data.corpora.librispeech_alignments import (
    add_alignments,
)
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

CORPUS = Corpus(
    "LibriSpeech",
    "https://www.openslr.org/12",
    "CC BY 4.0",
    "SPEAKERS.TXT and <subset>/<speaker>/<chapter>/*.flac, at once or in "
    "LibriSpeech/",
)
SUBSETS = {  # utterances of each
    "train-clean-100": 28539,
    "train-clean-360": 104014,
    "train-other-500": 148688,
    "dev-clean": 2703,
    "dev-other": 2864,
    "test-clean": 2620,
    "test-other": 2939,
}
SPLITS = {"train": "train", "dev": "valid", "test": "test"}
NAME = re.compile(r"(?P<speaker>\d+)-(?P<chapter>\d+)-(?P<index>\d{4})")


def prepare_librispeech(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    subsets: Collection[str] = ("train-clean-100", "dev-clean", "test-clean"),
    alignments: str | os.PathLike | None = None,
    lexica: str | os.PathLike | Iterable[str | os.PathLike] | None = None,
) -> Path:
    """Write the manifest of a copy of LibriSpeech, or of some subsets.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``SPEAKERS.TXT`` and, for each subset,
        ``<subset>/<speaker>/<chapter>/<utterance>.flac`` with a
        ``<speaker>-<chapter>.trans.txt``, at once or in ``LibriSpeech/``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    subsets : collection of str
        Which to take: ``train-clean-100``, ``train-clean-360``,
        ``train-other-500``, ``dev-clean``, ``dev-other``, ``test-clean``,
        ``test-other``.
    alignments : str or path-like, optional
        Folder of a TextGrid an utterance, laid out as the corpus; it may be
        the corpus. A few utterances could not be aligned by their makers:
        their ``words`` and ``phones`` are empty, and a warning counts them.
    lexica : str, path-like or iterable of them, optional
        Files with a word and its phones a line, for ``pronunciation``: the
        phones of the text, of each word the first way, without silence.
        SUPERB takes two, ``librispeech-lexicon-200k-g2p.txt`` and, for words
        not in it, ``librispeech-lexicon-allothers-g2p.txt``.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, text, speaker, sex, chapter,
        subset, split[, words, phones][, pronunciation]}}`` with ``split``
        train, valid or test. Load it with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus; when speakers, recordings or
        transcripts are missing, misnamed or unreadable, alignments do not
        belong to them, or words are in no lexicon (all are named).

    Example
    -------
    >>> prepare_librispeech("/gone", "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: /gone: no such folder. ...
    """
    data_folder, path = CORPUS.open(data_folder, output_folder)
    unknown = sorted(set(subsets) - set(SUBSETS))
    if unknown or not subsets:
        raise ManifestError(
            f"{data_folder}: subsets {unknown} are not of LibriSpeech. Choose "
            f"from {', '.join(SUBSETS)}."
        )
    root = _root(data_folder, subsets)
    speakers = _speakers(root / "SPEAKERS.TXT")

    entries: dict[Path, dict[str, Any]] = {}
    problems: list[str] = []
    for subset in sorted(set(subsets), key=list(SUBSETS).index):
        found, bad = _subset(root, subset, speakers)
        entries |= found
        problems += bad
    raise_problems(data_folder, problems)
    if lexica is not None:
        pronounce({file.stem: e for file, e in entries.items()}, lexica)
    for subset, size in Counter(e["subset"] for e in entries.values()).items():
        CORPUS.compare_size(subset, size, SUBSETS[subset])
    manifest = {
        file.stem: header | entries[file]
        for file, header in read_headers(data_folder, entries).items()
    }
    if alignments is not None:
        add_alignments(manifest, alignments)
    return save_manifest(path, manifest)


def _root(data_folder: Path, subsets: Collection[str]) -> Path:
    """Find the folder of the subsets, and complain of those not there."""
    root = data_folder / "LibriSpeech"
    root = root if root.is_dir() else data_folder
    missing = [name for name in subsets if not (root / name).is_dir()]
    if missing:
        raise ManifestError(
            f"{root}: no folder {', '.join(missing)}. Extract "
            f"{missing[0]}.tar.gz, or leave it out of subsets. {CORPUS}"
        )
    return root


def _speakers(path: Path) -> dict[str, tuple[str, str]]:
    """Sex and subset of each speaker."""
    if not path.is_file():
        raise ManifestError(
            f"{path}: no such file. Copy it from any archive of LibriSpeech. "
            f"{CORPUS}"
        )
    speakers, problems = {}, []
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith(";"):
            continue
        # Only the name, the last field, may hold bars of its own.
        fields = [field.strip() for field in line.split("|", maxsplit=4)]
        if len(fields) < 5 or fields[1] not in ("F", "M"):
            problems.append(
                f"line {number}: {line!r:.60} is not <id> | F or M | <subset> "
                "| <minutes> | <name>. Copy the file again."
            )
        else:
            speakers[fields[0]] = fields[1], fields[2]
    raise_problems(path, problems)
    return speakers


def _subset(
    root: Path, subset: str, speakers: dict[str, tuple[str, str]]
) -> tuple[dict[Path, dict[str, Any]], list[str]]:
    """Recordings of a subset with their fields, and what is wrong with it."""
    texts, problems = _transcripts(root / subset)
    there = {path.name for path in (root / subset).iterdir() if path.is_dir()}
    members = {name for name, (_, part) in speakers.items() if part == subset}
    problems += [
        f"{subset}/{name}: missing. Extract {subset}.tar.gz again."
        for name in sorted(members - there, key=int)
    ]
    problems += [
        f"{subset}/{name}: SPEAKERS.TXT has no such speaker of {subset}. Move "
        "the folder away."
        for name in sorted(there - members)
    ]
    # macOS leaves "._name.flac" beside name.flac on other file systems.
    files = sorted((root / subset).rglob("[!.]*.flac"))
    entries = {}
    for file in files:
        place = file.relative_to(root).as_posix()
        match = NAME.fullmatch(file.stem)
        if match is None or place != (
            f"{subset}/{match['speaker']}/{match['chapter']}/{file.name}"
        ):
            problems.append(
                f"{place}: not <speaker>/<chapter>/<speaker>-<chapter>-<four "
                "digits>.flac. Move it away."
            )
        elif file.stem not in texts:
            problems.append(
                f"{place}: no line in a .trans.txt. Copy the transcript again, "
                "or move the recording away."
            )
        elif match["speaker"] in members:
            entries[file] = {
                "text": texts.pop(file.stem),
                "speaker": match["speaker"],
                "sex": speakers[match["speaker"]][0],
                "chapter": match["chapter"],
                "subset": subset,
                "split": SPLITS[subset.split("-")[0]],
            }
    recorded = {file.stem for file in files}
    problems += [
        f"{name}.flac: missing from {subset}. Extract {subset}.tar.gz again."
        for name in texts
        if name not in recorded
    ]
    return entries, problems


def _transcripts(folder: Path) -> tuple[dict[str, str], list[str]]:
    """What is said in each utterance of a subset, and unusable lines."""
    lines = list(_lines(folder))
    times = Counter(name for name, _, _ in lines)
    problems = [
        f"{place}: {name!r:.40} is not an utterance of its own with words. "
        "Copy the file again."
        for name, text, place in lines
        if not text or not NAME.fullmatch(name) or times[name] > 1
    ]
    named = {name: text for name, text, _ in lines if NAME.fullmatch(name)}
    return named, problems


def _lines(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Utterance, words, and where they stand."""
    for file in sorted(folder.glob("*/*/[!.]*.trans.txt")):
        text = file.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            name, _, words = line.partition(" ")
            yield name, words.strip(), f"{file.name}, line {number}"
