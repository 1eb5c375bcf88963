"""Who trains, who validates, who tests."""

import logging
import zlib
from collections.abc import Mapping
from pathlib import Path

logger = logging.getLogger(__name__)

VALID_SHARE = 20  # one recording in twenty watches pretraining


def leave_one_speaker_out(entries: dict[str, dict]) -> list[str]:
    """Give entries one split field a speaker, and name the fields.

    In field ``digit_<speaker>`` that speaker's official test clips are the
    test, the next speaker validates, the others train; test clips of any
    speaker never train or validate.
    """
    speakers = sorted({entry["speaker"] for entry in entries.values()})
    fields = []
    for turn, held_out in enumerate(speakers):
        follower = speakers[(turn + 1) % len(speakers)]
        fields.append(f"digit_{held_out}")
        for entry in entries.values():
            test_clip = entry["official_split"] == "test"
            if entry["speaker"] == held_out:
                part = "test" if test_clip else "unused"
            elif test_clip:
                part = "unused"
            else:
                part = "valid" if entry["speaker"] == follower else "train"
            entry[fields[-1]] = part
    return fields


def pretraining_parts(
    speech: dict[str, dict], tested: dict[str, dict], shortest: float
) -> tuple[dict, dict]:
    """Part speech: by a hash of the id, one recording in twenty watches.

    Test clips are never pretrained on, wherever in the folder they lie.
    Recordings shorter than `shortest` seconds hold no crop; they are named.
    """
    tests = {Path(entry["wav"]).resolve() for entry in tested.values()}
    speech = {
        name: entry
        for name, entry in speech.items()
        if Path(entry["wav"]).resolve() not in tests
    }
    short = [n for n, e in speech.items() if e["duration"] < shortest]
    if short:
        logger.warning(
            f"{len(short)} recording(s) shorter than {shortest} s are not "
            f"pretrained on: {', '.join(short)}"
        )
    kept = [name for name in speech if name not in short]
    if len(kept) < 2:
        raise ValueError(
            f"{len(kept)} recording(s) of {shortest} s or more to pretrain "
            "on, test clips aside: give two or more, one is to watch"
        )
    watch = {
        name for name in kept if zlib.crc32(name.encode()) % VALID_SHARE == 0
    } or {min(kept)}
    return (
        {name: speech[name] for name in kept if name not in watch},
        {name: speech[name] for name in kept if name in watch},
    )


def joint_pretraining_parts(
    parts: Mapping[str, Mapping[str, Mapping[str, dict]]], shortest: float
) -> tuple[dict, dict]:
    """Part what tasks train on, of which none validates or tests on any.

    Arguments
    ---------
    parts : dict
        Entries by task and part. Those that are a part of a file are left
        out.
    shortest : float
        See `pretraining_parts`.

    Returns
    -------
    train, valid : dict
        By file.

    Example
    -------
    >>> heard = {n: {"wav": n, "duration": 2.0} for n in "abc"}
    >>> one = {"train": heard, "valid": {}, "test": {}}
    >>> two = {"train": {}, "valid": {}, "test": {"a": heard["a"]}}
    >>> train, valid = joint_pretraining_parts({"1": one, "2": two}, 1.0)
    >>> sorted([*train, *valid])
    ['b', 'c']
    """
    speech = {
        entry["wav"]: entry
        for by_part in parts.values()
        for entry in by_part["train"].values()
        if entry.get("start") is None
    }
    tested = {
        f"{task}/{part}/{name}": entry
        for task, by_part in parts.items()
        for part in ("valid", "test")
        for name, entry in by_part[part].items()
    }
    return pretraining_parts(speech, tested, shortest)


def both_ways(
    entries: dict[str, dict], name: str, field: str = "split"
) -> list[str]:
    """Give entries two split fields: valid and test, and the two exchanged.

    For sets too small to spare a validation part from testing: each part is
    tested once, while the other chooses.

    Arguments
    ---------
    entries : dict
        Manifest entries with train, valid and test in `field`; changed.
    name : str
        Of the new fields, ``<name>_1`` and ``<name>_2``.
    field : str
        The split.

    Returns
    -------
    fields : list of str
        The new fields.

    Example
    -------
    >>> entries = {"a": {"split": "valid"}, "b": {"split": "test"}}
    >>> both_ways(entries, "word")
    ['word_1', 'word_2']
    >>> entries["a"]
    {'split': 'valid', 'word_1': 'valid', 'word_2': 'test'}
    """
    swapped = {"train": "train", "valid": "test", "test": "valid"}
    for entry in entries.values():
        entry[f"{name}_1"] = entry[field]
        entry[f"{name}_2"] = swapped[entry[field]]
    return [f"{name}_1", f"{name}_2"]


def numbered_folds(
    entries: dict[str, dict], field: str = "fold"
) -> dict[str, str]:
    """Give entries one split field a fold, where folds have numbers.

    In field ``fold_<k>`` fold k tests, the next validates (after the last
    comes the first), and the others train.

    Arguments
    ---------
    entries : dict
        Manifest entries; changed.
    field : str
        Field with the number.

    Returns
    -------
    fields : dict
        The new field by fold.

    Raises
    ------
    ValueError
        When an entry has no number, or there are fewer than 3 folds.

    Example
    -------
    >>> entries = {f"u{k}": {"fold": k} for k in (1, 2, 3)}
    >>> numbered_folds(entries)
    {'1': 'fold_1', '2': 'fold_2', '3': 'fold_3'}
    >>> [entries["u2"][f"fold_{k}"] for k in (1, 2, 3)]
    ['valid', 'test', 'train']
    """
    bad = [n for n, e in entries.items() if not isinstance(e.get(field), int)]
    if bad:
        raise ValueError(
            f"{bad[0]} and {len(bad) - 1} other(s): {field} is "
            f"{entries[bad[0]].get(field)!r}. Give a number."
        )
    folds = sorted({entry[field] for entry in entries.values()})
    if len(folds) < 3:
        raise ValueError(
            f"{field}s {folds}: one tests, one validates, so 3 least"
        )
    for place, fold in enumerate(folds):
        parts = {fold: "test", folds[(place + 1) % len(folds)]: "valid"}
        for entry in entries.values():
            entry[f"fold_{fold}"] = parts.get(entry[field], "train")
    return {str(fold): f"fold_{fold}" for fold in folds}


def grouped_folds(
    entries: dict[str, dict], name: str, label: str, group: str, folds: int
) -> list[str]:
    """Give entries one split field a fold, for cross-validation.

    Every class is dealt out over the folds, and recordings of one group, a
    speaker or a source, stay together. In field ``<name>_<k>`` fold k tests,
    the next validates and the others train.

    Arguments
    ---------
    entries : dict
        Manifest entries; changed.
    name : str
        Of the new fields.
    label, group : str
        Fields with the class, and with what must not be parted.
    folds : int
        3 or more.

    Returns
    -------
    fields : list of str
        The new fields.

    Raises
    ------
    ValueError
        When there are fewer than 3 folds, or a class has fewer groups than
        there are folds.

    Example
    -------
    >>> entries = {i: {"label": "rain", "source": i} for i in "abc"}
    >>> grouped_folds(entries, "sound", "label", "source", 3)
    ['sound_1', 'sound_2', 'sound_3']
    >>> [entries["b"][f"sound_{k}"] for k in (1, 2, 3)]
    ['valid', 'test', 'train']
    """
    if folds < 3:
        raise ValueError(f"{folds} folds: one tests, one validates, so 3 least")
    groups: dict[str, set] = {}
    for entry in entries.values():
        groups.setdefault(entry[label], set()).add(entry[group])
    for value, members in sorted(groups.items()):
        if len(members) < folds:
            raise ValueError(
                f"{label} '{value}' comes from {len(members)} {group}(s), too "
                f"few for {folds} folds: ask for fewer, or leave it out"
            )
    dealt = {
        (value, member): place % folds
        for value, members in groups.items()
        for place, member in enumerate(sorted(members))
    }
    fields = [f"{name}_{fold + 1}" for fold in range(folds)]
    parts = {0: "test", 1: "valid"}
    for entry in entries.values():
        own = dealt[entry[label], entry[group]]
        for fold, field in enumerate(fields):
            entry[field] = parts.get((own - fold) % folds, "train")
    return fields
