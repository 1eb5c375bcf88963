"""Slots: tokens from tags and back, sizes, scores."""

import random

import pytest
import torch
from speechbrain.dataio.batch import PaddedData

from speechbrain_mtl.evaluation import slot_type_f1, slot_value_cer
from speechbrain_mtl.evaluation.slots import slots_of
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks import Inputs
from speechbrain_mtl.tasks.superb import SlotFilling, SlotTokens
from speechbrain_mtl.tasks.transcription import PLAIN


def tagged(text, tags):
    return {"text": text, "bio": tags.split()}


ENTRIES = {
    "u1": tagged(
        "set the lights to dark red", "O O B-object O B-value I-value"
    ),
    "u2": tagged("stop now", "O O"),
    "u3": tagged("red lights", "B-value B-object"),
}


@pytest.mark.parametrize(
    ("text", "tags", "said"),
    [
        ("play the wall", "O B-song I-song", "PLAY B-song THE WALL E-song"),
        # Two values side by side; a value whose first tag is I.
        ("a b", "B-x B-x", "B-x A E-x B-x B E-x"),
        ("a b c", "I-x I-y O", "B-x A E-x B-y B E-y C"),
        # Names of any case; words that look like marks; spoken signs.
        (
            "B-side & E-mail",
            "B-Song I-Song O",
            "B-song B-SIDE AND E-song E-MAIL",
        ),
        ("rock - roll ?", "B-x I-x I-x O", "B-x ROCK ROLL E-x"),
        ("- a", "B-x O", "A"),
        ("", "", ""),
    ],
)
def test_tags_become_marks(text, tags, said):
    words = SlotTokens().reference(tagged(text, tags))
    assert words == said.split()


def test_tokens_are_read_back_as_they_were_written():
    draw = random.Random(0)
    letters = "abcde'"
    for _ in range(50):
        words = ["".join(draw.choices(letters, k=draw.randrange(1, 5)))
                 for _ in range(draw.randrange(1, 8))]  # fmt: skip
        tags = [draw.choice(["O", "B-x", "I-x", "B-date", "I-date"])
                for _ in words]  # fmt: skip
        entry = {"text": " ".join(words), "bio": tags}
        tokens = SlotTokens(symbols="learned")
        tokens.fit({"u": entry})
        ids = tokens.encode(entry)
        assert tokens.decode(ids) == tokens.reference(entry)
        values = slots_of(" ".join(tokens.decode(ids)))
        runs = sum(
            tag != "O"
            and (tag[0] == "B" or i == 0 or tags[i - 1][2:] != tag[2:])
            for i, tag in enumerate(tags)
        )
        assert sum(map(len, values.values())) == runs
        # Spaces around marks may be missing in what is recognised.
        mark = [tokens.number[x] for x in tokens.labels if len(x) > 1]
        space = tokens.number.get(" ")
        bare = [
            x for i, x in enumerate(ids[:-1])
            if x != space or not {ids[i - 1], ids[i + 1]} & set(mark)
        ]  # fmt: skip
        assert tokens.decode(bare) == tokens.reference(entry)


def test_a_mark_is_one_token():
    tokens = SlotTokens(symbols="learned")
    tokens.fit(ENTRIES)
    marks = {f"{m}-{slot}" for m in "BE" for slot in ("object", "value")}
    letters = set("SET THE LIGHTS TO DARK RED STOP NOW")
    assert set(tokens.labels) == marks | letters | {"<eos>", "<unk>"}
    assert len(tokens.encode(ENTRIES["u3"])) == len("b red e b lights e$")


def test_characters_are_those_of_superb_and_slots_are_learned():
    tokens = SlotTokens()
    tokens.fit(ENTRIES)
    special, characters = tokens.labels[:2], tokens.labels[2:30]
    assert special == ["<eos>", "<unk>"]
    assert "".join(characters) == " ABCDEFGHIJKLMNOPQRSTUVWXYZ'"
    marks = ["B-object", "B-value", "E-object", "E-value"]
    assert tokens.labels[30:] == marks
    ids = tokens.encode(ENTRIES["u2"])
    # STOP NOW and the end.
    assert ids == [22, 23, 18, 19, 3, 17, 18, 26, 1]


def made(**settings):
    torch.manual_seed(0)
    sizes = {"projection": 8, "hidden_size": 24, "layers": 1, "dropout": 0.0,
             "augment": None}  # fmt: skip
    task = SlotFilling(**{**sizes, **settings})
    task.prepare((5,), ENTRIES)
    return task


def test_it_learns_to_mark():
    task = made()
    torch.manual_seed(1)
    lens = torch.tensor([80, 30, 50])
    encoded = Encoded((torch.randn(3, 80, 5),), lens, 0.02, 0.0)
    ids = [task.encode(entry) for entry in ENTRIES.values()]
    count = torch.tensor([len(i) for i in ids])
    data = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
    target = PaddedData(data, count / count.max())
    inputs = Inputs(None, None, target=target)
    optimizer = torch.optim.Adam(task.parameters(), lr=0.02)
    for _ in range(150):
        loss = task(encoded, inputs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = dict(zip(ENTRIES, task.eval().predict(encoded, inputs)))
    assert found["u3"] == {
        PLAIN: "B-value RED E-value B-object LIGHTS E-object"
    }
    f1, cer = task.score(found, ENTRIES)
    assert (f1.metric, f1.value, f1.n) == ("slot F1", 1.0, 3)
    # LIGHTS, DARK RED, RED, LIGHTS.
    assert (cer.metric, cer.value, cer.n) == ("slot CER", 0.0, 23)
    assert f1.higher_is_better and not cer.higher_is_better


def test_scores_are_those_of_the_metrics_and_have_intervals():
    task = made()
    said = {
        "u3": {PLAIN: "B-value RAD E-value"},
        "u1": {PLAIN: "B-object LIGHT E-object DARK"},
        "u2": {PLAIN: "B-value STOP E-value"},
    }
    refs = [" ".join(task.tokens.reference(e)) for e in ENTRIES.values()]
    hyps = [said[name][PLAIN] for name in ENTRIES]
    f1, cer = task.score(said, ENTRIES)
    assert f1.value == pytest.approx(slot_type_f1(refs, hyps))
    assert cer.value == pytest.approx(slot_value_cer(refs, hyps))
    assert f1.interval[0] <= f1.value <= f1.interval[1]
    assert cer.interval[0] < cer.value < cer.interval[1]


def test_problems_are_named_by_id():
    task = made()
    bad = {
        "gone": {"text": "set red"},
        "short": tagged("set red", "O"),
        "odd": tagged("set red", "O X-value"),
        "bare": tagged("set red", "O B-"),
        "digit": tagged("set red", "O B-1"),
        "new": tagged("set red", "O B-colour"),
        "dots": tagged("...", "O"),
        "good": ENTRIES["u1"],
    }
    lines = task.problems(bad)
    assert [line.split(":")[0] for line in lines] == list(bad)[:-1]
    assert "2 words, but bio has None tags" in lines[0]
    assert "'red' tagged 'X-value'" in lines[2]
    assert "B-colour" in lines[5] and "says nothing" in lines[6]
    assert "no entry has a slot" in task.problems({"u2": ENTRIES["u2"]})[0]
    with pytest.raises(ValueError, match="no slot in 'bio'"):
        SlotFilling(hidden_size=4, augment=None).prepare(
            (5,), {"u2": ENTRIES["u2"]}
        )
