import numpy as np
import pytest
import torch

from speechbrain_mtl.selection.label_table import label_table


def test_columns_are_standardised_and_vectors_their_main_direction():
    y = torch.arange(60) // 30
    trait = torch.randn(60, 1).double()
    vector = trait @ torch.randn(1, 7).double()
    vector = vector + 1e-3 * torch.randn(60, 7).double()
    labels = {"vector": vector, "one": 40 + 5 * trait, "none": 0 * trait}
    table, classes = label_table(labels, y)
    assert classes.tolist() == y.tolist()
    np.testing.assert_allclose(table.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(table.std(0), [1, 1, 0], atol=1e-9)
    assert abs(np.corrcoef(table[:, 0], table[:, 1])[0, 1]) > 0.999


def test_the_largest_classes_are_cut_first():
    y = torch.cat([torch.zeros(500), torch.ones(20)]).long()
    table, classes = label_table({"z": torch.randn(520, 1)}, y, most=100)
    assert np.bincount(classes).tolist() == [80, 20] and len(table) == 100


def test_no_label_and_a_single_class_are_refused():
    with pytest.raises(ValueError, match="no labels"):
        label_table({}, torch.arange(4))
    with pytest.raises(ValueError, match="all 9 segments are of one class"):
        label_table({"z": torch.randn(9, 1)}, torch.zeros(9).long())
