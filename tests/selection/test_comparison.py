import math

import pytest
import torch

from speechbrain_mtl.selection import cosine_kernel, rbf_kernel
from speechbrain_mtl.selection.comparison import Comparison, cut
from speechbrain_mtl.selection.evidence import gather
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


def test_the_multi_bandwidth_is_a_mean_over_three_of_the_median_one(planted):
    data = planted(classes=2, per_class=20)
    multi = Comparison(data.measured, data.classes, bandwidth="multi")
    assert multi.bandwidths == data.comparison.bandwidths
    block = next(multi.blocks())
    for k, name in enumerate(data.names):
        z, v = data.measured.labels[name][:20], multi.bandwidths[k]
        mean = sum(rbf_kernel(z, v * f) for f in (0.25, 1, 4)) / 3
        torch.testing.assert_close(
            block.log_L[k].exp().double(), mean, rtol=1e-3, atol=1e-6
        )
    first, second = torch.tensor([0, 3, 19]), torch.tensor([7, 12, 1])
    torch.testing.assert_close(
        multi.log_pairs(first, second),
        multi.log_labels(torch.arange(40))[:, first, second],
    )
    torch.testing.assert_close(
        block.log_L_published, next(data.comparison.blocks()).log_L_published
    )


def test_the_multi_bandwidth_finds_the_labels_that_the_median_finds(planted):
    data = planted(classes=4, per_class=30)
    multi = Comparison(data.measured, data.classes, bandwidth="multi")
    found = gather(multi, data.classes, data.clusters, draws=5)
    relevant = {
        name for name, test in zip(data.names, found.relevance) if test.p < 0.01
    }
    assert {"good", "leaky"} <= relevant
    assert not {"blind", "noise", "small_noise"} & relevant


def test_an_unknown_bandwidth_is_refused(planted):
    data = planted(classes=2, per_class=10)
    with pytest.raises(ValueError, match="'wide': choose from"):
        Comparison(data.measured, data.classes, bandwidth="wide")


def roots(codes, units):
    """Labels of segments of one frame, as they are measured."""
    return torch.nn.functional.one_hot(codes, units).float()


def test_a_unit_that_is_the_class_is_relevant_and_a_random_one_is_not(planted):
    data = planted(classes=8, per_class=40)
    generator = torch.Generator().manual_seed(1)
    chance = torch.randint(8, (320,), generator=generator)
    data.measured.labels.clear()
    data.measured.labels["class"] = roots(data.classes, 8)
    data.measured.labels["renamed"] = roots(7 - data.classes, 8)
    data.measured.labels["chance"] = roots(chance, 8)
    comparison = Comparison(data.measured, data.classes)
    found = gather(comparison, data.classes, data.clusters, draws=5)
    relevance = found.columns["relevance"]
    # The most there is at the median bandwidth, as of a value that is the
    # class: same or different is a distance of 0 or of one bandwidth.
    most = 1 - math.exp(-0.5)
    assert relevance[0] == pytest.approx(most, abs=1e-6)
    assert relevance[1] == pytest.approx(most, abs=1e-6)
    assert relevance[2].abs() < 0.01
    assert found.relevance[0].p < 0.01 < found.relevance[2].p
    assert found.columns["unbiased"][0] == pytest.approx(0, abs=1e-6)


def test_of_single_frames_the_unit_kernel_is_affine_in_same_or_different(
    planted,
):
    data = planted(classes=2, per_class=20)
    generator = torch.Generator().manual_seed(1)
    codes = torch.randint(6, (40,), generator=generator)
    data.measured.labels.clear()
    data.measured.labels["unit"] = roots(codes, 6)
    comparison = Comparison(data.measured, data.classes)
    L = comparison.log_labels(torch.arange(40))[0].exp()
    same = (codes[:, None] == codes).float()
    a = L[same == 0][0]
    assert a < 0.7
    torch.testing.assert_close(L, a + (1 - a) * same)
