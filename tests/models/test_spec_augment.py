"""SpecAugment: warps like torch's own resizing, hides what it says."""

import pytest
import torch
from torch.nn import functional

from speechbrain_mtl.models.plain_trunk import PlainTrunk
from speechbrain_mtl.models.spec_augment import SpecAugment, stretches
from speechbrain_mtl.models.time_warp import warp_frames

LENS = torch.tensor([40, 23, 40, 9])


def resized(x, frames):
    """Resize [F, D] in time as an image, by torch."""
    if not len(x):
        return x
    image = functional.interpolate(
        x[None, None], (frames, x.shape[1]), mode="bicubic"
    )
    return image[0, 0]


def test_both_parts_are_resized_as_images_are():
    torch.manual_seed(0)
    x = torch.randn(4, 40, 3)
    centre, moved = torch.tensor([12, 11, 0, 5]), torch.tensor([16, 8, 0, 5])
    warped = warp_frames(x, LENS, centre, moved)
    for row, size in enumerate(LENS.tolist()):
        c, m = int(centre[row]), int(moved[row])
        early = resized(x[row, :c], m)
        late = resized(x[row, c:size], size - m)
        expected = torch.cat([early, late, x[row, size:]])
        torch.testing.assert_close(warped[row], expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(warped[0], x[0], atol=0.1)
    torch.testing.assert_close(warped[2:], x[2:])


def test_padding_changes_nothing_and_stays():
    torch.manual_seed(0)
    x = torch.randn(4, 40, 12)
    more = functional.pad(x, (0, 0, 0, 7), value=1e4)
    augment = SpecAugment(12, time_width=8, feature_width=4)
    found = []
    for frames in (x, more):
        torch.manual_seed(3)
        found.append(augment(frames, LENS))
    torch.testing.assert_close(found[1][:, :40], found[0])
    for row, size in enumerate(LENS.tolist()):
        assert torch.equal(found[1][row, size:], more[row, size:])


def test_stretches_lie_within_and_are_as_wide_as_published():
    torch.manual_seed(0)
    lens = torch.tensor([300, 100, 20]).repeat_interleave(4000)
    hidden = stretches(lens, 300, count=1, width=40)
    widths = hidden.sum(dim=1)
    # One stretch: one begin.
    steps = functional.pad(hidden, (1, 0)).int().diff(dim=1) == 1
    assert torch.equal(steps.sum(dim=1), (widths > 0).long())
    place = torch.arange(300)
    assert not (hidden & (place >= lens[:, None])).any()
    for row, expected in ((0, 19.5), (4000, 19.5), (8000, 14.75)):
        some = widths[row : row + 4000].float()
        # Widths 0 to 39, of which at most 20 frames are there.
        assert some.mean().item() == pytest.approx(expected, abs=0.7)
        assert some.min() == 0 and some.max() == min(39, int(lens[row]))
    share = hidden[:4000].float().mean(dim=0)
    # Everywhere but at the ends alike.
    assert share[60:240].std() < 0.15 * share[60:240].mean()
    assert share[0] < share[150] and share[-1] > 0


def test_it_hides_values_and_frames_only_while_training():
    torch.manual_seed(0)
    x = torch.ones(64, 30, 20)
    lens = torch.full((64,), 30)
    augment = SpecAugment(20, 0, 1, 10, 1, 5)
    y = augment(x, lens)
    rows, columns = (y == 0).all(dim=2), (y == 0).all(dim=1)
    expected = rows[..., None] | columns[:, None]
    assert torch.equal(y == 0, expected)
    assert 0 < rows.float().mean() < 0.3 and 0 < columns.float().mean() < 0.2
    # Items differ.
    assert len(rows.unique(dim=0)) > 8
    assert augment.eval()(x, lens) is x


def test_short_items_are_not_warped():
    augment = SpecAugment(4, time_warp=5, time_masks=0, feature_masks=0)
    x = torch.randn(2, 10, 4)
    torch.testing.assert_close(augment(x, torch.tensor([10, 3])), x)
    borders = [augment._borders(torch.tensor([11, 50] * 500)) for _ in "abcd"]
    centre, moved = torch.cat([torch.stack(b) for b in borders], dim=1)
    assert set(centre[::2].tolist()) == {5}
    assert set(moved[::2].tolist()) == set(range(1, 11))
    assert set(centre[1::2].tolist()) == set(range(5, 45))
    assert set((moved - centre)[1::2].tolist()) == set(range(-4, 6))


@pytest.mark.parametrize(
    "settings",
    [{}, {"feature_width": 0}, {"feature_width": 4, "time_warp": -1}],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError, match="give"):
        SpecAugment(16, **settings)


def test_the_trunk_augments_its_input_while_training():
    torch.manual_seed(0)

    def hide(size):
        return SpecAugment(size, feature_width=5)

    trunk = PlainTrunk(16, 4, 3, 1, dropout=0.0, augment=hide)
    x, lens = torch.randn(2, 30, 16), torch.tensor([30, 20])
    plain = PlainTrunk(16, 4, 3, 1, dropout=0.0)
    plain.load_state_dict(trunk.state_dict())
    before, _ = plain(x, lens)
    assert not torch.allclose(trunk(x, lens)[0], before, atol=1e-3)
    torch.testing.assert_close(trunk.eval()(x, lens)[0], before)
