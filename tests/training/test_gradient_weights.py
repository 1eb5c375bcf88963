"""Weights from conflicting gradients, against hand-made and torchjd's own."""

import sys

import pytest
import torch
from torch import nn

from speechbrain_mtl.training.aggregators import aggregator
from speechbrain_mtl.training.gradient_weights import GradientWeights
from tests.helpers.weightings import (
    TASKS,
    OwnPCGrad,
    Toy,
    batches,
    gradients,
    jacobian,
    project_conflicting,
)
from tests.training.two_processes import WEIGHTS, batch, calibrated

SETTINGS = {
    "PCGrad": {},
    "CAGrad": {"c": 0.5},
    "UPGrad": {},
    "NashMTL": {"n_tasks": len(TASKS)},
    "AlignedMTL": {},
}
ENCODER = ("encoder.first.weight", "encoder.first.bias")
ENCODER += ("encoder.last.weight", "encoder.last.bias")
by_torchjd = pytest.mark.parametrize("name", SETTINGS)
pytestmark = pytest.mark.filterwarnings("ignore:.*not DPP.*")


def of_torchjd(name, **changed):
    pytest.importorskip("torchjd", reason="torchjd is not installed")
    return aggregator(name, **{**SETTINGS[name], **changed})


class Given(nn.Module):
    """Weights as given; keeps what it was asked about."""

    def __init__(self, *weights):
        super().__init__()
        self.weights = torch.tensor(weights)
        self.asked = []

    def weighting(self, rows):
        self.asked.append((rows.clone(), rows @ rows.T))
        return self.weights


def flat(found):
    return torch.cat([found[name].flatten() for name in ENCODER])


# Conflicting projections


def test_pcgrad_on_fixed_gradients():
    """Rows of -4 and 6 conflict: each loses its part along the other."""
    rows = torch.tensor([[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]])
    first = rows[0] + 22 / 38 * rows[1]
    second = rows[1] + 22 / 18 * rows[0]
    model = nn.ModuleDict({"encoder": nn.Linear(3, 1, bias=False)})
    weighting = GradientWeights(["a", "b"], of_torchjd("PCGrad"))
    losses = {n: model["encoder"](row)[0] for n, row in zip("ab", rows)}
    weighting.backward(losses, model)
    found = model["encoder"].weight.grad[0]
    torch.testing.assert_close(found, first + second)
    torch.testing.assert_close(found / 2, torch.stack([first, second]).mean(0))
    expected = {"a": 1 + 22 / 18, "b": 1 + 22 / 38}
    assert weighting.weights == pytest.approx(expected)
    oracle = project_conflicting(rows, [[1], [0]])
    torch.testing.assert_close(found, oracle)


@by_torchjd
def test_shared_gradients_are_the_aggregators_and_heads_keep_theirs(name):
    model, x = Toy(), batches()[0]
    rows = jacobian(model, x)
    sum(model(x).values()).backward()
    own, added = gradients(model), flat(gradients(model))
    torch.manual_seed(5)
    expected = of_torchjd(name)(rows)
    assert (expected - added).abs().max() > 0.01
    model.zero_grad()
    torch.manual_seed(5)
    weighting = GradientWeights(TASKS, of_torchjd(name))
    weighting.backward(model(x), model)
    found = gradients(model)
    torch.testing.assert_close(flat(found), expected, rtol=1e-4, atol=1e-5)
    for key in set(found) - set(ENCODER):
        torch.testing.assert_close(found[key], own[key])
    weights = torch.tensor([weighting.weights[task] for task in TASKS])
    torch.testing.assert_close(weights @ rows, expected, rtol=1e-4, atol=1e-5)


@by_torchjd
def test_as_torchjds_own_backward(name):
    autojac = pytest.importorskip("torchjd.autojac")
    model, x = Toy(), batches()[0]
    weighting = GradientWeights(TASKS, of_torchjd(name))
    torch.manual_seed(5)
    weighting.backward(model(x), model)
    theirs = Toy()
    y = theirs.encode(x)
    autojac.mtl_backward(list(theirs.ask(y, x).values()), y)
    torch.manual_seed(5)
    autojac.jac_to_grad(list(theirs.encoder.parameters()), of_torchjd(name))
    for key, grad in gradients(theirs).items():
        found = dict(model.named_parameters())[key].grad
        torch.testing.assert_close(found, grad, rtol=1e-4, atol=1e-5)


def test_upgrad_conflicts_with_no_task_that_is_not_small():
    """The solver's regularisation, by default, forgets tasks below 1 %."""
    model, x = Toy(), batches()[0]
    rows = jacobian(model, x)
    assert (rows @ rows.sum(0)).min() < -0.1
    linalg = pytest.importorskip("torchjd.linalg")
    angles = {}
    for precision in (1e-4, 1e-8):
        projector = linalg.QuadprogProjector(reg_eps=precision)
        chosen = of_torchjd("UPGrad", projector=projector)
        model.zero_grad()
        GradientWeights(TASKS, chosen).backward(model(x), model)
        combined = flat(gradients(model))
        lengths = rows.norm(dim=1) * combined.norm()
        angles[precision] = float((rows @ combined / lengths).min())
    assert angles[1e-8] > -1e-3 > angles[1e-4]


# What is filled, and how


def test_gradients_accumulate_scaled():
    """As `test_weightings`, and the aggregator sees no scaler's factor."""
    expected = None
    for x in batches(2):
        model = Toy()
        GradientWeights(TASKS, Given(0.5, 2.0, 1.0)).backward(model(x), model)
        found = gradients(model)
        expected = expected or dict.fromkeys(found, 0)
        expected = {n: expected[n] + found[n] / 2 for n in found}
    model, given = Toy(), Given(0.5, 2.0, 1.0)
    weighting = GradientWeights(TASKS, given)
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    for x in batches(2):
        weighting.backward(model(x), model, scaler=scaler, accumulation=2)
    for name, grad in gradients(model).items():
        torch.testing.assert_close(grad, 64 * expected[name])
    for (rows, _), x in zip(given.asked, batches(2)):
        torch.testing.assert_close(rows, jacobian(model, x))


@pytest.mark.parametrize("scale", [None, 64.0])
def test_some_layers_decide_for_all(scale):
    model, x = Toy(), batches()[0]
    last = jacobian(model, x, "encoder.last")
    given = Given(0.5, 2.0, 1.0)
    weighting = GradientWeights(TASKS, given, measured=["encoder.last"])
    scaler = scale and torch.amp.GradScaler("cpu", init_scale=scale)
    weighting.backward(model(x), model, scaler=scaler, accumulation=2)
    torch.testing.assert_close(given.asked[0][0], last)
    found = gradients(model)
    whole = Toy()
    losses = whole(x)
    sum(w * x for w, x in zip((0.5, 2.0, 1.0), losses.values())).backward()
    heads = Toy()
    sum(heads(x).values()).backward()
    for name in found:
        expected = gradients(whole if name in ENCODER else heads)[name]
        torch.testing.assert_close(found[name], expected * (scale or 1) / 2)


def test_a_frozen_encoder_leaves_heads_their_gradients():
    model, x = Toy(), batches()[0]
    model.encoder.requires_grad_(False)
    given = Given(0.5, 2.0, 1.0)
    GradientWeights(TASKS, given).backward(model(x), model)
    assert not given.asked
    heads = Toy()
    sum(heads(x).values()).backward()
    for name, grad in gradients(model).items():
        if name in ENCODER:
            assert grad is None
        else:
            torch.testing.assert_close(grad, gradients(heads)[name])


def test_what_no_task_reaches_keeps_no_gradient():
    model, x = Toy(), batches()[0]
    model.encoder["mask"] = nn.Linear(2, 2)
    weighting = GradientWeights(TASKS, Given(0.5, 2.0, 1.0))
    weighting.backward(model(x), model)
    assert model.encoder["mask"].weight.grad is None
    assert model.encoder["last"].weight.grad is not None


@pytest.mark.parametrize("inside", [False, True])
def test_gradients_are_aggregated_in_float32(inside):
    model, x = Toy(), batches()[0]
    given = Given(0.5, 2.0, 1.0)
    weighting = GradientWeights(TASKS, given)
    with torch.autocast("cpu", torch.bfloat16):
        losses = model(x)
        if inside:
            weighting.backward(losses, model)
    if not inside:
        weighting.backward(losses, model)
    rows, products = given.asked[0]
    assert rows.dtype == products.dtype == torch.float32
    torch.testing.assert_close(products, rows @ rows.T)
    assert model.encoder["first"].weight.grad.dtype == torch.float32


def test_gradients_that_are_not_finite_are_not_aggregated():
    model, x = Toy(), batches()[0]
    given = Given(0.5, 2.0, 1.0)
    weighting = GradientWeights(TASKS, given)
    losses = model(x)
    losses["sid"] = losses["sid"] * float("inf")
    weighting.backward(losses, model)
    assert model.encoder["last"].weight.grad.isnan().all()
    assert not given.asked
    assert weighting.weights == dict.fromkeys(TASKS, 1.0)


@by_torchjd
def test_gradients_of_zero_stay_zero(name):
    model, x = Toy(), batches()[0]
    losses = {task: 0 * loss for task, loss in model(x).items()}
    GradientWeights(TASKS, of_torchjd(name)).backward(losses, model)
    assert not flat(gradients(model)).any()


def test_a_step_may_leave_tasks_out():
    model, x = Toy(), batches()[0]
    weighting = GradientWeights(TASKS, OwnPCGrad())
    weighting.backward({"er": model(x)["er"]}, model)
    assert weighting.weights == pytest.approx(dict.fromkeys(TASKS, 1.0))
    assert model.tasks["asr"].weight.grad is None
    assert model.tasks["er"].weight.grad is not None


def test_nash_resumes_where_its_solver_was():
    def steps(weighting, xs):
        for x in xs:
            model = Toy()
            weighting.backward(model(x), model)
        return weighting.weights

    xs = batches(6)
    whole = GradientWeights(TASKS, of_torchjd("NashMTL", optim_niter=2))
    steps(whole, xs[:5])
    state = whole.state_dict()
    new = GradientWeights(TASKS, of_torchjd("NashMTL", optim_niter=2))
    fresh = steps(new, xs[5:])
    new = GradientWeights(TASKS, of_torchjd("NashMTL", optim_niter=2))
    new.load_state_dict(state)
    resumed, expected = steps(new, xs[5:]), steps(whole, xs[5:])
    assert resumed == pytest.approx(expected, rel=1e-6)
    assert fresh != pytest.approx(expected, rel=1e-3)


def test_pretext_tasks_of_a_real_model():
    model = calibrated().eval()
    names = list(WEIGHTS)
    given = Given(*WEIGHTS.values())
    losses, _ = model(batch(), torch.ones(4), names)
    GradientWeights(names, given).backward(losses, model)
    found = gradients(model)
    model.zero_grad()
    losses, _ = model(batch(), torch.ones(4), names)
    sum(WEIGHTS[name] * loss for name, loss in losses.items()).backward()
    for name, grad in gradients(model).items():
        if name.startswith("encoder") and grad is not None:
            torch.testing.assert_close(found[name], grad, rtol=1e-4, atol=1e-5)


# What is refused


def test_parameters_must_exist_and_be_trained():
    model, x = Toy(), batches()[0]
    with pytest.raises(ValueError, match="'trunk'.*'encoder', 'tasks'"):
        weighting = GradientWeights(TASKS, OwnPCGrad(), shared=["trunk"])
        weighting.backward(model(x), model)
    model.encoder["last"].requires_grad_(False)
    with pytest.raises(ValueError, match="'encoder.last'.*measure others"):
        GradientWeights(TASKS, OwnPCGrad(), measured=["encoder.last"]).backward(
            model(x), model
        )


def test_an_aggregator_without_weights_is_refused():
    with pytest.raises(ValueError, match="gives no weight a task"):
        GradientWeights(TASKS, nn.Identity())


def test_aggregators_are_those_that_weigh_and_resume():
    pytest.importorskip("torchjd", reason="torchjd is not installed")
    for name in ("Median", "GradDrop", "GradVac", "WeightedAggregator"):
        with pytest.raises(ValueError, match=f"'{name}'.*'PCGrad'.*'UPGrad'"):
            aggregator(name)


@pytest.mark.parametrize("missing", ["torchjd", "quadprog"])
def test_missing_packages_are_named(missing, monkeypatch):
    if missing != "torchjd":
        pytest.importorskip("torchjd", reason="torchjd is not installed")
        monkeypatch.setattr(
            "torchjd._mixins.find_spec", lambda n: None if n == missing else n
        )
    else:
        monkeypatch.setitem(sys.modules, "torchjd", None)
    with pytest.raises(ImportError, match=r"speechbrain_mtl\[mtl\]"):
        aggregator("UPGrad")
