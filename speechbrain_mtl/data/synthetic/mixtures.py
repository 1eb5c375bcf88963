"""Two speakers in turn, sometimes over each other."""

from typing import Any, NamedTuple

import numpy as np

from speechbrain_mtl.data.synthetic.alignment import SILENCE, Segment
from speechbrain_mtl.data.synthetic.channel import SAMPLE_RATE, limit_peak
from speechbrain_mtl.data.synthetic.keyed import draws
from speechbrain_mtl.data.synthetic.plan import Item
from speechbrain_mtl.data.synthetic.tables import table
from speechbrain_mtl.data.synthetic.utterance import utter


class Turn(NamedTuple):
    """What one speaker says in one go, in samples of the mixture.

    A turn runs from the start of its first to the end of its last word.
    """

    start: int
    end: int
    speaker: str
    text: str
    phones: list[Segment]
    words: list[Segment]


def mix(item: Item, seed: int) -> tuple[np.ndarray, list[Turn]]:
    """Let two speakers talk.

    Arguments
    ---------
    item : Item
        A mixture; its lines are the turns.
    seed : int
        Of the corpus.

    Returns
    -------
    wave : numpy.ndarray
        [T], 16 kHz.
    turns : list of Turn
        In order; neighbours overlap or leave a pause.
    """
    random = draws(seed, item.name, "turns")
    low, high = table("plan")["turn_gap"]
    tracks, turns, now = [], [], 0
    for line in item.lines:
        said = utter(line, seed)
        gap = int(random.uniform(low, high) * SAMPLE_RATE) if turns else 0
        at = max(0, now + gap)
        phones = [p for p in said.phones if p.label != SILENCE]
        words = _moved(said.words, at)
        turns.append(
            Turn(
                words[0].start,
                words[-1].end,
                line.speaker.name,
                line.text,
                _moved(phones, at),
                words,
            )
        )
        tracks.append((at, said.wave))
        now = turns[-1].end
    wave = np.zeros(max(at + len(track) for at, track in tracks))
    for at, track in tracks:
        wave[at : at + len(track)] += track / 2
    return limit_peak(wave), turns


def rttm(name: str, turns: list[Turn]) -> str:
    """Write who speaks when, in the format of the NIST evaluations.

    Arguments
    ---------
    name : str
        Of the recording.
    turns : list of Turn
        From `mix`.

    Returns
    -------
    text : str
        One ``SPEAKER`` line a turn.

    Example
    -------
    >>> rttm("a", [Turn(8000, 24000, "spk0", "hi", [], [])])
    'SPEAKER a 1 0.500 1.000 <NA> <NA> spk0 <NA> <NA>\\n'
    """
    lines = []
    for turn in turns:
        start = turn.start / SAMPLE_RATE
        length = (turn.end - turn.start) / SAMPLE_RATE
        lines.append(
            f"SPEAKER {name} 1 {start:.3f} {length:.3f} <NA> <NA> "
            f"{turn.speaker} <NA> <NA>\n"
        )
    return "".join(lines)


def times(segments: list[Segment]) -> list[list[Any]]:
    """Turn samples into the manifest's ``[[start, end, label]]``, seconds."""
    return [
        [start / SAMPLE_RATE, end / SAMPLE_RATE, label]
        for start, end, label in segments
    ]


def _moved(segments: list[Segment], by: int) -> list[Segment]:
    return [Segment(s + by, e + by, label) for s, e, label in segments]
