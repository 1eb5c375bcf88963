"""Each repair on hand-made events, then the whole on real ones."""

import pytest

from speechbrain_mtl.data.synthetic.alignment import SILENCE, align
from speechbrain_mtl.data.synthetic.engine import PHONE, WORD, Event
from speechbrain_mtl.data.synthetic.plan import Line
from speechbrain_mtl.data.synthetic.speakers import speaker
from speechbrain_mtl.data.synthetic.tables import table
from tests.helpers.phrases import phrases


def events(text, *items):
    """Words as ("the", sample), phones as (sample, name)."""
    out, position = [], 0
    for item in items:
        if isinstance(item[0], str):
            word, sample = item
            position = text.index(word, position)
            out.append(Event(WORD, sample, position, len(word), ""))
            position += 1
        else:
            out.append(Event(PHONE, item[0], 0, 0, item[1]))
    return out


def labelled(text, samples, *items):
    phones, words = align(events(text, *items), samples, text)
    assert phones[0].start == 0 and phones[-1].end == samples
    assert all(a.end == b.start for a, b in zip(phones, phones[1:]))
    return [tuple(p) for p in phones], [tuple(w) for w in words]


def test_a_sound_lasts_until_the_next_and_stress_is_no_part_of_it():
    phones, words = labelled(
        "see", 9000, ("see", 0), (0, "s"), (4000, "'i:"), (8000, "_:")
    )
    assert phones == [(0, 4000, "S"), (4000, 8000, "IY"), (8000, 9000, "SIL")]
    assert words == [(0, 8000, "see")]


def test_a_bare_mark_has_no_sound():
    phones, _ = labelled(
        "see", 9000, ("see", 0), (0, "s"), (4000, "i"), (6000, ";")
    )
    assert phones == [(0, 4000, "S"), (4000, 9000, "IY")]


def test_an_empty_l_takes_the_end_of_its_vowel():
    phones, words = labelled(
        "full moon",
        9000,
        *[("full", 0), (0, "f"), (1000, "'U"), (3000, "l")],
        *[("moon", 3000), (3100, "m"), (5000, "u:"), (7000, "n")],
    )
    # 35 % of the vowel's 2000 samples; M loses nothing
    assert phones[1:4] == [
        (1000, 2300, "UH"),
        (2300, 3000, "L"),
        (3000, 5000, "M"),
    ]
    assert [w[:2] for w in words] == [(0, 3000), (3000, 9000)]


def test_a_dark_l_is_at_most_80_ms():
    phones, _ = labelled(
        "full", 30000, ("full", 0), (0, "f"), (1000, "'U"), (20000, "l")
    )
    assert phones[1:] == [(1000, 20000, "UH"), (20000, 30000, "L")]
    phones, _ = labelled(
        "full",
        30000,
        *[("full", 0), (0, "f"), (1000, "'U"), (20000, "l"), (20050, "_")],
    )
    assert phones[1:] == [
        (1000, 20000 - 1764, "UH"),
        (20000 - 1764, 20000, "L"),
        (20000, 30000, "SIL"),
    ]


def test_an_l_that_sounds_is_left_alone():
    phones, _ = labelled(
        "ill", 9000, ("ill", 0), (0, "I"), (3000, "l"), (6000, "_")
    )
    assert phones[1] == (3000, 6000, "L")


def test_the_closure_before_a_stop_belongs_to_the_stop():
    phones, words = labelled(
        "see top",
        9000,
        *[("see", 0), (0, "s"), (1000, "i:")],
        *[("top", 3000), (4000, "t"), (5000, "0"), (7000, "p")],
    )
    assert phones[1:3] == [(1000, 3000, "IY"), (3000, 5000, "T")]
    assert words == [(0, 3000, "see"), (3000, 9000, "top")]


def test_a_gap_before_another_sound_is_a_pause_if_20_ms_long():
    def between(gap):
        return labelled(
            "see me",
            9000,
            *[("see", 0), (0, "s"), (1000, "i:")],
            *[("me", 3000), (3000 + gap, "m"), (6000, "i:")],
        )

    phones, words = between(449)
    assert phones[1:3] == [(1000, 3449, "IY"), (3449, 6000, "M")]
    phones, words = between(450)
    assert phones[1:4] == [
        (1000, 3000, "IY"),
        (3000, 3450, "SIL"),
        (3450, 6000, "M"),
    ]
    assert words == [(0, 3000, "see"), (3450, 9000, "me")]


@pytest.mark.parametrize(
    "sample, name, first",
    [
        (449, "s", (0, 4000, "S")),
        (450, "s", (0, 450, "SIL")),
        (900, "t", (0, 4000, "T")),
    ],
)
def test_what_comes_before_the_first_sound(sample, name, first):
    phones, _ = labelled("x", 9000, ("x", 0), (sample, name), (4000, "i:"))
    assert phones[0] == first


def test_a_vowel_with_r_is_split_60_to_40():
    phones, _ = labelled("are", 1000, ("are", 0), (0, "A@"))
    assert phones == [(0, 600, "AA"), (600, 1000, "R")]


def test_neighbouring_pauses_are_one():
    phones, _ = labelled(
        "see",
        9000,
        ("see", 0),
        (0, "s"),
        (2000, "i:"),
        (4000, "_"),
        (5000, "_:"),
    )
    assert phones[-1] == (4000, 9000, "SIL")


def test_fused_words_share_their_sounds():
    text = "bag of the top"
    items = [
        *[("bag", 0), (0, "b"), (1000, "a"), (2000, "g")],
        *[("of", 3000), (3000, "V"), (4000, "v"), (5000, "D"), (6000, "@2")],
        *[("top", 7000), (7000, "t"), (8000, "0"), (8500, "p")],
    ]
    _, words = labelled(text, 9000, *items)
    assert words == [
        (0, 3000, "bag"),
        (3000, 5000, "of"),
        (5000, 7000, "the"),
        (7000, 9000, "top"),
    ]


def test_the_has_two_sounds_however_short_its_neighbour_is_spelt():
    names = ["f", "r", "V", "m", "D", "@2"]
    items = [(1000 * i, name) for i, name in enumerate(names)]
    _, words = labelled("from the", 6000, ("from", 0), *items)
    assert words == [(0, 4000, "from"), (4000, 6000, "the")]


def test_an_unknown_phone_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'R3' is not in phones\.json"):
        labelled("x", 900, ("x", 0), (0, "R3"))


def everything():
    """All words of the data files, in the shortest phrases that hold them."""
    yield from phrases()
    commands = table("texts")["commands"]
    for location in commands["locations"]:
        yield commands["location_template"].format(location=location)
    scenes = table("scenes")
    for relation in scenes["relations"]:
        yield f"a large red circle {relation} a small blue square"
    for color, shape in zip(scenes["colors"], scenes["shapes"] * 2):
        yield f"a small {color} {shape}"


@pytest.mark.parametrize("index", [0, 4])  # American, British
def test_every_text_is_labelled_word_by_word_in_both_accents(index):
    pytest.importorskip("espeakng_loader")
    from speechbrain_mtl.data.synthetic.utterance import utter

    who = speaker(0, index)
    for text in everything():
        said = utter(Line(text, who, text), seed=0)
        assert [w.label for w in said.words] == text.split()
        assert said.phones[-1].end == len(said.wave)
        assert all(p.end > p.start for p in said.phones)


def test_every_syllable_is_a_consonant_a_vowel_and_a_consonant():
    pytest.importorskip("espeakng_loader")
    from speechbrain_mtl.data.synthetic.utterance import utter

    content, phones = table("texts")["syllables"], table("phones")
    for accent in (0, 4):
        for number in range(10):
            onset = content["onset"][number]
            vowel = content["nucleus"][number % 8]
            coda = content["coda"][number % 4]
            text = f"[[{onset}'{vowel}{coda}]]"
            line = Line(text, speaker(0, accent), text, phonemes=True)
            labels = [p.label for p in utter(line, 0).phones]
            expected = [phones["arpabet"][m] for m in (onset, vowel, coda)]
            assert labels == [SILENCE, *expected, SILENCE], text
