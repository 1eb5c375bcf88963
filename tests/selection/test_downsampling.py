import math

import pytest
import torch

from speechbrain_mtl.selection import gaussian_downsample
from speechbrain_mtl.selection.downsampling import gaussian_filters


def normal_cdf(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def slow_downsample(feats, n, std_ratio=0.07, std_slope=0.1):
    """The published formula for even n, one weight at a time."""
    frames = len(feats)
    half = list(range(n // 2))
    from_end = half + half[::-1]
    rows = []
    for k in range(n):
        center = k * (frames - 1) / (n - 1)
        std = std_slope * from_end[k] + std_ratio * frames
        weights = [
            normal_cdf((t + 0.5 - center) / std)
            - normal_cdf((t - 0.5 - center) / std)
            for t in range(frames)
        ]
        total = sum(weights)
        rows.append(sum(w / total * feats[t] for t, w in enumerate(weights)))
    return torch.stack(rows)


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 10, 11, 60])
@pytest.mark.parametrize("n_samples", [2, 10, 30])
def test_it_is_the_published_formula(frames, n_samples):
    feats = torch.randn(frames, 3, dtype=torch.float64)
    ours = gaussian_downsample(feats, n_samples)
    slow = slow_downsample(feats, n_samples)
    torch.testing.assert_close(ours, slow, rtol=0, atol=1e-10)


@pytest.mark.parametrize("n_samples", [1, 3, 9, 10])
def test_constant_frames_stay_and_reversed_frames_reverse(n_samples):
    feats = torch.randn(17, 4, dtype=torch.float64)
    samples = gaussian_downsample(feats, n_samples)
    assert samples.shape == (n_samples, 4)
    torch.testing.assert_close(
        gaussian_downsample(feats.flip(0), n_samples), samples.flip(0)
    )
    constant = torch.full((17, 4), 2.5)
    torch.testing.assert_close(
        gaussian_downsample(constant, n_samples),
        torch.full((n_samples, 4), 2.5),
    )


def test_padding_of_any_content_changes_nothing():
    feats = torch.randn(3, 40, 5)
    lens = torch.tensor([1.0, 0.5, 0.025])
    feats[1, 20:] = float("nan")
    feats[2, 1:] = float("inf")
    batched = gaussian_downsample(feats, lens=lens)
    for row, frames in enumerate((40, 20, 1)):
        alone = gaussian_downsample(feats[row, :frames])
        torch.testing.assert_close(batched[row], alone)


def test_all_segments_may_be_shorter_than_the_padding():
    feats = torch.randn(1, 20, 2)
    short = gaussian_downsample(feats, lens=torch.tensor([0.5]))
    torch.testing.assert_close(short[0], gaussian_downsample(feats[0, :10]))


def test_an_empty_segment_and_no_samples_are_refused():
    with pytest.raises(ValueError, match="0 frames"):
        gaussian_downsample(torch.zeros(0, 4))
    with pytest.raises(ValueError, match="n_samples is 0"):
        gaussian_filters(torch.tensor([3]), n_samples=0)
