"""Losses of pairs: against loops, and in closed form."""

import math

import pytest
import torch

from speechbrain_mtl.losses import info_nce, masked_margin_softmax

IDS = [[0, 1, 2, 3, 4, 5, 6], [3, 3, 0, 1, 3, 0, 9], [5] * 7]


def slow(scores, ids, margin=0.0):
    """Each pair against what may stand in its place, one after the other."""
    directions = []
    for table in (scores.tolist(), scores.T.tolist()):
        losses = []
        for i, row in enumerate(table):
            own = row[i] - margin
            others = [s for j, s in enumerate(row) if ids[j] != ids[i]]
            total = math.exp(own) + sum(math.exp(s) for s in others)
            losses.append(math.log(total) - own)
        directions.append(sum(losses) / len(losses))
    return directions


def drawn(scale=1.0):
    generator = torch.Generator().manual_seed(2)
    scores = scale * torch.randn(7, 7, generator=generator, dtype=torch.double)
    return scores


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_margin_softmax_is_that_of_a_loop(ids, margin):
    scores = drawn(3.0)
    loss = masked_margin_softmax(scores, torch.tensor(ids), margin)
    expected = sum(slow(scores, ids, margin))
    assert float(loss) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("ids", IDS)
def test_info_nce_is_that_of_a_loop(ids):
    scores = drawn()
    expected = sum(slow(scores / 0.3, ids)) / 2
    loss = info_nce(scores, torch.tensor(ids), 0.3)
    assert float(loss) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("margin, expected", [(1.0, 10.2979), (0.0, 8.3178)])
def test_equal_scores_give_the_closed_form(margin, expected):
    scores, ids = torch.zeros(64, 64), torch.arange(64)
    loss = float(masked_margin_softmax(scores, ids, margin))
    assert loss == pytest.approx(expected, abs=1e-4)
    assert loss == pytest.approx(2 * math.log(1 + 63 * math.exp(margin)))
    assert float(info_nce(scores, ids)) == pytest.approx(math.log(64))


def test_pairs_that_share_an_image_do_not_touch_each_other():
    scores = drawn().requires_grad_()
    ids = torch.tensor([0, 1, 0, 2, 3, 4, 5])
    masked_margin_softmax(scores, ids).backward()
    assert scores.grad[0, 2] == scores.grad[2, 0] == 0
    assert (scores.grad != 0).sum() == 47


@pytest.mark.parametrize("loss", [masked_margin_softmax, info_nce])
def test_which_half_is_which_does_not_matter(loss):
    scores, ids = drawn(), torch.tensor(IDS[1])
    torch.testing.assert_close(loss(scores, ids), loss(scores.T, ids))
    order = torch.tensor([3, 1, 6, 0, 5, 2, 4])
    torch.testing.assert_close(
        loss(scores[order][:, order], ids[order]), loss(scores, ids)
    )
