import itertools

import pytest
import torch

from speechbrain_mtl.selection.leave_one_out import leave_one_out
from speechbrain_mtl.selection.pair_sums import PairSums
from speechbrain_mtl.selection.problem import Problem


def published(logs, coefficients=None):
    if coefficients is None:
        coefficients = torch.rand(1, logs.shape[1], dtype=torch.float64)
    return Problem.published(PairSums(coefficients, logs), "simplex")


def best_on_a_grid(problem, labels, steps=40):
    """Lowest score over all weights of some labels that are steps of a grid."""
    total = len(problem.sums.log_kernels)
    scores = []
    for counts in itertools.product(range(steps + 1), repeat=len(labels)):
        if sum(counts) == steps:
            weights = torch.zeros(total, dtype=torch.float64)
            weights[list(labels)] = torch.tensor(counts).double() / steps
            scores.append(problem.score(weights))
    return min(scores)


@pytest.mark.parametrize("seed", range(3))
def test_the_rise_is_that_of_the_best_weights_without_the_label(seed):
    torch.manual_seed(seed)
    problem = published(-3 * torch.rand(3, 25, dtype=torch.float64))
    weights = problem.solve().weights
    rises = leave_one_out(problem, weights)
    whole = best_on_a_grid(problem, (0, 1, 2))
    for label, rise in enumerate(rises):
        others = [k for k in range(3) if k != label]
        slow = best_on_a_grid(problem, others) / whole - 1
        assert rise == pytest.approx(slow, abs=0.01)
        assert (rise == 0) == (weights[label] == 0)


def test_one_of_two_copies_is_not_missed_and_the_only_one_is():
    logs = -torch.rand(2, 40, dtype=torch.float64)
    logs[0] -= 2
    alone = leave_one_out(p := published(logs), p.solve().weights)
    assert alone[0] > 1
    twice = published(torch.cat([logs[:1], logs]), p.sums.coefficients)
    half = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64)
    assert leave_one_out(twice, half) == pytest.approx([0, 0, 0], abs=1e-6)


def test_without_another_label_there_is_nothing_to_say():
    problem = published(-torch.rand(1, 9, dtype=torch.float64))
    assert leave_one_out(problem, torch.ones(1, dtype=torch.float64)) == [None]


def test_the_score_of_the_ratio_is_compared_without_its_regulariser():
    sums = PairSums(
        torch.tensor([[0.2], [0.1]], dtype=torch.float64),
        torch.tensor([[-1.0], [-1.5]], dtype=torch.float64),
    )
    problem = Problem.of_ratio(sums, (0.01, 0.01), "sparsemax", 5.0)
    weights = problem.solve().weights
    assert weights.min() > 0.1
    rises = leave_one_out(problem, weights)
    for label in range(2):
        vertex = torch.zeros(2, dtype=torch.float64)
        vertex[1 - label] = 1
        rise = problem.score(vertex) / problem.score(weights) - 1
        assert rises[label] == pytest.approx(rise, abs=1e-9)
