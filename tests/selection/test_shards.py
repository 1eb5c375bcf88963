import pytest
import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.group_sums import (
    PairPlan,
    published_sums,
    ratio_sums,
)
from speechbrain_mtl.selection.pair_sums import PairSums
from speechbrain_mtl.selection.shards import ShardedSums, sample_sizes


def random_sums(pairs, labels=3, sums=2):
    return PairSums(
        torch.randn(sums, pairs), -torch.rand(labels, pairs), block=64
    )


def test_shards_sum_to_the_whole():
    whole = random_sums(500)
    sizes = [100, 250, 150]
    parts = [
        PairSums(*both)
        for both in zip(
            whole.coefficients.split(sizes, 1),
            whole.log_kernels.split(sizes, 1),
        )
    ]
    sharded = ShardedSums.build(sizes, 3, parts.__getitem__)
    weights = torch.tensor([0.2, 0.3, 0.5])
    assert sharded.pairs == 500 and sharded.labels == 3
    for ours, theirs in zip(sharded(weights), whole(weights)):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_sample_stands_for_all_and_every_shard_gives_its_share():
    parts = [random_sums(size) for size in (4000, 12000)]
    for part in parts:
        part.coefficients.abs_()
    sharded = ShardedSums.build([4000, 12000], 2, parts.__getitem__)
    few = sharded.sample(2000)
    assert list(few.sizes) == [500, 1500]
    assert few.shards[1].log_kernels.data_ptr() == (
        parts[1].log_kernels.data_ptr()
    )
    weights = torch.full((3,), 1 / 3)
    torch.testing.assert_close(
        few(weights)[0], sharded(weights)[0], rtol=0.1, atol=0
    )
    every = sharded.sample(20000)(weights)[0]
    assert torch.equal(every, sharded(weights)[0])
    assert not torch.equal(few(weights)[0], sharded.sample(2000, 1)(weights)[0])


def test_shares_of_a_sample_are_rounded_up():
    assert sample_sizes([10, 1, 1], 3, 6) == [5, 1, 1]
    assert sample_sizes([10, 1], 2, 100) == [10, 1]


def test_pairs_of_different_classes_are_sampled_apart():
    assert sample_sizes([100, 60, 40], 1, 40) == [40, 6, 4]
    assert sample_sizes([100, 60, 40], 1, 200) == [100, 30, 20]


def test_a_plan_names_the_pairs_of_every_sum(planted, monkeypatch):
    monkeypatch.setattr(
        "speechbrain_mtl.selection.group_sums.SHARD_PAIRS", 1000
    )
    data = planted(classes=4, per_class=30)
    comparison = Comparison(data.measured, data.classes)
    plan = PairPlan(comparison, data.classes)
    sums = ratio_sums(comparison, data.classes, [0, 1], 0.1)
    assert len(plan.groups) == 2 and sums.sizes == plan.sizes
    logs = comparison.log_labels(torch.arange(120))[:2]
    for number, shard in sums.shards.items():
        first, second = plan.places(number)
        torch.testing.assert_close(shard.log_kernels, logs[:, first, second])
        if number < 2:  # in random order: any stretch is a sample
            half = len(first) // 2
            mean = [float(x.float().mean()) for x in first.split(half)[:2]]
            assert mean[0] == pytest.approx(mean[1], rel=0.2)
        apart = data.classes[first] != data.classes[second]
        assert apart.all() if number >= 2 else not apart.any()


@pytest.mark.parametrize("published", [True, False])
def test_the_number_of_shards_changes_nothing(planted, monkeypatch, published):
    data = planted(classes=4, per_class=30)
    comparison = Comparison(data.measured, data.classes)

    def make():
        if published:
            return published_sums(comparison, [0, 2])
        return ratio_sums(comparison, data.classes, [0, 2], 0.1)

    weights = torch.tensor([0.3, 0.7])
    one = make()(weights)
    monkeypatch.setattr("speechbrain_mtl.selection.group_sums.SHARD_PAIRS", 400)
    several = make()
    assert len(several.sizes) > 3
    for ours, theirs in zip(several(weights), one):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
