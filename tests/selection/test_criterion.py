import pytest
import torch

from speechbrain_mtl.selection.criterion import (
    log_ratio,
    positive_part,
    ratio,
)
from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.group_sums import published_sums, ratio_sums
from speechbrain_mtl.selection.pair_sums import PairSums
from speechbrain_mtl.selection.ranking import rank


def gathered(data):
    return gather(data.comparison, data.classes, data.clusters, draws=50)


def test_the_positive_part_is_smooth_increasing_and_right_far_out():
    values = torch.linspace(-50, 50, 1001, dtype=torch.float64)
    positive = positive_part(values, 2.0)
    assert (positive.diff() > 0).all() and (positive > 0).all()
    assert float(positive_part(torch.tensor(0.0), 2.0)) == 2.0
    assert float(positive[-1]) == pytest.approx(50, rel=0.01)
    # v * p - p^2 + noise^2 = 0 defines it.
    zero = values * positive - positive**2 + 4.0
    torch.testing.assert_close(zero, torch.zeros_like(zero))


@pytest.mark.parametrize("noise", [(0.0, 0.0), (0.03, 0.01)])
def test_the_log_ratio_has_the_gradient_of_finite_differences(noise):
    sums = PairSums(
        torch.rand(2, 40, dtype=torch.float64) / 40,
        -torch.rand(3, 40, dtype=torch.float64),
    )
    objective = log_ratio(noise)(sums)
    weights = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    value, gradient = objective(weights)
    for k in range(3):
        step = torch.zeros(3, dtype=torch.float64)
        step[k] = 1e-5
        up, down = objective(weights + step)[0], objective(weights - step)[0]
        slope = float(up - down) / 2e-5
        assert float(gradient[k]) == pytest.approx(slope, rel=1e-6)
    numerator, denominator = sums(weights)[0]
    expected = ratio(numerator, denominator, noise, 1.0).log()
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("centering", ["centered", "reference"])
def test_a_group_of_one_scores_what_the_table_says(planted, centering):
    data = planted()
    evidence = gathered(data)
    ranking = rank(evidence, data.names, centering)
    every = list(range(len(data.names)))
    if centering == "centered":
        sums = ratio_sums(
            data.comparison, data.classes, every, evidence.speech_scale
        )
        objective = log_ratio(ranking.noise)(sums)
    else:
        sums = published_sums(data.comparison, every)
    for k, vertex in enumerate(torch.eye(len(every), dtype=torch.float64)):
        if centering == "centered":
            score = float(objective(vertex)[0].exp())
        else:
            score = float(sums(vertex)[0][0])
        assert score == pytest.approx(float(ranking.ci[k]), rel=1e-3)


def test_sums_of_some_labels_are_those_of_all_with_the_rest_at_zero(planted):
    data = planted(classes=3, per_class=15)
    some = ratio_sums(data.comparison, data.classes, [0, 3], 0.1)
    every = ratio_sums(data.comparison, data.classes, list(range(6)), 0.1)
    weights = torch.tensor([0.4, 0, 0, 0.6, 0, 0], dtype=torch.float64)
    torch.testing.assert_close(
        some(weights[[0, 3]])[0], every(weights)[0], rtol=1e-5, atol=1e-8
    )
