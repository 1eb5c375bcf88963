import pytest
import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.features import Measurements
from speechbrain_mtl.selection.group_sums import published_sums, ratio_sums
from speechbrain_mtl.selection.tiled_sums import TiledSums

SCALE = 0.2


def whole_sums(data, comparison, labels, published):
    if published:
        return published_sums(comparison, labels)
    return ratio_sums(comparison, data.classes, labels, SCALE)


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("tile", [7, 32, 1000])
@pytest.mark.parametrize("bandwidth", ["median", "multi"])
def test_tiles_add_up_to_the_kernels_of_whole_classes(
    planted, published, tile, bandwidth
):
    data = planted(classes=3, per_class=30)
    measured = data.measured
    generator = torch.Generator().manual_seed(1)
    for name, width in (("vector", 5), ("histogram", 200)):
        measured.labels[name] = torch.rand(90, width, generator=generator)
    comparison = Comparison(measured, data.classes, bandwidth=bandwidth)
    labels = [0, 2, 5, 6, 7]
    whole = whole_sums(data, comparison, labels, published)
    # Blocks must not matter.
    comparison = Comparison(
        measured, data.classes, max_pairs=10, bandwidth=bandwidth
    )
    scale = None if published else SCALE
    tiled = TiledSums(comparison, data.classes, labels, scale, tile=tile)
    assert tiled.pairs == 3 * 30 * 31 / 2 and tiled.labels == 5
    weights = torch.tensor([0.3, 0.0, 0.2, 0.4, 0.1], dtype=torch.float64)
    for ours, expected in zip(tiled(weights), whole(weights)):
        assert ours.dtype == torch.float64
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-7)


def test_silence_is_like_nothing_not_even_itself():
    mels = torch.randn(40, 2, 4)
    mels[3] = 0.0
    labels = {"f0": torch.randn(40, 1)}
    classes = torch.arange(40) // 20
    comparison = Comparison(Measurements(mels, labels, seconds=1.0), classes)
    comparison._speech[3] = 0.0
    tiled = TiledSums(comparison, classes, [0], SCALE, tile=8)
    one = torch.ones(1, dtype=torch.float64)
    expected = ratio_sums(comparison, classes, [0], SCALE)(one)[0]
    torch.testing.assert_close(tiled(one)[0], expected, rtol=1e-4, atol=1e-7)


def test_a_process_works_on_classes_of_its_own(planted, monkeypatch):
    data = planted(classes=4, per_class=12)
    tiled = TiledSums(data.comparison, data.classes, [0, 1], SCALE)
    weights = torch.tensor([0.5, 0.5], dtype=torch.float64)
    expected = tiled(weights)[0] - tiled.between(weights)[0]
    parts = []
    module = "speechbrain_mtl.selection.tiled_sums"
    for rank in range(3):
        monkeypatch.setattr(
            f"{module}.mine",
            lambda pieces, rank=rank: list(enumerate(pieces))[rank::3],
        )
        parts.append(tiled(weights)[0] - tiled.between(weights)[0])
    torch.testing.assert_close(sum(parts), expected, rtol=1e-12, atol=1e-15)
