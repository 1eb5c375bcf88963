"""The nine tasks on the embedded corpus: a few minutes, nothing to fetch."""

import logging
import os
from collections.abc import Collection, Mapping
from typing import Any

from speechbrain_mtl.data.corpora.embedded import open_embedded
from speechbrain_mtl.data.superb.check import check_tasks
from speechbrain_mtl.data.superb.chunks import chunk_mixtures
from speechbrain_mtl.data.superb.layout import (
    PARTS,
    TASKS,
    answers,
    recording,
)

logger = logging.getLogger(__name__)

MIXTURES = 24
CHUNK = 4.0  # s
SPOKEN = ("read", "emotion", "command", "caption", "keyword")
# Which recordings a task takes. One syllable is no voice to verify; SID has
# two kinds for its own tests, so that the other tasks lose little.
KINDS = {
    "pr": SPOKEN,
    "asr": SPOKEN,
    "sf": ("command",),
    "ks": ("keyword",),
    "ic": ("command",),
    "sid": ("read", "caption"),
    "asv": ("read", "emotion", "command", "caption"),
    "sd": ("mixture",),
    "er": ("emotion",),
}
MIN_SPEAKERS = 10  # the fewest with two to validate and two to test


def mini_superb(
    data_folder: str | os.PathLike,
    minutes: float = 32.0,
    speakers: int = 24,
    seed: int = 0,
    workers: int = 1,
    mixtures: int = MIXTURES,
    chunk_seconds: float = CHUNK,
) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Make the embedded corpus, or find it, and part it for the nine tasks.

    All tasks share the corpus's split by speaker, and test speakers say
    combinations of words that nobody else says (``held_out``). Speaker
    identification needs known voices: it is over the training speakers, by
    utterance. What it validates and tests on trains no other task, so that
    nothing tested has been heard in training, whichever tasks train together.
    In short corpora a rare sound or word may come in valid or test alone: these
    few recordings are left out, which is logged.

    Arguments
    ---------
    data_folder : str or path-like
        Where the corpus is or will be.
    minutes, speakers, seed, workers
        See `generate`. At least 10 speakers; of very short corpora parts stay
        empty, and an error names them.
    mixtures : int
        Mixtures of two speakers, of 17 s on average, for diarization; of
        eight, five train, one validates and two test. Their audio comes on
        top of `minutes`.
    chunk_seconds : float
        Mixtures are cut into chunks of this length at most.

    Returns
    -------
    parts : dict
        ``{task: {"train", "valid", "test": entries}}``, tasks by the names of
        `TASKS`.

    Raises
    ------
    ValueError
        When there are fewer than 10 speakers.
    ManifestError
        When parts are empty (all are named).
    CorpusError
        When the folder holds a corpus of other settings.

    Example
    -------
    >>> mini_superb("out", speakers=8)
    Traceback (most recent call last):
    ...
    ValueError: speakers is 8; two must validate and two test, which takes 10.
    """
    if speakers < MIN_SPEAKERS:
        raise ValueError(
            f"speakers is {speakers}; two must validate and two test, which "
            f"takes {MIN_SPEAKERS}."
        )
    entries, _ = open_embedded(
        data_folder, minutes, speakers, seed, workers, mixtures
    )
    parts = {
        task: {part: _part(entries, task, part) for part in PARTS}
        for task in KINDS
    }
    parts["sd"] = {
        part: chunk_mixtures(long, chunk_seconds)
        for part, long in parts["sd"].items()
    }
    keep_known(keep_apart(parts))
    check_tasks(parts)
    return parts


def keep_apart(
    parts: dict[str, dict[str, dict[str, dict[str, Any]]]],
) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Take out of training what any task validates or tests on.

    Arguments
    ---------
    parts : dict
        Entries by task and part; changed.

    Returns
    -------
    parts : dict
        The same.

    Example
    -------
    >>> a, b = {"wav": "a.wav"}, {"wav": "b.wav"}
    >>> asr = {"train": {"a": a, "b": b}, "valid": {}, "test": {}}
    >>> sid = {"train": {}, "valid": {}, "test": {"a": a}}
    >>> list(keep_apart({"asr": asr, "sid": sid})["asr"]["train"])
    ['b']
    """
    watched = {
        recording(entry)
        for by_part in parts.values()
        for part in ("valid", "test")
        for entry in by_part[part].values()
    }
    for by_part in parts.values():
        by_part["train"] = {
            name: entry
            for name, entry in by_part["train"].items()
            if recording(entry) not in watched
        }
    return parts


def keep_known(
    parts: dict[str, dict[str, dict[str, dict[str, Any]]]],
) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Take out of valid and test what has classes that never train.

    Arguments
    ---------
    parts : dict
        Entries by task and part; changed.

    Returns
    -------
    parts : dict
        The same.

    Example
    -------
    >>> sad, awe = {"emotion_label": "sad"}, {"emotion_label": "awe"}
    >>> er = {"train": {"a": sad}, "valid": {"b": sad, "c": awe}, "test": {}}
    >>> list(keep_known({"er": er})["er"]["valid"])
    ['b']
    """
    for task, by_part in parts.items():
        if not TASKS[task].closed:
            continue
        field = TASKS[task].fields[0]
        known = set().union(
            *(answers(task, e[field]) for e in by_part["train"].values())
        )
        for part in ("valid", "test"):
            kept = {
                name: entry
                for name, entry in by_part[part].items()
                if answers(task, entry[field]) <= known
            }
            if left := sorted(set(by_part[part]) - set(kept)):
                logger.warning(
                    f"{task}, {part}: {len(left)} recording(s) of "
                    f"{len(by_part[part])} hold a {field} that never trains "
                    f"and are left out: {', '.join(left[:5])}"
                )
            by_part[part] = kept
    return parts


def _part(
    entries: Mapping[str, Mapping[str, Any]], task: str, part: str
) -> dict[str, dict[str, Any]]:
    """Entries of a task's part; `split` says which."""
    known = task == "sid"
    field = "utterance_split" if known else "split"
    kinds: Collection[str] = KINDS[task]
    return {
        name: {**entry, "split": part}
        for name, entry in entries.items()
        if entry["kind"] in kinds
        and entry[field] == part
        and (not known or entry["split"] == "train")
    }
