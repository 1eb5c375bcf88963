import itertools

import pytest
import torch
from sklearn.feature_selection import (
    mutual_info_classif,
    mutual_info_regression,
)

from speechbrain_mtl.selection import mrmr
from speechbrain_mtl.selection.label_table import label_table


def planted(count=400, classes=4):
    """Two sources of class; a copy of the stronger one, and noise."""
    y = torch.arange(count) % classes
    one = (y // 2).double() + 0.15 * torch.randn(count).double()
    other = (y % 2).double() + 0.35 * torch.randn(count).double()
    labels = {
        "strong": one,
        "copy": one + 0.01 * torch.randn(count).double(),
        "other": other,
        "noise": torch.randn(count).double(),
    }
    return {name: z[:, None] for name, z in labels.items()}, y


def test_a_copy_of_the_first_choice_is_not_the_second():
    labels, y = planted()
    order = mrmr(labels, y)
    assert order[0] in ("strong", "copy") and order[1] == "other"
    assert sorted(order) == sorted(labels)
    # By relevance alone the copy would come second.
    table, classes = label_table(labels, y)
    relevance = mutual_info_classif(table, classes, random_state=0)
    best = sorted(zip(relevance, labels))[-2:]
    assert {name for _, name in best} == {"strong", "copy"}


def explicit(table, y, names, k, seed):
    """Every label scored anew at every step, one pair at a time."""

    def about(z):
        return float(mutual_info_classif(z[:, None], y, random_state=seed)[0])

    def shared(a, b):
        column = a[:, None]
        return float(mutual_info_regression(column, b, random_state=seed)[0])

    chosen = []
    for _ in range(k):
        scores = {}
        for index, name in enumerate(names):
            if name in chosen:
                continue
            others = [
                shared(table[:, index], table[:, names.index(s)])
                for s in chosen
            ]
            mean = sum(others) / len(others) if others else 0.0
            scores[name] = about(table[:, index]) - mean
        chosen.append(max(scores, key=scores.get))
    return chosen


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_greedy_choice_it_says(seed):
    y = torch.arange(150) % 3
    mix = torch.randn(2, 5).double()
    sources = torch.stack([y.double(), torch.randn(150).double()], dim=1)
    z = sources @ mix + torch.rand(5).double() * torch.randn(150, 5).double()
    labels = {f"z{i}": z[:, i : i + 1] for i in range(5)}
    table, classes = label_table(labels, y)
    slow = explicit(table, classes, list(labels), 4, seed)
    # Jitter of 1e-10 differs with the number of columns: margins are wider.
    assert mrmr(labels, y, 4, seed) == slow


def test_order_of_labels_changes_nothing():
    labels, y = planted(200)
    for names in itertools.islice(itertools.permutations(labels), 0, 24, 9):
        assert mrmr({n: labels[n] for n in names}, y) == mrmr(labels, y)


def test_a_number_of_labels_that_cannot_be_is_refused():
    labels, y = planted(40)
    for k in (0, 5):
        with pytest.raises(ValueError, match=f"k is {k}.*4 labels"):
            mrmr(labels, y, k)
