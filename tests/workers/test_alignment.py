import random

import pytest
import torch

from speechbrain_mtl.workers.alignment import align


def random_grids(n):
    """Frames, hop and offset of labels, then of an encoder."""
    draw = random.Random(7)
    for _ in range(n):
        yield (
            draw.randint(1, 60),
            draw.uniform(0.002, 0.05),
            draw.choice([0, draw.uniform(0, 0.05)]),
            draw.randint(1, 60),
            draw.uniform(0.002, 0.05),
            draw.choice([0, draw.uniform(0, 0.05)]),
        )


def align_one(labels, grid, **options):
    frames, hop, offset, to_frames, to_hop, to_offset = grid
    lens, to_lens = torch.tensor([frames]), torch.tensor([to_frames])
    aligned, mask = align(
        labels[None, :, None],
        lens,
        hop,
        offset,
        to_hop,
        to_offset,
        to_lens,
        to_frames,
        **options,
    )
    return aligned[0, :, 0], mask[0]


def test_a_ramp_in_time_gives_the_time_of_the_encoder_frame():
    for grid in random_grids(200):
        frames, hop, offset, to_frames, to_hop, to_offset = grid
        time = offset + hop * torch.arange(frames, dtype=torch.float64)
        aligned, mask = align_one(time, grid)
        for i in range(to_frames):
            centre = to_offset + i * to_hop
            held = min(max(centre, offset), offset + (frames - 1) * hop)
            outside = abs(centre - held)
            if abs(outside - hop / 2) < 1e-5 * hop:
                continue  # on the border either answer is right
            assert mask[i] == (outside < hop / 2)
            assert abs(aligned[i] - (held if mask[i] else 0)) < 1e-9


def test_nearest_gives_the_label_whose_centre_is_closest():
    for grid in random_grids(50):
        frames, hop, offset, _, to_hop, to_offset = grid
        labels = torch.arange(frames) ** 2
        aligned, mask = align_one(labels, grid, nearest=True)
        assert aligned.dtype == torch.long
        for i in mask.nonzero().flatten().tolist():
            centre = to_offset + i * to_hop
            distance = [abs(offset + f * hop - centre) for f in range(frames)]
            chosen = round(aligned[i].item() ** 0.5)
            assert distance[chosen] < min(distance) + 1e-9


def test_equal_grids_are_the_identity():
    labels = torch.randn(2, 7, 3)
    lens = torch.tensor([7, 4])
    aligned, mask = align(labels, lens, 0.01, 0.02, 0.01, 0.02, lens, 7)
    assert mask.sum(1).tolist() == [7, 4]
    assert torch.equal(aligned[0], labels[0])
    assert torch.equal(aligned[1, :4], labels[1, :4])


def test_padding_of_either_side_changes_nothing():
    labels = torch.randn(1, 9, 2)
    lens, to_lens = torch.tensor([9]), torch.tensor([5])
    alone, mask = align(labels, lens, 0.01, 0.01, 0.02, 0.0125, to_lens, 5)
    garbage = torch.full((1, 6, 2), torch.inf)
    padded, padded_mask = align(
        torch.cat([labels, garbage], 1),
        lens,
        0.01,
        0.01,
        0.02,
        0.0125,
        to_lens,
        11,
    )
    assert torch.equal(padded[:, :5], alone)
    assert torch.equal(padded_mask[:, :5], mask)
    assert not padded_mask[:, 5:].any() and not padded[:, 5:].any()


def test_gradients_reach_only_the_valid_labels():
    labels = torch.randn(1, 6, 1, requires_grad=True)
    lens = torch.tensor([4])
    aligned, _ = align(labels, lens, 0.01, 0, 0.01, 0.004, lens, 6)
    aligned.sum().backward()
    assert labels.grad[0, :4].all() and not labels.grad[0, 4:].any()


def test_an_hour_keeps_its_place():
    labels = torch.arange(360000.0)[None, :, None]
    lens = torch.tensor([360000])
    aligned, _ = align(
        labels, lens, 0.01, 0.01, 0.02, 0.0125, lens // 2, 180000
    )
    assert abs(aligned[0, -2, 0] - (2 * 179998 + 0.25)) < 0.05


@pytest.mark.parametrize("hop, to_hop", [(0, 0.02), (0.01, -1)])
def test_hops_must_be_positive(hop, to_hop):
    lens = torch.tensor([2])
    with pytest.raises(ValueError, match="hops must be positive"):
        align(torch.ones(1, 2, 1), lens, hop, 0, to_hop, 0, lens, 2)


def test_shapes_must_fit():
    with pytest.raises(ValueError, match=r"got \[1, 2\]"):
        align(torch.ones(1, 2), torch.ones(1), 1, 0, 1, 0, torch.ones(1), 2)
