"""Labels of which only some are known: the loss, the answers, bad entries."""

import math
from types import SimpleNamespace

import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks import Inputs, MultiLabelClassification

CLASSES = ["flute", "harp", "lute"]


def entry(values, mask):
    return {"labels": values, "label_mask": mask}


def some(count=12, seed=0):
    """Clips with one to three known labels; every label has both answers."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(count, 3, generator=generator)
    mask = torch.rand(count, 3, generator=generator) < 0.6
    mask[:2] = True
    mask[torch.arange(count), torch.arange(count) % 3] = True
    values[0], values[1] = 0.9, 0.1
    rows = zip(values.tolist(), mask.int().tolist())
    return {f"c{i}": entry(*row) for i, row in enumerate(rows)}


def prepared(entries, dims=(4,), **settings):
    torch.manual_seed(1)
    task = MultiLabelClassification("labels", CLASSES, **settings)
    task.prepare(dims, entries)
    return task


def asked(task, entries):
    target = torch.stack([task.encode(e) for e in entries.values()])
    lengths = torch.ones(len(target))
    return Inputs(
        None, None, target=SimpleNamespace(data=target, lengths=lengths)
    )


def encoded(count, frames=7, seed=2):
    generator = torch.Generator().manual_seed(seed)
    lens = torch.randint(2, frames + 1, (count,), generator=generator)
    lens[0] = frames
    layer = torch.randn(count, frames, 4, generator=generator)
    return Encoded((layer,), lens, 0.01, 0.0)


def test_loss_equals_a_loop_over_known_labels():
    entries = some()
    task, batch = prepared(entries), encoded(len(entries))
    loss = task(batch, asked(task, entries))
    terms = []
    for row, one in zip(task.logits(batch).tolist(), entries.values()):
        for score, value, known in zip(row, one["labels"], one["label_mask"]):
            if known:
                yes = 1 / (1 + math.exp(-score))
                terms.append(-math.log(yes if value >= 0.5 else 1 - yes))
    assert loss.item() == pytest.approx(sum(terms) / len(terms), rel=1e-5)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, None, math.nan])
def test_what_is_unknown_changes_nothing(value):
    entries = some()
    task, batch = prepared(entries), encoded(len(entries))
    changed = {
        name: entry(
            [v if k else value for v, k in zip(e["labels"], e["label_mask"])],
            e["label_mask"],
        )
        for name, e in entries.items()
    }
    answers = dict(zip(entries, task.predict(batch, None)))
    results = []
    for some_entries in (entries, changed):
        assert task.problems(some_entries) == []
        task.zero_grad()
        loss = task(batch, asked(task, some_entries))
        loss.backward()
        scores = task.score(answers, some_entries)
        results.append((loss.item(), task.head.weight.grad.clone(), scores))
    (loss, grad, scores), (other_loss, other_grad, other_scores) = results
    assert (loss, scores) == (other_loss, other_scores)
    assert torch.isfinite(grad).all() and torch.equal(grad, other_grad)


@pytest.mark.parametrize("pooling", ["mean", "stats"])
def test_padding_changes_neither_loss_nor_answers(pooling):
    entries = some()
    task = prepared(entries, pooling=pooling)
    batch, inputs = encoded(len(entries)), asked(task, entries)
    noise = 9.0 * torch.randn(len(entries), 5, 4)
    layer = torch.cat([batch.layers[0], noise], dim=1)
    for row, count in zip(layer, batch.lens):
        row[count:] = 9.0
    longer = Encoded((layer,), batch.lens, 0.01, 0.0)
    loss, other = task(batch, inputs), task(longer, inputs)
    assert loss.item() == pytest.approx(other.item(), rel=1e-5)
    for row, same in zip(
        task.predict(batch, inputs), task.predict(longer, inputs)
    ):
        assert row == pytest.approx(same, abs=1e-5)


def test_scores_are_scikit_learns_over_known_labels_with_an_interval():
    entries = some(60)
    task, batch = prepared(entries), encoded(60)
    answers = dict(zip(entries, task.predict(batch, None)))
    # In another order than the manifest: found by id.
    f1, precision = task.score(dict(reversed(answers.items())), entries)
    f1s, precisions = [], []
    for label in range(3):
        known = [n for n, e in entries.items() if e["label_mask"][label]]
        there = [entries[n]["labels"][label] >= 0.5 for n in known]
        given = [answers[n][label] for n in known]
        f1s.append(f1_score(there, [x >= 0.5 for x in given]))
        precisions.append(average_precision_score(there, given))
    assert (f1.metric, f1.n) == ("mean F1", 60)
    assert f1.value == pytest.approx(sum(f1s) / 3)
    assert f1.interval[0] < f1.value < f1.interval[1]
    assert (precision.metric, precision.interval) == ("mAP", None)
    assert precision.value == pytest.approx(sum(precisions) / 3)


def test_it_learns_what_is_there_to_learn():
    """Each label is the sign of one dimension of the frames."""
    generator = torch.Generator().manual_seed(3)
    frames = torch.randn(40, 6, 16, generator=generator)
    frames += 2 * torch.randn(40, 1, 16, generator=generator).sign()
    values = (frames.mean(dim=1)[:, :3] > 0).float().tolist()
    entries = {f"c{i}": entry(v, [1, 1, 1]) for i, v in enumerate(values)}
    task = prepared(entries, dims=(16,))
    batch = Encoded((frames,), torch.full((40,), 6), 0.01, 0.0)
    optimizer = torch.optim.Adam(task.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        task(batch, asked(task, entries)).backward()
        optimizer.step()
    answers = dict(zip(entries, task.predict(batch, None)))
    assert task.score(answers, entries)[0].value > 0.95


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (entry([1.0, 0.0], [1, 1, 1]), "labels is [1.0, 0.0]. Give a list of"),
        (entry(None, [1, 1, 1]), "labels is None. Give a list of 3"),
        ({"labels": [1.0, 0.0, 0.0]}, "label_mask is None. Give a list of 3"),
        (entry([1.0, 2.0, 0.0], [1, 1, 1]), "labels of 'harp' is 2.0. Give 0"),
        (entry([math.nan, 1, 0], [1, 1, 1]), "labels of 'flute' is nan"),
        (entry([1.0, "no", 0], [1, 1, 1]), "labels of 'harp' is 'no'"),
        (entry([1.0, 1.0, 0.0], [1, 3, 0]), "label_mask holds 3. Give 0s"),
        (entry([1.0, 1.0, 0.0], [0, 0, 0]), "label_mask is all 0. Leave"),
    ],
)
def test_bad_labels_are_named_with_their_id(bad, message):
    task = prepared(some())
    lines = task.problems({**some(), "clip7": bad, "clip8": bad})
    assert len(lines) == 2
    assert lines[0].startswith("clip7: ") and message in lines[0]
    assert lines[1].startswith("clip8: ")


def test_a_label_without_both_answers_is_named():
    entries = {
        "a": entry([1.0, 1.0, 0.9], [1, 1, 1]),
        "b": entry([0.0, 0.9, 0.1], [1, 1, 0]),
    }
    lines = prepared(some()).problems(entries)
    assert len(lines) == 1
    assert "no entry with a known no for ['harp', 'lute']. Label" in lines[0]


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="pooling 'max' is none of"):
        MultiLabelClassification("labels", CLASSES, pooling="max")
    with pytest.raises(ValueError, match="'labels' without classes"):
        MultiLabelClassification("labels", [])


def test_the_checkpoint_keeps_the_labels():
    state = prepared(some()).state_dict()
    prepared(some()).load_state_dict(state)
    other = MultiLabelClassification("labels", ["flute", "lute", "harp"])
    other.prepare((4,), some())
    with pytest.raises(ValueError, match=r"checkpoint's 'labels' has 3"):
        other.load_state_dict(state)
