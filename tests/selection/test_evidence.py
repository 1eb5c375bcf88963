import pytest
import torch

from speechbrain_mtl.selection import (
    cosine_kernel,
    hsic,
    hsic_coefficients,
    normalized_hsic,
    permutation_test,
    rbf_kernel,
)
from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.features import Measurements
from speechbrain_mtl.selection.intervals import ClusterBootstrap
from speechbrain_mtl.selection.relevance import between_pairs


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


def test_p_is_that_of_drawn_permutations(planted):
    data = planted(classes=3, per_class=12, seed=4)
    evidence = gather(data.comparison, data.classes, data.clusters, draws=5)
    blocks = list(data.comparison.blocks())
    As = [hsic_coefficients(b.K, estimator="unbiased") for b in blocks]
    for k in range(len(data.names)):
        Ls = [block.log_L[k].exp() for block in blocks]
        drawn = permutation_test(As, Ls, 2000)
        exact = evidence.dependence[k]
        assert exact.z == pytest.approx(drawn.z, abs=0.15, rel=0.1)
        assert exact.p == pytest.approx(drawn.p, abs=0.035)


def test_drawn_speakers_that_are_the_classes_weigh_whole_classes(planted):
    data = planted(classes=4, per_class=15)
    evidence = gather(data.comparison, data.classes, data.classes, draws=40)
    alone = []
    for c in range(4):
        index = (data.classes == c).nonzero()[:, 0]
        one = Comparison(data.measured, data.classes)
        K = next(b for b in one.blocks() if (b.index == index).all())
        A = hsic_coefficients(K.K, estimator="unbiased")
        alone.append((A * K.log_L.exp()).sum(dim=(1, 2)))
    counts = ClusterBootstrap(4, draws=40).counts.double()
    expected = counts @ torch.stack(alone).double() / 4
    torch.testing.assert_close(
        evidence.draws["unbiased"], expected, rtol=1e-3, atol=1e-6
    )


def test_resampling_scatters_as_new_data_would():
    loading = torch.randn(10, 40, dtype=torch.float64)
    classes = torch.arange(3).repeat_interleave(30)
    scores, deviations = [], []
    for _ in range(30):
        nuisance = torch.randn(90, 1, dtype=torch.float64)
        mels = torch.randn(90, 10, 40) + 0.5 * nuisance[..., None] * loading
        labels = {
            "leaky": nuisance + 0.5 * torch.randn(90, 1),
            "noise": torch.randn(90, 1).double(),
        }
        measured = Measurements(mels.float(), labels, seconds=1.0)
        comparison = Comparison(measured, classes)
        evidence = gather(comparison, classes, torch.arange(90), draws=100)
        scores.append(evidence.columns["unbiased"])
        deviations.append(evidence.draws["unbiased"].std(dim=0))
    truth = torch.stack(scores).std(dim=0)
    leaky, noise = (torch.stack(deviations).mean(dim=0) / truth).tolist()
    assert 0.75 < leaky < 1.35
    # Near zero the score is degenerate, and the interval errs to be wide.
    assert 0.9 < noise < 1.7


def test_recordings_that_are_copies_are_refused(planted):
    data = planted(classes=3, per_class=12)
    data.measured.mels[:] = data.measured.mels[::12].repeat_interleave(12, 0)
    comparison = Comparison(data.measured, data.classes)
    with pytest.raises(ValueError, match="all segments sound the same"):
        gather(comparison, data.classes, data.clusters, draws=5)


@pytest.mark.parametrize("speakers", [3, 30])
def test_draws_are_means_over_all_pairs_of_a_class(planted, speakers):
    # Classes of 50 in blocks of 17 and 16, with speakers shared or hardly so.
    data = planted(classes=2, per_class=50, speakers=speakers)
    comparison = Comparison(data.measured, data.classes, max_pairs=10)
    evidence = gather(comparison, data.classes, data.clusters, draws=8)
    bootstrap = ClusterBootstrap(int(data.clusters.max()) + 1, 8)
    first, second = between_pairs(data.classes)
    apart = bootstrap.pairs(
        comparison.log_pairs(first, second).exp(),
        data.clusters[first],
        data.clusters[second],
    )
    alone = 1 - 1 / bootstrap.counts.shape[1]
    for number, counts in enumerate(bootstrap.counts):
        total = mass = 0.0
        for stratum in comparison.strata:
            assert len(stratum) == 3
            parts = [[], [], []]
            for block in comparison.blocks(stratum):
                members = data.clusters[block.index]
                once = counts[members]
                same = members[:, None] == members
                weight = once[:, None] * torch.where(same, alone, once)
                weight.fill_diagonal_(0)
                pairs = len(members) * (len(members) - 1)
                L = block.log_L.exp()
                parts[0].append((weight * L).sum((1, 2)) / pairs)
                parts[1].append(weight.sum() / pairs)
                parts[2].append(once.mean())
            sums, left, times = (torch.stack(p).mean(0) for p in parts)
            total += times * sums / left
            mass += times
        torch.testing.assert_close(
            evidence.draws["relevance"][number].float(),
            (total / mass).float() - apart[number].float(),
            rtol=1e-4,
            atol=1e-5,
        )
