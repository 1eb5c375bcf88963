import itertools
import math

import pytest
import torch

from speechbrain_mtl.selection import (
    cosine_kernel,
    hsic,
    hsic_coefficients,
    normalized_hsic,
    rbf_kernel,
)


def kernels(n, dependence=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n, generator=generator, dtype=torch.float64)
    x = torch.randn(n, 8, generator=generator, dtype=torch.float64)
    x[:, 0] += 4 * dependence * z
    return cosine_kernel(x + 1), rbf_kernel(z, 0.5)


def dense_trace(K, L, c):
    n = len(K)
    H = torch.eye(n, dtype=K.dtype) - c * torch.ones(n, n, dtype=K.dtype)
    return torch.trace(K @ H @ L @ H) / n**2


def test_the_biased_estimator_is_the_dense_trace():
    K, L = kernels(40)
    ours, dense = hsic(K, L), dense_trace(K, L, 1 / 40)
    torch.testing.assert_close(ours, dense, rtol=1e-12, atol=0)


def test_the_reference_is_the_dense_trace_with_the_published_centring():
    K, L = kernels(40)
    ours, dense = hsic(K, L, "reference"), dense_trace(K, L, 1 / 40**2)
    torch.testing.assert_close(ours, dense, rtol=1e-12, atol=0)


def test_the_reference_is_hsic_plus_a_term_of_mean_similarities():
    K, L = kernels(30)
    n = 30
    q = (K.sum(0) * L.sum(0)).sum() / n**3
    p = K.mean() * L.mean()
    identity = hsic(K, L) + 2 * q * (1 - 1 / n) - p * (1 - 1 / n**2)
    torch.testing.assert_close(
        hsic(K, L, "reference"), identity, rtol=1e-12, atol=0
    )


def test_the_unbiased_estimator_is_the_u_statistic_over_quadruples():
    n = 6
    K, L = kernels(n, dependence=0.5)
    total, count = 0.0, 0
    for i, j, q, r in itertools.permutations(range(n), 4):
        total += K[i, j] * (L[i, j] + L[q, r] - 2 * L[i, q])
        count += 1
    ours = hsic(K, L, estimator="unbiased")
    torch.testing.assert_close(ours, total / count, rtol=1e-12, atol=1e-15)


def test_the_coefficients_give_every_estimator_as_a_sum():
    K, L = kernels(12)
    for centering, estimator in (
        ("centered", "biased"),
        ("centered", "unbiased"),
        ("reference", "biased"),
    ):
        A = hsic_coefficients(K, centering, estimator)
        torch.testing.assert_close(
            (A * L).sum(), hsic(K, L, centering, estimator)
        )


@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
def test_it_is_symmetric_and_blind_to_order_and_to_constants(estimator):
    K, L = kernels(15, dependence=0.7)
    order = torch.randperm(15)
    score = hsic(K, L, estimator=estimator)
    for other in (
        hsic(L, K, estimator=estimator),
        hsic(K[order][:, order], L[order][:, order], estimator=estimator),
        hsic(K + 3, L - 2, estimator=estimator),
    ):
        torch.testing.assert_close(other, score)


@pytest.mark.parametrize(
    "centering, estimator",
    [("centered", "biased"), ("centered", "unbiased"), ("reference", "biased")],
)
def test_padding_of_any_content_changes_no_score(centering, estimator):
    lens = torch.tensor([5, 9])
    K = torch.full((2, 9, 9), float("nan"), dtype=torch.float64)
    L = torch.full((2, 9, 9), float("inf"), dtype=torch.float64)
    alone = []
    for row, n in enumerate(lens.tolist()):
        K[row, :n, :n], L[row, :n, :n] = kernels(n, seed=row)
        alone.append(hsic(K[row, :n, :n], L[row, :n, :n], centering, estimator))
    batched = hsic(K, L, centering, estimator, lens)
    torch.testing.assert_close(batched, torch.stack(alone))
    if centering == "centered":
        padded = normalized_hsic(K, L, estimator, lens)
        first = normalized_hsic(K[0, :5, :5], L[0, :5, :5], estimator)
        torch.testing.assert_close(padded[0], first)


def test_under_independence_the_unbiased_mean_is_zero_and_the_biased_is_not():
    scores, floors, biased, lifted = [], [], [], []
    for seed in range(300):
        K, L = kernels(20, seed=seed)
        scores.append(hsic(K, L, estimator="unbiased"))
        biased.append(hsic(K, L))
        floors.append((1 - K.mean()) * (1 - L.mean()) / 19)
        lifted.append(hsic(K, L, "reference") - K.mean() * L.mean())
    scores = torch.stack(scores)
    error = scores.std() / math.sqrt(300)
    assert scores.mean().abs() < 3 * error
    biased, floors = torch.stack(biased), torch.stack(floors)
    error = (biased - floors).std() / math.sqrt(300)
    assert (biased - floors).mean().abs() < 3 * error
    # The published score is the product of mean similarities, up to O(1/n).
    assert torch.stack(lifted).mean().abs() < 3 / 20


def test_a_constant_label_scores_zero_and_aligns_with_nothing():
    K, _ = kernels(10)
    constant = torch.ones(10, 10, dtype=torch.float64)
    for estimator in ("biased", "unbiased"):
        assert hsic(K, constant, estimator=estimator).abs() < 1e-15
        assert normalized_hsic(K, constant, estimator) == 0


def test_alignment_with_itself_is_one_at_any_scale():
    K, L = kernels(12, dependence=1.0)
    for estimator in ("biased", "unbiased"):
        one = normalized_hsic(K, 5 * K + 1, estimator)
        torch.testing.assert_close(one, torch.ones_like(one))
        assert normalized_hsic(K, L, estimator) < 1


def test_impossible_requests_are_refused():
    K = torch.eye(3)
    with pytest.raises(ValueError, match="no unbiased form"):
        hsic(K, K, "reference", "unbiased")
    with pytest.raises(ValueError, match="choose from"):
        hsic(K, K, "centred")
    with pytest.raises(ValueError, match="3 samples.*at least 4"):
        hsic(K, K, estimator="unbiased")
    with pytest.raises(ValueError, match="1 samples.*at least 2"):
        hsic(K[:1, :1], K[:1, :1])
