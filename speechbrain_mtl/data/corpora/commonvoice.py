"""Common Voice: sentences read by volunteers, mostly 48 kHz MP3.

R. Ardila and others, Mozilla, CC0 1.0, https://commonvoice.mozilla.org/datasets
"""

import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import soundfile

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

CORPUS = Corpus(
    "Common Voice",
    "https://commonvoice.mozilla.org/datasets",
    "CC0 1.0",
    "<lang>/clips/*.mp3 and <lang>/train.tsv, dev.tsv, test.tsv",
)
COLUMNS = ("client_id", "path", "sentence")  # the others differ by release
SPLITS = {"dev": "valid"}  # other parts keep their names
logger = logging.getLogger(__name__)


def prepare_commonvoice(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    lang: str = "en",
    parts: Collection[str] = ("train", "dev", "test"),
    min_seconds: float = 0.0,
    max_seconds: float = float("inf"),
) -> Path:
    """Write the manifest of a release of Common Voice in one language.

    Arguments
    ---------
    data_folder : str or path-like
        An extracted release, such as ``cv-corpus-17.0-2024-03-15``: holds
        ``<lang>/clips/*.mp3`` and ``<lang>/<part>.tsv``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    lang : str
        Code of the language, the name of its folder.
    parts : collection of str
        Tables to take: ``train``, ``dev``, ``test``, or ``validated``, which
        holds these three and more.
    min_seconds, max_seconds : float
        Clips shorter or longer are left out and counted in the log. Where
        the release has ``clip_durations.tsv``, they are not even opened.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, text, speaker, split}}``; speaker
        is the ``client_id``, ``split`` the part, with ``dev`` as valid. Load
        it with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not a release, tables are broken, clips are
        missing, listed twice or unreadable (all are named), or none is left.

    Example
    -------
    >>> prepare_commonvoice("/gone", "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: /gone: no such folder. ...
    """
    data_folder, path = CORPUS.open(data_folder, output_folder)
    root = data_folder / lang
    _check_layout(root, parts)
    entries: dict[Path, dict[str, Any]] = {}
    problems: list[str] = []
    there = {entry.name for entry in os.scandir(root / "clips")}
    for part in parts:
        for place, row in _rows(root / f"{part}.tsv", COLUMNS, problems):
            name = row["path"]
            name = name if Path(name).suffix else f"{name}.mp3"
            file = root / "clips" / name
            if file in entries:
                problems.append(
                    f"{place}: {name} is listed before. Take 'validated' or "
                    "the parts it holds, not both."
                )
            elif name not in there:
                problems.append(
                    f"{place}: {name} is not in clips. Extract the release "
                    "again."
                )
            else:
                entries[file] = {
                    "text": row["sentence"],
                    "speaker": row["client_id"],
                    "split": SPLITS.get(part, part),
                }
    raise_problems(root, problems)
    _warn_of_shared_speakers(entries.values())
    return save_manifest(
        path,
        _of_length(data_folder, root, entries, min_seconds, max_seconds),
    )


def _check_layout(root: Path, parts: Collection[str]) -> None:
    """Refuse what is no release, and MP3 where it cannot be read."""
    wanted = ["clips", *(f"{part}.tsv" for part in parts)]
    missing = [name for name in wanted if not (root / name).exists()]
    if missing or not parts:
        raise ManifestError(
            f"{root}: no {', '.join(missing) or 'parts are wanted'}. Check "
            f"lang and parts. {CORPUS}"
        )
    if "MP3" not in soundfile.available_formats():
        raise ManifestError(
            f"{root}: libsndfile {soundfile.__libsndfile_version__} reads no "
            "MP3. Get libsndfile 1.1 or newer (`pip install -U soundfile`)."
        )


def _rows(
    path: Path, columns: Collection[str], problems: list[str]
) -> list[tuple[str, dict[str, str]]]:
    """Rows of a table, each with its place; broken ones become problems."""
    # Quotes in these tables are letters, so no reader of CSV will do.
    header, *lines = path.read_text(encoding="utf-8").split("\n")
    names = header.rstrip("\r").split("\t")
    absent = [column for column in columns if column not in names]
    if absent:
        raise ManifestError(
            f"{path}: no column {', '.join(absent)}, only {', '.join(names)}. "
            "Extract the release again."
        )
    rows = []
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        place = f"{path.name}, line {number}"
        row = dict(zip(names, line.rstrip("\r").split("\t")))
        empty = [column for column in columns if not row.get(column)]
        if empty:
            problems.append(
                f"{place}: no {', '.join(empty)} in {line!r:.60}. Remove the "
                "line, or extract the release again."
            )
        else:
            rows.append((place, row))
    return rows


def _warn_of_shared_speakers(entries: Collection[dict[str, Any]]) -> None:
    """Say so when the parts are not disjoint in speakers."""
    voices: dict[str, set[str]] = {}
    for entry in entries:
        voices.setdefault(entry["speaker"], set()).add(entry["split"])
    shared = sum(len(splits) > 1 for splits in voices.values())
    if shared:
        logger.warning(
            f"Common Voice: {shared} of {len(voices)} speakers are in more "
            "than one part. Scores are of voices known from training."
        )


def _of_length(
    data_folder: Path,
    root: Path,
    entries: dict[Path, dict[str, Any]],
    shortest: float,
    longest: float,
) -> dict[str, dict[str, Any]]:
    """The manifest: headers are read of clips of a wanted length only."""
    listed, problems = {}, []
    if (root / "clip_durations.tsv").is_file():
        table = root / "clip_durations.tsv"
        for place, row in _rows(table, ("clip", "duration[ms]"), problems):
            try:
                listed[row["clip"]] = float(row["duration[ms]"]) / 1000
            except ValueError:
                problems.append(f"{place}: {row['duration[ms]']!r} is no time.")
        raise_problems(root, problems)

    def wanted(seconds: float) -> bool:
        return shortest <= seconds <= longest

    files = [f for f in entries if wanted(listed.get(f.name, shortest))]
    manifest = {
        file.stem: header | entries[file]
        for file, header in read_headers(data_folder, files).items()
        if wanted(float(header["duration"]))
    }
    if not manifest:
        raise ManifestError(
            f"{root}: none of {len(entries)} clips lasts {shortest:g} to "
            f"{longest:g} s. Change min_seconds or max_seconds."
        )
    logger.info(
        f"Common Voice: {len(entries) - len(manifest)} of {len(entries)} clips "
        f"last less than {shortest:g} s or more than {longest:g} s."
    )
    return manifest
