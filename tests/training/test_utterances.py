"""Batches of whole utterances: all of them, alike in length, resumable."""

import numpy as np
import pytest
import torch

from speechbrain_mtl.data.audio import AudioError
from speechbrain_mtl.tasks import UtteranceClassification
from speechbrain_mtl.training.utterances import (
    UtteranceBatchSampler,
    utterance_dataset,
    utterance_loader,
)
from tests.helpers.trees import write_tone

RANDOM = np.random.default_rng(0)
SECONDS = RANDOM.uniform(0.3, 9.0, 200).tolist()


def test_every_epoch_has_every_utterance_once_in_another_order():
    sampler = UtteranceBatchSampler(SECONDS, batch_seconds=20.0)
    epochs = []
    for epoch in (1, 2):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        assert sorted(i for b in batches for i in b) == list(range(200))
        epochs.append(batches)
    assert epochs[0] != epochs[1]


def test_batches_keep_the_budget_and_pad_little():
    sampler = UtteranceBatchSampler(SECONDS, batch_seconds=20.0, ratio=1.25)
    for batch in sampler:
        seconds = [SECONDS[i] for i in batch]
        assert max(seconds) * len(batch) <= 20.0
        assert max(seconds) <= 1.25 * min(seconds) + 1e-6


def test_one_longer_than_the_budget_stands_alone():
    sampler = UtteranceBatchSampler([1.0, 1.0, 30.0], batch_seconds=4.0)
    assert [2] in list(sampler)


def test_a_resumed_epoch_goes_on_where_it_stopped():
    sampler = UtteranceBatchSampler(SECONDS, 20.0, seed=3)
    sampler.set_epoch(2)
    whole = list(sampler)
    sampler.start = 5
    assert list(sampler) == whole[5:] and len(sampler) == len(whole) - 5


def test_processes_share_an_epoch():
    alone = UtteranceBatchSampler(SECONDS, 20.0)
    ranks = [
        UtteranceBatchSampler(SECONDS, 20.0, rank=r, world_size=2)
        for r in (0, 1)
    ]
    together = [batch for pair in zip(*ranks) for batch in pair]
    assert together[: len(alone)] == list(alone)
    assert len(together) - len(alone) in (0, 1)


def test_not_shuffled_the_longest_come_first():
    sampler = UtteranceBatchSampler(SECONDS, 20.0, shuffle=False)
    longest = [max(SECONDS[i] for i in batch) for batch in sampler]
    assert longest == sorted(longest, reverse=True)


def test_no_utterance_is_an_error():
    with pytest.raises(ValueError, match="no utterance"):
        UtteranceBatchSampler([], 10.0)


@pytest.fixture
def labelled(tmp_path):
    entries = {}
    for name, seconds, word in (("a", 0.2, "yes"), ("b", 0.5, "no")):
        write_tone(tmp_path / f"{name}.wav", seconds)
        wav = str(tmp_path / f"{name}.wav")
        entries[name] = {"wav": wav, "duration": seconds, "word": word}
    task = UtteranceClassification("word")
    task.prepare((4,), entries)
    return entries, {"word": task}


def batch_of(entries, tasks, **settings):
    durations = [entry["duration"] for entry in entries.values()]
    sampler = UtteranceBatchSampler(durations, 60.0, ratio=9, shuffle=False)
    dataset = utterance_dataset(entries, tasks, sampler, **settings)
    (batch,) = utterance_loader(dataset, sampler)
    return batch


def test_a_batch_has_waveforms_seconds_and_targets(labelled):
    batch = batch_of(*labelled)
    assert batch.id == ["b", "a"] and batch.seconds == [0.5, 0.2]
    assert batch.sig.data.shape == (2, 8000)
    assert batch.sig.lengths.tolist() == pytest.approx([1.0, 0.4])
    assert batch.target_word.data[:, 0].tolist() == [0, 1]


def test_a_part_of_a_file_is_read(labelled):
    entries, tasks = labelled
    entries["b"] |= {"start": 0.1, "stop": 0.4}
    batch = batch_of(entries, tasks)
    assert batch.sig.data.shape == (2, 4800)
    assert batch.seconds == pytest.approx([0.3, 0.2])


def test_an_unreadable_recording_is_named_by_id(labelled):
    entries, tasks = labelled
    torch.save({}, entries["a"]["wav"])
    with pytest.raises(AudioError, match="a: .*not readable as audio"):
        batch_of(entries, tasks)
