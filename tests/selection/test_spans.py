import numpy as np
import pytest
import torch

from speechbrain_mtl.selection import gaussian_downsample
from speechbrain_mtl.selection.spans import Spans


def slow_frames(start, end, hop, offset, valid):
    """Frames whose centres lie inside; the nearest where none does."""
    centers = [offset + i * hop for i in range(valid)]
    inside = [
        i for i, t in enumerate(centers) if start - 1e-9 <= t < end - 1e-9
    ]
    if inside:
        return inside[0], len(inside)
    middle = (start + end) / 2
    return min(range(valid), key=lambda i: abs(centers[i] - middle)), 1


@pytest.mark.parametrize("offset", [0.0, 0.0125, 0.03])
def test_frames_are_those_centred_inside(offset):
    random = np.random.default_rng(1)
    starts = random.uniform(0, 0.9, 200).round(3)
    ends = (starts + random.uniform(0.001, 0.1, 200)).round(3)
    spans = Spans(starts, ends, [0] * 200, [16000], ["a"])
    first, count = spans.frames(0.01, offset, [95])
    for s, e, f, c in zip(starts, ends, first, count):
        slow = slow_frames(s, e, 0.01, offset, 95)
        # A middle between two frames may go to either.
        assert (f, c) == slow or (c == slow[1] == 1 and abs(f - slow[0]) == 1)


def test_borders_on_the_grid_belong_to_the_segment_they_open():
    spans = Spans([0.1, 0.2], [0.2, 0.3], [0, 0], [16000], ["a"])
    first, count = spans.frames(0.01, 0.0, [100])
    assert first.tolist() == [10, 20] and count.tolist() == [10, 10]


def test_segments_before_the_first_and_after_the_last_centre_get_one_frame():
    spans = Spans([0.0, 0.995], [0.01, 1.0], [0, 0], [16000], ["a"])
    first, count = spans.frames(0.01, 0.03, [95])
    assert first.tolist() == [0, 94] and count.tolist() == [1, 1]


def test_a_whole_recording_has_all_its_valid_frames():
    nan = np.array([np.nan, np.nan])
    spans = Spans(nan, nan, [0, 1], [16000, 800], ["a", "b"])
    first, count = spans.frames(0.01, 0.0125, [98, 3])
    assert first.tolist() == [0, 0] and count.tolist() == [98, 3]


def test_a_segment_beyond_the_recording_is_refused_by_name():
    Spans([0.5], [1.009], [0], [16000], ["a"])  # within rounding
    with pytest.raises(ValueError, match="b: a segment from 0.500 s to 1.020"):
        Spans([0.1, 0.5], [0.2, 1.02], [0, 1], [32000, 16000], ["a", "b"])


def test_sums_and_embeddings_are_those_of_the_cut_frames():
    frames = torch.randn(2, 50, 3)
    spans = Spans(
        [0.0, 0.1, 0.2], [0.5, 0.2, 0.3], [0, 1, 0], [8000, 8000], ["a", "b"]
    )
    cut = spans.frames(0.01, 0.0, [50, 50])
    sums = spans.sums(frames, *cut)
    samples = spans.downsample(frames, *cut, n_samples=4)
    for i, (row, begin, end) in enumerate(
        [(0, 0, 50), (1, 10, 20), (0, 20, 30)]
    ):
        piece = frames[row, begin:end]
        torch.testing.assert_close(sums[i], piece.double().sum(0))
        torch.testing.assert_close(
            samples[i], gaussian_downsample(piece, 4), rtol=1e-5, atol=1e-5
        )
