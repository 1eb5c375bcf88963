"""Speakers: generated eSpeak voice variants, as many as wanted."""

import functools
from dataclasses import dataclass

import numpy as np

from speechbrain_mtl.data.synthetic.keyed import draws
from speechbrain_mtl.data.synthetic.tables import table


@dataclass(frozen=True)
class Speaker:
    """One voice: a vocal tract, a larynx and an accent.

    Arguments
    ---------
    name : str
        ``"spk007"``.
    gender : str
        ``"f"`` or ``"m"``.
    accent : str
        ``"american"`` or ``"british"``.
    split : str
        ``"train"``, ``"valid"`` or ``"test"``.
    rate : int
        Words a minute when neutral.
    pitch : tuple of int
        Lowest and highest pitch, Hz.
    formants : tuple of (int, int, int)
        Frequency, height and width of each formant, in percent.
    flutter, roughness, voicing, breath : int
        Source parameters in eSpeak's units.
    consonants : tuple of int
        Levels of unvoiced and voiced consonants, in percent.
    tone : tuple of int
        Spectral levels at the frequencies of ``voices.json``.
    """

    name: str
    gender: str
    accent: str
    split: str
    rate: int
    pitch: tuple[int, int]
    formants: tuple[tuple[int, int, int], ...]
    flutter: int
    roughness: int
    voicing: int
    breath: int
    consonants: tuple[int, int]
    tone: tuple[int, ...]

    @property
    def voice(self) -> str:
        """eSpeak's name of the accent."""
        return table("voices")["accents"][self.accent]


def split_of(index: int) -> str:
    """Tell which split a speaker is in: of eight, 5 train, 1 valid, 2 test.

    Genders alternate with the index, so test speakers are half women, and
    the valid speaker is a woman in one eight and a man in the next.

    Example
    -------
    >>> [split_of(i) for i in range(4)]
    ['train', 'test', 'valid', 'train']
    """
    patterns = table("plan")["speaker_splits"]
    block, place = divmod(index, len(patterns[0]))
    return patterns[block % len(patterns)][place]


@functools.lru_cache(maxsize=4096)
def speaker(seed: int, index: int) -> Speaker:
    """Draw one speaker.

    Arguments
    ---------
    seed : int
        Of the corpus.
    index : int
        Which speaker; decides gender, accent and split.

    Returns
    -------
    speaker : Speaker
        Always the same for the same arguments.

    Example
    -------
    >>> speaker(0, 1).gender, speaker(0, 4).accent
    ('m', 'british')
    """
    ranges, random = table("voices"), draws(seed, "speaker", index)
    gender = "fm"[index % 2]
    source = ranges["genders"][gender]

    def integer(name: str) -> int:
        low, high = ranges[name]
        return int(random.integers(low, high + 1))

    tract = np.clip(
        random.normal(source["tract"], ranges["tract_deviation"]),
        *ranges["tract_limits"],
    )
    low = random.uniform(*source["pitch_hz"])
    high = low * random.uniform(*ranges["pitch_span"])
    formants = []
    for number in range(ranges["formants"]):
        scale = tract * random.normal(1, ranges["formant_deviation"])
        # formant 0 is the voicing bar, not a resonance of the tract
        frequency = 100 if number == 0 else round(100 * scale)
        height, width = integer("formant_height"), integer("formant_width")
        formants.append((frequency, height, width))
    british = index % ranges["british_every"] == ranges["british_every"] - 1
    return Speaker(
        name=f"spk{index:03d}",
        gender=gender,
        accent="british" if british else "american",
        split=split_of(index),
        rate=integer("words_per_minute"),
        pitch=(round(low), round(high)),
        formants=tuple(formants),
        flutter=integer("flutter"),
        roughness=integer("roughness"),
        voicing=integer("voicing"),
        breath=integer("breath"),
        consonants=(integer("consonants"), integer("consonants")),
        tone=tuple(
            int(random.integers(low, high + 1)) for low, high in ranges["tone"]
        ),
    )


def variant(who: Speaker, emotion: str) -> str:
    """Write the eSpeak voice variant of a speaker in a mood.

    Arguments
    ---------
    who : Speaker
        Whose voice.
    emotion : str
        Changes voice quality; the melody is set by `prosody`.

    Returns
    -------
    text : str
        Content of a variant file.
    """
    mood = table("voices")["emotions"][emotion]

    def within(value: float, low: int, high: int) -> int:
        return int(min(max(value, low), high))

    word = table("voices")["genders"][who.gender]["word"]
    roughness = within(who.roughness + mood["roughness"], 0, 7)
    voicing = within(who.voicing * mood["voicing"], 30, 200)
    lines = [
        "language variant",
        f"name {who.name}_{emotion}",
        f"gender {word}",
        f"pitch {who.pitch[0]} {who.pitch[1]}",
        f"flutter {who.flutter}",
        f"roughness {roughness}",
        f"voicing {voicing}",
        f"consonants {who.consonants[0]} {who.consonants[1]}",
    ]
    for number, (frequency, height, width) in enumerate(who.formants):
        lines.append(f"formant {number} {frequency} {height} {width}")
    breath = who.breath + mood["breath"]
    if breath:
        lines.append("breath 0" + f" {breath}" * 7)
    tone = "tone"
    for hertz, level in zip(table("voices")["tone_hz"], who.tone):
        tone += f" {hertz} {within(level * mood['tone'], 20, 255)}"
    return "\n".join([*lines, tone, ""])


def prosody(
    who: Speaker, emotion: str, random: np.random.Generator
) -> dict[str, float]:
    """Draw how an utterance is spoken.

    Arguments
    ---------
    who : Speaker
        Gives the usual rate.
    emotion : str
        Gives melody, tempo and loudness.
    random : numpy.random.Generator
        Of the utterance: no two are spoken alike.

    Returns
    -------
    parameters : dict
        ``rate``, ``pitch``, ``range`` and ``volume`` for the engine.
    """
    mood = table("voices")["emotions"][emotion]
    jitter = table("voices")["jitter"]
    rate = who.rate * mood["rate"] * random.normal(1, jitter["rate"])
    pitch = mood["pitch"] + random.normal(0, jitter["pitch"])
    spread = mood["range"] + random.normal(0, jitter["range"])
    gain = 10 ** (random.normal(0, jitter["volume_db"]) / 20)
    return {
        # events are misplaced above 450 words a minute
        "rate": float(np.clip(rate, 80, 450)),
        "pitch": float(np.clip(pitch, 0, 99)),
        "range": float(np.clip(spread, 0, 99)),
        "volume": float(np.clip(mood["volume"] * gain, 20, 140)),
    }
