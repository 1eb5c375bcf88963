"""Long mixtures in parts short enough to train on."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from speechbrain_mtl.data.audio import entry_seconds

KEPT = ("wav", "duration", "sample_rate", "split", "speakers")


def chunk_mixtures(
    entries: Mapping[str, Mapping[str, Any]], seconds: float
) -> dict[str, dict[str, Any]]:
    """Cut mixtures into chunks of equal length that together are the whole.

    Arguments
    ---------
    entries : dict
        Manifest entries with ``turns``: ``{"speaker", "start", "end"}`` in
        seconds from where the entry begins, and ``speakers``.
    seconds : float
        Length of a chunk, at most; with two or more it is above half of it.

    Returns
    -------
    chunks : dict
        ``{id_<number>: {wav, duration, sample_rate, split, speakers, start,
        stop, turns}}``: ``start`` and ``stop`` in the file, turns in the
        chunk. A turn over an edge is in both chunks, each time as far as it
        lies there; one that began before the chunk and ends after it fills
        it. ``speakers`` are those of the whole, so that one who is silent in
        a chunk still has a column of labels.

    Raises
    ------
    ValueError
        When `seconds` is not above 0.

    Example
    -------
    >>> turns = [{"speaker": "ann", "start": 1.0, "end": 7.5}]
    >>> long = {"wav": "m.wav", "duration": 8.0, "turns": turns}
    >>> for name, chunk in chunk_mixtures({"m": long}, 3.0).items():
    ...     [turn] = chunk["turns"]
    ...     print(name, round(turn["start"], 2), round(turn["end"], 2))
    m_00 1.0 2.67
    m_01 0.0 2.67
    m_02 0.0 2.17
    """
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds}; chunks need a length above 0.")
    chunks = {}
    for name, entry in entries.items():
        length, begin = entry_seconds(entry), entry.get("start") or 0.0
        # the margin: 8.0 s measured as 8.0000001 s are two chunks of 4 s
        count = max(1, math.ceil(length / seconds - 1e-6))
        for number in range(count):
            # n * length / count is exact for the last edge
            first, last = (n * length / count for n in (number, number + 1))
            chunks[f"{name}_{number:02d}"] = {
                **{field: entry[field] for field in KEPT if field in entry},
                "start": begin + first,
                "stop": begin + last,
                "turns": _within(entry["turns"], first, last),
            }
    return chunks


def _within(
    turns: Sequence[Mapping[str, Any]], first: float, last: float
) -> list[dict[str, Any]]:
    """What of the turns lies between two times, from the first of them."""
    return [
        {
            "speaker": turn["speaker"],
            "start": max(turn["start"], first) - first,
            "end": min(turn["end"], last) - first,
        }
        for turn in turns
        if turn["start"] < last and turn["end"] > first
    ]
