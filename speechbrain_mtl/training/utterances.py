"""Batches of whole utterances with the answers that tasks want."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import speechbrain as sb
from speechbrain.dataio.dataloader import SaveableDataLoader
from speechbrain.dataio.dataset import DynamicItemDataset
from torch.utils.data import DataLoader

from speechbrain_mtl.data.audio import entry_seconds, read_entry
from speechbrain_mtl.evaluation.features import Features
from speechbrain_mtl.tasks.supervised import SupervisedTask
from speechbrain_mtl.training.chunks import random_chunk


class UtteranceBatchSampler:
    """Batches of utterances of like length, as much padded audio in each.

    Utterances are parted by length into classes whose members differ by at
    most `ratio`; each class is shuffled every epoch and cut into batches, so
    that every epoch has as many batches and little padding. An epoch is one
    pass, and the position in it is part of what a run resumes from.

    Arguments
    ---------
    durations : list of float
        Seconds of every utterance.
    batch_seconds : float
        Padded audio a batch and process, at most; an utterance that is longer
        gets a batch of its own.
    ratio : float
        Longest to shortest utterance of a batch, above 1.
    seed : int
        Fixes the order.
    shuffle : bool
        False keeps lengths in order, longest first.
    rank, world_size : int
        This process's number and how many there are.

    Raises
    ------
    ValueError
        When there is no utterance.

    Example
    -------
    >>> sampler = UtteranceBatchSampler([1.0, 0.9, 4.0], batch_seconds=4.0)
    >>> sorted(sorted(batch) for batch in sampler)
    [[0, 1], [2]]
    """

    def __init__(
        self,
        durations: list[float],
        batch_seconds: float,
        ratio: float = 1.25,
        seed: int = 0,
        shuffle: bool = True,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.durations = np.asarray(durations, dtype=np.float64)
        if not len(self.durations):
            raise ValueError("no utterance to make batches of")
        self.seed = seed
        self.shuffle = shuffle
        self.rank = rank
        self.world_size = world_size
        self.epoch = 1
        self.start = 0
        order = np.argsort(-self.durations, kind="stable")
        # Class borders lie a ratio apart, counted from the longest.
        steps = np.log(self.durations[order[0]] / self.durations[order])
        classes = (steps / np.log(ratio) + 1e-9).astype(int)
        self.classes = [order[classes == c] for c in np.unique(classes)]
        self.sizes = [
            max(1, int(batch_seconds / self.durations[c[0]] + 1e-6))
            for c in self.classes
        ]
        self._planned = (0, self._pass(0))
        self.batches_per_pass = len(self._planned[1])
        self.hours_per_batch = (
            self.durations.sum() / 3600 / self.batches_per_pass
        )
        self.steps_per_epoch = -(-self.batches_per_pass // world_size)

    def _pass(self, number: int) -> list[list[int]]:
        """Plan one pass over the data."""
        rng = np.random.default_rng([self.seed, number])
        batches = []
        for members, size in zip(self.classes, self.sizes):
            chosen = rng.permutation(members) if self.shuffle else members
            batches += [
                chosen[i : i + size].tolist()
                for i in range(0, len(chosen), size)
            ]
        if not self.shuffle:
            return batches
        return [batches[i] for i in rng.permutation(len(batches))]

    def batch(self, number: int) -> list[int]:
        """Give one batch of the endless row of passes, counted from 0."""
        wanted, position = divmod(number, self.batches_per_pass)
        if self._planned[0] != wanted:
            self._planned = (wanted, self._pass(wanted))
        return self._planned[1][position]

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 1, that the next iteration yields."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.steps_per_epoch - self.start

    def __iter__(self) -> Iterator[list[int]]:
        begin = (self.epoch - 1) * self.steps_per_epoch
        for step in range(begin + self.start, begin + self.steps_per_epoch):
            yield self.batch(step * self.world_size + self.rank)


def utterance_dataset(
    entries: Mapping[str, dict],
    tasks: Mapping[str, SupervisedTask],
    sampler: UtteranceBatchSampler,
    features: Features | None = None,
    chunk_seconds: float | None = None,
) -> DynamicItemDataset:
    """Read utterances and what tasks make of their answers.

    Arguments
    ---------
    entries : dict
        Manifest entries, in the order of the sampler's durations. ``start``
        and ``stop``, where given, are the part of the file to read.
    tasks : dict
        Prepared tasks by name.
    sampler : UtteranceBatchSampler
        Whose seed and epoch choose the chunks.
    features : Features, optional
        Stored layers to read in place of waveforms.
    chunk_seconds : float, optional
        Read a random part of that length of each utterance, another one in
        every epoch; see `random_chunk`.

    Returns
    -------
    dataset : DynamicItemDataset
        Items with ``id``, ``sig``, ``seconds``, ``part`` (file, start and
        stop: what is heard) and ``target_<task>``.

    Raises
    ------
    AudioError
        When a recording cannot be read, while it is read; the message names
        the id.
    """
    # Other fields stay out of the pipeline: their names are the user's.
    dataset = DynamicItemDataset({name: {"key": name} for name in entries})
    targets = [f"target_{name}" for name in tasks]

    @sb.utils.data_pipeline.takes("key")
    @sb.utils.data_pipeline.provides("sig", "seconds", "part", *targets)
    def read(name: str):  # noqa: ANN202
        entry = entries[name]
        seconds = entry_seconds(entry)
        start, stop = 0.0, float("inf")
        part = entry
        if chunk_seconds is not None and seconds > chunk_seconds:
            start, stop = random_chunk(
                name, seconds, chunk_seconds, sampler.seed, sampler.epoch
            )
            begin = entry.get("start", 0.0)
            part = {**entry, "start": begin + start, "stop": begin + stop}
        if features is not None:
            first, last = features.span(name, start, stop)
            yield features.frames[first:last]
        else:
            yield read_entry(name, part)
        yield entry_seconds(part)
        yield (part["wav"], part.get("start"), part.get("stop"))
        for task in tasks.values():
            yield task.encode(entry)

    dataset.add_dynamic_item(read)
    dataset.set_output_keys(["id", "sig", "seconds", "part", *targets])
    return dataset


def utterance_loader(
    dataset: DynamicItemDataset,
    sampler: UtteranceBatchSampler,
    workers: int = 0,
) -> DataLoader:
    """Make batches of an `utterance_dataset`.

    Arguments
    ---------
    dataset : DynamicItemDataset
        What to read.
    sampler : UtteranceBatchSampler
        Which utterances, in which batches.
    workers : int
        Reading processes.

    Returns
    -------
    loader : DataLoader
        Of SpeechBrain's padded batches.
    """
    return SaveableDataLoader(
        dataset,
        batch_sampler=sampler,
        num_workers=workers,
        # Lists stay lists: a stacked duration would live on the device.
        collate_fn=partial(sb.dataio.batch.PaddedBatch, nonpadded_stack=False),
    )
