"""Batches: every utterance, no padding, a pure function of seed and step."""

import numpy as np
import pytest

from speechbrain_mtl.training.batching import CropBatchSampler, CropDataset

DURATIONS = [0.3, 0.71, 1.0, 2.4, 2.55, 6.0, 11.9, 0.9, 3.3]


def epoch(sampler, number, start=0):
    sampler.set_epoch(number)
    sampler.start = start
    return list(sampler)


def test_a_pass_covers_every_utterance_within_its_bounds():
    batches = epoch(CropBatchSampler(DURATIONS, 5.0), 1)
    seconds = np.zeros(len(DURATIONS))
    for batch in batches:
        for index, start, stop in batch:
            assert 0 <= start < stop <= DURATIONS[index] + 1e-9
            seconds[index] += stop - start
    for got, duration in zip(seconds, DURATIONS):
        # What a pass leaves out is less than a crop, or less than the grid.
        left = duration - got
        assert 0 <= left + 1e-9 and left < (2.4 if duration > 2.4 else 0.2)


def test_crops_of_a_batch_have_one_length_within_the_budget():
    for batch in epoch(CropBatchSampler(DURATIONS, 5.0), 1):
        lengths = [round(stop - start, 6) for _, start, stop in batch]
        assert len(set(lengths)) == 1 and sum(lengths) <= 5.0 + 1e-6


def test_crops_of_one_utterance_do_not_overlap():
    crops = [c for b in epoch(CropBatchSampler(DURATIONS, 5.0), 1) for c in b]
    for index in range(len(DURATIONS)):
        mine = sorted(c[1:] for c in crops if c[0] == index)
        for (_, stop), (start, _) in zip(mine, mine[1:]):
            assert start >= stop - 1e-9


def test_order_depends_on_seed_and_epoch_alone():
    one = CropBatchSampler(DURATIONS, 5.0, seed=1)
    again = CropBatchSampler(DURATIONS, 5.0, seed=1)
    assert epoch(one, 3) == epoch(again, 3)
    assert epoch(one, 3) != epoch(one, 4)
    assert epoch(one, 3) != epoch(CropBatchSampler(DURATIONS, 5.0, seed=2), 3)


def test_starting_in_the_middle_gives_the_rest():
    sampler = CropBatchSampler(DURATIONS, 5.0, epoch_hours=0.02)
    whole = epoch(sampler, 2)
    assert epoch(sampler, 2, start=4) == whole[4:]
    assert len(sampler) == len(whole) - 4


def test_epochs_cut_one_stream_without_gap_or_repeat():
    short = CropBatchSampler(DURATIONS, 5.0, epoch_hours=0.002)
    stream = [b for e in range(1, 60) for b in epoch(short, e)]
    passes = CropBatchSampler(DURATIONS, 5.0)
    wanted = [b for e in range(1, 60) for b in epoch(passes, e)]
    size = min(len(stream), len(wanted))
    assert size > 20 and stream[:size] == wanted[:size]


def test_processes_share_the_stream_in_equal_counts():
    settings = {"batch_seconds": 5.0, "epoch_hours": 0.01}
    ranks = [
        epoch(CropBatchSampler(DURATIONS, rank=r, world_size=2, **settings), 2)
        for r in range(2)
    ]
    assert len(ranks[0]) == len(ranks[1])
    joint = CropBatchSampler(DURATIONS, **settings)
    joint.steps_per_epoch = 2 * len(ranks[0])
    mixed = [batch for pair in zip(*ranks) for batch in pair]
    assert mixed == epoch(joint, 2)


@pytest.mark.parametrize(
    "durations, settings, message",
    [
        ([], {}, "no utterance"),
        ([1.0, 0.05], {}, "number 1 lasts 0.050"),
        ([1.0], {"batch_seconds": 1.0}, "cannot hold a crop"),
    ],
)
def test_unusable_settings_are_named(durations, settings, message):
    settings = {"batch_seconds": 5.0, **settings}
    with pytest.raises(ValueError, match=message):
        CropBatchSampler(durations, **settings)


def test_dataset_hands_the_crop_to_the_pipeline():
    dataset = CropDataset({"a": {"wav": "a.wav", "duration": 2.0}})
    dataset.set_output_keys(["id", "start", "stop"])
    assert dataset[(0, 0.5, 1.5)] == {"id": "a", "start": 0.5, "stop": 1.5}
