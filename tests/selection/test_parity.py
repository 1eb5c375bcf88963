"""Does the engine give what the published procedure gives, where it should?

The oracle is `benchmarks.published_selection`, written apart from the library:
Python double loops, dense traces, autograd.
"""

import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from benchmarks import published_selection as published
from speechbrain_mtl.selection import (
    cosine_kernel,
    gaussian_downsample,
    group_objective,
    hsic,
    hsic_coefficients,
    log_rbf_kernel,
    normalized_hsic,
    permutation_moments,
    permutation_test,
    rbf_kernel,
    solve_weights,
)
from speechbrain_mtl.selection.significance import exact_test

SIZES, LABELS = (14, 9), 7


@pytest.fixture(scope="module")
def corpus():
    """Segments of 3 to 24 frames and labels that follow them unequally."""
    random = np.random.default_rng(0)
    share = np.linspace(0, 1, LABELS)
    spread = np.linspace(0.6, 0.2, LABELS)
    segments, labels = [], []
    for n in SIZES:
        base, mixing = random.normal(size=8), random.normal(size=(LABELS, 8))
        source = random.normal(size=(n, LABELS))
        noise = random.normal(size=(n, LABELS))
        labels.append(spread * (share * source + (1 - share) * noise))
        segments.append(
            [
                5 + base + row @ mixing + random.normal(size=(length, 8))
                for row, length in zip(source, random.integers(3, 25, n))
            ]
        )
    labels[0][0] += 20  # so far from the others that exp underflows
    return segments, labels


@pytest.fixture(scope="module")
def slow(corpus):
    """Kernels by the published double loops, by class."""
    segments, labels = corpus
    Ks = [published.speech_kernel(members) for members in segments]
    Ls = [[published.label_kernel(z) for z in rows.T] for rows in labels]
    return Ks, Ls


@pytest.fixture(scope="module")
def ours(corpus):
    """The same kernels by the library, label kernels as logarithms."""
    segments, labels = corpus
    Ks, log_Ls = [], []
    for members, rows in zip(segments, labels):
        members = [torch.from_numpy(member) for member in members]
        counts = torch.tensor([len(member) for member in members])
        padded = torch.nn.utils.rnn.pad_sequence(
            members, batch_first=True, padding_value=float("nan")
        )
        lens = counts / counts.max()
        Ks.append(
            cosine_kernel(gaussian_downsample(padded, lens=lens).flatten(1))
        )
        log_Ls.append(log_rbf_kernel(torch.from_numpy(rows.T)[..., None]))
    return Ks, log_Ls


def test_kernels_are_those_of_the_double_loops(slow, ours):
    for K, expected in zip(ours[0], slow[0]):
        torch.testing.assert_close(K, expected, rtol=0, atol=1e-10)
    for log_L, expected in zip(ours[1], slow[1]):
        torch.testing.assert_close(
            log_L.exp(), torch.stack(expected), rtol=0, atol=1e-10
        )


def test_scores_are_the_published_ones(slow, ours):
    for label in range(LABELS):
        score = torch.stack(
            [hsic(K, L[label].exp(), "reference") for K, L in zip(*ours)]
        ).mean()
        expected = published.mean_score(slow[0], [L[label] for L in slow[1]])
        assert float(score) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("mapping", ["softmax", "sparsemax"])
def test_the_objective_is_that_of_one_published_iteration(slow, ours, mapping):
    Ks, Ls = slow
    first = published.descend(Ks, Ls, mapping, seed=3, steps=1)
    logs = [torch.stack(L).log() for L in Ls]
    # Logarithms underflow and pass the clamp's floor; neither may matter.
    assert logs[0].isinf().any() and min(L.min() for L in logs[1:]) < -10
    for kernels in (ours, (Ks, logs)):
        objective = group_objective(*kernels, first.weights, "reference")
        assert float(objective) == pytest.approx(first.score, rel=1e-6)


@pytest.fixture(scope="module", params=["softmax", "sparsemax"])
def descent(request, slow):
    return request.param, published.descend(*slow, request.param, seed=3)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_thousand_steps_end_at_the_published_weights(descent, ours, dtype):
    mapping, end = descent
    solution = solve_weights(
        [K.to(dtype) for K in ours[0]],
        [log_L.to(dtype) for log_L in ours[1]],
        mapping,
        "reference",
        seed=3,
        solver="reference",
    )
    torch.testing.assert_close(solution.weights, end.weights, rtol=0, atol=1e-4)
    assert solution.objective == pytest.approx(end.score, rel=1e-6)


def test_the_solver_is_no_worse_than_the_published_descent(descent, ours):
    mapping, end = descent
    solution = solve_weights(*ours, mapping, "reference")
    reached = group_objective(*ours, end.weights, "reference")
    assert solution.converged
    assert solution.objective <= float(reached) + 1e-8
    if mapping == "sparsemax":
        assert (solution.weights - end.weights).abs().max() < 0.02


@pytest.mark.parametrize(
    "centering, estimator",
    [("centered", "biased"), ("centered", "unbiased"), ("reference", "biased")],
)
def test_scores_in_float32_are_those_in_float64(ours, centering, estimator):
    for K, log_L in zip(*ours):
        exact = hsic(K, log_L.exp(), centering, estimator)
        single = hsic(K.float(), log_L.float().exp(), centering, estimator)
        torch.testing.assert_close(single.double(), exact, rtol=0, atol=1e-7)


def test_alignment_of_linear_kernels_is_that_of_their_features():
    x, y = torch.randn(30, 6).double(), torch.randn(30, 4).double()
    y[:, 0] += x[:, 0]
    alignment = normalized_hsic(x @ x.T, y @ y.T, "biased")
    x, y = x - x.mean(0), y - y.mean(0)
    norms = (x.T @ x).norm() * (y.T @ y).norm()
    torch.testing.assert_close(alignment, (y.T @ x).square().sum() / norms)


def test_unbiased_alignment_is_the_bias_corrected_distance_correlation():
    """Szekely and Rizzo (2014) for the distances 1 - K and 1 - L."""
    x, z = torch.randn(9, 5).double(), torch.randn(9).double()
    K, L = cosine_kernel(x), rbf_kernel(z, 0.5)

    def u_centred(distances):
        n, D = len(distances), distances.tolist()
        total = sum(map(sum, D))
        rows = [sum(row) for row in D]
        return [
            D[i][j]
            - (rows[i] + rows[j]) / (n - 2)
            + total / ((n - 1) * (n - 2))
            for i in range(n)
            for j in range(n)
            if i != j
        ]

    a, b = u_centred(1 - K), u_centred(1 - L)
    expected = np.dot(a, b) / math.sqrt(np.dot(a, a) * np.dot(b, b))
    assert float(normalized_hsic(K, L)) == pytest.approx(expected, rel=1e-10)


def independent(classes, n):
    """Speech and label kernels [classes, n, n] without dependence."""
    K = cosine_kernel(torch.randn(classes, n, 10).double() + 1)
    return K, rbf_kernel(torch.randn(classes, n, 1).double(), 0.5)


def test_permutation_p_is_uniform_under_independence():
    K, L = independent(300, 14)
    A = hsic_coefficients(K, estimator="unbiased")
    p = [
        permutation_test([a], [b], 199, seed).p
        for seed, (a, b) in enumerate(zip(A, L))
    ]
    # A step of 1 / 200 is the mean of the p-values that round up to it.
    assert kstest(np.array(p) - 0.0025, "uniform").pvalue > 0.01


def test_z_over_many_classes_is_normal_under_independence():
    classes, draws = 40, 1000
    K, L = independent(classes * draws, 8)
    A = hsic_coefficients(K, estimator="unbiased")
    scores = (A * L).sum(dim=(1, 2))
    columns = [
        column.view(classes, draws)
        for column in (scores, *permutation_moments(A, L))
    ]
    shares = torch.full((classes,), 1 / classes)
    tests = exact_test(*columns, torch.ones(classes, draws), shares)
    z = np.array([test.z for test in tests])
    assert kstest(z, "norm").pvalue > 0.01
    assert z.std() == pytest.approx(1, abs=4 / math.sqrt(2 * draws))


def test_the_published_score_of_an_independent_label_is_its_mean_similarity():
    # Over permutations its excess over HSIC is exactly this on average.
    n, draws = 20, 2000
    K, L = (kernel[0] for kernel in independent(1, n))
    order = torch.rand(draws, n).argsort(dim=1)
    permuted = L[order[:, :, None], order[:, None]]
    K = K.expand(draws, n, n)
    excess = hsic(K, permuted, "reference") - hsic(K, permuted)
    expected = K.mean() * L.mean() * (1 - 1 / n) ** 2
    error = excess.std() / math.sqrt(draws)
    assert error < 0.01 * expected
    assert (excess.mean() - expected).abs() < 4 * error


def test_sparsemax_is_that_of_entmax():
    from entmax import sparsemax as theirs

    from speechbrain_mtl.selection.published import sparsemax

    for spread in (0.05, 1.0, 10.0):
        inputs = spread * torch.randn(500, 9, dtype=torch.float64)
        ours = torch.stack([sparsemax(row) for row in inputs])
        torch.testing.assert_close(ours, theirs(inputs, dim=-1))
