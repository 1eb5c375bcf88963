"""What ABX tests compare: phones in their contexts, and where they lie."""

import math
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from speechbrain_mtl.data.manifest import raise_problems
from speechbrain_mtl.data.textgrid import SILENCES

#: Labels of no phone, in any of the usual lists.
NO_PHONE = frozenset({*SILENCES, "spn", "SPN", "<unk>", "h#", "pau", "epi"})


class Item(NamedTuple):
    """One token, in the columns of the ZeroSpeech challenges.

    Arguments
    ---------
    file : str
        Id of its recording.
    onset, offset : float
        Where it begins and ends, in seconds.
    phone, left, right : str
        The phone and its neighbours; these two are the context.
    speaker : str
        Who says it.
    """

    file: str
    onset: float
    offset: float
    phone: str
    left: str
    right: str
    speaker: str


def read_items(path: str | os.PathLike) -> list[Item]:
    """Read an ``.item`` file of the ZeroSpeech challenges.

    Arguments
    ---------
    path : str or path-like
        One header, then ``file onset offset phone left right speaker`` a
        line, parted by blanks; times in seconds.

    Returns
    -------
    items : list of Item
        In the order of the file.

    Raises
    ------
    ManifestError
        Naming every line that is no item.

    Example
    -------
    >>> path = getfixture("tmp_path") / "triphone.item"
    >>> header = "#file onset offset #phone prev-phone next-phone speaker"
    >>> _ = path.write_text(header + "\\na 0.1 0.4 AE K T ann\\n")
    >>> read_items(path)[0].phone
    'AE'
    """
    path = Path(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].startswith("#"):
        raise_problems(
            path,
            [
                f"line 1: '{lines[0] if lines else '':.60}' is no header. "
                "Begin the file with '#file onset offset #phone prev-phone "
                "next-phone speaker'."
            ],
        )
    rows = {
        f"line {number}": line.split()
        for number, line in enumerate(lines[1:], start=2)
        if line.strip()
    }
    return _checked(path, rows)


def as_items(table: str | os.PathLike | Iterable) -> list[Item]:
    """Take items from a file or from rows of seven values.

    Arguments
    ---------
    table : path or iterable
        An ``.item`` file, or rows in the order of `Item`: tuples, `Item`, or
        ``frame.itertuples(index=False)`` of a pandas table.

    Returns
    -------
    items : list of Item
        In the same order.

    Raises
    ------
    ManifestError
        Naming every row that is no item.
    """
    if isinstance(table, str | os.PathLike):
        return read_items(table)
    rows = {f"row {n}": list(row) for n, row in enumerate(table)}
    return _checked("items", rows)


def triphone_items(
    entries: Mapping[str, Mapping[str, Any]],
    rename: Callable[[str], str] = str,
    silences: Iterable[str] = NO_PHONE,
) -> list[Item]:
    """Make an item of every phone between two others.

    As in the ZeroSpeech challenges since 2021, an item spans all three.

    Arguments
    ---------
    entries : dict
        Manifest entries with ``phones`` (``[start, end, label]``) and
        ``speaker``; those without phones are left out.
    rename : callable
        From a label to the phone it counts as, such as one without stress.
    silences : iterable of str
        Labels that end a context.

    Returns
    -------
    items : list of Item
        In the order of the entries.

    Raises
    ------
    ManifestError
        When no entry has phones, or one that has them has no speaker.

    Example
    -------
    >>> phones = [[0, 0.1, "K"], [0.1, 0.2, "AE1"], [0.2, 0.3, "T"]]
    >>> entry = {"speaker": "ann", "phones": phones}
    >>> triphone_items({"a": entry}, rename=lambda label: label.rstrip("012"))
    [Item(file='a', onset=0, offset=0.3, phone='AE', left='K', right='T', \
speaker='ann')]
    """
    silences = frozenset(silences)
    aligned = {name: e for name, e in entries.items() if e.get("phones")}
    problems = [
        f"{name}: has phones but no speaker, whom ABX tests compare within "
        "or across. Add 'speaker'."
        for name, entry in aligned.items()
        if entry.get("speaker") is None
    ]
    if not aligned:
        problems = [
            "no entry has phones. Align the recordings first (prepare_"
            "librispeech and prepare_folder read TextGrids)."
        ]
    raise_problems("triphone items", problems)
    return [
        Item(
            name,
            left[0],
            right[1],
            *(rename(segment[2]) for segment in (middle, left, right)),
            str(entry["speaker"]),
        )
        for name, entry in aligned.items()
        for left, middle, right in zip(
            entry["phones"], entry["phones"][1:], entry["phones"][2:]
        )
        if not silences & {left[2], middle[2], right[2]}
    ]


def _checked(source: object, rows: Mapping[str, list]) -> list[Item]:
    """Items of rows, or all that is wrong with them."""
    items, problems = [], []
    for place, row in rows.items():
        try:
            name, onset, offset, *labels = row
            onset, offset = float(onset), float(offset)
            item = Item(str(name), onset, offset, *map(str, labels))
        except (TypeError, ValueError):
            problems.append(
                f"{place}: {' '.join(map(str, row)):.80} is not 'file onset "
                "offset phone left right speaker'. Correct it."
            )
            continue
        if not 0 <= onset < offset < math.inf:
            problems.append(
                f"{place}: {name} from {onset} s to {offset} s is no time "
                "span. Give seconds, the onset first."
            )
        items.append(item)
    if not rows:
        problems.append("no items. Check how the list was made.")
    raise_problems(str(source), problems)
    return items
