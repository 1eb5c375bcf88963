"""Weightings under `JointBrain`: accumulated, rounded, and resumed."""

import functools

import pytest
import torch

from speechbrain_mtl.tasks import UtteranceClassification
from speechbrain_mtl.training.dynamic_average import DynamicWeightAverage
from speechbrain_mtl.training.gradient_weights import GradientWeights
from speechbrain_mtl.training.uncertainty import UncertaintyWeights
from speechbrain_mtl.training.weighting import FixedWeights
from tests.helpers import joint
from tests.helpers.weightings import OwnPCGrad
from tests.training.test_joint import log_of, run

TASKS = tuple(joint.LABELS)
FIXED = {"word": 1.0, "mood": 0.5}
MAKERS = {
    "fixed": lambda: FixedWeights(FIXED),
    "uncertainty": lambda: UncertaintyWeights(TASKS),
    "gradients": lambda: GradientWeights(TASKS, OwnPCGrad()),
}


def losses_of(number):
    """Model and losses of a batch, without any Brain."""
    model = joint.model().train()
    losses, _ = model(joint.batch(number=number), TASKS)
    return model, losses


def by_hand(kind, number):
    """What a batch's update should be made of."""
    model, losses = losses_of(number)
    if kind == "gradients":
        shared = list(model.encoder.parameters())
        rows = []
        for loss in losses.values():
            grads = torch.autograd.grad(
                loss, shared, retain_graph=True, allow_unused=True
            )
            flat = [
                torch.zeros_like(p) if g is None else g
                for p, g in zip(shared, grads)
            ]
            rows.append(torch.cat([g.flatten() for g in flat]))
        # Both projected, where they conflict: of two no order matters.
        one, two = rows
        clash = torch.dot(one, two).clamp(max=0)
        total = one - clash / two.dot(two) * two
        total = total + two - clash / one.dot(one) * one
        sum(losses.values()).backward()
        parts = total.split([p.numel() for p in shared])
        for parameter, part in zip(shared, parts):
            parameter.grad = part.view_as(parameter)
    else:
        weights = FIXED if kind == "fixed" else dict.fromkeys(TASKS, 1.0)
        sum(weights[name] * loss for name, loss in losses.items()).backward()
    found = {
        name: torch.zeros_like(p) if p.grad is None else p.grad
        for name, p in model.named_parameters()
    }
    if kind == "uncertainty":
        values = torch.stack([losses[name].detach() for name in TASKS])
        found["log_variances"] = 0.5 - values
    return found


@pytest.mark.parametrize("kind", MAKERS)
def test_two_batches_are_one_update_with_their_mean_gradient(kind, tmp_path):
    batches = [joint.batch(number=number) for number in (0, 1)]
    brain = joint.train(
        joint.model(), MAKERS[kind](), batches, tmp_path,
        grad_accumulation_factor=2,
    )  # fmt: skip
    (update,) = brain.updates
    first, second = by_hand(kind, 0), by_hand(kind, 1)
    assert set(update) == set(first)
    for name, found in update.items():
        expected = (first[name] + second[name]) / 2
        torch.testing.assert_close(
            found, expected, rtol=1e-4, atol=1e-6, msg=name
        )
    apart = [(first[name] - second[name]).abs().max() for name in first]
    assert max(apart) > 1e-2


@pytest.mark.parametrize("kind", MAKERS)
def test_in_bf16_updates_are_near_those_of_float32(kind, tmp_path):
    flat = []
    for precision in ("fp32", "bf16"):
        model = joint.model()
        brain = joint.train(
            model, MAKERS[kind](), [joint.batch()], tmp_path,
            precision=precision,
        )  # fmt: skip
        (update,) = brain.updates
        for part in (update.values(), model.parameters()):
            assert {x.dtype for x in part} == {torch.float32}
        flat.append(torch.cat([g.flatten() for g in update.values()]))
    exact, rounded = flat
    assert not torch.equal(exact, rounded)
    assert rounded.norm() == pytest.approx(float(exact.norm()), rel=0.05)
    assert torch.cosine_similarity(exact, rounded, dim=0) > 0.99


def test_log_variances_move_down_their_own_slope(tmp_path):
    weighting = UncertaintyWeights(TASKS)
    _, losses = losses_of(0)
    values = torch.stack([losses[name].detach() for name in TASKS])
    brain = joint.train(
        joint.model(), weighting, [joint.batch()], tmp_path, max_grad_norm=1e-3
    )
    # Gradients of the model are clipped to next to nothing, not these.
    expected = -joint.LR * (0.5 - values)
    torch.testing.assert_close(weighting.log_variances.detach(), expected)
    (own,) = [
        group
        for group in brain.optimizer.param_groups
        if any(p is weighting.log_variances for p in group["params"])
    ]
    assert own["weight_decay"] == 0.0 and own["lr"] == joint.LR


class Stopping(UtteranceClassification):
    """Ends the run in the middle of a training step."""

    left = 10**6

    def forward(self, encoded, inputs):
        self.left -= self.training
        if self.left < 0:
            raise KeyboardInterrupt
        return super().forward(encoded, inputs)


RESUMED = {
    "uncertainty": UncertaintyWeights,
    "dynamic": functools.partial(
        DynamicWeightAverage, temperature=0.5, every=3
    ),
    "gradients": lambda names: GradientWeights(names, OwnPCGrad()),
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return joint.write_parts(tmp_path_factory.mktemp("parts"))


@pytest.mark.parametrize("kind", RESUMED)
def test_stopped_and_resumed_equals_undisturbed(kind, parts, tmp_path):
    def go(folder, steps=10**6):
        tasks = {name: Stopping(name, layer="all") for name in TASKS}
        tasks["mood"].left = steps
        return run(
            parts, folder, tasks, weighting=RESUMED[kind], epochs=2,
            steps_per_epoch=6,
            run_opts={
                "ckpt_interval_minutes": 1e-6,
                "grad_accumulation_factor": 2,
            },
        )  # fmt: skip

    # In the second batch of an update: the first one comes again.
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "stopped", 9)
    assert len(log_of(tmp_path / "stopped")) == 9
    assert go(tmp_path / "stopped") == go(tmp_path / "whole")
    for split in ("train", "valid"):
        logs = [log_of(tmp_path / at, split) for at in ("stopped", "whole")]
        assert logs[0] == logs[1]
    weights = [
        [entry["tasks"][name]["weight"] for name in TASKS]
        for entry in log_of(tmp_path / "whole")
    ]
    # They differed before the stop, else this would show little.
    assert weights[8] != weights[0]
