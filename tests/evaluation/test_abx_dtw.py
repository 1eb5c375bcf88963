import math

import pytest
import torch

from speechbrain_mtl.evaluation.abx_dtw import warp


def slow_warp(costs):
    """Libri-Light's definition: fill a table, then walk back through it."""
    n, m = len(costs), len(costs[0])
    total = [[math.inf] * (m + 1) for _ in range(n + 1)]
    total[0][0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            before = total[i - 1][j], total[i][j - 1], total[i - 1][j - 1]
            total[i][j] = costs[i - 1][j - 1] + min(before)
    i, j, steps = n, m, 1
    while (i, j) != (1, 1):
        up, left, corner = total[i - 1][j], total[i][j - 1], total[i - 1][j - 1]
        if corner <= left and corner <= up:
            i, j = i - 1, j - 1
        elif left <= up:
            j -= 1
        else:
            i -= 1
        steps += 1
    return total[n][m] / steps


def turned(costs):
    return [list(row) for row in zip(*costs)]


def some_pairs(ties, pairs=60, longest=9):
    torch.manual_seed(0)
    rows, columns = torch.randint(1, longest + 1, (2, pairs))
    rows[0] = columns[0] = 1
    costs = torch.rand(longest, longest, pairs, dtype=torch.float64)
    return (costs * 3).floor() / 2 if ties else costs, rows, columns


@pytest.mark.parametrize("ties", [False, True])
def test_paths_are_those_of_the_plain_loop(ties):
    costs, rows, columns = some_pairs(ties)
    there, back = warp(costs, rows, columns)
    for pair, (n, m) in enumerate(zip(rows.tolist(), columns.tolist())):
        own = costs[:n, :m, pair].tolist()
        assert float(there[pair]) == pytest.approx(slow_warp(own), abs=1e-12)
        assert float(back[pair]) == pytest.approx(
            slow_warp(turned(own)), abs=1e-12
        )


def test_ties_make_a_pair_turned_round_another_one():
    """Else the test above would not tell one direction from the other."""
    there, back = warp(*some_pairs(ties=True, pairs=2000))
    assert (there != back).any()


@pytest.mark.parametrize("filling", [math.nan, math.inf, -1e9])
def test_what_lies_beyond_a_pair_is_never_looked_at(filling):
    costs, rows, columns = some_pairs(ties=False)
    wanted = warp(costs, rows, columns)
    place = torch.arange(9)
    inside = (place[:, None, None] < rows) & (place[:, None] < columns)
    found = warp(costs.masked_fill(~inside, filling), rows, columns)
    assert torch.equal(found[0], wanted[0])
    assert torch.equal(found[1], wanted[1])


def test_alone_a_pair_costs_as_much():
    costs, rows, columns = some_pairs(ties=True)
    together = warp(costs, rows, columns)
    for pair, (n, m) in enumerate(zip(rows.tolist(), columns.tolist())):
        alone = warp(
            costs[:n, :m, pair : pair + 1],
            rows[pair : pair + 1],
            columns[pair : pair + 1],
        )
        assert float(alone[0]) == float(together[0][pair])
        assert float(alone[1]) == float(together[1][pair])
