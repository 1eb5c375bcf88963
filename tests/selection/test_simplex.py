import itertools
import math

import pytest
import torch

from speechbrain_mtl.selection.simplex import (
    MAPPINGS,
    frank_wolfe_gap,
    minimise,
    regulariser,
    respond,
)

LIKE = {"dtype": torch.float64}


def quadratic(target, scale=1.0):
    def objective(w):
        gap = w - target
        return scale * gap.square().sum(), 2 * scale * gap

    return objective


def log_sum_exp(slopes):
    def objective(w):
        exponents = slopes @ w
        share = torch.softmax(exponents, 0)
        return torch.logsumexp(exponents, 0), share @ slopes

    return objective


def uniform(k):
    return torch.full((k,), 1 / k, **LIKE)


def random_simplex(count, k, seed=0):
    generator = torch.Generator().manual_seed(seed)
    draws = -torch.rand(count, k, generator=generator, **LIKE).log()
    return draws / draws.sum(dim=1, keepdim=True)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_it_projects_on_the_simplex_at_any_scale(scale):
    target = torch.tensor([0.6, 0.55, -0.2, 0.1], **LIKE)
    minimum = minimise(
        quadratic(target, scale), uniform(4), "simplex", tolerance=1e-12 * scale
    )
    expected = torch.tensor([31, 28, 0, 1], **LIKE) / 60
    torch.testing.assert_close(minimum.weights, expected)
    assert minimum.converged


@pytest.mark.parametrize(
    "mapping", ["softmax", "entmax", "sparsemax", "simplex"]
)
@pytest.mark.parametrize("start", [0, 1, 2])
def test_no_random_weights_are_better_than_a_convex_minimum(mapping, start):
    slopes = torch.randn(20, 5, generator=torch.Generator().manual_seed(3))
    objective = log_sum_exp(3 * slopes.double())
    temperature = 0.0 if mapping == "simplex" else 0.5
    first = [uniform(5), *torch.eye(5, **LIKE)][start]
    minimum = minimise(objective, first, mapping, temperature)
    assert minimum.converged
    for weights in random_simplex(300, 5):
        value = objective(weights)[0]
        value = value + temperature * regulariser(mapping, weights)
        assert minimum.value <= value + 1e-7
        # The gap at any point bounds what is lost there.
        gap = frank_wolfe_gap(
            mapping, weights, objective(weights)[1], temperature
        )
        assert value - gap <= minimum.value + 1e-7


@pytest.mark.parametrize("mapping", ["softmax", "entmax", "sparsemax"])
@pytest.mark.parametrize("temperature", [0.05, 1.0, 20.0])
def test_the_minimum_is_the_map_of_its_own_gradient(mapping, temperature):
    slopes = torch.randn(20, 5, generator=torch.Generator().manual_seed(4))
    objective = log_sum_exp(slopes.double())
    minimum = minimise(
        objective, uniform(5), mapping, temperature, tolerance=1e-12
    )
    gradient = objective(minimum.weights)[1]
    torch.testing.assert_close(
        minimum.weights,
        respond(mapping, gradient, temperature),
        rtol=1e-4,
        atol=1e-5,
    )


def test_softmax_of_a_linear_objective_is_softmax():
    slope = torch.tensor([0.1, 3.0, -1.0], **LIKE)
    minimum = minimise(lambda w: (w @ slope, slope), uniform(3), "softmax", 0.7)
    torch.testing.assert_close(
        minimum.weights, torch.softmax(-slope / 0.7, 0), rtol=1e-4, atol=1e-6
    )


def test_a_temperature_spreads_and_none_does_not():
    slope = torch.tensor([1.0, 2.0, 3.0], **LIKE)
    entropies = []
    for temperature in (0.2, 1.0, 5.0):
        weights = minimise(
            lambda w: (w @ slope, slope), uniform(3), "softmax", temperature
        ).weights
        entropies.append(float(-regulariser("softmax", weights)))
    assert entropies == sorted(entropies) and entropies[-1] < math.log(3)
    bare = minimise(lambda w: (w @ slope, slope), uniform(3), "softmax")
    assert bare.weights.tolist() == [1.0, 0.0, 0.0]


def test_one_label_has_all_the_weight():
    for mapping in MAPPINGS:
        minimum = minimise(
            lambda w: (w.sum(), torch.ones_like(w)), uniform(1), mapping, 1.0
        )
        assert minimum.weights.tolist() == [1.0] and minimum.gap == 0


def test_a_limit_too_low_is_confessed():
    target = torch.tensor([0.3, 0.5, 0.2], **LIKE)
    hard = torch.tensor([1.0, 30.0, 1000.0], **LIKE)

    def objective(w):
        gap = w - target
        return (hard * gap.square()).sum(), 2 * hard * gap

    minimum = minimise(objective, uniform(3), "simplex", limit=1)
    assert not minimum.converged and minimum.gap > 1e-7
    assert minimise(objective, uniform(3), "simplex").converged


def test_unknown_mappings_and_negative_temperatures_are_refused():
    with pytest.raises(ValueError, match="mapping 'argmax'"):
        minimise(lambda w: (w.sum(), w), uniform(2), "argmax")
    with pytest.raises(ValueError, match="temperature is -1"):
        minimise(lambda w: (w.sum(), w), uniform(2), "softmax", -1)


@pytest.mark.parametrize("mapping", ["softmax", "entmax", "sparsemax"])
@pytest.mark.parametrize("temperature", [0.3, 2.0])
def test_the_minimum_is_that_of_a_grid_over_the_simplex(mapping, temperature):
    slopes = 2 * torch.randn(20, 3, **LIKE)
    objective = log_sum_exp(slopes)
    minimum = minimise(objective, uniform(3), mapping, temperature)
    steps = 60
    values = {}
    for i, j in itertools.product(range(steps + 1), repeat=2):
        if i + j <= steps:
            weights = torch.tensor([i, j, steps - i - j]).double() / steps
            # By definition, apart from constants on the simplex.
            entropy = {
                "softmax": torch.special.entr(weights).sum(),
                "entmax": (weights - weights**1.5).sum() / 0.75,
                "sparsemax": (weights - weights**2).sum() / 2,
            }[mapping]
            value = float(objective(weights)[0] - temperature * entropy)
            values[tuple(weights.tolist())] = value
    best = min(values, key=values.get)
    assert minimum.weights.tolist() == pytest.approx(best, abs=1.5 / steps)
    constant = {"softmax": 0, "entmax": 4 / 3, "sparsemax": 1 / 2}[mapping]
    ours = minimum.value - temperature * constant
    assert values[best] - 0.01 * temperature < ours <= values[best] + 1e-7


def test_entmax_is_sparser_than_softmax_and_denser_than_sparsemax():
    slope = torch.tensor([0.0, 1.1, 1.3, 2.5], **LIKE)
    counts = []
    for mapping in ("softmax", "entmax", "sparsemax"):
        minimum = minimise(
            lambda w: (w @ slope, slope), uniform(4), mapping, 1.0, 1e-12
        )
        counts.append(int((minimum.weights > 1e-8).sum()))
    assert counts == [4, 3, 1]
