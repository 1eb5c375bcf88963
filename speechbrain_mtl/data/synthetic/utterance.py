"""One line of the plan becomes sound and exact labels."""

import functools
from typing import NamedTuple

import numpy as np

from speechbrain_mtl.data.synthetic.alignment import SILENCE, Segment, align
from speechbrain_mtl.data.synthetic.channel import (
    SAMPLE_RATE,
    add_pink_noise,
    corpus_sample,
    limit_peak,
    reverberate,
    set_level,
    to_corpus_rate,
)
from speechbrain_mtl.data.synthetic.engine import Engine
from speechbrain_mtl.data.synthetic.keyed import draws
from speechbrain_mtl.data.synthetic.plan import Line
from speechbrain_mtl.data.synthetic.speakers import prosody, variant


class Utterance(NamedTuple):
    """Sound and labels, in samples at 16 kHz."""

    wave: np.ndarray
    phones: list[Segment]
    words: list[Segment]


@functools.cache
def engine() -> Engine:
    """Give this process its engine."""
    return Engine()


def utter(line: Line, seed: int) -> Utterance:
    """Speak a line.

    Arguments
    ---------
    line : Line
        Who says what, and how.
    seed : int
        Of the corpus.

    Returns
    -------
    utterance : Utterance
        Phones cover the wave without gaps; silence is ``SIL``.
    """
    random = draws(seed, line.key, "voice")
    parameters = prosody(line.speaker, line.emotion, random)
    wave, events = engine().synthesise(
        line.text,
        line.speaker.voice,
        variant(line.speaker, line.emotion),
        seed=int(random.integers(1, 2**31)),
        phonemes=line.phonemes,
        **parameters,
    )
    text = "" if line.phonemes else line.text
    phones, words = align(events, len(wave), text)
    speech = to_corpus_rate(wave)
    if line.level_db is not None:
        speech = set_level(speech, line.level_db)
    before = int(random.uniform(0.05, 0.2) * SAMPLE_RATE)
    after = int(random.uniform(0.08, 0.25) * SAMPLE_RATE)
    sound = np.pad(speech, (before, after))
    augment = line.augment or {}
    if "rt60" in augment:
        sound = reverberate(sound, augment["rt60"], random)
    if "snr_db" in augment:
        sound = add_pink_noise(sound, augment["snr_db"], random)
    return Utterance(
        limit_peak(sound),
        _cover(_moved(phones, before), len(sound)),
        _moved(words, before),
    )


def _moved(segments: list[Segment], by: int) -> list[Segment]:
    return [
        Segment(by + corpus_sample(start), by + corpus_sample(end), label)
        for start, end, label in segments
    ]


def _cover(phones: list[Segment], samples: int) -> list[Segment]:
    """Add the silence around the speech, joined with the speech's own."""
    first, last = 0, len(phones)
    if phones[0].label == SILENCE:
        first = 1
    if phones[-1].label == SILENCE:
        last -= 1
    spoken = phones[first:last]
    return [
        Segment(0, spoken[0].start, SILENCE),
        *spoken,
        Segment(spoken[-1].end, samples, SILENCE),
    ]
