"""Few recordings with answers, of many: what semi-supervised training has."""

import zlib
from collections.abc import Mapping
from typing import Any

from speechbrain_mtl.data.audio import entry_seconds
from speechbrain_mtl.data.superb.layout import TASKS, answers, recording


def few_labelled(
    parts: Mapping[str, Mapping[str, Mapping[str, dict[str, Any]]]],
    minutes: float,
    seed: int = 0,
) -> dict[str, dict[str, Mapping[str, dict[str, Any]]]]:
    """Keep the training answers of so many minutes of recordings.

    One set of recordings for all tasks, drawn by a hash of their ids. Those
    come first that bring a label which none before them has: every phone,
    word or class that trains with all answers trains with these.

    Arguments
    ---------
    parts : dict
        Entries by task and part.
    minutes : float
        Of recordings; drawing ends with the one that fills them.
    seed : int
        Equal seeds draw equal recordings; smaller amounts are parts of
        larger ones, but for those that bring labels.

    Returns
    -------
    parts : dict
        As given, with fewer entries to train on.

    Raises
    ------
    ValueError
        When the labels alone take more minutes, or a task gets nothing.

    Example
    -------
    >>> train = {n: {"wav": n, "duration": 6.0, "keyword": n} for n in "abc"}
    >>> train["d"] = {**train["a"], "wav": "d"}
    >>> parts = {"ks": {"train": train, "valid": {}, "test": {}}}
    >>> kept = few_labelled(parts, minutes=0.3)["ks"]["train"]
    >>> sorted(entry["keyword"] for entry in kept.values())
    ['a', 'b', 'c']
    """
    seconds: dict[tuple, float] = {}
    ids: dict[tuple, str] = {}
    labels: dict[tuple, set] = {}
    for task, by_part in parts.items():
        for name, entry in by_part["train"].items():
            heard = recording(entry)
            seconds[heard] = entry_seconds(entry)
            ids.setdefault(heard, name)
            if TASKS[task].closed:
                found = answers(task, entry[TASKS[task].fields[0]])
                labels.setdefault(heard, set()).update(
                    (task, label) for label in found
                )
    order = sorted(
        seconds, key=lambda n: zlib.crc32(f"{seed} {ids[n]}".encode())
    )
    known: set = set()
    first = []
    for heard in order:
        if not labels.get(heard, set()) <= known:
            known |= labels[heard]
            first.append(heard)
    needed = sum(seconds[heard] for heard in first)
    if needed > 60 * minutes:
        raise ValueError(
            f"{minutes} labelled minutes: recordings with every label of "
            f"{sorted(parts)} take {needed / 60:.1f}. Give as many, or fewer "
            "tasks"
        )
    kept, total = set(), 0.0
    for heard in dict.fromkeys([*first, *order]):
        if total >= 60 * minutes:
            break
        kept.add(heard)
        total += seconds[heard]
    few = {
        task: {
            **by_part,
            "train": {
                name: entry
                for name, entry in by_part["train"].items()
                if recording(entry) in kept
            },
        }
        for task, by_part in parts.items()
    }
    empty = [task for task, by_part in few.items() if not by_part["train"]]
    if empty:
        raise ValueError(
            f"{minutes} labelled minutes hold nothing for {empty}: give more"
        )
    return few
