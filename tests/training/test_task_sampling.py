"""Which tasks train when: shares, passes without gaps, resuming."""

from collections import Counter

import numpy as np
import pytest

from speechbrain_mtl.training.task_sampling import STRATEGIES, TaskSampler
from speechbrain_mtl.training.utterances import UtteranceBatchSampler

SIZES = {"small": 6, "middle": 24, "large": 96}


def sampler(strategy, steps=30, rank=0, world=1, **settings):
    streams = {
        name: UtteranceBatchSampler(
            [1.0] * size, 2.0, seed=1, rank=rank, world_size=world
        )
        for name, size in SIZES.items()
    }
    return TaskSampler(streams, steps, strategy, seed=4, **settings)


def epochs(of, count):
    found = []
    for epoch in range(1, count + 1):
        of.set_epoch(epoch)
        found.append(list(of))
    return found


def drawn(steps):
    return Counter(task for step in steps for task in {t for t, _ in step})


def test_all_draws_every_task_in_every_step():
    for step in sampler("all"):
        assert {task for task, _ in step} == set(SIZES)


def test_round_robin_takes_turns_over_epochs():
    tasks = [
        step[0][0]
        for epoch in epochs(sampler("round_robin", steps=4), 3)
        for step in epoch
    ]
    assert tasks == list(SIZES) * 4


@pytest.mark.parametrize(
    ("strategy", "temperature", "power"),
    [("proportional", 5.0, 1.0), ("temperature", 2.0, 0.5)],
)
def test_shares_are_those_of_the_hours(strategy, temperature, power):
    of = sampler(strategy, steps=3000, temperature=temperature)
    hours = np.array(list(SIZES.values()), dtype=float) ** power
    wanted = hours / hours.sum()
    counts = drawn(of)
    found = np.array([counts[name] for name in SIZES]) / 3000
    # Three standard deviations of 3000 drawings.
    assert np.abs(found - wanted).max() < 3 * 0.5 / 3000**0.5


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_tasks_pass_has_every_utterance_once(strategy):
    rows = {name: [] for name in SIZES}
    for epoch in epochs(sampler(strategy, steps=50), 6):
        for step in epoch:
            for task, index in step:
                rows[task].append(index)
    for name, size in SIZES.items():
        row = rows[name]
        assert row
        for begin in range(0, len(row) - size + 1, size):
            assert sorted(row[begin : begin + size]) == list(range(size))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_resumed_epoch_goes_on_where_it_stopped(strategy):
    whole = epochs(sampler(strategy, tasks_per_step=2), 3)[-1]
    again = sampler(strategy, tasks_per_step=2)
    again.set_epoch(3)
    again.start = 11
    assert list(again) == whole[11:] and len(again) == 19


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_processes_draw_the_same_tasks_and_share_their_batches(strategy):
    ranks = [epochs(sampler(strategy, 12, r, 2), 2) for r in (0, 1)]
    alone = epochs(sampler(strategy, 24), 1)[0]
    rows = {name: [] for name in SIZES}
    for one, two in zip(*[[s for e in epoch for s in e] for epoch in ranks]):
        assert {t for t, _ in one} == {t for t, _ in two}
        for task, index in [*one, *two]:
            rows[task].append(index)
    if strategy == "all":
        for name in SIZES:
            wanted = [i for step in alone for t, i in step if t == name]
            assert rows[name][: len(wanted)] == wanted
    for name, size in SIZES.items():
        assert Counter(rows[name][:size]).most_common(1)[0][1] == 1


def test_hours_per_step_are_those_drawn():
    for strategy in STRATEGIES:
        of = sampler(strategy, steps=2000)
        seconds = sum(len(step) for step in of) / 2000
        assert of.hours_per_step() * 3600 == pytest.approx(seconds, rel=0.03)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strategy": "some"}, "'some' is none of"),
        ({"strategy": "temperature", "temperature": 0.5}, "temperature 0.5"),
        ({"strategy": "all", "tasks_per_step": 4}, "there are 3 tasks"),
    ],
)
def test_settings_that_cannot_be_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        sampler(**settings)
    with pytest.raises(ValueError, match="no task"):
        TaskSampler({}, 3)
