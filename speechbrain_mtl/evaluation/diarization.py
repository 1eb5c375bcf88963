"""Diarization error rate: seconds of speech given to the wrong speaker."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from speechbrain_mtl.data.rttm import Turn, read_rttm

LISTED = 5  # names an error message spells out


class DiarizationErrors(NamedTuple):
    """Seconds of one recording; where two speak, each second counts twice.

    Arguments
    ---------
    speech : float
        Of the reference.
    missed : float
        Speech without a speaker in the hypothesis.
    false_alarm : float
        Speakers in the hypothesis without speech.
    confusion : float
        Speech given to another speaker.
    """

    speech: float
    missed: float
    false_alarm: float
    confusion: float

    @property
    def total(self) -> float:
        """Seconds of error."""
        return self.missed + self.false_alarm + self.confusion


def diarization_error_rate(
    reference_rttm: str | os.PathLike | Mapping[str, Sequence[Turn]],
    hypothesis_rttm: str | os.PathLike | Mapping[str, Sequence[Turn]],
    collar: float = 0.0,
) -> float:
    """Share of the reference's speech that is missed, confused or made up.

    The definition of the NIST Rich Transcription evaluations, overlap scored.

    Arguments
    ---------
    reference_rttm : path-like or dict
        An RTTM file, or ``{recording: [(start, end, speaker)]}`` in seconds.
    hypothesis_rttm : path-like or dict
        Likewise; speakers are named as it likes.
    collar : float
        Seconds before and after each start and end of a reference turn that
        are not scored.

    Returns
    -------
    rate : float
        Of all recordings together; may exceed 1.

    Raises
    ------
    ValueError
        As `diarization_errors`, and when no speech is left to score.

    Example
    -------
    >>> reference = {"a": [(0, 4, "ann"), (4, 8, "bob")]}
    >>> diarization_error_rate(reference, {"a": [(0, 5, "1"), (5, 8, "2")]})
    0.125
    """
    errors = diarization_errors(reference_rttm, hypothesis_rttm, collar)
    speech = sum(found.speech for found in errors.values())
    if not speech:
        raise ValueError(
            "the reference has no speech to score, so that there is no error "
            "rate. Give recordings with turns, or a smaller collar."
        )
    return sum(found.total for found in errors.values()) / speech


def diarization_errors(
    reference: str | os.PathLike | Mapping[str, Sequence[Turn]],
    hypothesis: str | os.PathLike | Mapping[str, Sequence[Turn]],
    collar: float = 0.0,
) -> dict[str, DiarizationErrors]:
    """Measure the errors of every recording of the reference.

    Time is cut at all starts and ends, and in each piece speakers are
    counted: the result is exact. In each recording, speakers are mapped one
    to one so that most speech is right.

    Arguments
    ---------
    reference, hypothesis, collar
        As for `diarization_error_rate`. A recording that the hypothesis lacks
        is missed as a whole: RTTM knows no recordings without speech. Turns
        of one speaker that touch or overlap are one turn.

    Returns
    -------
    errors : dict
        `DiarizationErrors` by recording.

    Raises
    ------
    ValueError
        When the hypothesis has other recordings, a turn is not finite or ends
        before its start, or the collar is negative.

    Example
    -------
    >>> reference = {"a": [(0, 4, "ann"), (4, 8, "bob")]}
    >>> diarization_errors(reference, {"a": [(0, 5, "1"), (5, 8, "2")]})["a"]
    DiarizationErrors(speech=8.0, missed=0.0, false_alarm=0.0, confusion=1.0)
    """
    if not 0 <= collar < math.inf:
        raise ValueError(f"collar is {collar}. Give seconds, 0 or more.")
    reference, hypothesis = _turns(reference), _turns(hypothesis)
    if unknown := sorted(set(hypothesis) - set(reference)):
        raise ValueError(
            f"{len(unknown)} recording(s) of the hypothesis are not in the "
            f"reference: {unknown[:LISTED]}. Rename or remove them; for one "
            "without speech, give the reference as a dict with an empty list."
        )
    return {
        name: _compare(found, hypothesis.get(name, ()), collar)
        for name, found in reference.items()
    }


def _turns(
    source: str | os.PathLike | Mapping[str, Sequence[Turn]],
) -> Mapping[str, Sequence[Turn]]:
    """Read a file, or check what is no file."""
    if not isinstance(source, Mapping):
        return read_rttm(source)
    for name, turns in source.items():
        for start, end, speaker in turns:
            if not -math.inf < start <= end < math.inf:
                raise ValueError(
                    f"{name}: {speaker} speaks from {start} to {end} s. Give "
                    "finite seconds, the start first."
                )
    return source


def _compare(
    reference: Sequence[Turn], hypothesis: Sequence[Turn], collar: float
) -> DiarizationErrors:
    """Compare two diarizations of one recording."""
    around = [(t - collar, t + collar, "") for t in _changes(reference)]
    turns = [*reference, *hypothesis, *around]
    borders = np.unique([time for *times, _ in turns for time in times])
    spoken = _activity(reference, borders)
    heard = _activity(hypothesis, borders)
    seconds = np.diff(borders)
    if collar:
        seconds = seconds * ~_activity(around, borders).any(axis=0)
    together = (spoken * seconds) @ heard.T
    right = together[linear_sum_assignment(together, maximize=True)].sum()
    truth, found = spoken.sum(axis=0), heard.sum(axis=0)
    both = np.minimum(truth, found) @ seconds
    return DiarizationErrors(
        float(truth @ seconds),
        float((truth - found).clip(min=0) @ seconds),
        float((found - truth).clip(min=0) @ seconds),
        # Rounding may leave a little less than nothing.
        max(0.0, float(both - right)),
    )


def _activity(turns: Sequence[Turn], borders: np.ndarray) -> np.ndarray:
    """Tell who is active between borders: [speakers, pieces], 0 or 1."""
    speakers = sorted({speaker for *_, speaker in turns})
    steps = np.zeros((len(speakers), len(borders)), dtype=int)
    if turns:
        starts, ends, names = zip(*turns)
        rows = [speakers.index(name) for name in names]
        np.add.at(steps, (rows, np.searchsorted(borders, starts)), 1)
        np.add.at(steps, (rows, np.searchsorted(borders, ends)), -1)
    return (steps.cumsum(axis=1)[:, :-1] > 0).astype(int)


def _changes(turns: Sequence[Turn]) -> list[float]:
    """List the times at which someone starts or stops to speak."""
    if not turns:
        return []
    borders = np.unique([time for *times, _ in turns for time in times])
    steps = np.diff(_activity(turns, borders), axis=1, prepend=0, append=0)
    return borders[steps.any(axis=0)].tolist()
