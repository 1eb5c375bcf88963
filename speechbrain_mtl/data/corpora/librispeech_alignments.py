"""Times of words and phones in LibriSpeech, from the Montreal Forced Aligner.

One TextGrid an utterance, laid out as the corpus itself, as distributed at
https://github.com/CorentinJ/librispeech-alignments
"""

import logging
import os
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.manifest import (
    SEGMENT_FIELDS,
    ManifestError,
    raise_problems,
)
from speechbrain_mtl.data.textgrid import (
    TextGridError,
    read_textgrid,
    without_silence,
)

URL = "https://github.com/CorentinJ/librispeech-alignments"
ROUNDING = 0.05  # s; how far the aligner's end may lie from the recording's
logger = logging.getLogger(__name__)


def add_alignments(
    manifest: dict[str, dict[str, Any]], alignments: str | os.PathLike
) -> None:
    """Give entries the fields ``words`` and ``phones``.

    Arguments
    ---------
    manifest : dict
        Entries of LibriSpeech; changed. Segments of silence are left out.
    alignments : str or path-like
        Holds ``<subset>/<speaker>/<chapter>/<utterance>.TextGrid``, at once
        or in ``LibriSpeech/``.

    Raises
    ------
    ManifestError
        When a subset has no alignments at all, or alignments belong to no
        recording, cannot be read, lack a tier or are of another length (all
        are named).

    Example
    -------
    >>> add_alignments({}, "/gone")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: /gone: no such folder...
    """
    root = Path(alignments)
    if not root.is_dir():
        raise ManifestError(
            f"{root}: no such folder of alignments. Get them from {URL}, or "
            "leave alignments out."
        )
    if (root / "LibriSpeech").is_dir():
        root = root / "LibriSpeech"
    problems, unaligned = [], set(manifest)
    for entry in manifest.values():
        # All entries have the same fields: SpeechBrain goes by the first.
        entry |= {field: [] for field in SEGMENT_FIELDS}
    for subset in sorted({entry["subset"] for entry in manifest.values()}):
        files = sorted((root / subset).glob("*/*/*.TextGrid"))
        if not files:
            problems.append(
                f"{subset}: no TextGrids in {root / subset}. Get them from "
                f"{URL}, or leave the subset out."
            )
        for file in files:
            entry = manifest.get(file.stem, {})
            if entry.get("subset") != subset:
                problems.append(
                    f"{subset}: {file.name} belongs to no recording. Copy the "
                    "recording again, or move the alignment away."
                )
                continue
            unaligned.discard(file.stem)
            try:
                entry |= _segments(file, entry["duration"])
            except TextGridError as error:
                problems.append(str(error))
    raise_problems(root, problems)
    if unaligned:
        logger.warning(
            f"{len(unaligned)} of {len(manifest)} utterances have no "
            f"alignment, such as {min(unaligned)}: their words and phones are "
            "empty."
        )


def _segments(file: Path, duration: float) -> dict[str, list]:
    """Words and phones of one recording."""
    tiers = read_textgrid(file)
    fields = {}
    for field in SEGMENT_FIELDS:
        if not tiers.get(field):
            raise TextGridError(
                f"{file}: no tier '{field}' with intervals, only "
                f"{sorted(tiers)}. Copy the file again."
            )
        end = tiers[field][-1][1]
        if abs(end - duration) > ROUNDING:
            raise TextGridError(
                f"{file}: its tier '{field}' ends at {end:g} s, the recording "
                f"at {duration:g} s. Look whether they belong together."
            )
        fields[field] = [
            [start, min(end, duration), label]
            for start, end, label in without_silence(tiers[field])
            if start < duration
        ]
    return fields
