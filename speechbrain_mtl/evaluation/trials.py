"""Trials of verification: two recordings, of one speaker or not."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from speechbrain_mtl.data.manifest import ManifestError, raise_problems

Trial = tuple[int, str, str]


def read_trials(path: str | os.PathLike) -> list[Trial]:
    """Read a list of trials: as published, or as `prepare_voxceleb1` writes it.

    Arguments
    ---------
    path : str or path-like
        A file ``*.json``: a list of ``[1 or 0, id, id]``, 1 for one speaker.
        Any other, such as ``veri_test.txt``: lines of ``1 or 0``, file and
        file; a file's id is its path without ``.wav``.

    Returns
    -------
    trials : list of tuple
        As they stand there.

    Raises
    ------
    ManifestError
        When there is no such file, or trials are none; all are named.

    Example
    -------
    >>> path = getfixture("tmp_path") / "veri_test.txt"
    >>> _ = path.write_text("1 a/1.wav a/2.wav\\n0 a/1.wav b/1.wav")
    >>> read_trials(path)
    [(1, 'a/1', 'a/2'), (0, 'a/1', 'b/1')]
    """
    path = Path(path)
    if not path.is_file():
        raise ManifestError(
            f"{path}: no such file. Give the trials' path, or null to draw "
            "pairs."
        )
    try:
        text = path.read_text(encoding="utf-8")
        rows = _lines(text) if path.suffix != ".json" else json.loads(text)
    except ValueError as error:
        kind = "JSON" if path.suffix == ".json" else "a text in UTF-8"
        raise ManifestError(
            f"{path}: not {kind} ({error}). Write it again."
        ) from error
    if not isinstance(rows, list) or not rows:
        raise ManifestError(
            f"{path}: not a list with trials. Give a list of [1 or 0, id, id]."
        )
    problems = [
        f"trial {number}: {str(row):.80} is not [1 or 0, id, id]. Correct it."
        for number, row in enumerate(rows, start=1)
        if not (
            isinstance(row, list)
            and len(row) == 3
            and row[0] in (0, 1)
            and all(isinstance(name, str) for name in row[1:])
        )
    ]
    raise_problems(path, problems)
    return [(int(same), first, second) for same, first, second in rows]


def _lines(text: str) -> list[list]:
    """Rows of a published list: number, then files without their ending."""
    rows = []
    for line in text.splitlines():
        same, *files = line.split() or [""]
        if same:
            names = [file.removesuffix(".wav") for file in files]
            rows.append([{"1": 1, "0": 0}.get(same, same), *names])
    return rows


def draw_trials(
    speakers: Mapping[str, str], pairs: int, seed: int = 0
) -> list[Trial]:
    """Draw as many pairs of one speaker as of two.

    The draw depends on ids, speakers and seed, not on their order.

    Arguments
    ---------
    speakers : dict
        Speaker of each recording, by id.
    pairs : int
        Pairs of each kind, at most; where there are fewer, fewer.
    seed : int
        Equal seeds draw equal pairs.

    Returns
    -------
    trials : list of tuple
        ``(1 or 0, id, id)``, none twice.

    Raises
    ------
    ValueError
        When there is but one speaker, or none has two recordings.

    Example
    -------
    >>> draw_trials({"a1": "ann", "a2": "ann", "b1": "bob"}, pairs=1)
    [(1, 'a1', 'a2'), (0, 'a2', 'b1')]
    """
    names = sorted(speakers, key=lambda name: (str(speakers[name]), name))
    _, begins, counts = np.unique(
        [str(speakers[name]) for name in names],
        return_index=True,
        return_counts=True,
    )
    if len(counts) < 2 or counts.max() < 2 or pairs < 1:
        raise ValueError(
            f"{pairs} pairs of {len(names)} recordings by {len(counts)} "
            "speaker(s) cannot be drawn. Give two speakers or more, one of "
            "them with two recordings, and ask for a pair."
        )
    random = np.random.default_rng(seed)
    begin, count = np.repeat(begins, counts), np.repeat(counts, counts)
    place = np.arange(len(names))
    kinds = []
    for same in (1, 0):
        can = place[count > 1] if same else place
        # Some are drawn twice; twice as many make up for most of them.
        first = random.choice(can, 2 * pairs)
        others = count[first] - 1 if same else len(names) - count[first]
        second = random.integers(others)
        if same:
            second = second + begin[first]
            second += second >= first
        else:
            second += np.where(second >= begin[first], count[first], 0)
        drawn = np.sort(np.stack([first, second], axis=1), axis=1)
        kinds.append(random.permutation(np.unique(drawn, axis=0)))
    most = min(pairs, *map(len, kinds))
    return [
        (same, names[a], names[b])
        for same, drawn in zip((1, 0), kinds)
        for a, b in sorted(drawn[:most].tolist())
    ]


def trial_problems(
    trials: Sequence[Trial], speakers: Mapping[str, str]
) -> list[str]:
    """Say which trials these recordings cannot answer.

    Arguments
    ---------
    trials : sequence of tuple
        ``(1 or 0, id, id)``.
    speakers : dict
        Speaker of each recording, by id.

    Returns
    -------
    problems : list of str
        One a missing recording, and one a trial that contradicts the
        speakers.

    Example
    -------
    >>> trial_problems([(1, "a", "b")], {"a": "ann"})
    ['b: named by the trials, but not among these recordings. Add it, or \
give trials without it.']
    """
    named = {name for _, *names in trials for name in names}
    problems = [
        f"{name}: named by the trials, but not among these recordings. Add "
        "it, or give trials without it."
        for name in sorted(named - set(speakers))
    ]
    return problems + [
        f"{first} and {second}: the trials say {same}, their speakers are "
        f"{speakers[first]} and {speakers[second]}. Correct one of both."
        for same, first, second in trials
        if first in speakers
        and second in speakers
        and (speakers[first] == speakers[second]) != bool(same)
    ]
