import pytest
import torch

from speechbrain_mtl.selection import cosine_kernel, rbf_kernel
from speechbrain_mtl.selection.comparison import Comparison, cut
from speechbrain_mtl.selection.features import Measurements


def test_blocks_part_every_class_and_shares_count_classes_alike():
    classes = torch.cat([torch.zeros(10), torch.ones(25)]).long()
    blocks = cut(classes, most=10, seed=1)
    assert [len(index) for index, _ in blocks] == [10, 9, 8, 8]
    assert sum(share for _, share in blocks) == pytest.approx(1)
    assert blocks[0][1] == pytest.approx(0.5)
    everyone = torch.cat([index for index, _ in blocks])
    assert sorted(everyone.tolist()) == list(range(35))
    for index, _ in blocks:
        assert len(classes[index].unique()) == 1


def test_kernels_are_of_standardised_mels_and_median_bandwidth(planted):
    data = planted(classes=2, per_class=30)
    comparison = Comparison(data.measured, data.classes)
    block = next(comparison.blocks())
    raw = data.measured.mels
    flat = raw.reshape(-1, 40)
    standard = (raw - flat.mean(0)) / flat.std(0)
    K = cosine_kernel(standard[:30].flatten(1))
    torch.testing.assert_close(block.K, K, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        block.K_published,
        cosine_kernel(raw[:30].flatten(1)),
        rtol=0,
        atol=1e-5,
    )
    z = data.measured.labels["leaky"][:, 0]
    which = data.names.index("leaky")
    L = rbf_kernel(z[:30], comparison.bandwidths[which]).float()
    torch.testing.assert_close(block.log_L[which].exp(), L)
    torch.testing.assert_close(
        block.log_L_published[which].exp(), rbf_kernel(z[:30]).float()
    )


def test_pairs_are_entries_of_the_kernels(planted):
    data = planted(classes=2, per_class=10)
    index = torch.arange(20)
    whole = data.comparison.log_labels(index)
    first, second = torch.tensor([0, 3, 19]), torch.tensor([7, 12, 1])
    torch.testing.assert_close(
        data.comparison.log_pairs(first, second), whole[:, first, second]
    )


def test_the_level_of_mels_and_the_scale_of_labels_do_not_matter(planted):
    data = planted(classes=2, per_class=20)
    before = next(data.comparison.blocks())
    data.measured.mels.mul_(3).sub_(80)
    for z in data.measured.labels.values():
        z.mul_(17)
    after = next(Comparison(data.measured, data.classes).blocks())
    torch.testing.assert_close(after.K, before.K, rtol=0, atol=1e-4)
    torch.testing.assert_close(after.log_L, before.log_L, rtol=1e-4, atol=1e-5)


def test_the_spread_is_the_deviation_within_classes():
    z = torch.tensor([1.0, 3.0, 10.0, 10.0, 16.0])
    labels = {"one": z[:, None].double(), "two": z[:, None].repeat(1, 2)}
    measured = Measurements(torch.randn(5, 2, 40), labels, seconds=1.0)
    classes = torch.tensor([0, 0, 1, 1, 1])
    spreads = Comparison(measured, classes).spreads(classes)
    # Variances 2 and 12; a mean over classes, not over segments.
    assert spreads.tolist() == pytest.approx([7**0.5, 14**0.5])
