"""Median filters and turns against SciPy and loops."""

import pytest
import torch
from scipy.signal import medfilt

from speechbrain_mtl.evaluation import frames_to_segments, median_filter


@pytest.mark.parametrize("width", [1, 3, 11])
def test_the_filter_is_scipys_on_each_valid_part(width):
    torch.manual_seed(0)
    values, lens = torch.rand(3, 30, 2), torch.tensor([30, 20, 12])
    filtered = median_filter(values, width, lens)
    for row, size in enumerate(lens.tolist()):
        for speaker in range(2):
            alone = values[row, :size, speaker].numpy()
            slow = torch.from_numpy(medfilt(alone, width))
            assert torch.equal(filtered[row, :size, speaker], slow)
        assert not filtered[row, size:].any()
    whole = median_filter(values, width)
    assert torch.equal(whole[0], filtered[0])


def test_filtering_before_or_after_the_decision_is_the_same():
    torch.manual_seed(0)
    values, lens = torch.rand(2, 50, 2), torch.tensor([50, 31])
    before = median_filter(values, 5, lens) > 0.4
    after = median_filter((values > 0.4).float(), 5, lens) > 0.5
    assert torch.equal(before, after)


@pytest.mark.parametrize("width", [0, -1, 4])
def test_even_windows_are_refused(width):
    with pytest.raises(ValueError, match="odd number"):
        median_filter(torch.zeros(1, 3, 1), width)


def test_turns_are_those_of_a_loop_over_frames():
    torch.manual_seed(0)
    activity = torch.rand(60, 3) > 0.4
    hop, offset = 0.02, 0.0125
    slow = []
    for speaker in range(3):
        begin = None
        for frame in range(61):
            on = frame < 60 and bool(activity[frame, speaker])
            edge = max(0.0, offset + (frame - 0.5) * hop)
            if on and begin is None:
                begin = edge
            if not on and begin is not None:
                slow.append((begin, edge, str(speaker + 1)))
                begin = None
    turns = frames_to_segments(activity, hop, offset)
    assert [who for *_, who in turns] == [who for *_, who in sorted(slow)]
    for turn, other in zip(turns, sorted(slow)):
        assert turn[:2] == pytest.approx(other[:2], abs=1e-6)
    assert frames_to_segments(activity.numpy(), hop, offset) == turns


def test_a_first_frame_begins_at_zero_and_nobody_gives_nothing():
    turns = frames_to_segments(torch.ones(3, 1).bool(), 0.02, speakers=["x"])
    assert turns == [(0.0, 0.05, "x")]
    assert frames_to_segments(torch.zeros(3, 2).bool(), 0.02) == []
    assert frames_to_segments(torch.zeros(0, 2).bool(), 0.02) == []
