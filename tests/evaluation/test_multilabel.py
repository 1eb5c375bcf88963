import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score

from speechbrain_mtl.evaluation import (
    mean_average_precision,
    mean_f1,
    mean_f1_interval,
)
from speechbrain_mtl.evaluation.intervals import draws


def batch(seed, items=60, classes=7, decimals=None, known=0.4):
    random = np.random.default_rng(seed)
    scores = random.random((items, classes))
    scores = scores if decimals is None else scores.round(decimals)
    labels = random.random((items, classes))
    return scores, labels, random.random((items, classes)) < known


def each_class(scores, labels, mask):
    """The known part of one class after the other."""
    for score, label, known in zip(scores.T, labels.T, mask.T):
        yield score[known], label[known] >= 0.5


@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("seed", range(5))
def test_f1_is_scikit_learns_over_what_is_known(seed, decimals):
    scores, labels, mask = batch(seed, decimals=decimals)
    for threshold in (0.3, 0.5):
        for absence, average in [(False, "binary"), (True, "macro")]:
            theirs = [
                f1_score(there, score >= threshold, average=average)
                for score, there in each_class(scores, labels, mask)
            ]
            ours = mean_f1(scores, labels, mask, threshold, absence)
            assert ours == pytest.approx(np.mean(theirs))


@pytest.mark.parametrize("decimals", [None, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_scikit_learns_over_what_is_known(seed, decimals):
    scores, labels, mask = batch(seed, decimals=decimals)
    theirs = [
        average_precision_score(there, score)
        for score, there in each_class(scores, labels, mask)
    ]
    ours = mean_average_precision(scores, labels, mask)
    assert ours == pytest.approx(np.mean(theirs))


@pytest.mark.parametrize(
    "metric",
    [
        mean_f1,
        lambda *args: mean_f1(*args, absence=True),
        mean_average_precision,
    ],
)
def test_what_is_unknown_does_not_matter_and_all_known_is_no_mask(metric):
    scores, labels, mask = batch(0)
    value = metric(scores, labels, mask)
    for other in (np.nan, 0.0, 1.0, -np.inf):
        changed = np.where(mask, scores, other), np.where(mask, labels, other)
        assert metric(*changed, mask) == value
    assert type(value) is float
    as_tensors = [torch.tensor(values) for values in (scores, labels, mask)]
    assert metric(*as_tensors) == value
    assert metric(scores, labels, np.ones_like(mask)) == metric(scores, labels)


def test_perfect_scores_give_one_and_opposite_ones_no_f1():
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
    for absence in (False, True):
        assert mean_f1(labels, labels, absence=absence) == 1
        assert mean_f1(1 - labels, labels, absence=absence) == 0
    assert mean_average_precision(labels, labels) == 1


def test_equal_scores_have_the_precision_of_chance():
    labels = np.array([[1], [0], [0], [0]])
    assert mean_average_precision(np.zeros((4, 1)), labels) == 0.25
    # The order of ties decides nothing.
    assert mean_average_precision(np.zeros((4, 1)), labels[::-1]) == 0.25


def test_a_class_never_found_counts_as_nought():
    labels = np.array([[1, 1], [0, 0]])
    scores = np.array([[0.9, 0.1], [0.1, 0.1]])
    assert mean_f1(scores, labels) == 0.5


@pytest.mark.parametrize("metric", [mean_f1, mean_average_precision])
@pytest.mark.parametrize(
    ("scores", "labels", "mask", "message"),
    [
        (np.ones((0, 2)), np.ones((0, 2)), None, r"not empty"),
        (np.ones(3), np.ones(3), None, r"Scores are \(3,\)"),
        (np.ones((3, 2)), np.ones((3, 1)), None, r"labels \(3, 1\)"),
        (np.ones((3, 2)), np.ones((3, 2)), np.ones((2, 2)), r"the mask \(2"),
        (np.ones((2, 1)), np.ones((2, 1)), [[1], [2]], r"The mask holds \[1 2"),
        ([[1.0], [np.nan]], [[1], [0]], None, "1 known scores are NaN, the "),
        ([[1.0], [1.0]], [[1], [np.nan]], None, "labels are NaN, .* item 1"),
        ([[1.0], [1.0]], [[1], [-1]], None, "outside 0 to 1"),
        ([[1, 1]], [[1, 0]], None, "Class 1: no item of known presence"),
        ([[1, 1]], [[1, 1]], [[0, 0]], "Class 0, 1: no item of known"),
    ],
)
def test_what_has_no_value_is_refused(metric, scores, labels, mask, message):
    with pytest.raises(ValueError, match=message):
        metric(scores, labels, mask)


def test_absence_of_a_class_that_is_always_there_is_refused():
    with pytest.raises(ValueError, match="Class 0: no item of known absence"):
        mean_f1([[1], [0]], [[1], [1]], absence=True)
    assert mean_f1([[1], [0]], [[1], [1]]) == pytest.approx(2 / 3)


def test_interval_is_that_of_f1_of_samples_drawn_one_by_one():
    scores, labels, mask = batch(3, items=60, classes=3, known=0.8)
    clusters = [f"track {i // 2}" for i in range(60)]
    ours = mean_f1_interval(scores, labels, mask, clusters, seed=5)
    values = []
    for counts in np.concatenate(list(draws(30, seed=5))):
        drawn = [i for i in range(60) for _ in range(counts[i // 2])]
        values.append(mean_f1(scores[drawn], labels[drawn], mask[drawn]))
    assert ours == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))
    assert ours != mean_f1_interval(scores, labels, mask, seed=5)


def test_a_class_missing_from_a_sample_leaves_the_others():
    # The second class is in one item of 20, and always found.
    labels = np.zeros((20, 2))
    labels[:, 0], labels[0, 1] = 1, 1
    assert mean_f1_interval(labels, labels) == (1.0, 1.0)


def test_interval_is_refused_where_there_is_nothing_to_draw():
    scores, labels, mask = batch(0)
    with pytest.raises(ValueError, match="1 cluster.*of 60 for 60 items"):
        mean_f1_interval(scores, labels, mask, ["one"] * 60)
    with pytest.raises(ValueError, match="of 59 for 60 items"):
        mean_f1_interval(scores, labels, mask, range(59))
    with pytest.raises(ValueError, match="no item of known presence"):
        mean_f1_interval(scores, np.zeros_like(labels))
