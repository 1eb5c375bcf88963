"""Phones of transcripts, from lists of how words are pronounced."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.manifest import raise_problems

URL = "https://www.openslr.org/11"


def read_lexica(paths: Iterable[str | os.PathLike]) -> dict[str, list[str]]:
    r"""Read how words are pronounced; of several ways the first one counts.

    Arguments
    ---------
    paths : iterable of str or path-like
        Text files; a line is a word and its phones, between blanks or
        tabulators. What stands in an earlier file, or line, comes first.

    Returns
    -------
    phones : dict
        By word.

    Raises
    ------
    ManifestError
        When files are missing or empty, or words have no phones (all are
        named).

    Example
    -------
    >>> path = getfixture("tmp_path") / "lexicon.txt"
    >>> _ = path.write_text("THE\tDH AH0\nTHE\tDH IY0\nTO\tT UW1\n")
    >>> read_lexica([path])
    {'THE': ['DH', 'AH0'], 'TO': ['T', 'UW1']}
    """
    phones: dict[str, list[str]] = {}
    problems = []
    for path in map(Path, paths):
        if not path.is_file():
            problems.append(
                f"{path}: no such lexicon. LibriSpeech's is at {URL}."
            )
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            word, *spoken = line.split() or [""]
            if word and not spoken:
                problems.append(
                    f"{path.name}, line {number}: {word} has no phones. "
                    "Correct it, or get the file again."
                )
            elif word:
                phones.setdefault(word, spoken)
        if not any(lines):
            problems.append(f"{path.name}: empty. Get it from {URL}.")
    if not phones and not problems:
        problems.append("no file is named. Name one, or leave lexica out.")
    raise_problems("lexica", problems)
    return phones


def pronounce(
    manifest: Mapping[str, dict[str, Any]],
    paths: str | os.PathLike | Iterable[str | os.PathLike],
) -> None:
    """Give entries the field ``pronunciation``, the phones of their words.

    Nothing stands for silence or between words.

    Arguments
    ---------
    manifest : dict
        Entries with ``text``; changed.
    paths : str, path-like or iterable of them
        Of the lexica: see `read_lexica`.

    Raises
    ------
    ManifestError
        When lexica cannot be used, or words are in none (all are named).

    Example
    -------
    >>> path = getfixture("tmp_path") / "lexicon.txt"
    >>> _ = path.write_text("GO G OW1")
    >>> manifest = {"a": {"text": "GO GO"}}
    >>> pronounce(manifest, path)
    >>> manifest["a"]["pronunciation"]
    ['G', 'OW1', 'G', 'OW1']
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    phones = read_lexica(paths)
    unknown: dict[str, str] = {}
    for name, entry in manifest.items():
        words = entry["text"].split()
        for word in words:
            if word not in phones:
                unknown.setdefault(word, name)
        entry["pronunciation"] = [p for w in words for p in phones.get(w, [])]
    raise_problems(
        "lexica",
        [
            f"{word}: in no lexicon, but in {name}. Add it, or another lexicon."
            for word, name in sorted(unknown.items())
        ],
    )
