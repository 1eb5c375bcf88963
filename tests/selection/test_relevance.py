import pytest
import torch

from speechbrain_mtl.selection import rbf_kernel
from speechbrain_mtl.selection.relevance import (
    between_pairs,
    class_coefficients,
    thin,
)

CLASSES = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2])


def slow_relevance(L, classes):
    """Mean similarity within classes minus that between them."""
    names = sorted(set(classes.tolist()))
    within, between = [], []
    for a in names:
        for b in names:
            similar = [
                float(L[i, j])
                for i in range(len(L))
                for j in range(len(L))
                if i != j and classes[i] == a and classes[j] == b
            ]
            mean = sum(similar) / len(similar)
            (within if a == b else between).append(mean)
    return sum(within) / len(within) - sum(between) / len(between)


def test_relevance_is_similarity_within_minus_between_classes():
    L = rbf_kernel(torch.randn(9, dtype=torch.float64), 0.5)
    A = class_coefficients(CLASSES)
    ours = float((A * L).sum())
    assert ours == pytest.approx(slow_relevance(L, CLASSES), abs=1e-12)


def test_relevance_of_the_class_itself_is_one_and_of_a_constant_zero():
    A = class_coefficients(CLASSES)
    same = (CLASSES[:, None] == CLASSES).double()
    assert float((A * same).sum()) == pytest.approx(1)
    assert float(A.sum()) == pytest.approx(0, abs=1e-12)
    assert A.diagonal().abs().max() == 0


def test_relevance_is_zero_on_average_for_a_label_that_knows_nothing():
    classes = torch.arange(40) % 4
    A = class_coefficients(classes)
    scores = torch.stack(
        [
            (A * rbf_kernel(torch.randn(40).double(), 0.5)).sum()
            for _ in range(300)
        ]
    )
    assert scores.mean().abs() < 3 * scores.std() / 300**0.5


def test_pairs_between_classes_cover_all_classes_alike():
    classes = torch.cat([torch.zeros(90), torch.ones(9), 2 * torch.ones(1)])
    classes = classes.long()
    first, second = between_pairs(classes, pairs=30000)
    assert (classes[first] != classes[second]).all()
    for side in (first, second):
        share = classes[side].bincount() / 30000
        torch.testing.assert_close(
            share, torch.full((3,), 1 / 3), rtol=0, atol=0.02
        )
    assert len(first.unique()) == 100


def test_drawn_pairs_estimate_the_exact_relevance():
    classes = torch.arange(3).repeat_interleave(20)
    z = torch.randn(60, dtype=torch.float64) + classes
    A, L = class_coefficients(classes), rbf_kernel(z, 0.5)
    within = (A.clamp(min=0) * L).sum()
    first, second = between_pairs(classes, pairs=100000)
    drawn = within - L[first, second].mean()
    torch.testing.assert_close(drawn, (A * L).sum(), rtol=0, atol=5e-3)


def test_thinning_cuts_the_largest_classes_and_keeps_the_rest():
    classes = torch.cat([torch.zeros(5), torch.ones(80), 2 * torch.ones(40)])
    index = thin(classes.long(), most=45)
    assert classes[index].long().bincount().tolist() == [5, 20, 20]
    assert index.tolist() == sorted(set(index.tolist()))
    assert len(thin(classes.long(), most=1000)) == 125
    # Two of each class are always left: relevance needs a pair.
    assert thin(classes.long(), most=1).shape == (6,)
