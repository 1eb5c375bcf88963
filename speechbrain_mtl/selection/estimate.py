"""What a selection will take, before it is run."""

import contextlib
import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from speechbrain_mtl.data.audio import entry_seconds
from speechbrain_mtl.selection.features import measure
from speechbrain_mtl.selection.labels import NothingToCompare
from speechbrain_mtl.selection.strata import Segments
from speechbrain_mtl.workers import Worker

SAMPLE_SECONDS = 30.0
# Measured on one core: scores, tests, intervals, solver and what is said of
# the weights. The first does not grow with the data, for it is about samples.
SECONDS_A_LABEL = 0.8
SECONDS_A_PAIR_AND_LABEL = 5e-7
BASE_MB = 600  # the libraries and a batch of audio


@dataclass(frozen=True)
class Estimate:
    """Size, time and memory of a selection.

    Arguments
    ---------
    recordings, segments, strata, speakers, labels : int
        How many.
    hours : float
        Audio to read.
    seconds : float
        Wall time on this machine, about.
    memory_mb : float
        Resident memory at the peak, about.
    dropped : dict
        Segments of each class left out for being too few.

    Example
    -------
    >>> print(Estimate(10, 40, 4, 2, 8, 0.5, 12.3, 610.0, {"oy": 3}))
    40 segments of 4 classes in 10 recordings (0.50 h, 2 known speakers)
    8 labels: about 13 s and 610 MB
    left out for too few segments: oy (3)
    """

    recordings: int
    segments: int
    strata: int
    speakers: int
    labels: int
    hours: float
    seconds: float
    memory_mb: float
    dropped: dict[str, int]

    def __str__(self) -> str:
        lines = [
            f"{self.segments} segments of {self.strata} classes in "
            f"{self.recordings} recordings ({self.hours:.2f} h, "
            f"{self.speakers} known speakers)",
            f"{self.labels} labels: about {-(-self.seconds // 1):.0f} s and "
            f"{self.memory_mb:.0f} MB",
        ]
        if self.dropped:
            names = (f"{name} ({n})" for name, n in self.dropped.items())
            lines.append(f"left out for too few segments: {', '.join(names)}")
        return "\n".join(lines)


def estimate(
    manifest: Mapping[str, Mapping[str, Any]],
    segments: Segments,
    workers: Mapping[str, Worker],
    n_samples: int,
    max_pairs: int,
    device: str = "cpu",
) -> Estimate:
    """Measure 30 s of the audio, and extrapolate.

    Arguments
    ---------
    manifest : dict
        ``{id: entry}`` with paths resolved.
    segments : Segments
        What will be compared.
    workers : dict
        Worker by name.
    n_samples, max_pairs, device
        See `Selector`.

    Returns
    -------
    estimate : Estimate
    """
    seconds = {key: entry_seconds(manifest[key]) for key in set(segments.ids)}
    total = sum(seconds.values())
    # Evenly spread over the corpus, whose parts may differ.
    step = max(int(total / SAMPLE_SECONDS), 1)
    sample = set(sorted(seconds)[::step])
    chosen = np.flatnonzero([key in sample for key in segments.ids])
    part = dataclasses.replace(
        segments,
        ids=tuple(segments.ids[i] for i in chosen),
        starts=segments.starts[chosen],
        ends=segments.ends[chosen],
    )
    began = time.perf_counter()
    # So little audio may well be all alike, when the whole is not.
    with contextlib.suppress(NothingToCompare):
        measure(manifest, part, workers, n_samples, device=device)
    read = sum(seconds[key] for key in sample)
    rate = (time.perf_counter() - began) / read
    counts = np.bincount(segments.classes)
    pairs = min(float((counts * (counts - 1) / 2).sum()), float(max_pairs))
    numbers = pairs * (len(workers) + 2) * 2
    embeddings = len(segments) * n_samples * 40 * 2
    return Estimate(
        recordings=len(seconds),
        segments=len(segments),
        strata=len(segments.names),
        speakers=segments.speakers,
        labels=len(workers),
        hours=total / 3600,
        seconds=rate * total
        + len(workers) * (SECONDS_A_LABEL + SECONDS_A_PAIR_AND_LABEL * pairs),
        memory_mb=BASE_MB + (numbers + embeddings) * 4 / 1e6,
        dropped=segments.dropped,
    )
