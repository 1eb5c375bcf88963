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


class _Sound(NamedTuple):
    """A segment that knows which of the reported words it came with."""

    start: int
    end: int
    label: str
    word: int


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
    marks = [e for e in events if e.type == WORD and e.length > 0]
    starts = [mark.sample for mark in marks]
    sounds = _named(events, samples)
    sounds = _give_dark_l_its_sound(sounds, starts)
    sounds = _close_gaps(sounds, starts)
    sounds = _split_units([s for s in sounds if s.end > s.start])
    phones = [Segment(s.start, s.end, s.label) for s in sounds]
    return phones, _words(marks, sounds, text)


def _named(events: list[Event], samples: int) -> list[_Sound]:
    """Translate names; a sound lasts until the next one begins."""
    arpabet, strokes = table("phones")["arpabet"], table("phones")["marks"]
    found, word = [], -1
    for event in events:
        word += event.type == WORD and event.length > 0
        name = event.name.lstrip(strokes)
        # a bare mark (";" is palatalisation) has no sound of its own
        if event.type != PHONE or not name:
            continue
        label = SILENCE if name.startswith("_") else arpabet.get(name)
        if label is None:
            raise ValueError(
                f"eSpeak phone '{event.name}' is not in phones.json; add it."
            )
        found.append((event.sample, label, word))
    ends = [start for start, _, _ in found[1:]] + [samples]
    return [_Sound(s, e, label, w) for (s, label, w), e in zip(found, ends)]


def _give_dark_l_its_sound(
    sounds: list[_Sound], starts: list[int]
) -> list[_Sound]:
    """Cut L off the vowel that holds it ("help", "small").

    eSpeak renders such an L as the vowel's ending and reports it empty, or
    with nothing but the pause before the next word.
    """
    vowels = table("phones")["vowels"]
    out = list(sounds)
    for i in range(1, len(out)):
        vowel, sound = out[i - 1], out[i]
        if sound.label != "L" or vowel.label.split()[0] not in vowels:
            continue
        if sound.end - sound.start >= _TOUCHING and not any(
            0 <= start - sound.start < _TOUCHING for start in starts
        ):
            continue
        given = min(int(0.35 * (sound.start - vowel.start)), _DARK_L)
        cut = sound.start - given
        out[i - 1] = vowel._replace(end=cut)
        out[i] = sound._replace(start=cut, end=sound.start)
        if i + 1 < len(out):
            out[i + 1] = out[i + 1]._replace(start=sound.start)
        else:
            out.append(sound._replace(label=SILENCE))
    return out


def _close_gaps(sounds: list[_Sound], starts: list[int]) -> list[_Sound]:
    """Decide what lies between a word's event and its first sound.

    The closure of a stop belongs to the stop; anything else that is long
    enough is a pause.
    """
    closures = table("phones")["closures"]
    out = list(sounds[:1])
    for following in sounds[1:]:
        sound = out[-1]
        gap = next((s for s in starts if sound.start < s < sound.end), None)
        if sound.label != SILENCE and gap and sound.end - gap >= _PAUSE:
            out[-1] = sound._replace(end=gap)
            if following.label in closures:
                following = following._replace(start=gap)
            else:
                out.append(_Sound(gap, sound.end, SILENCE, following.word))
        out.append(following)
    if out and out[0].start > 0:
        first = out[0]
        if first.label in closures or first.start < _PAUSE:
            out[0] = first._replace(start=0)
        else:
            out.insert(0, _Sound(0, first.start, SILENCE, first.word))
    return out


def _split_units(sounds: list[_Sound]) -> list[_Sound]:
    """Split vowel + r units 60/40 and join neighbouring silences."""
    out: list[_Sound] = []
    for sound in sounds:
        first, *second = sound.label.split()
        if second:
            middle = sound.start + int(0.6 * (sound.end - sound.start))
            out.append(sound._replace(end=middle, label=first))
            out.append(sound._replace(start=middle, label=second[0]))
        elif first == SILENCE and out and out[-1].label == SILENCE:
            out[-1] = out[-1]._replace(end=sound.end)
        else:
            out.append(sound)
    return out


def _words(
    marks: list[Event], sounds: list[_Sound], text: str
) -> list[Segment]:
    """Give each word of the text its sounds.

    eSpeak reports some pairs ("in the", "of the") as one word; the pair's
    sounds are shared out by count.
    """
    tokens = [(m.start(), m.group()) for m in re.finditer(r"\S+", text)]
    ends = [mark.position for mark in marks[1:]] + [len(text)]
    words: list[Segment] = []
    for i, mark in enumerate(marks):
        group = [w for at, w in tokens if mark.position <= at < ends[i]]
        own = [s for s in sounds if s.word == i and s.label != SILENCE]
        letters = sum(map(len, group))
        cuts = [len(own)]
        for word in reversed(group[1:]):
            count = 2 if word == "the" else len(own) * len(word) / letters
            cuts.insert(0, max(1, cuts[0] - max(1, round(count))))
        for word, a, b in zip(group, [0, *cuts], cuts):
            if b > a:
                words.append(Segment(own[a].start, own[b - 1].end, word))
    return words
