"""From eSpeak's events to phone and word labels without gaps.

Events mark beginnings only, and some of them lie: the repairs below, in this
order, are what makes the labels cover the audio. All positions are samples at
22,050 Hz.
"""

import re
from typing import NamedTuple

from speechbrain_mtl.data.synthetic.engine import PHONE, WORD, Event
from speechbrain_mtl.data.synthetic.tables import table

SILENCE = "SIL"
_TOUCHING = 110  # samples, 5 ms: as good as the same place
_PAUSE = 450  # samples, 20 ms: shorter gaps are no pause
_DARK_L = 1764  # samples, 80 ms: the most a vowel gives away


class Segment(NamedTuple):
    """A stretch of audio and what is heard in it."""

    start: int
    end: int
    label: str


def align(
    events: list[Event], samples: int, text: str
) -> tuple[list[Segment], list[Segment]]:
    """Label an utterance.

    Arguments
    ---------
    events : list of Event
        What the engine reported.
    samples : int
        Length of the audio.
    text : str
        What was said; its words are labelled in this spelling.

    Returns
    -------
    phones : list of Segment
        ARPAbet and ``SIL``, from 0 to `samples` without gaps.
    words : list of Segment
        Each as long as its phones.

    Raises
    ------
    ValueError
        When a phone is not in ``phones.json``.
    """
    events = [e for e in events if e.type != WORD or e.length > 0]
    starts = [e.sample for e in events if e.type == WORD]
    phones = _named(events, samples)
    phones = _give_dark_l_its_sound(phones, starts)
    phones = _close_gaps(phones, starts)
    phones = _split_units([p for p in phones if p.end > p.start])
    return phones, _words(events, phones, samples, text)


def _named(events: list[Event], samples: int) -> list[Segment]:
    """Translate names; a sound lasts until the next one begins."""
    arpabet, marks = table("phones")["arpabet"], table("phones")["marks"]
    sounds = []
    for event in events:
        name = event.name.lstrip(marks)
        # a bare mark (";" is palatalisation) has no sound of its own
        if event.type != PHONE or not name:
            continue
        label = SILENCE if name.startswith("_") else arpabet.get(name)
        if label is None:
            raise ValueError(
                f"eSpeak phone '{event.name}' is not in phones.json; add it."
            )
        sounds.append((event.sample, label))
    ends = [start for start, _ in sounds[1:]] + [samples]
    return [Segment(s, e, label) for (s, label), e in zip(sounds, ends)]


def _give_dark_l_its_sound(
    phones: list[Segment], starts: list[int]
) -> list[Segment]:
    """Cut L off the vowel that holds it ("help", "small").

    eSpeak renders such an L as the vowel's ending and reports it empty, or
    with nothing but the pause before the next word.
    """
    vowels = table("phones")["vowels"]
    out = list(phones)
    for i in range(1, len(out)):
        vowel, sound = out[i - 1], out[i]
        empty = sound.end - sound.start < _TOUCHING or any(
            0 <= start - sound.start < _TOUCHING for start in starts
        )
        if sound.label != "L" or not empty:
            continue
        if vowel.label.split()[0] not in vowels:
            continue
        cut = sound.start - min(
            int(0.35 * (sound.start - vowel.start)), _DARK_L
        )
        out[i - 1] = vowel._replace(end=cut)
        out[i] = Segment(cut, sound.start, "L")
        if i + 1 < len(out):
            out[i + 1] = out[i + 1]._replace(start=sound.start)
        else:
            out.append(Segment(sound.start, sound.end, SILENCE))
    return out


def _close_gaps(phones: list[Segment], starts: list[int]) -> list[Segment]:
    """Decide what lies between a word's event and its first phone.

    The closure of a stop belongs to the stop; anything else that is long
    enough is a pause.
    """
    closures = table("phones")["closures"]
    out: list[Segment] = []
    start = 0  # of the next phone, when a closure was put in front of it
    for i, phone in enumerate(phones):
        phone = phone._replace(start=start) if start else phone
        start = 0
        gap = next((s for s in starts if phone.start < s < phone.end), None)
        if phone.label == SILENCE or gap is None or phone.end - gap < _PAUSE:
            out.append(phone)
            continue
        out.append(phone._replace(end=gap))
        if i + 1 < len(phones) and phones[i + 1].label in closures:
            start = gap
        else:
            out.append(Segment(gap, phone.end, SILENCE))
    if out and out[0].start > 0:
        first = out[0]
        if first.label in closures or first.start < _PAUSE:
            out[0] = first._replace(start=0)
        else:
            out.insert(0, Segment(0, first.start, SILENCE))
    return out


def _split_units(phones: list[Segment]) -> list[Segment]:
    """Split vowel + r units 60/40 and join neighbouring silences."""
    out: list[Segment] = []
    for phone in phones:
        first, *second = phone.label.split()
        if second:
            middle = phone.start + int(0.6 * (phone.end - phone.start))
            out.append(Segment(phone.start, middle, first))
            out.append(Segment(middle, phone.end, second[0]))
        elif first == SILENCE and out and out[-1].label == SILENCE:
            out[-1] = out[-1]._replace(end=phone.end)
        else:
            out.append(phone)
    return out


def _words(
    events: list[Event], phones: list[Segment], samples: int, text: str
) -> list[Segment]:
    """Give each word of the text its phones.

    eSpeak reports some pairs ("in the", "of the") as one word; the pair's
    phones are shared out by count.
    """
    tokens = [(m.start(), m.group()) for m in re.finditer(r"\S+", text)]
    marks = [e for e in events if e.type == WORD]
    words: list[Segment] = []
    for i, mark in enumerate(marks):
        last = i + 1 == len(marks)
        end = samples if last else marks[i + 1].sample
        position = len(text) if last else marks[i + 1].position
        group = [w for at, w in tokens if mark.position <= at < position]
        sounds = [
            p
            for p in phones
            if p.label != SILENCE
            and mark.sample - _PAUSE < (p.start + p.end) / 2 < end
        ]
        cuts = [len(sounds)]
        letters = sum(map(len, group))
        for word in reversed(group[1:]):
            count = 2 if word == "the" else len(sounds) * len(word) / letters
            cuts.insert(0, max(1, cuts[0] - max(1, round(count))))
        for word, a, b in zip(group, [0, *cuts], cuts):
            if b > a:
                words.append(Segment(sounds[a].start, sounds[b - 1].end, word))
    return words
