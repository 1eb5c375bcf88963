import math

import pytest
import torch

from speechbrain_mtl.selection import (
    cosine_kernel,
    kernels,
    log_rbf_kernel,
    median_variance,
    rbf_kernel,
)
from speechbrain_mtl.selection.kernels import (
    log_multi_rbf_kernel,
    squared_distances,
)


def test_the_cosine_kernel_is_its_definition():
    x = torch.randn(6, 12, dtype=torch.float64)
    K = cosine_kernel(x)
    for i in range(6):
        for j in range(6):
            dot = sum(float(a * b) for a, b in zip(x[i], x[j]))
            norms = math.sqrt(sum(float(a) ** 2 for a in x[i]))
            norms *= math.sqrt(sum(float(b) ** 2 for b in x[j]))
            assert float(K[i, j]) == pytest.approx(dot / norms, abs=1e-10)


@pytest.mark.parametrize("dim", [1, 3, 200])
def test_the_label_kernel_is_its_definition(dim):
    z = torch.randn(5, dim, dtype=torch.float64)
    L = rbf_kernel(z, variance=0.2)
    for i in range(5):
        for j in range(5):
            squared = sum(float(a - b) ** 2 for a, b in zip(z[i], z[j]))
            expected = math.exp(-squared / 0.4)
            assert float(L[i, j]) == pytest.approx(expected, abs=1e-10)
    if dim == 1:
        torch.testing.assert_close(rbf_kernel(z[:, 0], 0.2), L)


def test_the_published_variance_makes_log_l_minus_ten_squares():
    log_L = log_rbf_kernel(torch.tensor([0.0, 0.5, 2.0]))
    expected = torch.tensor([0.0, -2.5, -40.0])
    torch.testing.assert_close(log_L[0].abs(), expected.abs())
    assert log_rbf_kernel(torch.tensor([0.0, 100.0])).isfinite().all()


def test_kernels_take_batches():
    z = torch.randn(4, 5, 2)
    batched = log_rbf_kernel(z)
    for one, expected in zip(z, batched):
        torch.testing.assert_close(log_rbf_kernel(one), expected)
    torch.testing.assert_close(cosine_kernel(z)[1], cosine_kernel(z[1]))


def test_a_row_of_zeros_has_no_direction_and_gives_no_nan():
    K = cosine_kernel(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    assert K.tolist() == [[0.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("variance", [0.0, -1.0, float("nan")])
def test_a_variance_that_is_not_positive_is_refused(variance):
    with pytest.raises(ValueError, match="must be positive"):
        rbf_kernel(torch.zeros(3), variance)


def test_the_median_bandwidth_ignores_outliers_and_follows_scale():
    z = torch.randn(20000, dtype=torch.float64)
    plain = median_variance(z)
    # Of a unit normal label: median of 2 chi^2, 2 * 0.4549.
    assert plain == pytest.approx(0.91, abs=0.05)
    assert median_variance(3 * z + 7) == pytest.approx(9 * plain)
    spoilt = z.clone()
    spoilt[:200] = 1e6
    assert median_variance(spoilt) == pytest.approx(plain, rel=0.1)


def test_the_median_bandwidth_of_a_label_mostly_zero_is_not_zero():
    z = torch.zeros(100)
    z[:10] = 1.0
    # A pair differs with probability 2 * .1 * .9 * 100 / 99.
    assert median_variance(z) == pytest.approx(0.1818, abs=0.01)
    assert median_variance(torch.zeros(10)) == 0


def test_the_multi_kernel_is_the_mean_at_a_quarter_once_and_four_times():
    z = torch.randn(7, 2, dtype=torch.float64)
    got = log_multi_rbf_kernel(log_rbf_kernel(z, 0.8)).exp()
    mean = sum(rbf_kernel(z, v) for v in (0.2, 0.8, 3.2)) / 3
    torch.testing.assert_close(got, mean, rtol=1e-12, atol=0)


def test_the_multi_kernel_survives_in_logarithms_where_it_underflows():
    far = log_multi_rbf_kernel(torch.tensor([-4000.0]))
    # Only the widest counts: log(exp(-4000 / 4) / 3).
    torch.testing.assert_close(far, torch.tensor([-1000 - math.log(3)]))
    before = torch.tensor([-1.0])
    log_multi_rbf_kernel(before)
    assert before == -1


def test_wide_labels_of_single_precision_lose_no_digits_that_matter():
    roots = torch.rand(3, 40, 300).pow(40)
    roots = (roots / roots.sum(-1, keepdim=True)).sqrt() + 5
    roots[1, 3] = roots[1, 7]
    log_L = log_rbf_kernel(roots, 1.0)
    exact = torch.cdist(roots.double(), roots.double()).square() / -2
    torch.testing.assert_close(log_L.double(), exact, rtol=0, atol=2e-6)
    assert log_L[1, 3, 7].abs() < 1e-6
    assert not log_L.diagonal(0, -2, -1).any()


def test_distances_of_pairs_do_not_depend_on_how_many_are_taken_at_once(
    monkeypatch,
):
    z = torch.randn(9, 4)
    pairs = torch.randint(9, (2, 23))
    whole = squared_distances(z, *pairs)
    torch.testing.assert_close(
        whole, -2 * log_rbf_kernel(z, 1.0)[pairs[0], pairs[1]]
    )
    monkeypatch.setattr(kernels, "PAIR_VALUES", 20)
    assert torch.equal(squared_distances(z, *pairs), whole)
