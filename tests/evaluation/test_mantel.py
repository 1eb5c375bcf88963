import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr

from speechbrain_mtl.evaluation import mantel
from speechbrain_mtl.evaluation.mantel import mantel_test


def brute_force(first, second, within):
    """All re-namings, each correlated anew by loops."""

    def statistic(order):
        n = len(order)
        pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
        x = {(i, j): first[i][j] for i, j in pairs}
        y = {(i, j): second[order[i]][order[j]] for i, j in pairs}
        if not within:
            values = [[v[pair] for pair in pairs] for v in (x, y)]
            return spearmanr(*values).statistic
        columns = [[p for p in pairs if p[1] == j] for j in range(n)]
        return np.mean(
            [
                spearmanr([x[p] for p in c], [y[p] for p in c]).statistic
                for c in columns
            ]
        )

    orders = list(itertools.permutations(range(len(first))))
    found = [statistic(order) for order in orders]
    reached = sum(value >= found[0] - 1e-9 for value in found)
    return found[0], reached / len(orders)


def matrices(n, seed, ties=False):
    draw = np.random.default_rng(seed)
    first = draw.standard_normal((n, n))
    second = 0.5 * first + draw.standard_normal((n, n))
    if ties:
        first, second = (2 * first).round(), (2 * second).round()
    return first, second


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("n", [3, 5])
def test_against_brute_force(n, within):
    first, second = matrices(n, seed=n)
    correlation, p = brute_force(first, second, within)
    found = mantel_test(first, second, within)
    assert found.correlation == pytest.approx(correlation)
    assert found.p == pytest.approx(p)
    assert found.exact and found.items == n


def test_ties_against_brute_force():
    first, second = matrices(5, seed=3, ties=True)
    correlation, p = brute_force(first, second, within=False)
    found = mantel_test(first, second)
    assert found.correlation == pytest.approx(correlation)
    assert found.p == pytest.approx(p)


def test_symmetric_matrices_as_their_upper_triangles():
    first, second = (m + m.T for m in matrices(5, seed=4))
    upper = np.triu_indices(5, 1)
    expected = spearmanr(first[upper], second[upper]).statistic
    assert mantel_test(first, second).correlation == pytest.approx(expected)


def test_drawn_re_namings_come_near_to_all(monkeypatch):
    first, second = matrices(6, seed=5)
    exact = mantel_test(first, second)
    monkeypatch.setattr(mantel, "EXACT", 0)
    monkeypatch.setattr(mantel, "BLOCK", 36 * 700)  # several blocks
    drawn = mantel_test(first, second, draws=4000)
    assert not drawn.exact
    assert drawn.correlation == exact.correlation
    assert drawn.p == pytest.approx(exact.p, abs=0.025)
    assert mantel_test(first, second, draws=4000).p == drawn.p
    assert mantel_test(first, second, draws=4000, seed=1).p != drawn.p
    # The p-value of a draw is never 0.
    assert mantel_test(first, first, draws=99).p >= 0.01


def test_p_is_uniform_where_nothing_is():
    """Rows have levels of their own, as tasks do: pairs are not independent."""
    draw = np.random.default_rng(6)
    p = []
    for _ in range(300):
        first, second = draw.standard_normal((2, 5, 5))
        first, second = (
            m + 2 * draw.standard_normal((5, 1)) for m in (first, second)
        )
        p.append(mantel_test(first, second).p)
    for level in (0.05, 0.25, 0.5, 0.75):
        share = np.mean(np.array(p) <= level)
        assert abs(share - level) < 3.5 * (level * (1 - level) / 300) ** 0.5


@pytest.mark.parametrize("within", [False, True])
def test_order_of_items_and_diagonals_change_nothing(within):
    first, second = matrices(6, seed=7)
    order = np.array([3, 0, 5, 1, 4, 2])
    turned = [m[np.ix_(order, order)] for m in (first, second)]
    np.fill_diagonal(turned[0], np.nan)
    assert mantel_test(*turned, within) == mantel_test(first, second, within)


def test_levels_of_columns_do_not_matter_within_them():
    first, second = matrices(6, seed=8)
    level = 100.0 * np.arange(6)
    expected = mantel_test(first, second, within_columns=True)
    found = mantel_test(first + level, second, within_columns=True)
    assert found == expected
    assert mantel_test(first + level, second) != mantel_test(first, second)


def test_no_order_is_no_correlation():
    assert mantel_test(np.ones((4, 4)), matrices(4, 9)[0]) is None


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.ones((2, 2)), np.ones((2, 2)), "three items"),
        (np.ones((4, 4)), np.ones((3, 3)), r"\(3, 3\)"),
        (np.full((3, 3), np.inf), np.ones((3, 3)), "NaN or infinite"),
    ],
)
def test_what_cannot_be_compared_is_refused(first, second, message):
    with pytest.raises(ValueError, match=message):
        mantel_test(first, second)
