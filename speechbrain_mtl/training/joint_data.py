"""The data of joint training: what every task reads, and in which steps."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from speechbrain.dataio.dataset import DynamicItemDataset
from torch.utils.data import DataLoader

from speechbrain_mtl.data.audio import entry_seconds
from speechbrain_mtl.data.manifest import raise_problems
from speechbrain_mtl.evaluation.features import Features, extract
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.tasks import Task
from speechbrain_mtl.tasks.supervised import SupervisedTask
from speechbrain_mtl.training.finetune import prepare_task
from speechbrain_mtl.training.packed_loader import packed_loader
from speechbrain_mtl.training.utterances import (
    UtteranceBatchSampler,
    utterance_dataset,
)

RATE = 16000
#: ``{task: {"train", "valid", "test": {id: entry}}}``
TaskParts = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]


def prepare_joint_tasks(
    tasks: Mapping[str, Task], dims: Sequence[int], parts: TaskParts
) -> None:
    """Make all heads, and name at once all that is wrong with any data.

    Arguments
    ---------
    tasks : dict
        Prepared in place; those without answers need no preparation.
    dims : sequence of int
        Widths of the encoder's layers.
    parts : dict
        Manifest entries by task and part.

    Raises
    ------
    ManifestError
        When a task has no data, a part is empty, or entries are unfit.
    ValueError
        When no task has answers, so that nothing can be validated.
    """
    if not any(isinstance(task, SupervisedTask) for task in tasks.values()):
        raise ValueError(
            f"none of the tasks {sorted(tasks)} has answers to validate by: "
            "add one that has, or train these by pretrain"
        )
    problems = []
    for name, task in tasks.items():
        answered = isinstance(task, SupervisedTask)
        wanted = ("train", "valid", "test") if answered else ("train", "valid")
        found = parts.get(name) or {}
        empty = [part for part in wanted if not found.get(part)]
        problems += [
            f"{name}: {part} is empty. Add entries, or leave the task out."
            for part in empty
        ]
        if answered and not empty:
            unfit = prepare_task(task, dims, found)
            problems += [f"{name}, {problem}" for problem in unfit]
    raise_problems("data of the tasks", problems)


def stored_layers(
    encoder: Encoder, parts: TaskParts, device: str, progressbar: bool = True
) -> dict[str, dict[str, Features]]:
    """Run a frozen encoder once over every recording of any task and part.

    Arguments
    ---------
    encoder : Encoder
        Frozen.
    parts : dict
        Manifest entries by task and part.
    device : str
        Where to run.
    progressbar : bool
        Whether to show one.

    Returns
    -------
    features : dict
        By task and part; all share one store, in which a recording that
        several tasks have lies once.
    """
    heard = {
        recording(entry): entry
        for by_part in parts.values()
        for entries in by_part.values()
        for entry in entries.values()
    }
    store = extract(
        encoder, heard, device, title="layers", progress=progressbar
    )
    return {
        task: {
            part: replace(
                store,
                begins={n: store.begins[recording(e)] for n, e in entries.items()},
                counts={n: store.counts[recording(e)] for n, e in entries.items()},
            )
            for part, entries in by_part.items()
        }
        for task, by_part in parts.items()
    }  # fmt: skip


def recording(entry: Mapping[str, Any]) -> str:
    """Name what an entry lets hear: the file, and which part of it.

    Example
    -------
    >>> recording({"wav": "a.wav", "start": 0.5, "stop": 1.0})
    'a.wav from 0.5 to 1.0'
    """
    start, stop = entry.get("start"), entry.get("stop")
    return f"{entry['wav']} from {start} to {stop}"


class JointData:
    """Data sets and batches of all tasks.

    Arguments
    ---------
    tasks : dict
        Prepared tasks, by name.
    parts : dict
        Manifest entries by task and part.
    batch_seconds : float or dict
        Audio of a task in a step and process; one for all, or by task.
    pack_seconds : float
        Padded audio of one encoder forward.
    chunk_seconds : dict
        Longest training utterance, by task; a random part of longer ones is
        read, another in every pass.
    features : dict, optional
        What `stored_layers` gave.
    workers : int
        Reading processes.
    seed : int
        Fixes orders and chunks.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        parts: TaskParts,
        batch_seconds: float | Mapping[str, float],
        pack_seconds: float,
        chunk_seconds: Mapping[str, float],
        features: Mapping[str, Mapping[str, Features]] | None,
        workers: int,
        seed: int,
    ) -> None:
        self.tasks = tasks
        self.parts = parts
        if not isinstance(batch_seconds, Mapping):
            batch_seconds = dict.fromkeys(tasks, batch_seconds)
        self.batch_seconds = batch_seconds
        self.chunk_seconds = chunk_seconds
        self.pack_seconds = pack_seconds
        self.features = features
        self.workers = workers
        self.seed = seed
        self.hiding = [n for n, task in tasks.items() if task.predicts_hidden]
        rate = RATE
        if features is not None:
            some = next(iter(next(iter(features.values())).values()))
            rate = 1 / some.hop
        self.budget = pack_seconds * rate
        for given, what in (
            (batch_seconds, "batch_seconds"),
            (chunk_seconds, "chunk_seconds"),
        ):
            unknown = sorted(set(given) - set(tasks))
            if unknown:
                raise ValueError(
                    f"{what} of {unknown}: the tasks are {sorted(tasks)}"
                )
        lacking = sorted(set(tasks) - set(batch_seconds))
        if lacking:
            raise ValueError(f"batch_seconds of {lacking} is not given")

    def stream(self, task: str) -> UtteranceBatchSampler:
        """Make the endless row of a task's training batches."""
        longest = self.chunk_seconds.get(task, float("inf"))
        return UtteranceBatchSampler(
            [
                min(entry_seconds(entry), longest)
                for entry in self.parts[task]["train"].values()
            ],
            self.batch_seconds[task],
            seed=self.seed,
            rank=int(os.environ.get("RANK", 0)),
            world_size=int(os.environ.get("WORLD_SIZE", 1)),
        )

    def first_batches(self, task: str, minutes: float) -> DataLoader:
        """Read a task's first training batches, of so much audio or all."""
        stream = self.stream(task)
        wanted = math.ceil(minutes / 60 / stream.hours_per_batch)
        batches = [
            [(task, number) for number in stream.batch(place)]
            for place in range(min(wanted, stream.batches_per_pass))
        ]
        dataset = self._dataset(task, "train", stream, train=True)
        return self._loader({task: dataset}, batches)

    def training_loader(self, sampler: Any) -> DataLoader:
        """Read what a `TaskSampler` draws."""
        datasets = {
            name: self._dataset(name, "train", stream, train=True)
            for name, stream in sampler.streams.items()
        }
        return self._loader(datasets, sampler)

    def loader(self, part: str, names: Sequence[str]) -> DataLoader:
        """Read a part of some tasks whole, one task after the other."""
        datasets, batches = {}, []
        for name in names:
            entries = self.parts[name][part]
            durations = [entry_seconds(entry) for entry in entries.values()]
            order = UtteranceBatchSampler(
                durations, self.pack_seconds, shuffle=False
            )
            datasets[name] = self._dataset(name, part, order)
            batches += [[(name, i) for i in batch] for batch in order]
        return self._loader(datasets, batches)

    def _dataset(
        self,
        task: str,
        part: str,
        sampler: UtteranceBatchSampler,
        train: bool = False,
    ) -> DynamicItemDataset:
        answered = isinstance(self.tasks[task], SupervisedTask)
        return utterance_dataset(
            self.parts[task][part],
            {task: self.tasks[task]} if answered else {},
            sampler,
            None if self.features is None else self.features[task][part],
            self.chunk_seconds.get(task) if train else None,
        )

    def _loader(
        self, datasets: Mapping[str, DynamicItemDataset], batches: Any
    ) -> DataLoader:
        return packed_loader(
            datasets, batches, self.budget, self.hiding, self.workers
        )
