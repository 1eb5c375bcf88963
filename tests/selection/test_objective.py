import math

import pytest
import torch

from speechbrain_mtl.selection import (
    cosine_kernel,
    group_objective,
    log_rbf_kernel,
)
from speechbrain_mtl.selection.objective import as_strata
from speechbrain_mtl.selection.pair_sums import PairSums, strata_sums

CASES = [
    ("centered", "biased"),
    ("centered", "unbiased"),
    ("reference", "biased"),
]


def strata(sizes, labels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    like = {"generator": generator, "dtype": torch.float64}
    Ks, log_Ls = [], []
    for n in sizes:
        Ks.append(cosine_kernel(torch.randn(n, 6, **like) + 1))
        z = torch.randn(labels, n, 1, **like)
        log_Ls.append(log_rbf_kernel(z))
    return Ks, log_Ls


def slow_objective(Ks, log_Ls, weights, c_of, clamp):
    """One entry at a time; traces with an explicit centring matrix."""
    total = 0.0
    for K, log_L in zip(Ks, log_Ls):
        n = len(K)
        G = torch.zeros_like(K)
        for i in range(n):
            for j in range(n):
                exponent = 0.0
                for k, w in enumerate(weights.tolist()):
                    value = float(log_L[k, i, j])
                    if clamp:
                        value = min(max(value, -10.0), 0.0)
                    exponent += w * value
                G[i, j] = math.exp(exponent)
        H = torch.eye(n, dtype=K.dtype) - c_of(n)
        total += torch.trace(K @ H @ G @ H) / n**2
    return total / len(Ks)


def test_the_objective_is_its_definition_over_strata_of_unequal_size():
    Ks, log_Ls = strata([5, 8])
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    torch.testing.assert_close(
        group_objective(Ks, log_Ls, weights),
        slow_objective(Ks, log_Ls, weights, lambda n: 1 / n, clamp=False),
        rtol=1e-12,
        atol=0,
    )


def test_the_published_objective_clamps_and_centres_as_published():
    Ks, log_Ls = strata([6, 6])
    assert min(float(log_L.min()) for log_L in log_Ls) < -10
    weights = torch.tensor([0.1, 0.0, 0.9], dtype=torch.float64)
    torch.testing.assert_close(
        group_objective(Ks, log_Ls, weights, "reference"),
        slow_objective(Ks, log_Ls, weights, lambda n: 1 / n**2, clamp=True),
        rtol=1e-12,
        atol=0,
    )


def test_the_published_objective_takes_underflown_logarithms():
    Ks, log_Ls = strata([6])
    weights = torch.tensor([0.3, 0.3, 0.4], dtype=torch.float64)
    expected = group_objective(Ks, log_Ls, weights, "reference")
    log_Ls[0][log_Ls[0] < -10] = -float("inf")
    torch.testing.assert_close(
        group_objective(Ks, log_Ls, weights, "reference"), expected
    )
    with pytest.raises(ValueError, match="NaN or infinity.*log_rbf_kernel"):
        group_objective(Ks, log_Ls, weights)


@pytest.mark.parametrize("centering, estimator", CASES)
def test_the_gradient_is_that_of_finite_differences(centering, estimator):
    Ks, log_Ls = strata([7, 9])
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda w: group_objective(Ks, log_Ls, w, centering, estimator),
        weights.requires_grad_(),
    )


@pytest.mark.parametrize("centering, estimator", CASES)
def test_the_sums_over_pairs_are_the_objective_and_its_gradient(
    centering, estimator
):
    Ks, log_Ls = strata([7, 12, 9])
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    weights.requires_grad_()
    objective = group_objective(Ks, log_Ls, weights, centering, estimator)
    objective.backward()
    cleaned = as_strata(Ks, log_Ls, centering)
    sums = strata_sums(cleaned, centering, estimator)
    sums.block = 50  # several blocks, the last one short
    values, jacobian = sums(weights.detach())
    torch.testing.assert_close(values[0], objective.detach())
    torch.testing.assert_close(jacobian[0], weights.grad)


@pytest.mark.parametrize("centering, estimator", CASES)
def test_padding_and_lists_give_the_same(centering, estimator):
    Ks, log_Ls = strata([5, 8])
    K = torch.full((2, 8, 8), float("nan"), dtype=torch.float64)
    log_L = torch.full((2, 3, 8, 8), float("nan"), dtype=torch.float64)
    for row, n in enumerate((5, 8)):
        K[row, :n, :n], log_L[row, :, :n, :n] = Ks[row], log_Ls[row]
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    torch.testing.assert_close(
        group_objective(
            K, log_L, weights, centering, estimator, torch.tensor([5, 8])
        ),
        group_objective(Ks, log_Ls, weights, centering, estimator),
    )


def test_a_vertex_scores_its_label_alone_and_zero_weight_drops_one():
    Ks, log_Ls = strata([10, 10])
    vertex = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    alone = [log_L[1:2] for log_L in log_Ls]
    one = torch.ones(1, dtype=torch.float64)
    torch.testing.assert_close(
        group_objective(Ks, log_Ls, vertex), group_objective(Ks, alone, one)
    )


def test_a_sample_of_pairs_estimates_the_sums_without_bias():
    coefficients = torch.randn(1, 500, dtype=torch.float64)
    sums = PairSums(coefficients, -torch.rand(2, 500, dtype=torch.float64))
    weights = torch.tensor([0.4, 0.6], dtype=torch.float64)
    exact = sums(weights)[0]
    drawn = torch.stack(
        [sums.sample(200, seed)(weights)[0] for seed in range(400)]
    )
    error = drawn.std() / 20
    assert (drawn.mean() - exact).abs() < 4 * error
    assert sums.sample(500) is sums


def test_strata_that_do_not_fit_are_refused():
    Ks, log_Ls = strata([5, 6])
    weights = torch.ones(3, dtype=torch.float64) / 3
    with pytest.raises(ValueError, match="2 speech kernels and 1"):
        group_objective(Ks, log_Ls[:1], weights)
    with pytest.raises(ValueError, match="0 speech kernels"):
        group_objective([], [], weights)
    with pytest.raises(ValueError, match=r"stratum 1.*\(6, 6\)"):
        group_objective(Ks, [log_Ls[0], log_Ls[0]], weights)
    with pytest.raises(ValueError, match="stratum 0 has 1 sample"):
        group_objective([Ks[0][:1, :1]], [log_Ls[0][:, :1, :1]], weights)
    Ks[1][2, 3] = float("nan")
    with pytest.raises(ValueError, match="stratum 1: a kernel holds NaN"):
        group_objective(Ks, log_Ls, weights)
