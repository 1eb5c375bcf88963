import pytest
import torch

from speechbrain_mtl.selection import (
    cosine_kernel,
    hsic,
    normalized_hsic,
    rbf_kernel,
)
from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.evidence import gather


@pytest.fixture
def case(planted):
    data = planted(classes=3, per_class=25)
    return data, gather(data.comparison, data.classes, data.clusters, draws=300)


def test_columns_are_means_over_classes_of_their_definitions(case):
    data, evidence = case
    raw = data.measured.mels.double()
    flat = raw.reshape(-1, 40)
    standard = (raw - flat.mean(0)) / flat.std(0)
    for k, name in enumerate(data.names):
        z = data.measured.labels[name]
        rows = {"reference": [], "centered": [], "unbiased": []}
        similar = []
        for c in range(3):
            index = (data.classes == c).nonzero()[:, 0]
            K = cosine_kernel(standard[index].flatten(1))
            L = rbf_kernel(z[index], data.comparison.bandwidths[k])
            published = rbf_kernel(z[index])
            K_raw = cosine_kernel(raw[index].flatten(1))
            rows["reference"].append(hsic(K_raw, published, "reference"))
            rows["centered"].append(hsic(K, L))
            rows["unbiased"].append(hsic(K, L, estimator="unbiased"))
            similar.append(published.mean())
        for column, values in rows.items():
            expected = float(torch.stack(values).mean())
            ours = float(evidence.columns[column][k])
            assert ours == pytest.approx(expected, rel=1e-3, abs=1e-6)
        ours = float(evidence.columns["mean_similarity"][k])
        assert ours == pytest.approx(float(torch.stack(similar).mean()))
        score = evidence.dependence[k].score
        assert score == pytest.approx(float(evidence.columns["unbiased"][k]))


def test_alignment_of_one_class_is_the_normalised_criterion(planted):
    data = planted(classes=2, per_class=25)
    # Two equal classes: the mean over classes is that of either.
    for z in data.measured.labels.values():
        z[25:] = z[:25]
    data.measured.mels[25:] = data.measured.mels[:25]
    comparison = Comparison(data.measured, data.classes)
    evidence = gather(comparison, data.classes, data.clusters, draws=5)
    block = next(comparison.blocks())
    expected = normalized_hsic(block.K, block.log_L.exp())
    torch.testing.assert_close(
        evidence.columns["normalised"].float(), expected, rtol=1e-3, atol=1e-4
    )


def test_resampled_scores_scatter_about_the_observed_ones(case):
    _, evidence = case
    for column, draws in evidence.draws.items():
        spread = draws.std(dim=0)
        far = (draws.mean(dim=0) - evidence.columns[column]).abs()
        assert (far < 0.6 * spread + 1e-4).all(), column
        assert (spread > 0).all()


def test_the_tests_see_what_was_planted(case):
    data, evidence = case
    found = {
        name: (dependence.p < 0.01, relevance.p < 0.01)
        for name, dependence, relevance in zip(
            data.names, evidence.dependence, evidence.relevance
        )
    }
    assert found["leaky"] == (True, True)
    assert found["good"] == (False, True)
    assert found["blind"] == (True, False)
    assert found["noise"] == found["small_noise"] == (False, False)
    assert found["speaker"] == (True, False)
