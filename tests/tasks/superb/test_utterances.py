"""Utterance tasks: published sizes, one vector an utterance, intents."""

import copy
import math
from types import SimpleNamespace

import pytest
import torch

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks import Inputs, UtteranceClassification
from speechbrain_mtl.tasks.superb import (
    EmotionRecognition,
    IntentClassification,
    KeywordSpotting,
    SpeakerIdentification,
)

SLOTS = ("action", "object", "location")


def weights(task, entries, dims=(768,) * 13):
    """Count the weights of a head; the mix of layers aside."""
    task.prepare(dims, entries)
    return sum(
        p.numel() for n, p in task.named_parameters() if "reader" not in n
    )


@pytest.mark.parametrize(
    ("make", "field", "classes", "count"),
    [
        (KeywordSpotting, "keyword", 12, 199_948),
        (SpeakerIdentification, "speaker", 1251, 518_371),
        (EmotionRecognition, "emotion_label", 4, 197_892),
    ],
)
def test_heads_have_the_published_sizes(make, field, classes, count):
    entries = {f"u{i}": {field: f"class {i}"} for i in range(classes)}
    task = make()
    assert weights(task, entries) == count
    assert task.reader.which == "mix"


def test_the_intent_head_has_the_published_size():
    entries = {
        f"u{i}": {"intent": {s: str(i % n) for s, n in zip(SLOTS, (6, 14, 4))}}
        for i in range(84)
    }
    assert weights(IntentClassification(), entries) == 203_032


def test_only_speakers_are_told_from_parts():
    assert SpeakerIdentification().chunkable
    assert not KeywordSpotting().chunkable
    assert not EmotionRecognition().chunkable
    assert not IntentClassification().chunkable


def test_projecting_means_is_averaging_projections():
    torch.manual_seed(0)
    task = KeywordSpotting(projection=6)
    task.prepare((5, 5), {"a": {"keyword": "up"}, "b": {"keyword": "on"}})
    layers = (torch.randn(2, 7, 5), torch.randn(2, 7, 5))
    encoded = Encoded(layers, torch.tensor([7, 3]), 0.02, 0.0)
    mixed = (layers[0] + layers[1]) / 2
    first, second = task.head
    for row, frames in enumerate([7, 3]):
        pooled = first(mixed[row, :frames]).mean(dim=0)
        torch.testing.assert_close(
            task.logits(encoded)[row], second(pooled), rtol=1e-4, atol=1e-6
        )


def test_a_hidden_layer_and_a_projection_exclude_each_other():
    with pytest.raises(ValueError, match="hidden_size 8 and projection 4"):
        UtteranceClassification("word", hidden_size=8, projection=4)


def intent(action, thing, place):
    return {"intent": dict(zip(SLOTS, (action, thing, place)))}


INTENTS = {
    "u1": intent("on", "lamp", "hall"),
    "u2": intent("off", "lamp", "none"),
    "u3": intent("on", "heat", "none"),
    "u4": intent("off", "music", "hall"),
}


def made(**settings):
    torch.manual_seed(0)
    task = IntentClassification(**{"projection": 6, **settings})
    task.prepare((5,), INTENTS)
    return task


def batch(task, dim=5):
    torch.manual_seed(1)
    lens = torch.tensor([9, 4, 7, 1])
    encoded = Encoded((torch.randn(4, 9, dim),), lens, 0.02, 0.0)
    target = torch.stack([task.encode(entry) for entry in INTENTS.values()])
    inputs = Inputs(None, None, target=SimpleNamespace(data=target))
    return encoded, inputs


def test_the_loss_adds_the_slots_and_padding_adds_nothing():
    task = made()
    encoded, inputs = batch(task)
    terms = []
    for row, entry in enumerate(INTENTS.values()):
        frames = encoded.layers[0][row : row + 1, : encoded.lens[row]]
        one = Encoded((frames,), encoded.lens[row : row + 1], 0.02, 0.0)
        assert task.predict(one, inputs) == [task.predict(encoded, inputs)[row]]
        for slot, logits in zip(SLOTS, task.logits(one)):
            exps = [math.exp(x) for x in logits[0].tolist()]
            place = task.values[slot].index(entry["intent"][slot])
            terms.append(-math.log(exps[place] / sum(exps)))
    loss = task(encoded, inputs).item()
    assert loss == pytest.approx(sum(terms) / 4, rel=1e-5)


def test_all_slots_must_be_right():
    task = made()
    said = {name: dict(entry["intent"]) for name, entry in INTENTS.items()}
    assert task.score(said, INTENTS)[0].value == 1.0
    said["u2"]["location"] = "hall"
    said["u3"] = {"action": "off", "object": "lamp", "location": "hall"}
    (score,) = task.score(dict(reversed(said.items())), INTENTS)
    assert (score.metric, score.value, score.n) == ("accuracy", 0.5, 4)


def test_it_learns_intents():
    task = made(projection=16)
    encoded, inputs = batch(task)
    optimizer = torch.optim.Adam(task.parameters(), lr=0.02)
    for _ in range(120):
        loss = task(encoded, inputs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = dict(zip(INTENTS, task.predict(encoded, inputs)))
    assert task.score(found, INTENTS)[0].value == 1.0


def test_problems_of_intents_are_named():
    task = made()
    bad = {
        "gone": {"intent": None},
        "part": {"intent": {"action": "on", "object": "lamp"}},
        "none": intent("on", None, "hall"),
        "new": intent("on", "heat", "moon"),
        "good": INTENTS["u1"],
    }
    lines = task.problems(bad)
    assert [line.split(":")[0] for line in lines] == list(bad)[:-1]
    assert "location moon" in lines[3]
    with pytest.raises(ValueError, match="no slot of 'intent' with two"):
        IntentClassification().prepare((5,), {"u1": INTENTS["u1"]})
    with pytest.raises(ValueError, match="without slots"):
        IntentClassification(slots=())


def test_the_checkpoint_knows_its_intents():
    state = copy.deepcopy(made().state_dict())
    made().load_state_dict(state)
    other = IntentClassification(projection=6)
    other.prepare((5,), {**INTENTS, "u1": intent("on", "lamp", "bath")})
    with pytest.raises(ValueError, match="location bath"):
        other.load_state_dict(state)
