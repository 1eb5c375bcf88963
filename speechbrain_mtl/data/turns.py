"""Who speaks when in a manifest entry, in whichever form it is told."""

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.audio import TOLERANCE, entry_seconds
from speechbrain_mtl.data.rttm import Turn, Turns, read_rttm


def turns_of(entry: Mapping[str, Any], field: str = "turns") -> list[Turn]:
    """List the turns of an entry, in seconds from where it begins.

    Arguments
    ---------
    entry : dict
        Of the manifest. Its field holds a list of ``[start, end, speaker]``
        or of ``{"start", "end", "speaker", ...}``, in seconds from the
        entry's ``start``; or the path of an RTTM file, in which times count
        from the begin of the recording, whose name is that of the entry's
        ``wav`` without folder and ending (or the only one there).
    field : str
        The field.

    Returns
    -------
    turns : list of (start, end, speaker)
        Those with any length. Of an RTTM file, as far as they lie between the
        entry's ``start`` and ``stop``.

    Raises
    ------
    ValueError
        When the field is in no such form, a turn ends before it starts or
        lies outside the entry, or the file lacks the recording.

    Example
    -------
    >>> entry = {"duration": 4.0, "turns": [[0.5, 2.0, "ann"]]}
    >>> turns_of(entry)
    [(0.5, 2.0, 'ann')]
    """
    found = entry.get(field)
    seconds = entry_seconds(entry)
    if isinstance(found, str):
        begin = entry.get("start", 0.0)
        moved = [
            (max(0.0, start - begin), min(seconds, end - begin), speaker)
            for start, end, speaker in _recording(found, entry["wav"])
        ]
        return [turn for turn in moved if turn[0] < turn[1]]
    try:
        turns = [_turn(item) for item in found]
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{found!r:.60} is neither a list of [start, end, speaker] nor "
            "the path of an RTTM file"
        ) from error
    for start, end, speaker in turns:
        if not 0 <= start <= end <= seconds + TOLERANCE:
            raise ValueError(
                f"{speaker} speaks from {start} to {end} s of {seconds} s"
            )
    return [turn for turn in turns if turn[0] < turn[1]]


def _turn(item: Any) -> Turn:
    """Read a turn of either form."""
    if isinstance(item, Mapping):
        item = item["start"], item["end"], item["speaker"]
    start, end, speaker = item
    return float(start), float(end), str(speaker)


def _recording(path: str, wav: str) -> list[Turn]:
    """Find a recording in an RTTM file."""
    if not os.path.isfile(path):
        raise ValueError(f"{path}: no such RTTM file")
    turns = _read(path, os.stat(path).st_mtime_ns)
    name = Path(wav).stem
    if name in turns:
        return turns[name]
    if len(turns) == 1:
        return next(iter(turns.values()))
    raise ValueError(f"{path} has no recording '{name}'")


# One file may tell of all entries, and each is asked for in every epoch.
@functools.lru_cache(maxsize=1024)
def _read(path: str, changed: int) -> Turns:
    """Read a file once, until it changes."""
    return read_rttm(path)
