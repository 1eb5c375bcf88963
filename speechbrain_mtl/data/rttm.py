"""RTTM: who speaks when, in the text format of the NIST evaluations."""

import math
import os
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from speechbrain_mtl.data.atomic import atomic_path

# Start and end in seconds, and who: of each recording, by its name.
Turn = tuple[float, float, str]
Turns = dict[str, list[Turn]]


def read_rttm(path: str | os.PathLike) -> Turns:
    """Read the turns of each recording.

    Lines that are not of type ``SPEAKER`` say nothing of turns and are
    skipped, as are turns without length and the channel.

    Arguments
    ---------
    path : str or path-like
        ``SPEAKER <recording> <channel> <start> <length> <NA> <NA> <speaker>
        <NA> <NA>`` a line; times in seconds.

    Returns
    -------
    turns : dict
        ``{recording: [(start, end, speaker)]}`` in the order of the file.
        Turns that touch in the file touch exactly.

    Raises
    ------
    ValueError
        When the file is missing, a line is broken, or none is of any use;
        with file, line and remedy.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.rttm"
    >>> line = "SPEAKER a 1 0.500 1.000 <NA> <NA> ann <NA> <NA>"
    >>> _ = path.write_text(line)
    >>> read_rttm(path)
    {'a': [(0.5, 1.5, 'ann')]}
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such RTTM file. Correct the path.")
    turns: Turns = {}
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split()
        if not parts or parts[0] != "SPEAKER":
            continue
        try:
            _, name, _, start, length, _, _, speaker = parts[:8]
            # In decimals: 0.1 + 0.2 is not 0.3 in binary.
            start, length = Decimal(start), Decimal(length)
            good = (start + length).is_finite() and min(start, length) >= 0
        except (ValueError, InvalidOperation):
            good = False
        if not good:
            raise ValueError(
                f"{path}, line {number}: {line!r:.80} is not 'SPEAKER "
                "recording channel start length <NA> <NA> speaker ...' with "
                "seconds of 0 or more. Correct the line."
            )
        found = turns.setdefault(name, [])
        if length:
            found.append((float(start), float(start + length), speaker))
    if text.strip() and not turns:
        raise ValueError(
            f"{path}: no line begins with SPEAKER. Give an RTTM file."
        )
    return turns


def write_rttm(
    path: str | os.PathLike,
    turns: Mapping[str, Sequence[Turn]],
    decimals: int = 3,
) -> Path:
    r"""Write turns, atomically, in order of recording and time.

    Arguments
    ---------
    path : str or path-like
        The file to write.
    turns : dict
        ``{recording: [(start, end, speaker)]}``, seconds. A recording without
        turns leaves no trace: the format has none for it.
    decimals : int
        Of the seconds. Starts and ends are rounded, so that turns that touch
        go on touching; what has no length then is left out.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    ValueError
        When a name has a space in it or is empty, or a time is negative, not
        finite or before its start.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.rttm"
    >>> write_rttm(path, {"a": [(0.5, 1.5, "ann")]}).read_text()
    'SPEAKER a 1 0.500 1.000 <NA> <NA> ann <NA> <NA>\n'
    """
    lines = []
    for name, found in sorted(turns.items()):
        for start, end, speaker in sorted(found):
            for word in (name, speaker):
                if len(word.split()) != 1:
                    raise ValueError(
                        f"{name}: {word!r} is no name for RTTM, whose words "
                        "are parted by spaces. Rename it."
                    )
            if not 0 <= start <= end < math.inf:
                raise ValueError(
                    f"{name}: a turn from {start} to {end} s. Give seconds, 0 "
                    "or more, the start first."
                )
            start, end = round(start, decimals), round(end, decimals)
            if end > start:
                lines.append(
                    f"SPEAKER {name} 1 {start:.{decimals}f} "
                    f"{end - start:.{decimals}f} <NA> <NA> {speaker} <NA> "
                    "<NA>\n"
                )
    with atomic_path(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
    return Path(path)
