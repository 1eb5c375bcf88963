import pytest
import torch

from speechbrain_mtl.selection.pair_sums import PairSums
from speechbrain_mtl.selection.path import temperatures, weight_path
from speechbrain_mtl.selection.problem import Problem
from speechbrain_mtl.selection.simplex import minimise
from speechbrain_mtl.selection.solver import relative


def convex(mapping, temperature, labels=4, pairs=60):
    """Positive coefficients make the published score convex."""
    sums = PairSums(
        torch.rand(1, pairs, dtype=torch.float64),
        -3 * torch.rand(labels, pairs, dtype=torch.float64),
    )
    return Problem(relative, sums, mapping, temperature, False)


@pytest.mark.parametrize("mapping", ["softmax", "entmax", "sparsemax"])
def test_every_point_is_the_minimum_at_its_temperature(mapping):
    problem = convex(mapping, 0.3)
    path = weight_path(problem, problem.solve().weights)
    objective = relative(problem.sums)
    even = torch.full((4,), 0.25, dtype=torch.float64)
    for weights, temperature in zip(path, temperatures(0.3)):
        alone = minimise(objective, even, mapping, float(temperature), 1e-8)
        torch.testing.assert_close(weights, alone.weights, rtol=0, atol=5e-3)
        assert float(weights.sum()) == pytest.approx(1)


def test_the_path_goes_through_the_solution_and_ends_near_equal_weights():
    problem = convex("sparsemax", 0.3)
    solution = problem.solve().weights
    path = weight_path(problem, solution)
    torch.testing.assert_close(path[6], solution, rtol=0, atol=1e-5)
    distance = (path - 0.25).norm(dim=1)
    assert distance[0] > distance[6] > distance[-1]
    assert distance[-1] < 0.1


def test_a_path_on_a_sample_of_pairs_stays_near(monkeypatch):
    problem = convex("sparsemax", 0.3, pairs=30_000)
    solution = problem.solve().weights
    whole = weight_path(problem, solution)
    monkeypatch.setattr("speechbrain_mtl.selection.path.PATH_PAIRS", 10_000)
    sampled = weight_path(problem, solution)
    assert not torch.equal(sampled, whole)
    torch.testing.assert_close(sampled, whole, rtol=0, atol=0.1)
