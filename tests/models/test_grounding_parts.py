"""The branches of visually grounded speech: sizes and padding."""

import pytest
import torch
from torch import nn

from speechbrain_mtl.models.audio_head import AudioHead
from speechbrain_mtl.models.bert import BertLayers, widened
from speechbrain_mtl.models.images import (
    RegionEncoder,
    SceneEncoder,
)
from speechbrain_mtl.models.resdavenet import ResDAVEnet

#: Of the published model.
PAPER = {"heads": 12, "feedforward_size": 3072, "output_size": 768}


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_sizes_are_those_of_the_published_model():
    with torch.device("meta"):
        assert count(BertLayers(768, 1, 12, 3072)) == 7_087_872
        assert count(ResDAVEnet(768)) == 31_064_704
        head = AudioHead(768, (128, 256, 512, 768), **PAPER)
        image = RegionEncoder(2048, 768, 6, **PAPER)
        # Theirs trains a second projection of the token that nothing reads.
        assert count(head) + count(widened(768, 768)) == 43_466_368
        assert count(image) == 46_470_144


@pytest.mark.parametrize(
    "frames, pooled", [(99, 7), (199, 13), (399, 25), (499, 32), (1, 1)]
)
def test_four_stages_pool_sixteen_frames_into_one(frames, pooled):
    pool = ResDAVEnet(3, (2, 2, 2, 2)).eval()
    x, lens = pool(torch.randn(1, frames, 3), torch.tensor([frames]))
    assert x.shape == (1, pooled, 2) and lens.tolist() == [pooled]


def padded(*sizes, dim, more=5):
    """Items, and the same in one batch with padding that is not 0."""
    generator = torch.Generator().manual_seed(1)
    items = [torch.randn(n, dim, generator=generator) for n in sizes]
    batch = torch.full((len(sizes), max(sizes) + more, dim), 9.0)
    for row, item in zip(batch, items):
        row[: len(item)] = item
    return items, batch, torch.tensor(sizes)


def lively(module):
    """Norms of ones and zeros would hide a mistake."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    for name, buffer in module.named_buffers():
        if "running" in name:
            buffer.data += 0.1 * torch.rand_like(buffer)
    return module


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("encoder_cls", [True, False])
def test_frames_in_padding_change_no_utterance(encoder_cls, average):
    settings = {"encoder_cls": encoder_cls, "average": average}
    head = AudioHead(6, (4, 8), heads=2, output_size=5, **settings)
    head = lively(head).eval()
    items, batch, lens = padded(50, 17, 1, dim=6)
    states = torch.randn(3, 6)
    together = head(batch, lens, states)
    assert together.shape == (3, 5)
    for row, item in enumerate(items):
        one = head(item[None], lens[row][None], states[row][None])
        torch.testing.assert_close(together[row], one[0], rtol=1e-4, atol=1e-5)
    moved = head(batch, lens, states + 1)
    assert torch.equal(moved, together) != encoder_cls


def test_the_average_is_of_all_states():
    """And not of the token's alone, nor of padding."""
    head = lively(AudioHead(6, (4, 8), heads=2, average=True)).eval()
    states = torch.randn(1, 5, 8)
    head.pool.forward = lambda x, lens: (states[:, 1:], lens)
    head.project_cls = nn.Identity()
    head.transformer.forward = lambda x, valid: x
    head.output = nn.Identity()
    found = head(torch.zeros(1, 4, 6), torch.tensor([2]), states[:, 0])
    torch.testing.assert_close(found, states[:, :3].mean(dim=1))


def test_the_last_frame_counts():
    head = AudioHead(6, (4, 8), kernel=1, heads=2, encoder_cls=False)
    head = lively(head).eval()
    x, lens = torch.randn(1, 49, 6), torch.tensor([49])
    before = head(x, lens)
    x[0, 48] = 9 * torch.randn(
        6
    )  # of which the last pooled frame is made, and no other
    assert (head(x, lens) - before).abs().max() > 1e-4


def test_padding_changes_no_statistic_and_no_gradient_in_training():
    pool = lively(ResDAVEnet(6, (4, 8), kernel=5))
    _, batch, lens = padded(50, 17, dim=6)
    found = []
    for x in (batch[:, :50], batch):
        pool.zero_grad()
        for norm in pool.modules():
            if hasattr(norm, "running_mean"):
                norm.running_mean.zero_()
        y, pooled = pool(x, lens)
        assert pooled.tolist() == [13, 5] and not y[1, 5:].any()
        (y[:, :13] ** 2).sum().backward()
        found.append(
            [p.grad.clone() for p in pool.parameters()]
            + [b.clone() for n, b in pool.named_buffers() if "mean" in n]
        )
    for one, two in zip(*found):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("boxes", [True, False])
def test_regions_in_padding_change_no_image(boxes):
    encoder = RegionEncoder(
        6, size=8, heads=2, feedforward_size=16, output_size=5, boxes=boxes
    )
    encoder = lively(encoder).eval()
    items, batch, lens = padded(7, 3, dim=6)
    corners, places, _ = padded(7, 3, dim=4)
    valid = torch.arange(12) < lens[:, None]
    together = encoder(batch, valid, places if boxes else None)
    for row, (item, corner) in enumerate(zip(items, corners)):
        one = encoder(item[None], None, corner[None] if boxes else None)
        torch.testing.assert_close(together[row], one[0], rtol=1e-4, atol=1e-5)
    if boxes:
        moved = encoder(batch, valid, places + 1)
        assert (moved - together).abs().max() > 1e-3


def test_the_order_of_regions_means_nothing():
    encoder = lively(RegionEncoder(6, size=8, heads=2)).eval()
    features, boxes = torch.randn(1, 5, 6), torch.rand(1, 5, 4)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(
        encoder(features, None, boxes),
        encoder(features[:, order], None, boxes[:, order]),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("boxes", [True, False])
def test_boxes_that_are_not_there_are_missed(boxes):
    encoder = RegionEncoder(6, size=8, heads=2, boxes=boxes)
    given = None if boxes else torch.rand(1, 5, 4)
    with pytest.raises(ValueError, match=f"boxes: {boxes}"):
        encoder(torch.randn(1, 5, 6), None, given)


def test_a_missing_cls_token_is_told_with_the_remedy():
    head = AudioHead(6, (4, 8), heads=2)
    with pytest.raises(ValueError, match="cls_token: True"):
        head(torch.randn(1, 30, 6), torch.tensor([30]))


def test_where_a_shape_is_changes_its_picture():
    encoder = SceneEncoder(output_size=8).eval()
    pixels = torch.zeros(3, 3, 48, 48, dtype=torch.uint8)
    pixels[0, 0, :16, :16] = pixels[1, 0, 32:, 32:] = 255
    pixels[2, 1, :16, :16] = 255
    vectors = encoder(pixels)
    for one, two in ((0, 1), (0, 2), (1, 2)):
        assert (vectors[one] - vectors[two]).abs().max() > 1e-3
    torch.testing.assert_close(encoder(pixels / 255), vectors)
    alone = encoder(pixels[1:2])
    torch.testing.assert_close(alone[0], vectors[1], rtol=1e-4, atol=1e-5)


def test_pictures_of_another_size_are_refused():
    with pytest.raises(ValueError, match="20: 3 .* multiple of 8"):
        SceneEncoder(pixels=20)
    encoder = SceneEncoder(pixels=16)
    with pytest.raises(ValueError, match="24 x 16.* takes 16 x 16"):
        encoder(torch.zeros(1, 3, 16, 24))


@pytest.mark.parametrize("size, std", [(768, 0.02), (48, 0.08)])
def test_weights_are_drawn_as_bert_draws_them(size, std):
    layers = BertLayers(size, 2, 4, 128)
    for name, value in layers.named_parameters():
        if name.endswith("weight") and "norm" not in name:
            assert value.std().item() == pytest.approx(std, rel=0.1), name
    # Layers are not copies of one.
    first, second = (layer.linear1.weight for layer in layers.layers)
    assert not torch.equal(first, second)
    assert isinstance(layers.layers[0], nn.TransformerEncoderLayer)
