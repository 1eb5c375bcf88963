"""Self-training against sums over all paths, one utterance after the other."""

import itertools
import math

import pytest
import torch
from torch.nn import functional

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.spec_augment import SpecAugment
from speechbrain_mtl.tasks import CTCTask, Inputs, SelfTraining
from speechbrain_mtl.tasks.base import Teaching
from speechbrain_mtl.tasks.self_training import best_path, label_confidence
from speechbrain_mtl.tasks.superb import SpeechRecognition
from speechbrain_mtl.tasks.tokens import LabelTokens
from speechbrain_mtl.training.teaching import check_teachers, teaching_of

PHONES = {"u1": {"phones": ["s", "ow"]}, "u2": {"phones": ["t"]}}
SIZES = (6, 4, 1, 5)


def teacher(scale=4.0, **settings):
    """A head that is sure of something."""
    torch.manual_seed(0)
    task = CTCTask(LabelTokens("phones"), hidden_size=6, **settings)
    task.prepare((5,), PHONES)
    with torch.no_grad():
        task.out.weight *= scale
    return task.eval()


def batch(sizes=SIZES, width=None):
    """Frames with something in the padding."""
    torch.manual_seed(3)
    rows = [torch.randn(size, 5) for size in sizes]
    frames = torch.full((len(sizes), width or max(sizes), 5), 7.0)
    for place, row in enumerate(rows):
        frames[place, : len(row)] = row
    return Encoded((frames,), torch.tensor(sizes), 0.02, 0.0)


def taught(asr, encoded):
    with torch.no_grad():
        return Inputs(
            None, None, teaching=Teaching(asr, *asr.log_probs(encoded))
        )


def collapsed(path):
    return [k for k, _ in itertools.groupby(path) if k != 0]


def said(log_probs):
    """Best path of one item and its probability, by trying every path."""
    path = [max(range(len(f)), key=f.__getitem__) for f in log_probs.tolist()]
    labels, total = collapsed(path), 0.0
    frames = range(len(log_probs))
    for other in itertools.product(range(log_probs.shape[1]), repeat=len(path)):
        if collapsed(other) == labels:
            steps = [log_probs[t, other[t]].item() for t in frames]
            total += math.exp(sum(steps))
    return labels, total ** (1 / len(labels)) if labels else 0.0


def items(encoded, log_probs):
    return [item[:n] for item, n in zip(log_probs, encoded.lens)]


def test_transcripts_and_confidences_are_those_of_all_paths():
    asr, encoded = teacher(), batch()
    log_probs, lens = asr.log_probs(encoded)
    labels, counts = best_path(log_probs, lens)
    confidence = label_confidence(log_probs, lens, labels, counts)
    expected = [said(item) for item in items(encoded, log_probs)]
    for row, count, sure, (slow, chance) in zip(
        labels, counts, confidence, expected
    ):
        assert row[:count].tolist() == slow and not row[count:].any()
        assert sure.item() == pytest.approx(chance, rel=1e-4)
    assert len({len(slow) for slow, _ in expected}) > 1


def test_an_utterance_of_blanks_is_never_sure():
    log_probs = torch.tensor([[[0.98, 0.01, 0.01]] * 4]).log()
    labels, counts = best_path(log_probs, torch.tensor([4]))
    assert counts.tolist() == [0]
    sure = label_confidence(log_probs, torch.tensor([4]), labels, counts)
    assert sure.tolist() == [0.0]


@pytest.mark.parametrize("passing", [0, 1, 2, 3])
def test_loss_is_ctc_of_those_that_pass(passing):
    """Each alone, by torch; a mean over the labels of these only."""
    asr, encoded = teacher(), batch()
    other = batch()
    other.layers = (other.layers[0] + 0.5,)  # as augmentation would
    inputs = taught(asr, encoded)
    answers = [said(i) for i in items(encoded, inputs.teaching.log_probs)]
    ranks = sorted((c for _, c in answers), reverse=True)
    threshold = (ranks[passing] + ranks[passing - 1]) / 2 if passing else 0.99
    task = SelfTraining("asr", threshold=threshold)
    loss = task(other, inputs)
    total, count, own = 0.0, 0, items(other, asr.log_probs(other)[0])
    for log_probs, (labels, sure) in zip(own, answers):
        if sure > threshold:
            total = total + functional.ctc_loss(
                log_probs[:, None], torch.tensor([labels]),
                torch.tensor([len(log_probs)]), torch.tensor([len(labels)]),
                reduction="sum",
            )  # fmt: skip
            count += len(labels)
    assert float(loss) == pytest.approx(float(total / max(count, 1)), rel=1e-4)
    assert float(task.measured["share"]) == passing / len(answers)
    mean = sum(sure for _, sure in answers) / len(answers)
    assert float(task.measured["confidence"]) == pytest.approx(mean, rel=1e-4)
    grads = torch.autograd.grad(loss, list(asr.parameters()))
    assert all(torch.isfinite(grad).all() for grad in grads)
    assert bool(grads[-1].any()) == (passing > 0)


def test_padding_and_company_change_nothing():
    asr = teacher()
    losses = []
    for width in (None, 11):
        encoded = batch(width=width)
        task = SelfTraining("asr", threshold=0.0)
        losses.append(task(encoded, taught(asr, encoded)))
    torch.testing.assert_close(losses[0], losses[1])
    encoded = batch()
    whole, _ = asr.log_probs(encoded)
    counts = best_path(whole, encoded.lens)[1]
    total = 0.0
    for row, size in enumerate(SIZES):
        frames = encoded.layers[0][row : row + 1, :size]
        alone = Encoded((frames,), torch.tensor([size]), 0.02, 0.0)
        task = SelfTraining("asr", threshold=0.0)
        total += task(alone, taught(asr, alone)) * counts[row]
    torch.testing.assert_close(total / counts.sum(), losses[0])


def test_training_waits_for_the_warm_up_and_resumes_in_it():
    asr, encoded = teacher(), batch()
    task = SelfTraining("asr", threshold=0.0, warmup_batches=2).train()
    inputs = taught(asr, encoded)
    losses = [float(task(encoded, inputs).detach()) for _ in range(2)]
    assert losses == [0.0, 0.0] and task.measured["share"] == 0
    assert task.measured["confidence"] > 0
    again = SelfTraining("asr", threshold=0.0, warmup_batches=2).train()
    again.load_state_dict(task.state_dict())
    assert float(again(encoded, inputs)) > 0
    # Validation neither waits nor counts.
    fresh = SelfTraining("asr", threshold=0.0, warmup_batches=2).eval()
    assert float(fresh(encoded, inputs)) > 0 and fresh.done == 0


def test_it_has_no_weights_of_its_own():
    assert list(SelfTraining("asr").parameters()) == []


def test_advice_on_thresholds_that_sort_nothing():
    task = SelfTraining("asr", threshold=0.8, warmup_batches=5)
    task.done = 105
    none = task.advice({"share": 0.0, "confidence": 0.2})
    assert "Lower the threshold, or train 'asr' for longer" in none
    everything = task.advice({"share": 1.0, "confidence": 0.95})
    assert "Raise it" in everything and "0.95" in everything
    assert task.advice({"share": 0.5, "confidence": 0.7}) is None
    task.done = 104
    assert task.advice({"share": 0.0, "confidence": 0.2}) is None


@pytest.mark.parametrize(
    "settings", [{"threshold": 1.0}, {"threshold": -1}, {"warmup_batches": -1}]
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError, match="threshold from 0 to below 1"):
        SelfTraining("asr", **settings)


def test_a_teacher_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'asr' beside it: train both by"):
        SelfTraining("asr")(batch(), Inputs(None, None))
    tasks = {"own": SelfTraining("asr"), "pr": teacher()}
    with pytest.raises(ValueError, match=r"'own' learns from 'asr'.*\['pr'\]"):
        check_teachers(tasks)
    with pytest.raises(ValueError, match="'own' learns from 'own'"):
        check_teachers({"own": SelfTraining("own")})
    check_teachers({"own": SelfTraining("pr"), "pr": teacher()})


class Halves(torch.nn.Module):
    """An encoder that drops half of everything while training."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(5, 5)
        self.still = torch.nn.Dropout(0.5).eval()

    def forward(self, wavs, lens):
        frames = functional.dropout(self.linear(wavs), 0.5, self.training)
        sizes = (lens * wavs.shape[1]).round().long()
        return Encoded((frames,), sizes, 0.02, 0.0)


def augmented():
    """SUPERB's head with its SpecAugment."""
    torch.manual_seed(0)
    task = SpeechRecognition(
        layer=-1, projection=8, hidden_size=6, layers=1,
        augment=lambda width: SpecAugment(
            width, time_width=3, feature_width=3
        ),
    )  # fmt: skip
    task.prepare((5,), {"u1": {"text": "so it is"}})
    return task


@pytest.mark.parametrize("frozen", [False, True])
def test_transcripts_are_made_with_nothing_dropped_or_augmented(frozen):
    asr, encoder = augmented().train(), Halves().train(not frozen)
    encoder.still.eval()
    wavs, lens = torch.randn(3, 9, 5), torch.tensor([1.0, 0.5, 1.0])
    seen = encoder(wavs, lens)
    drawn = torch.get_rng_state()
    found = teaching_of(asr, encoder, seen, wavs, lens)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert asr.training and asr.trunk.augment.training
    assert encoder.training != frozen and not encoder.still.training
    assert not found.log_probs.requires_grad
    with torch.no_grad():
        calm = asr.eval().log_probs(encoder.eval()(wavs, lens))
    assert torch.equal(found.log_probs, calm[0])
    assert torch.equal(found.lens, calm[1])


def test_weights_learn_under_autocast(monkeypatch):
    """Those cast for the transcripts, without gradient, are cast anew."""
    cleared, clear = [], torch.clear_autocast_cache

    def counted():
        cleared.append(True)
        clear()

    monkeypatch.setattr(torch, "clear_autocast_cache", counted)
    asr, encoder = augmented().train(), Halves().train()
    with torch.no_grad():
        asr.out.weight *= 20
    wavs, lens = torch.randn(3, 9, 5), torch.tensor([1.0, 0.5, 1.0])
    with torch.autocast("cpu", torch.bfloat16):
        teaching = teaching_of(asr, encoder, None, wavs, lens)
        inputs = Inputs(None, None, teaching=teaching)
        task = SelfTraining("asr", threshold=0.0)
        task(encoder(wavs, lens), inputs).backward()
    # Torch 2.11 keeps no such cast on CPU: there gradients alone show nothing.
    assert cleared
    for parameter in (asr.out.weight, encoder.linear.weight):
        assert parameter.grad is not None and parameter.grad.any()
