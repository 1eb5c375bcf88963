import pytest
import torch
from sklearn.linear_model import LogisticRegression

from speechbrain_mtl.selection import rfe
from speechbrain_mtl.selection.label_table import label_table


def planted(count=300, classes=3):
    y = torch.arange(count) % classes
    traits = torch.randn(classes, 2).double()[y]
    labels = {
        "a": traits[:, :1] + 0.3 * torch.randn(count, 1).double(),
        "b": traits[:, 1:] + 0.3 * torch.randn(count, 1).double(),
        "weak": traits[:, :1] + 3 * torch.randn(count, 1).double(),
        "noise": 100 * torch.randn(count, 1).double(),
    }
    return labels, y


def test_labels_that_tell_the_class_are_left_out_last():
    labels, y = planted()
    order = rfe(labels, y)
    assert set(order[:2]) == {"a", "b"} and len(order) == 4
    assert rfe(labels, y, k=2) == order[:2]


def test_it_leaves_out_the_least_coefficients_and_fits_again():
    labels, y = planted()
    table, classes = label_table(labels, y)
    left, order = list(labels), []
    while len(left) > 1:
        columns = [list(labels).index(name) for name in left]
        fit = LogisticRegression(max_iter=1000).fit(table[:, columns], classes)
        squares = (fit.coef_**2).sum(axis=0)
        order.append(left.pop(int(squares.argmin())))
    assert rfe(labels, y) == [*left, *reversed(order)]


def test_a_number_of_labels_that_cannot_be_is_refused():
    labels, y = planted(40)
    with pytest.raises(ValueError, match="k is 5.*4 labels"):
        rfe(labels, y, 5)
