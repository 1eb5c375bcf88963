import pytest
import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.group_sums import (
    PairPlan,
    published_sums,
    ratio_sums,
)
from speechbrain_mtl.selection.hsic import hsic_coefficients
from speechbrain_mtl.selection.intervals import ClusterBootstrap
from speechbrain_mtl.selection.relevance import between_pairs
from speechbrain_mtl.selection.resampled import ResampledSums

DRAWS = 12


def resampled(data, evidence, published=False, labels=None, draws=DRAWS):
    labels = list(range(len(data.names))) if labels is None else labels
    if published:
        sums = published_sums(data.comparison, labels)
        plan = PairPlan(data.comparison)
    else:
        scale = evidence.speech_scale
        sums = ratio_sums(data.comparison, data.classes, labels, scale)
        plan = PairPlan(data.comparison, data.classes)
    bootstrap = ClusterBootstrap(int(data.clusters.max()) + 1, draws)
    return ResampledSums(
        sums,
        plan,
        data.comparison,
        data.clusters,
        bootstrap,
        None if published else evidence.speech_scale,
    )


def gathered(data):
    return gather(data.comparison, data.classes, data.clusters, draws=DRAWS)


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize(
    ("speakers", "per_class"), [(2, 20), (7, 20), (3, 50), (40, 50)]
)
def test_a_label_alone_scores_what_the_bootstrap_says(
    planted, published, speakers, per_class
):
    data = planted(classes=3, per_class=per_class, speakers=speakers)
    # Classes of 50 in blocks of 17 and 16.
    data.comparison = Comparison(data.measured, data.classes, max_pairs=10)
    evidence = gathered(data)
    sums = resampled(data, evidence, published)
    for number in range(DRAWS):
        drawn = sums.draw(number, 10**9)
        for k, vertex in enumerate(torch.eye(len(data.names)).double()):
            values = drawn(vertex)[0]
            if published:
                expected = evidence.draws["reference"][number, k : k + 1]
            else:
                expected = torch.stack(
                    [
                        evidence.draws["unbiased"][number, k]
                        / evidence.speech_scale,
                        evidence.draws["relevance"][number, k],
                    ]
                )
            # Relevance is a small difference of float32 means.
            gap = (values - expected).abs()
            assert gap[0] < 2e-6 + 1e-3 * expected[0].abs()
            assert gap[-1] < 1e-4


def test_a_group_scores_what_resampling_its_own_kernel_gives(planted):
    data = planted(classes=3, per_class=20, speakers=6)
    evidence = gathered(data)
    sums = resampled(data, evidence)
    weights = torch.tensor([0.3, 0.2, 0.1, 0.1, 0.1, 0.2], dtype=torch.float64)
    bootstrap = ClusterBootstrap(6, DRAWS)
    parts = []
    for block in data.comparison.blocks():
        n = len(block.index)
        G = torch.tensordot(weights.float(), block.log_L, dims=1).exp()
        A = hsic_coefficients(block.K, estimator="unbiased")
        B = hsic_coefficients(G, estimator="unbiased")
        terms = torch.stack([A * B * (n * (n - 3) * n * (n - 1)), G])
        means, mass = bootstrap.stratum(terms, data.clusters[block.index])
        mass = block.share * mass[:, None]
        parts.append(torch.cat([means * mass, mass], dim=1))
    total = torch.stack(parts).sum(0)
    within = total[:, :2] / total[:, 2:]
    first, second = between_pairs(data.classes)
    logs = data.comparison.log_pairs(first, second)
    apart = bootstrap.pairs(
        (weights.float() @ logs).exp()[None],
        data.clusters[first],
        data.clusters[second],
    )
    for number in range(DRAWS):
        dependence, relevance = sums.draw(number, 10**9)(weights)[0].tolist()
        slow = float(within[number, 0]) / evidence.speech_scale
        assert dependence == pytest.approx(slow, rel=1e-3, abs=2e-6)
        slow = float(within[number, 1] - apart[number, 0])
        assert relevance == pytest.approx(slow, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("published", [False, True])
def test_a_sample_of_pairs_stands_for_all_in_every_draw(planted, published):
    data = planted(classes=4, per_class=60)
    evidence = gathered(data)
    sums = resampled(data, evidence, published, labels=[0, 1], draws=4)
    weights = torch.tensor([0.5, 0.5], dtype=torch.float64)
    within = sum(sums.sums.sizes[: sums.sums.within])
    for number in range(2):
        exact = sums.draw(number, 10**9)(weights)[0]
        few = sums.draw(number, within // 2)
        assert sum(few.sizes[: few.within]) == within // 2
        # Dependence is a small difference of large sums: compare the last.
        torch.testing.assert_close(
            few(weights)[0][-1], exact[-1], rtol=0.3, atol=0
        )
    one, other = (sums.draw(n, within // 2).shards[0] for n in (0, 1))
    assert not torch.equal(one.log_kernels, other.log_kernels)
