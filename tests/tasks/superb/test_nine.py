"""The nine tasks of the block, on the embedded corpus."""

from functools import cache
from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.dataio.batch import PaddedBatch

from speechbrain_mtl.data.audio import read_entry
from speechbrain_mtl.data.superb import TASKS, mini_superb
from speechbrain_mtl.models import ContextFbank, Encoded
from speechbrain_mtl.tasks import Inputs, SupervisedTask
from tests.helpers.encoders import small_crdnn

BLOCK = Path(__file__).parents[3] / "hparams" / "blocks" / "superb_heads.yaml"
SMALL = {
    "projection": 8,
    "text_projection": 12,
    "text_size": 6,
    "speaker_projection": 8,
    "speaker_pooled": 12,
    "speaker_embedding": 8,
    "diarization_size": 6,
    "mask_values": 4,
    "phone_symbols": "learned",
    "pairs": 50,
}
# As many classes as each has in SUPERB.
CLASSES = {"ks": 12, "sid": 1251, "asv": 1211, "er": 4, "ic": 84}
SPOKEN = {
    "phones": ["S"],
    "text": "so it is",
    "bio": ["O", "B-a", "O"],
    "duration": 1.0,
    "turns": [[0, 0.5, "ann"]],
}
METRICS = {
    "pr": "PER",
    "asr": "WER",
    "sf": "slot F1",
    "ks": "accuracy",
    "ic": "accuracy",
    "sid": "accuracy",
    "asv": "EER",
    "sd": "DER",
    "er": "accuracy",
}
ENCODERS = {
    "crdnn": small_crdnn,
    "fbank": lambda: ContextFbank(n_mels=8, context=1),
}


def built(**overrides):
    """Load the block, with other values of its keys."""
    with open(BLOCK) as file:
        return load_hyperpyyaml(file, overrides)["superb_tasks"]


def intent(i):
    sizes = {"action": 6, "object": 14, "location": 4}
    return {slot: str(i % size) for slot, size in sizes.items()}


def test_the_block_has_nine_tasks_of_the_published_sizes():
    tasks = built()
    assert list(tasks) == list(TASKS) == list(METRICS)
    assert all(isinstance(task, SupervisedTask) for task in tasks.values())
    count = {}
    for name, task in tasks.items():
        entries = {
            f"u{i}": {**SPOKEN, "intent": intent(i), "label": f"{i:04d}"}
            for i in range(CLASSES.get(name, 1))
        }
        if name in ("ks", "sid", "asv", "er"):
            task.field = "label"
        with torch.device("meta"):
            task.prepare((768,) * 13, entries)
        assert task.reader.which == "mix"
        count[name] = sum(p.numel() for p in task.parameters()) - 13
    # One slot where SUPERB has 39: 2 x 38 outputs fewer.
    count["sf"] += 76 * 2049
    millions = {name: round(n / 1e6, 3) for name, n in count.items()}
    assert millions == {
        "pr": 0.216, "asr": 42.829, "sf": 42.987, "ks": 0.2, "ic": 0.203,
        "sid": 0.518, "asv": 6.73, "sd": 2.627, "er": 0.198,
    }  # fmt: skip


def test_the_block_is_told_what_else_is_wanted():
    tasks = built(
        layer=-1, legacy_ctc=True, augment=None, emotion_field="emotion"
    )
    assert {task.layer for task in tasks.values()} == {-1}
    assert tasks["pr"].legacy and tasks["sf"].legacy
    assert not tasks["asr"].legacy
    assert tasks["asr"].trunk_settings["augment"] is None
    assert tasks["er"].field == "emotion"
    made = built(mask_values=7)["sf"].trunk_settings["augment"](16)
    assert (made.time_warp, made.time_masks, made.time_width) == (5, 2, 40)
    assert (made.feature_masks, made.feature_width) == (4, 7)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    pytest.importorskip("espeakng_loader")
    return mini_superb(
        tmp_path_factory.mktemp("superb") / "corpus",
        minutes=6,
        speakers=10,
        seed=2,
        mixtures=8,
        chunk_seconds=3.0,
    )


@cache
def encoder_of(name):
    torch.manual_seed(0)
    encoder = ENCODERS[name]()
    encoder.calibrate(torch.randn(2, 16000), torch.ones(2))
    return encoder


def prepared(name, encoder, entries):
    torch.manual_seed(0)
    task = built(**SMALL)[name]
    task.prepare(encoder.dims, entries)
    return task


def loaded(task, encoder, entries):
    """Encode recordings, and pad what the task makes of their answers."""
    batch = PaddedBatch(
        [
            {"sig": read_entry(name, entry), "target": task.encode(entry)}
            for name, entry in entries.items()
        ]
    )
    encoded = encoder(*batch.sig)
    return encoded, Inputs(*batch.sig, target=batch.target)


def some(entries, count=6):
    """A few entries of unequal length."""
    names = sorted(entries, key=lambda n: entries[n]["duration"])
    kept = names[:: max(1, len(names) // count)][:count]
    return {name: entries[name] for name in kept}


@pytest.mark.parametrize("which", ENCODERS)
@pytest.mark.parametrize("name", TASKS)
def test_a_task_learns_answers_and_is_scored(parts, name, which):
    encoder = encoder_of(which).train()
    train, valid = parts[name]["train"], parts[name]["valid"]
    task = prepared(name, encoder, train)
    for entries in parts[name].values():
        assert task.problems(entries) == []
    encoder.zero_grad()
    loss = task.train()(*loaded(task, encoder, some(train)))
    assert loss.shape == () and loss.isfinite() and loss > 0
    loss.backward()
    for key, weight in task.named_parameters():
        assert weight.grad.isfinite().all(), key
        # A mix of one layer has nothing to learn.
        assert weight.grad.any() or len(encoder.dims) == 1, key
    if which == "crdnn":
        assert any(p.grad is not None for p in encoder.parameters())
    with torch.no_grad():
        encoded, inputs = loaded(task, encoder.eval(), valid)
        answers = dict(zip(valid, task.eval().predict(encoded, inputs)))
    assert len(answers) == len(valid)
    task.tune(answers, valid)
    score = task.score(answers, valid)[0]
    assert score.metric == METRICS[name] and score.value >= 0.0


@pytest.mark.parametrize("name", TASKS)
def test_padding_changes_neither_loss_nor_answer_nor_score(parts, name):
    encoder = encoder_of("crdnn").eval()
    task = prepared(name, encoder, parts[name]["train"]).eval()
    valid = parts[name]["valid"]
    with torch.no_grad():
        encoded, inputs = loaded(task, encoder, valid)
        place = torch.arange(encoded.layers[0].shape[1] + 9)
        padding = (place >= encoded.lens[:, None])[..., None]
        layers = tuple(
            torch.nn.functional.pad(x, (0, 0, 0, 9)).masked_fill(padding, 50.0)
            for x in encoded.layers
        )
        longer = Encoded(layers, encoded.lens, encoded.hop, encoded.offset)
        losses = [task(e, inputs).item() for e in (encoded, longer)]
        said = [
            dict(zip(valid, task.predict(e, inputs))) for e in (encoded, longer)
        ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    if name == "asv":
        for one, other in zip(*(answers.values() for answers in said)):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
        one, other = (task.score(answers, valid)[0] for answers in said)
        assert other.value == pytest.approx(one.value, abs=0.02)
    else:
        assert said[0] == said[1]
        assert task.score(said[0], valid) == task.score(said[1], valid)
