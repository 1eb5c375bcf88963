"""Find every bad entry of a manifest at once, before hours are spent on it."""

import dataclasses
import math
import os
from collections.abc import Collection, Iterator, Mapping
from multiprocessing.pool import ThreadPool
from typing import Any

import torch
from speechbrain.dataio import audio_io
from tqdm import tqdm

from speechbrain_mtl.data.audio import SAMPLE_RATE, TOLERANCE
from speechbrain_mtl.data.manifest import SEGMENT_FIELDS, raise_problems

MIN_DURATION = 0.06  # s; the longest window a worker looks through
SILENCE_DB = -80.0  # dB of full scale; three steps of 16-bit audio


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing wrong with one entry, and what to do about it.

    Arguments
    ---------
    id : str
        The entry.
    field : str
        The field that holds it.
    what : str
        What was found.
    remedy : str
        What to do.
    note : bool
        True for what is worth knowing but harms nothing.
    """

    id: str
    field: str
    what: str
    remedy: str
    note: bool = False

    def __str__(self) -> str:
        return f"{self.id}: {self.what}. {self.remedy}"


def check_manifest(
    manifest: Mapping[str, Mapping[str, Any]],
    labels: Mapping[str, Collection | None] | None = None,
    min_duration: float = MIN_DURATION,
    silence_db: float = SILENCE_DB,
    quick: bool = False,
    workers: int = 8,
    progress: bool = False,
) -> list[Problem]:
    """Look at every entry and its recording, and list all problems.

    Arguments
    ---------
    manifest : dict
        ``{id: entry}`` with paths resolved, from `load_manifest`.
    labels : mapping, optional
        Fields every entry must have, each with its allowed values, or None
        when any will do. Of a segment field each segment's label counts.
    min_duration : float
        Seconds; shorter recordings hold no whole window.
    silence_db : float
        Level of the peak, in dB of full scale and without a constant offset,
        below which a recording is silent.
    quick : bool
        Read only headers: no corrupt samples, NaN or silence are found.
    workers : int
        Threads that read.
    progress : bool
        Show a bar.

    Returns
    -------
    problems : list of Problem
        In the order of the manifest, notes among them.

    Example
    -------
    >>> manifest = {"a": {"wav": "gone.wav", "duration": 1.0}}
    >>> [problem] = check_manifest(manifest)
    >>> print(problem)
    a: no such file: gone.wav. Check data_root, or copy the file again.
    """

    def look(item: tuple[str, Mapping[str, Any]]) -> list[Problem]:
        return [
            *_label_problems(*item, labels or {}),
            *_audio_problems(*item, min_duration, silence_db, quick),
        ]

    # Threads suffice: libsndfile and torch let others run while they work.
    with ThreadPool(workers) as pool:
        found = tqdm(
            pool.imap(look, manifest.items(), chunksize=16),
            total=len(manifest),
            desc="check",
            disable=not progress,
        )
        return [problem for problems in found for problem in problems]


def require_clean(
    manifest: Mapping[str, Mapping[str, Any]],
    name: str | os.PathLike = "manifest",
    **options: Any,
) -> None:
    """Stop when a manifest has problems.

    Arguments
    ---------
    manifest : dict
        ``{id: entry}`` with paths resolved.
    name : str or path-like
        What the message calls it.
    **options : optional
        As for `check_manifest`; ``quick=True`` suits the start of a training.

    Raises
    ------
    ManifestError
        Listing the problems; notes are no reason to stop.

    Example
    -------
    >>> require_clean({"a": {"wav": "gone.wav", "duration": 1.0}})
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: manifest: 1 problem(s)
      a: no such file: gone.wav. Check data_root, or copy the file again.
    """
    problems = check_manifest(manifest, **options)
    raise_problems(name, [str(p) for p in problems if not p.note])


def _label_problems(
    key: str,
    entry: Mapping[str, Any],
    labels: Mapping[str, Collection | None],
) -> Iterator[Problem]:
    """Fields that are missing or hold a value nobody knows."""
    for field, allowed in labels.items():
        value = entry.get(field)
        if value is None or value == "" or value == []:
            yield Problem(
                key,
                field,
                f"no {field}",
                "Add the label, or leave the entry out.",
            )
        elif allowed is not None:
            values = value if isinstance(value, list) else [value]
            if field in SEGMENT_FIELDS:
                values = [label for _, _, label in values]
            for unknown in sorted(
                {repr(v) for v in values if v not in allowed}
            ):
                yield Problem(
                    key,
                    field,
                    f"{field} is {unknown}, not a known label",
                    "Correct the label, or add it to the known ones.",
                )


def _audio_problems(
    key: str,
    entry: Mapping[str, Any],
    min_duration: float,
    silence_db: float,
    quick: bool,
) -> Iterator[Problem]:
    """All that can be wrong with a recording and the times in it."""
    path = entry["wav"]

    def bad(what: str, remedy: str, field: str = "wav") -> Problem:
        return Problem(key, field, what, remedy)

    try:
        if not os.path.isfile(path):
            yield bad(
                f"no such file: {path}",
                "Check data_root, or copy the file again.",
            )
            return
        if not os.path.getsize(path):
            yield bad(f"empty file: {path}", "Copy the file again.")
            return
        info = audio_io.info(path)
        wav = None if quick else _samples(path)
    except Exception as error:  # libsndfile raises its own kinds
        yield bad(
            f"not readable as audio: {error}".rstrip("."),
            "Copy the file again, or convert it to WAV or FLAC.",
        )
        return

    if info.frames == 0:
        yield bad(
            f"no samples in {path}",
            "Copy the file again, or leave the entry out.",
        )
        return
    if info.duration < min_duration:
        yield bad(
            f"{info.duration:.3f} s long, less than the {min_duration:g} s of a "
            "window",
            "Leave the entry out.",
        )
    if abs(info.duration - entry["duration"]) > TOLERANCE:
        yield bad(
            f"duration says {entry['duration']:g} s, the file holds "
            f"{info.duration:.3f} s",
            "Copy the file again if it was cut short, else make the manifest anew.",
            "duration",
        )
    if wav is not None:
        if not torch.isfinite(wav).all():
            yield bad(
                f"NaN or infinite samples in {path}",
                "Write the file again from its source.",
            )
        elif (level := _level(wav)) < silence_db:
            yield bad(
                f"silent (peak {level:.0f} dB, below {silence_db:g} dB)",
                "Leave the entry out, or record it again.",
            )
    for field in SEGMENT_FIELDS:
        yield from _segment_problems(key, entry, field, info.duration)
    if info.channels > 1:
        yield Problem(
            key,
            "wav",
            f"{info.channels} channels",
            "They will be averaged.",
            note=True,
        )
    if info.sample_rate != SAMPLE_RATE:
        yield Problem(
            key,
            "wav",
            f"{info.sample_rate} Hz",
            f"It will be resampled to {SAMPLE_RATE} Hz.",
            note=True,
        )


def _segment_problems(
    key: str, entry: Mapping[str, Any], field: str, duration: float
) -> Iterator[Problem]:
    """Segments without length, before the start or beyond the end."""
    wrong = [
        f"{label!r} {start:g}-{end:g} s"
        for start, end, label in entry.get(field, ())
        if start >= end or start < 0 or end > duration + TOLERANCE
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        yield Problem(
            key,
            field,
            f"{field} {', '.join(wrong[:3])}{more} in {duration:.3f} s of audio",
            "Correct the times: 0 <= start < end <= the recording's end.",
        )


def _samples(path: str) -> torch.Tensor:
    """All samples, [channels, T]."""
    return audio_io.load(path, dtype=torch.float32)[0]


def _level(wav: torch.Tensor) -> float:
    """Peak about the mean of the loudest channel, in dB of full scale."""
    peak = (wav - wav.mean(dim=1, keepdim=True)).abs().max().item()
    return 20 * math.log10(peak) if peak else -math.inf
