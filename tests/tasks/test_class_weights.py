"""Classes that count alike, however rare."""

from types import SimpleNamespace

import pytest
import torch

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks import Inputs, UtteranceClassification

COUNTS = {"go": 2, "no": 3, "unknown": 15}


def entries():
    words = [word for word, count in COUNTS.items() for _ in range(count)]
    return {f"u{i}": {"word": word} for i, word in enumerate(words)}


def prepared(**settings):
    torch.manual_seed(0)
    task = UtteranceClassification("word", **settings)
    task.prepare((4,), entries())
    return task


def loss_of(task, words, frames):
    target = torch.stack([task.encode({"word": word}) for word in words])
    lens = torch.full((len(words),), frames.shape[1])
    inputs = Inputs(None, None, target=SimpleNamespace(data=target))
    return task(Encoded((frames,), lens, 0.01, 0.0), inputs)


@pytest.mark.parametrize("weights", ["equal", "balanced"])
@pytest.mark.parametrize("words", [["go", "unknown", "no"], ["go", "go"]])
def test_loss_equals_a_loop_over_items(weights, words):
    task = prepared(class_weights=weights)
    frames = torch.randn(len(words), 5, 4)
    terms = []
    for word, one in zip(words, frames):
        item = Encoded((one[None],), torch.tensor([5]), 0.01, 0.0)
        shares = task.logits(item)[0].softmax(dim=-1)
        term = -shares[task.labels.index(word)].log().item()
        if weights == "balanced":
            term *= 20 / (3 * COUNTS[word])
        terms.append(term)
    expected = pytest.approx(sum(terms) / len(terms), rel=1e-5)
    assert loss_of(task, words, frames).item() == expected


def test_every_class_of_the_training_part_weighs_the_same():
    task = prepared(class_weights="balanced")
    numbers = [task.encode(entry).item() for entry in entries().values()]
    totals = torch.zeros(3).index_add(
        0, torch.tensor(numbers), task.weights[numbers]
    )
    assert totals.tolist() == pytest.approx([20 / 3] * 3)


def test_weights_are_not_part_of_the_checkpoint():
    state = prepared(class_weights="balanced").state_dict()
    assert "weights" not in state
    task = prepared(class_weights="equal")
    task.load_state_dict(state)
    assert task.weights.tolist() == [1.0, 1.0, 1.0]


def test_unknown_weights_are_refused():
    with pytest.raises(ValueError, match="class_weights 'even' is none of"):
        UtteranceClassification("word", class_weights="even")
