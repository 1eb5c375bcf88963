"""Which segments are compared: some of every class of the downstream task."""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from speechbrain_mtl.data.audio import TOLERANCE

# Labels that aligners give to pauses, noise and words they do not know.
PAUSES = ("", "sil", "SIL", "sp", "spn", "<unk>", "[SIL]", "<eps>")

FRAME = 0.01  # seconds between frames


@dataclass(frozen=True)
class Segments:
    """Labelled stretches of recordings, sorted by class.

    Arguments
    ---------
    ids : tuple of str
        Entry of the manifest each segment belongs to, N of them.
    starts, ends : np.ndarray
        Seconds, float64 [N]; NaN where the segment is the whole recording.
    classes : np.ndarray
        Class of each segment, ascending indices into `names`, [N].
    names : tuple of str
        The classes, sorted.
    clusters : np.ndarray
        Speaker of each segment, or its recording where that is unknown or the
        only one: what a bootstrap draws, indices [N].
    speakers : int
        How many known speakers.
    dropped : dict
        Segments of each class left out for being too few, by class.
    """

    ids: tuple[str, ...]
    starts: np.ndarray
    ends: np.ndarray
    classes: np.ndarray
    names: tuple[str, ...]
    clusters: np.ndarray
    speakers: int
    dropped: dict[str, int]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def samples(self) -> dict[str, int]:
        """Segments of each class."""
        counts = np.bincount(self.classes, minlength=len(self.names))
        return dict(zip(self.names, counts.tolist()))

    @property
    def effective_strata(self) -> float:
        """Inverse Simpson index of the classes' shares of the segments.

        The number of equal classes that would be as diverse: that of the
        classes when they are equal, near 1 when one has nearly all segments.
        """
        shares = np.bincount(self.classes) / len(self)
        return float(1 / np.square(shares).sum())

    @property
    def short(self) -> int:
        """Segments so short that a single frame stands for them."""
        return int((self.ends - self.starts < FRAME - 1e-6).sum())

    @property
    def whole(self) -> bool:
        """Whether the segments are whole recordings."""
        return bool(np.isnan(self.starts).all())


def stratify(
    manifest: Mapping[str, Mapping[str, Any]],
    label_field: str,
    max_per_class: int = 300,
    min_per_class: int = 10,
    seed: int = 0,
    ignore: Sequence[str] = PAUSES,
) -> Segments:
    """Draw segments of every class of a downstream task.

    Where a class has more segments than wanted, as many speakers as possible
    are drawn, evenly, and their segments at random. The draw depends on the
    seed and the class, not on the order of the manifest nor on other classes.

    Arguments
    ---------
    manifest : dict
        ``{id: entry}``; entries without the field, or with null in it, are
        passed over.
    label_field : str
        A value a recording ("speaker": one segment is one recording), or a
        list of ``[start, end, label]`` ("words", "phones").
    max_per_class, min_per_class : int
        Most and fewest segments of a class; classes with fewer are dropped
        and listed.
    seed : int
        Of the draw.
    ignore : sequence of str
        Labels that are no class: pauses and unknown words.

    Returns
    -------
    segments : Segments

    Raises
    ------
    ValueError
        When no entry has the field, a segment ends before it starts or after
        its recording, or fewer than two classes are left.

    Example
    -------
    >>> manifest = {
    ...     f"u{i}": {"duration": 1.0, "digit": i % 2, "speaker": i % 3}
    ...     for i in range(30)
    ... }
    >>> segments = stratify(manifest, "digit", max_per_class=12)
    >>> segments.names, len(segments), segments.speakers
    (('0', '1'), 24, 3)
    """
    if min_per_class < 4 or max_per_class < min_per_class:
        raise ValueError(
            f"min_per_class is {min_per_class} and max_per_class "
            f"{max_per_class}; give at least 4 and no less than the former."
        )
    found = _find(manifest, label_field, set(ignore))
    counts = Counter(row[0] for row in found)
    kept = sorted(name for name, n in counts.items() if n >= min_per_class)
    dropped = {n: c for n, c in sorted(counts.items()) if c < min_per_class}
    if len(counts) == 1:
        raise ValueError(
            f"label field {label_field!r}: all {len(found)} segments are of "
            f"one class, {next(iter(counts))!r}; two are needed to tell what "
            "depends on the class. Give more data, or another field."
        )
    if len(kept) < 2:
        common = ", ".join(f"{n!r}: {c}" for n, c in counts.most_common(5))
        raise ValueError(
            f"label field {label_field!r}: {len(kept)} class(es) with at least "
            f"{min_per_class} segments; two are needed to tell what depends on "
            f"the class. Most frequent: {common}. Give more data, or lower "
            "min_per_class."
        )
    by_class: dict[str, list[tuple]] = {name: [] for name in kept}
    for row in sorted(found, key=lambda row: row[:4]):
        if row[0] in by_class:
            by_class[row[0]].append(row)
    rows = [
        row
        for name in kept
        for row in _draw(by_class[name], max_per_class, seed)
    ]
    speakers = {row[4] for row in rows if row[4] is not None}
    owners = [
        f"speaker {row[4]}"
        if row[4] is not None and len(speakers) > 1
        else f"recording {row[1]}"
        for row in rows
    ]
    _, clusters = np.unique(owners, return_inverse=True)
    return Segments(
        ids=tuple(row[1] for row in rows),
        starts=np.array([row[2] for row in rows]),
        ends=np.array([row[3] for row in rows]),
        classes=np.searchsorted(kept, [row[0] for row in rows]),
        names=tuple(kept),
        clusters=clusters,
        speakers=len(speakers),
        dropped=dropped,
    )


def _find(
    manifest: Mapping[str, Mapping[str, Any]],
    label_field: str,
    ignore: set[str],
) -> list[tuple[str, str, float, float, str | None]]:
    """List (class, id, start, end, speaker) of all labelled segments."""
    found = []
    fields: Counter[str] = Counter()
    for key, entry in manifest.items():
        fields.update(f for f, value in entry.items() if value is not None)
        value = entry.get(label_field)
        if value is None:
            continue
        speaker = entry.get("speaker")
        speaker = None if speaker is None else str(speaker)
        if not isinstance(value, list | tuple):
            value = [[np.nan, np.nan, value]]
        for segment in value:
            if not isinstance(segment, list | tuple) or len(segment) != 3:
                raise ValueError(
                    f"{key}: {label_field} holds {segment!r:.60}. Write one "
                    "value, or a list of [start, end, label]."
                )
            start, end, label = segment
            if end <= start or start < 0:
                raise ValueError(
                    f"{key}: segment [{start}, {end}, {label!r}] of "
                    f"{label_field} does not end after it starts. Correct the "
                    "times."
                )
            if end > entry.get("duration", np.inf) + TOLERANCE:
                raise ValueError(
                    f"{key}: segment [{start}, {end}, {label!r}] of "
                    f"{label_field} ends after the recording, which is "
                    f"{entry['duration']} s long. Correct the times, or the "
                    "duration."
                )
            if str(label) not in ignore:
                found.append((str(label), key, start, end, speaker))
    if not found:
        raise ValueError(
            f"no entry of the manifest has a label in {label_field!r}. Fields "
            f"there: {', '.join(sorted(fields))}."
        )
    return found


def _draw(rows: list[tuple], count: int, seed: int) -> list[tuple]:
    """Draw some rows of one class, evenly over speakers, and keep the order."""
    if len(rows) <= count:
        return rows
    # Python's own hash of text differs from run to run.
    random = np.random.default_rng([seed, zlib.crc32(rows[0][0].encode())])
    order = random.permutation(len(rows))
    turns: Counter[str] = Counter()
    turn = np.empty(len(rows), dtype=int)
    for index in order:
        speaker = rows[index][4] or rows[index][1]
        turn[index] = turns[speaker]
        turns[speaker] += 1
    # First everyone's first segment, then everyone's second, ...
    chosen = order[np.argsort(turn[order], kind="stable")][:count]
    return [rows[index] for index in sorted(chosen)]
