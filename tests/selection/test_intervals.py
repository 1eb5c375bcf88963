import pytest
import torch

from speechbrain_mtl.selection.intervals import (
    ClusterBootstrap,
    percentile_interval,
)


def slow_mean(terms, clusters, counts):
    """Mean over pairs of copies; copies of one cluster make no new pairs."""
    total = mass = 0.0
    alone = 1 - 1 / len(counts)
    n = len(clusters)
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            a, b = int(clusters[i]), int(clusters[j])
            weight = counts[a] * (alone if a == b else counts[b])
            total += float(weight * terms[i, j])
            mass += float(weight)
    return total / mass if mass else 0.0


def symmetric(k, n):
    terms = torch.randn(k, n, n, dtype=torch.float64)
    return terms + terms.mT


def test_a_stratum_is_resampled_as_defined():
    clusters = torch.tensor([0, 0, 3, 1, 3, 3])
    terms = symmetric(2, 6)
    bootstrap = ClusterBootstrap(4, draws=20, seed=1)
    means, mass = bootstrap.stratum(terms, clusters)
    for draw, counts in enumerate(bootstrap.counts):
        for label in range(2):
            slow = slow_mean(terms[label], clusters, counts)
            assert float(means[draw, label]) == pytest.approx(slow, abs=1e-12)
        drawn = sum(float(counts[c]) for c in clusters) / 6
        pairs = slow_mean(torch.ones(6, 6), clusters, counts)
        assert float(mass[draw]) == pytest.approx(drawn if pairs else 0.0)


def test_pairs_are_resampled_as_defined():
    values = torch.randn(2, 30, dtype=torch.float64)
    first, second = torch.randint(4, (2, 30))
    bootstrap = ClusterBootstrap(4, draws=15, seed=2)
    means = bootstrap.pairs(values, first, second, block=4)
    for draw, counts in enumerate(bootstrap.counts):
        weights = torch.tensor(
            [
                float(counts[a] * (0.75 if a == b else counts[b]))
                for a, b in zip(first, second)
            ]
        ).double()
        expected = (values * weights).sum(1) / weights.sum().clamp(min=0.5)
        torch.testing.assert_close(means[draw], expected)


def test_resampled_means_centre_on_the_observed_one():
    clusters = torch.arange(60) % 12
    terms = symmetric(1, 60)
    terms = terms + 3 * (clusters[:, None] == clusters)
    means, _ = ClusterBootstrap(12, draws=4000).stratum(terms, clusters)
    off = 1 - torch.eye(60, dtype=torch.float64)
    observed = (terms[0] * off).sum() / off.sum()
    assert means.mean() == pytest.approx(float(observed), rel=0.03)


def test_more_speakers_give_narrower_intervals():
    widths = []
    for speakers in (5, 20, 80):
        effects = torch.randn(speakers, dtype=torch.float64)
        clusters = torch.arange(160) % speakers
        z = effects[clusters]
        terms = (z[:, None] + z)[None]
        means, _ = ClusterBootstrap(speakers).stratum(terms, clusters)
        low, high = percentile_interval(means)[0]
        widths.append(float(high - low))
    assert widths[0] > widths[1] > widths[2]


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    # Mean over pairs of speakers' sums; the truth is 0.
    covered = 0
    for _ in range(200):
        z = torch.randn(30, dtype=torch.float64).repeat_interleave(3)
        clusters = torch.arange(30).repeat_interleave(3)
        terms = (z[:, None] + z)[None]
        means, _ = ClusterBootstrap(30, draws=200).stratum(terms, clusters)
        low, high = percentile_interval(means)[0]
        covered += bool(low <= 0 <= high)
    assert 0.87 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_draws():
    counts = ClusterBootstrap(7, seed=3).counts
    assert torch.equal(counts, ClusterBootstrap(7, seed=3).counts)
    assert not torch.equal(counts, ClusterBootstrap(7, seed=4).counts)
    assert (counts.sum(dim=1) == 7).all()


def test_halves_part_the_clusters_and_count_pairs_as_they_are():
    bootstrap = ClusterBootstrap(7, draws=3, splits=5, seed=1)
    counts = bootstrap.counts[3:]
    assert counts.shape == (10, 7) and set(counts.unique().tolist()) == {0, 1}
    assert (counts[0::2] + counts[1::2] == 1).all()
    assert (counts[0::2].sum(1) == 3).all()
    clusters = torch.tensor([0, 0, 3, 1, 3, 3, 6, 5])
    terms = symmetric(1, 8)
    means, mass = bootstrap.stratum(terms, clusters)
    for half, mean in zip(counts, means[3:]):
        inside = half[clusters].bool()
        part = terms[0][inside][:, inside]
        off = ~torch.eye(len(part), dtype=torch.bool)
        expected = part[off].mean() if len(part) > 1 else torch.zeros(())
        assert float(mean) == pytest.approx(float(expected), abs=1e-9)
    first = torch.randint(7, (2, 40))
    values = torch.randn(1, 40, dtype=torch.float64)
    means = bootstrap.pairs(values, *first, block=2)
    for half, mean in zip(counts, means[3:]):
        inside = half[first].bool().all(0)
        assert float(mean) == pytest.approx(float(values[0, inside].mean()))


def test_the_first_draws_are_those_of_more_draws():
    bootstrap = ClusterBootstrap(5, draws=9, splits=2)
    first = bootstrap.head(4)
    assert torch.equal(first.counts, bootstrap.counts[:4])
    assert len(first.alone) == 4 and len(bootstrap.counts) == 13
