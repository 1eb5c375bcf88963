"""Slot scores against published values, slow parsers and loops."""

import random

import pytest

from speechbrain_mtl.evaluation import (
    slot_type_f1,
    slot_value_cer,
    slot_value_wer,
)
from speechbrain_mtl.evaluation.slots import slot_value_edits, slots_of

HYP = "PLAY B-artist THE BEATLES E-artist ON B-service SPOTIFY E-service"
REF = (
    "PLAY B-artist THE BEATLES E-artist ON B-service SPOTFY E-service "
    "B-year NINETY E-year"
)


def test_the_values_of_the_reference_implementation():
    assert slot_type_f1([REF], [HYP]) == pytest.approx(0.8)
    assert slot_value_cer([REF], [HYP]) == pytest.approx(0.3043478, abs=1e-7)
    assert slot_value_wer([REF], [HYP]) == 0.5


def slow_slots(text):
    """Walk over the words; a mark waits for its nearest partner."""
    words, found, i = text.split(), [], 0
    while i < len(words):
        kind = words[i][2:] if words[i].startswith("B-") else None
        # At least one word in between.
        ends = [j for j in range(i + 2, len(words)) if words[j] == f"E-{kind}"]
        if kind and ends:
            inside = words[i + 1 : ends[0]]
            marks = {m + t for m in ("B-", "E-") for t in ("x", "y", "zz")}
            found.append((kind, [w for w in inside if w not in marks]))
            i = ends[0]
        i += 1
    return found


def levenshtein(ref, hyp):
    table = [list(range(len(hyp) + 1))]
    for i, a in enumerate(ref, 1):
        row = [i]
        for j, b in enumerate(hyp, 1):
            row.append(
                min(row[-1] + 1, table[-1][j] + 1, table[-1][j - 1] + (a != b))
            )
        table.append(row)
    return table[-1][-1]


def some_texts(seed, count=200):
    draw = random.Random(seed)
    words = ["AB", "A", "BAA", "C:D", "E;F", "E-MAIL"]
    marks = [m + t for m in ("B-", "E-") for t in ("x", "y", "zz")]
    for _ in range(count):
        text = draw.choices(words, k=draw.randrange(6))
        for kind in draw.choices(["x", "y", "zz"], k=draw.randrange(4)):
            value = draw.choices(words, k=draw.randrange(1, 4))
            text += [f"B-{kind}", *value, f"E-{kind}"]
        for _ in range(draw.randrange(3)):  # recognised at random
            text.insert(draw.randrange(len(text) + 1), draw.choice(marks))
        yield "  ".join(text)


def test_scores_are_those_of_loops():
    refs, hyps = list(some_texts(0)), list(some_texts(1))
    f1s, edits, sizes = [], {" ": 0, None: 0}, {" ": 0, None: 0}
    for ref, hyp in zip(refs, hyps):
        true, found = slow_slots(ref), slow_slots(hyp)
        a, b = {k for k, _ in true}, {k for k, _ in found}
        if not a or not b:
            f1s.append(float(a == b))
        else:
            p, r = len(a & b) / len(b), len(a & b) / len(a)
            f1s.append(2 * p * r / (p + r) if p + r else 0.0)
        for kind, value in true:
            for unit in edits:
                said = value if unit else " ".join(value)
                others = [v if unit else " ".join(v) for k, v in found
                          if k == kind]  # fmt: skip
                cost = [levenshtein(said, other) for other in others]
                # The published rule: hopeless from 10 000 % on.
                cost = [c for c in cost if c < 100 * len(said)]
                edits[unit] += min(cost, default=len(said))
                sizes[unit] += len(said)
    assert slot_type_f1(refs, hyps) == pytest.approx(sum(f1s) / len(f1s))
    cer, wer = (edits[unit] / sizes[unit] for unit in (None, " "))
    assert slot_value_cer(refs, hyps) == pytest.approx(cer)
    assert slot_value_wer(refs, hyps) == pytest.approx(wer)
    assert 0 < wer and 0 < cer < 1.5


def test_edits_are_told_by_utterance():
    refs = ["HI", REF, "B-x A E-x B-x B E-x"]
    edits, sizes = slot_value_edits(refs, ["B-x A E-x", HYP, "B-x B E-x"])
    # The one x of the third matches both of its values, at best.
    assert edits.tolist() == [0, 7, 1] and sizes.tolist() == [0, 23, 2]


def test_values_that_are_far_too_long_count_as_none():
    long = "B-x " + "AB" * 75 + " E-x"
    edits, _ = slot_value_edits(["B-x C E-x", "B-x CC E-x"], [long, long])
    assert edits.tolist() == [1, 150]


def test_marks_match_whole_words_only():
    assert slots_of("B-artist A E-artist_name B E-artist") == {
        "artist": ["A B"]
    }
    assert slots_of("SUB-x A E-x") == {}
    assert slots_of("B-x AN E-MAIL E-x") == {"x": ["AN E-MAIL"]}


def test_without_slots():
    assert slot_type_f1(["HI"], ["HO"]) == 1.0
    assert slot_type_f1(["HI"], [HYP]) == slot_type_f1([REF], ["HI"]) == 0.0
    with pytest.raises(ValueError, match="no reference marks a slot"):
        slot_value_cer(["HI"], [HYP])
    with pytest.raises(ValueError, match="no utterance"):
        slot_type_f1([], [])
    with pytest.raises(ValueError, match="2 references, but 1"):
        slot_value_wer(["HI", "HI"], ["HI"])
    with pytest.raises(ValueError, match="neither characters nor words"):
        slot_value_edits([REF], [HYP], "phones")
