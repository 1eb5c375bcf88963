import itertools
import math

import pytest
import torch

from speechbrain_mtl.selection import (
    cosine_kernel,
    hsic_coefficients,
    permutation_moments,
    permutation_test,
    rbf_kernel,
)
from speechbrain_mtl.selection.significance import (
    Significance,
    exact_test,
    gamma_p,
)


def stratum(n, dependence=0.0):
    z = torch.randn(n, dtype=torch.float64)
    x = torch.randn(n, 10, dtype=torch.float64)
    x[:, 0] += 3 * dependence * z
    K, L = cosine_kernel(x), rbf_kernel(z, 0.5)
    return K, hsic_coefficients(K, estimator="unbiased"), L


def combined(strata):
    """The exact test over strata, as the selector does it."""
    rows = [[], [], [], []]
    for K, A, L in strata:
        room = (1 - K.mean()) * (1 - L.mean()) / (len(K) - 1)
        values = ((A * L).sum(), *permutation_moments(A, L), room)
        for row, value in zip(rows, values):
            row.append(value.reshape(1))
    shares = torch.full((len(strata),), 1 / len(strata))
    return exact_test(*(torch.stack(row) for row in rows), shares)[0]


@pytest.mark.parametrize("n", [4, 5, 6])
def test_the_moments_are_those_of_all_permutations(n):
    A = torch.randn(n, n, dtype=torch.float64)
    L = torch.rand(n, n, dtype=torch.float64)
    A, L = A + A.T, L + L.T
    off = 1 - torch.eye(n, dtype=torch.float64)
    scores = torch.stack(
        [
            (A * off * L[list(p)][:, list(p)]).sum()
            for p in itertools.permutations(range(n))
        ]
    )
    mean, variance = permutation_moments(A, L)
    torch.testing.assert_close(mean, scores.mean())
    torch.testing.assert_close(variance, scores.var(unbiased=False))


def test_unbiased_scores_have_mean_zero_over_permutations():
    _, A, L = stratum(12)
    mean, _ = permutation_moments(A, L)
    assert mean.abs() < 1e-15


def test_moments_take_batches():
    parts = [stratum(8)[1:] for _ in range(3)]
    A, L = (torch.stack(side) for side in zip(*parts))
    mean, variance = permutation_moments(A, L)
    alone = [permutation_moments(*part) for part in parts]
    torch.testing.assert_close(variance, torch.stack([v for _, v in alone]))


@pytest.mark.parametrize("sizes", [[25], [12] * 4, [8, 20]])
def test_p_is_uniform_under_independence(sizes):
    draws = 200
    p = torch.tensor(
        [combined([stratum(n) for n in sizes]).p for _ in range(draws)]
    )
    for level in (0.05, 0.2, 0.5, 0.8):
        error = math.sqrt(level * (1 - level) / draws)
        # Three errors of the simulation, and 3 % of the approximation.
        assert abs((p < level).double().mean() - level) < 3 * error + 0.03


def test_drawn_permutations_agree_with_exact_moments():
    strata = [stratum(15, 0.4), stratum(20, 0.4)]
    exact = combined(strata)
    drawn = permutation_test(
        [A for _, A, _ in strata], [L for _, _, L in strata], 2000, seed=1
    )
    assert drawn.score == pytest.approx(exact.score)
    assert drawn.deviation == pytest.approx(exact.deviation, rel=0.1)
    assert drawn.z == pytest.approx(exact.z, rel=0.12)
    assert drawn.p == pytest.approx(exact.p, abs=0.02)


def test_drawn_p_is_uniform_under_independence_and_never_zero():
    p = torch.tensor(
        [
            permutation_test(*([part] for part in stratum(12)[1:]), 99).p
            for _ in range(300)
        ]
    )
    assert p.min() >= 0.01
    assert abs((p <= 0.1).double().mean() - 0.1) < 0.055
    assert abs(p.mean() - 0.505) < 0.06


def test_dependence_is_found_and_strength_is_ordered():
    zs = [
        combined([stratum(30, d) for _ in range(5)]).z
        for d in (0.0, 0.3, 0.6, 1.0)
    ]
    assert zs == sorted(zs) and zs[0] < 3 < 5 < zs[-1]


def test_a_constant_label_is_significant_of_nothing():
    K, A, _ = stratum(10)
    constant = torch.ones(10, 10, dtype=torch.float64)
    for result in (
        combined([(K, A, constant)]),
        permutation_test([A], [constant], 50),
    ):
        assert result.p == 1 and result.z == 0


def test_gamma_tends_to_the_normal_law_far_from_its_end():
    excess = torch.tensor([-1.0, 0.0, 1.6449], dtype=torch.float64)
    one = torch.ones(3, dtype=torch.float64)
    p = gamma_p(excess, one, 1e3 * one)
    expected = torch.tensor([0.8413, 0.5, 0.05], dtype=torch.float64)
    torch.testing.assert_close(p, expected, rtol=0, atol=1e-3)


def test_strata_count_by_their_share():
    one = torch.ones(2, 1)
    scores = torch.tensor([[3.0], [0.0]])
    shares = torch.tensor([0.75, 0.25])
    result = exact_test(scores, 0 * one, one, one, shares)[0]
    assert result.score == pytest.approx(2.25)
    assert result.deviation == pytest.approx(math.sqrt(0.75**2 + 0.25**2))


@pytest.mark.parametrize("room", [0.05, 1.0, 30.0])
def test_the_critical_excess_has_the_level_as_its_p(room):
    test = Significance(0.0, 0.4, 0.0, 0.5, room)
    for level in (0.01, 0.001):
        excess = torch.tensor(test.critical(level), dtype=torch.float64)
        p = gamma_p(excess, 0 * excess + 0.4, 0 * excess + room)
        assert float(p) == pytest.approx(level, rel=1e-6)
    assert Significance(0.0, 0.0, 0.0, 1.0).critical(0.01) == float("inf")
