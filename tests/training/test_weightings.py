"""Weights that are learnt or follow the losses."""

import copy
import math

import pytest
import torch
from speechbrain.utils.checkpoints import Checkpointer
from torch._subclasses.fake_tensor import FakeTensorMode

from speechbrain_mtl.training.dynamic_average import DynamicWeightAverage
from speechbrain_mtl.training.loss_scale import ScaledLosses
from speechbrain_mtl.training.uncertainty import UncertaintyWeights
from speechbrain_mtl.training.weighting import FixedWeights
from tests.helpers.weightings import TASKS, Toy, batches, gradients

ONES = dict.fromkeys(TASKS, 1.0)
MAKERS = {
    "fixed": lambda: FixedWeights({"asr": 0.5, "sid": 2.0, "er": 1.0}),
    "uncertainty": lambda: UncertaintyWeights(TASKS),
    "dynamic": lambda: DynamicWeightAverage(TASKS, every=2),
    "scaled": lambda: ScaledLosses(ONES, decay=0.9),
}
every_weighting = pytest.mark.parametrize("kind", MAKERS)


def moved(kind):
    """A weighting that has seen five steps."""
    weighting = MAKERS[kind]()
    model = Toy()
    both = [*model.parameters(), *weighting.parameters()]
    optimizer = torch.optim.SGD(both, lr=0.01)
    for x in batches(5):
        losses = model(x)
        weighting.observe(losses)
        weighting.backward(losses, model)
        optimizer.step()
        optimizer.zero_grad()
    return weighting


def some_losses():
    return {n: torch.tensor(v) for n, v in zip(TASKS, (30.0, 2.0, 0.3))}


@every_weighting
def test_forward_changes_nothing(kind):
    weighting = moved(kind)
    before = copy.deepcopy(weighting.state_dict())
    first = weighting(some_losses())
    assert torch.equal(weighting(some_losses()), first)
    for name, value in weighting.state_dict().items():
        if isinstance(value, torch.Tensor):
            assert torch.allclose(value, before[name], equal_nan=True)


@every_weighting
def test_a_checkpoint_holds_all_of_it(kind, tmp_path):
    old, new = moved(kind), MAKERS[kind]()
    if kind != "fixed":
        assert not torch.equal(old(some_losses()), new(some_losses()))
    Checkpointer(tmp_path, {"weighting": old}).save_checkpoint()
    saved = next(tmp_path.glob("*/weighting.ckpt"))
    torch.load(saved, weights_only=True)
    Checkpointer(tmp_path, {"weighting": new}).recover_if_possible()
    for x in batches(3):
        for weighting in (old, new):
            weighting.observe(Toy()(x))
        assert torch.equal(old(some_losses()), new(some_losses()))
    assert old.weights == new.weights


@every_weighting
def test_the_state_of_other_tasks_is_refused(kind):
    state = moved(kind).state_dict()
    other = FixedWeights(dict.fromkeys(reversed(TASKS), 1.0))
    with pytest.raises(ValueError, match="'er', 'sid', 'asr'.*output folder"):
        other.load_state_dict(
            {"_extra_state": state["_extra_state"]}, strict=False
        )


@every_weighting
def test_losses_of_unknown_tasks_are_refused(kind):
    weighting = MAKERS[kind]()
    with pytest.raises(ValueError, match="no weight for task.*'pr'"):
        weighting({"pr": torch.tensor(1.0)})


@every_weighting
def test_weights_are_the_factors_of_the_losses(kind):
    weighting = moved(kind)
    losses = {n: x.requires_grad_() for n, x in some_losses().items()}
    weighting(losses).backward()
    for name, loss in losses.items():
        assert float(loss.grad) == pytest.approx(weighting.weights[name])


@every_weighting
def test_a_step_may_leave_tasks_out(kind):
    weighting = moved(kind)
    whole = weighting.weights
    losses = {"er": torch.tensor(0.3, requires_grad=True)}
    weighting(losses).backward()
    assert float(losses["er"].grad) == pytest.approx(whole["er"])
    weighting.observe(losses)
    assert all(math.isfinite(w) for w in weighting.weights.values())


@every_weighting
def test_gradients_accumulate_scaled(kind):
    """Two batches of an update: half of each, times the scaler's factor."""
    expected = None
    for x in batches(2):
        model, weighting = Toy(), MAKERS[kind]()
        weighting(model(x)).backward()
        found = gradients(model)
        expected = expected or dict.fromkeys(found, 0)
        expected = {n: expected[n] + found[n] / 2 for n in found}
    model, weighting = Toy(), MAKERS[kind]()
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    for x in batches(2):
        weighting.backward(model(x), model, scaler=scaler, accumulation=2)
    for name, grad in gradients(model).items():
        torch.testing.assert_close(grad, 64 * expected[name])


@every_weighting
def test_no_step_waits_for_the_device(kind):
    """Fake tensors have no values: whatever asks for one fails."""
    with FakeTensorMode():
        weighting = MAKERS[kind]()
        model = torch.nn.Linear(2, 3)
        losses = dict(zip(TASKS, model(torch.ones(4, 2)).square().mean(0)))
        weighting.observe(losses)
        weighting(losses)
        weighting.backward(losses, model)
        assert model.weight.grad is not None


@pytest.mark.parametrize("tasks", [[], ["asr", "asr"]])
def test_tasks_are_named_once(tasks):
    with pytest.raises(ValueError, match="at least one, each once"):
        UncertaintyWeights(tasks)


# Uncertainty


def test_gradient_of_the_log_deviation_is_that_of_the_formula():
    weighting = UncertaintyWeights(TASKS)
    with torch.no_grad():
        weighting.log_variances.copy_(torch.tensor([0.7, -1.0, 2.0]))
    losses = some_losses()
    weighting(losses).backward()
    # log sigma^2 = 2 log sigma
    found = 2 * weighting.log_variances.grad
    variances = weighting.log_variances.detach().exp()
    for name, grad, variance in zip(TASKS, found, variances):
        expected = 1 - 2 * losses[name] / variance
        assert float(grad) == pytest.approx(float(expected), rel=1e-5)


def test_variances_reach_the_optimiser_and_twice_the_loss():
    weighting = UncertaintyWeights(TASKS)
    optimizer = torch.optim.SGD(weighting.parameters(), lr=0.05)
    assert "log_variances" in weighting.state_dict()
    for _ in range(400):
        optimizer.zero_grad()
        weighting.backward(some_losses(), weighting)
        optimizer.step()
    for name, loss in some_losses().items():
        variance = 1 / weighting.weights[name]
        assert variance == pytest.approx(2 * float(loss), rel=1e-3)


def test_uncertainty_is_torchjds_of_twice_the_loss():
    scalarization = pytest.importorskip("torchjd.scalarization")
    weighting, theirs = UncertaintyWeights(TASKS), scalarization.UW(len(TASKS))
    with torch.no_grad():
        weighting.log_variances.copy_(torch.tensor([0.7, -1.0, 2.0]))
        theirs.log_var.copy_(weighting.log_variances)
    losses = some_losses()
    expected = theirs(2 * torch.stack(list(losses.values())))
    torch.testing.assert_close(weighting(losses), expected)


# Dynamic weight average


def dynamic_oracle(steps, every, temperature):
    """Weights after each step, one number at a time."""
    periods = {name: [] for name in TASKS}
    sums, found = {name: [] for name in TASKS}, []
    for number, losses in enumerate(steps, 1):
        for name, loss in losses.items():
            if math.isfinite(loss):
                sums[name].append(loss)
        if number % every == 0:
            for name, seen in sums.items():
                mean = sum(seen) / len(seen) if seen else None
                periods[name].append(mean)
                seen.clear()
        powers = {}
        for name, means in periods.items():
            last, before = ([None, None] + means)[-1:-3:-1]
            ratio = last / before if last and before else 1.0
            powers[name] = math.exp(ratio / temperature)
        whole = sum(powers.values())
        found.append({n: len(TASKS) * p / whole for n, p in powers.items()})
    return found


def random_steps(count, gaps=False):
    generator = torch.Generator().manual_seed(3)
    steps = []
    for values in torch.rand(count, 3, generator=generator).tolist():
        steps.append({n: v + 0.1 for n, v in zip(TASKS, values)})
    if gaps:
        steps[1]["asr"] = float("nan")
        for step in steps[4:8]:
            del step["er"]
    return steps


@pytest.mark.parametrize("gaps", [False, True])
def test_dynamic_weights_are_those_of_a_loop(gaps):
    steps = random_steps(20, gaps)
    weighting = DynamicWeightAverage(TASKS, temperature=0.7, every=3)
    for losses, expected in zip(steps, dynamic_oracle(steps, 3, 0.7)):
        weighting.observe({n: torch.tensor(x) for n, x in losses.items()})
        assert weighting.weights == pytest.approx(expected, rel=1e-5)
    assert max(weighting.weights.values()) > 1.1


def test_dynamic_weights_are_torchjds():
    scalarization = pytest.importorskip("torchjd.scalarization")
    weighting = DynamicWeightAverage(TASKS, every=4)
    theirs = scalarization.DWA(temperature=2.0)
    for number, step in enumerate(random_steps(16), 1):
        losses = {n: torch.tensor(x) for n, x in step.items()}
        expected = theirs(torch.stack(list(losses.values())))
        torch.testing.assert_close(weighting(losses), expected)
        weighting.observe(losses)
        if number % 4 == 0:
            theirs.step()
    assert weighting.weights["asr"] != 1.0


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"every": 0}, "every is 0"),
    ],
)
def test_dynamic_settings_have_a_range(settings, said):
    with pytest.raises(ValueError, match=said):
        DynamicWeightAverage(TASKS, **settings)


# Scaled losses


def test_scaled_losses_are_those_of_a_loop():
    weighting = ScaledLosses(ONES, decay=0.8)
    sums, counts = dict.fromkeys(TASKS, 0.0), dict.fromkeys(TASKS, 0.0)
    for step in random_steps(12, gaps=True):
        weighting.observe({n: torch.tensor(x) for n, x in step.items()})
        for name, loss in step.items():
            if math.isfinite(loss):
                sums[name] = 0.8 * sums[name] + loss
                counts[name] = 0.8 * counts[name] + 1
        seen = {n: x for n, x in step.items() if math.isfinite(x)}
        expected = sum(x * counts[n] / sums[n] for n, x in seen.items())
        total = weighting({n: torch.tensor(x) for n, x in seen.items()})
        assert float(total) == pytest.approx(expected, rel=1e-5)


def test_the_size_of_a_loss_does_not_matter():
    found = []
    for size in (1.0, 200.0):
        model, weighting = Toy(), ScaledLosses(ONES)
        for x in batches(3):
            losses = model(x)
            losses["asr"] = losses["asr"] * size
            weighting.observe(losses)
            weighting.backward(losses, model)
        found.append(gradients(model))
    for name, grad in found[0].items():
        torch.testing.assert_close(found[1][name], grad)


def test_the_first_step_is_defined_with_and_without_observing():
    weighting = ScaledLosses({"asr": 0.5, "sid": 2.0})
    losses = {"asr": torch.tensor(300.0), "sid": torch.tensor(2.0)}
    assert weighting.weights == {"asr": 0.5, "sid": 2.0}
    assert float(weighting(losses)) == pytest.approx(2.5)
    weighting.observe(losses)
    assert float(weighting(losses)) == pytest.approx(2.5)


def test_a_solved_task_is_not_magnified_without_bound():
    weighting = ScaledLosses({"asr": 1.0}, floor=0.01)
    for _ in range(3):
        weighting.observe({"asr": torch.tensor(0.0)})
    assert weighting.weights["asr"] == pytest.approx(100.0)
    assert float(weighting({"asr": torch.tensor(0.0)})) == 0.0


@pytest.mark.parametrize(
    "settings, said",
    [({"decay": 1.0}, "decay is 1.0"), ({"floor": 0.0}, "floor is 0.0")],
)
def test_scaled_settings_have_a_range(settings, said):
    with pytest.raises(ValueError, match=said):
        ScaledLosses(ONES, **settings)
