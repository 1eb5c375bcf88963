"""Published layouts: find a corpus, say what it lacks and where to get it."""

import csv
import hashlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path

from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import ManifestError, raise_problems


def open_corpus(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    corpus: Corpus,
    needed: Collection[str],
) -> tuple[Path, Path, Path]:
    """Find the root of a corpus and make sure that all it needs is there.

    Arguments
    ---------
    data_folder : str or path-like
        The corpus, or the folder its archive was unpacked in.
    output_folder : str or path-like
        Where the manifest shall be.
    corpus : Corpus
        What to look for.
    needed : collection of str
        Files and folders below the root.

    Returns
    -------
    data_folder, root, manifest : pathlib.Path
        What ``{data_root}`` stands for, where the corpus begins, and the file
        to write.

    Raises
    ------
    ManifestError
        Naming all that is missing, where to get it and its licence.
    """
    data_folder, manifest = corpus.open(data_folder, output_folder)
    roots = [
        root
        for root in (data_folder, *map(data_folder.joinpath, corpus.folders))
        if any((root / part).exists() for part in needed)
    ]
    if len(roots) > 1 and roots[0] != data_folder:
        raise ManifestError(
            f"{data_folder}: holds {' and '.join(r.name for r in roots)}. Set "
            "data_folder to one of them."
        )
    root = roots[0] if roots else data_folder
    raise_problems(
        root,
        [
            f"{part}: missing. {corpus.remedy}"
            for part in needed
            if not (root / part).exists()
        ],
    )
    return data_folder, root, manifest


def read_table(path: Path, columns: Collection[str]) -> list[dict[str, str]]:
    r"""Read a CSV file whose first line names its columns.

    Arguments
    ---------
    path : pathlib.Path
        The file.
    columns : collection of str
        Columns that must be there; others are kept too.

    Returns
    -------
    rows : list of dict
        Values as they are written, by column.

    Raises
    ------
    ManifestError
        When columns, rows or values are missing.

    Example
    -------
    >>> path = getfixture("tmp_path") / "clips.csv"
    >>> _ = path.write_text("file,fold\na.wav,1\n")
    >>> read_table(path, ["file"])
    [{'file': 'a.wav', 'fold': '1'}]
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    lacking = [c for c in columns if c not in (reader.fieldnames or ())]
    if lacking or not rows:
        raise ManifestError(
            f"{path}: no column {', '.join(lacking)}. Copy the file again."
            if lacking
            else f"{path}: no rows. Copy the file again."
        )
    raise_problems(
        path,
        [
            f"line {number}: no {column}. Copy the file again."
            for number, row in enumerate(rows, 2)
            for column in columns
            if not row[column]
        ],
    )
    return rows


def audio_below(folder: Path, extensions: Collection[str]) -> list[Path]:
    """List the recordings in a folder and below, sorted.

    Arguments
    ---------
    folder : pathlib.Path
        Where to look. Hidden files do not count: macOS leaves "._name.wav"
        beside name.wav on other file systems.
    extensions : collection of str
        Endings in small letters.

    Returns
    -------
    files : list of pathlib.Path
        All of them.
    """
    return sorted(
        Path(place) / name
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if os.path.splitext(name)[1].lower() in extensions
        and not name.startswith(".")
    )


def compare_names(
    listed: Collection[str], there: Iterable[str], table: str, corpus: Corpus
) -> list[str]:
    """Say which files a table lists are missing, and which it does not list.

    Arguments
    ---------
    listed : collection of str
        Names the table gives.
    there : iterable of str
        Names of the files found.
    table : str
        What messages call the table.
    corpus : Corpus
        Where to copy missing files from.

    Returns
    -------
    problems : list of str
        A line each.

    Example
    -------
    >>> corpus = Corpus("Tones", "https://x.org", "CC0")
    >>> for line in compare_names(["a.wav"], ["b.wav"], "clips.csv", corpus):
    ...     print(line)
    a.wav: missing, though clips.csv lists it. Copy it from https://x.org.
    b.wav: not in clips.csv. Move it away, or give it its name back.
    """
    wanted, found = set(listed), set(there)
    return [
        f"{name}: missing, though {table} lists it. Copy it from {corpus.url}."
        for name in sorted(wanted - found)
    ] + [
        f"{name}: not in {table}. Move it away, or give it its name back."
        for name in sorted(found - wanted)
    ]


def lot(name: str, seed: int) -> float:
    """Draw a number in [0, 1) that depends on a name and a seed only.

    Arguments
    ---------
    name : str
        Equal names draw equal numbers, whatever else is in the corpus.
    seed : int
        Another one draws anew.

    Returns
    -------
    number : float
        Uniform over names.

    Example
    -------
    >>> lot("000046", 0) == lot("000046", 0) != lot("000046", 1)
    True
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
