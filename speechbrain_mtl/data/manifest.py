"""Manifests: JSON lists of recordings that SpeechBrain loads as they are."""

import json
import math
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.atomic import atomic_path

SEGMENT_FIELDS = ("words", "phones")
LISTED = 20  # problems an error message spells out before it only counts


class ManifestError(ValueError):
    """A manifest that cannot be used; the message names every bad entry."""


def raise_problems(path: str | os.PathLike, problems: list[str]) -> None:
    """Raise one ManifestError that lists all problems, if there are any.

    Arguments
    ---------
    path : str or path-like
        What the problems are about.
    problems : list of str
        One line each. The first twenty are spelled out, the rest counted.

    Raises
    ------
    ManifestError
        When the list is not empty.
    """
    if problems:
        lines = [f"{path}: {len(problems)} problem(s)", *problems[:LISTED]]
        if len(problems) > LISTED:
            lines.append(f"... and {len(problems) - LISTED} more")
        raise ManifestError("\n  ".join(lines))


def load_manifest(
    path: str | os.PathLike, data_root: str | os.PathLike | None = None
) -> dict[str, dict[str, Any]]:
    """Read a manifest, put the data's folder in, and check its form.

    Arguments
    ---------
    path : str or path-like
        JSON: ``{id: {"wav": "{data_root}/a.wav", "duration": s, ...}}``.
    data_root : str or path-like, optional
        Replaces every ``{data_root}``; the manifest's folder by default.

    Returns
    -------
    manifest : dict
        ``{id: entry}`` in the order of the file, ready for SpeechBrain's
        ``DynamicItemDataset(manifest)``.

    Raises
    ------
    ManifestError
        Naming all ids that stand twice and all entries of a wrong form.

    Example
    -------
    >>> path = getfixture("tmp_path") / "manifest.json"
    >>> entry = {"wav": "{data_root}/a.wav", "duration": 1.5}
    >>> load_manifest(save_manifest(path, {"a": entry}), "/data")
    {'a': {'wav': '/data/a.wav', 'duration': 1.5}}
    """
    path = Path(path)
    if not path.is_file():
        raise ManifestError(
            f"{path}: no such manifest. Make one with a prepare function of "
            "speechbrain_mtl.data.corpora, or `python -m speechbrain_mtl synth`."
        )
    root = os.fspath(path.parent if data_root is None else data_root)
    text = path.read_text(encoding="utf-8")
    # In the text, so that every field may name files, at no cost per field.
    text = text.replace("{data_root}", json.dumps(root.rstrip("/"))[1:-1])
    # The outermost object is the last one the parser closes.
    repeated: list[str] = []

    def keep_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        unique = dict(pairs)
        repeated[:] = (
            [key for key, n in Counter(k for k, _ in pairs).items() if n > 1]
            if len(unique) < len(pairs)
            else []
        )
        return unique

    try:
        manifest = json.loads(text, object_pairs_hook=keep_pairs)
    except json.JSONDecodeError as error:
        raise ManifestError(
            f"{path}: not JSON ({error}). Write it again, or restore it."
        ) from error
    if not isinstance(manifest, dict) or not manifest:
        raise ManifestError(
            f"{path}: expected a non-empty object {{id: entry}}, found "
            f"{type(manifest).__name__} of {len(str(manifest))} characters."
        )
    problems = [
        f"{key}: the id stands more than once. Give every entry its own id."
        for key in repeated
    ]
    for key, entry in manifest.items():
        problems += entry_problems(key, entry)
    raise_problems(path, problems)
    return manifest


def entry_problems(key: str, entry: Any) -> list[str]:
    """Say what is wrong with the form of one entry, a line each.

    Arguments
    ---------
    key : str
        The id.
    entry : dict
        Its fields.

    Returns
    -------
    problems : list of str
        Empty when ``wav`` is a path, ``duration`` positive, and ``words``
        and ``phones``, where given, lists of ``[start, end, label]``.

    Example
    -------
    >>> entry_problems("a", {"wav": "a.wav", "duration": -1})
    ['a: duration is -1. Give the seconds of the recording, above 0.']
    """
    if not isinstance(entry, Mapping):
        return [f"{key}: is {entry!r:.40}. Give it fields: wav, duration, ..."]
    problems = []
    if not isinstance(entry.get("wav"), str) or not entry["wav"]:
        problems.append(
            f"{key}: wav is {entry.get('wav')!r}. Give the path of a file, "
            'such as "{data_root}/a.wav".'
        )
    duration = entry.get("duration")
    if not _is_time(duration) or duration <= 0:
        problems.append(
            f"{key}: duration is {duration!r}. Give the seconds of the "
            "recording, above 0."
        )
    if "id" in entry:
        problems.append(
            f"{key}: has a field 'id', which SpeechBrain keeps for the key. "
            "Rename the field."
        )
    for field in SEGMENT_FIELDS:
        if field in entry and not _are_segments(entry[field]):
            problems.append(
                f"{key}: {field} is not a list of [start, end, label]. Write "
                "times in seconds as numbers and labels as text."
            )
    return problems


def save_manifest(
    path: str | os.PathLike,
    entries: Mapping[str, Mapping] | Iterable[tuple[str, Mapping]],
) -> Path:
    """Write a manifest atomically, one entry a line, in the order given.

    Arguments
    ---------
    path : str or path-like
        The file to write.
    entries : mapping or iterable of pairs
        ``{id: entry}``, or ``(id, entry)`` one after the other: an iterator
        is written as it comes and never held in memory.

    Returns
    -------
    path : pathlib.Path
        The file. Equal entries give equal bytes.

    Raises
    ------
    ManifestError
        When an id comes twice, an entry has a wrong form, or none comes.
        Nothing is written then.

    Example
    -------
    >>> path = getfixture("tmp_path") / "manifest.json"
    >>> pairs = (
    ...     (f"u{i}", {"wav": f"{i}.wav", "duration": 1}) for i in range(2)
    ... )
    >>> print(save_manifest(path, pairs).read_text(), end="")
    {
    "u0": {"wav": "0.wav", "duration": 1},
    "u1": {"wav": "1.wav", "duration": 1}
    }
    """
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    problems: list[str] = []
    seen: set[str] = set()
    with atomic_path(path) as temporary:
        with open(temporary, "w", encoding="utf-8") as file:
            for key, entry in pairs:
                problems += entry_problems(key, entry)
                if key in seen:
                    problems.append(
                        f"{key}: the id comes more than once. Give every "
                        "entry its own id."
                    )
                if not problems:
                    file.write(",\n" if seen else "{\n")
                    file.write(_as_line(key, entry))
                seen.add(key)
            file.write("\n}\n")
        if not seen:
            problems.append("no entries. Check the folder they come from.")
        raise_problems(path, problems)
    return Path(path)


def subset(
    manifest: Mapping[str, Mapping[str, Any]], **fields: Any
) -> dict[str, dict[str, Any]]:
    """Keep the entries whose fields have the given values.

    Arguments
    ---------
    manifest : dict
        ``{id: entry}``.
    **fields : value or collection of values
        Wanted value of each field; of a list or set, any member will do.

    Returns
    -------
    kept : dict
        In the same order.

    Raises
    ------
    ManifestError
        When nothing is left, saying which values there are.

    Example
    -------
    >>> manifest = {"a": {"split": "train"}, "b": {"split": "test"}}
    >>> list(subset(manifest, split="test"))
    ['b']
    """
    kept = dict(manifest)
    for field, wanted in fields.items():
        single = isinstance(wanted, str) or not isinstance(wanted, Collection)
        wanted = [wanted] if single else list(wanted)
        left = {k: e for k, e in kept.items() if e.get(field) in wanted}
        if not left:
            there = sorted({repr(e.get(field)) for e in kept.values()})
            raise ManifestError(
                f"no entry has {field} in {wanted}; there are "
                f"{', '.join(there[:LISTED])}. Choose one of these, or "
                f"correct {field} in the manifest."
            )
        kept = left
    return kept


def _as_line(key: str, entry: Mapping[str, Any]) -> str:
    """One entry as JSON on one line."""
    try:
        return json.dumps({key: entry}, ensure_ascii=False, allow_nan=False)[
            1:-1
        ]
    except (TypeError, ValueError) as error:
        raise ManifestError(
            f"{key}: not JSON ({error}). Use text, finite numbers, lists."
        ) from error


def _is_time(value: Any) -> bool:
    """Whether a value is a finite number (bool is not a number here)."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _are_segments(value: Any) -> bool:
    """Whether a value is a list of [start, end, label]."""
    return isinstance(value, list | tuple) and all(
        isinstance(item, list | tuple)
        and len(item) == 3
        and _is_time(item[0])
        and _is_time(item[1])
        and isinstance(item[2], str)
        for item in value
    )
