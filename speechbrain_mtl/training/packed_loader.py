"""Batches of many tasks, each with its own data, packed for the encoder."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

import torch
from speechbrain.dataio.batch import PaddedData
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.utils.data_utils import batch_pad_right
from torch.utils.data import DataLoader, Dataset

from speechbrain_mtl.training.packing import PackedBatch, pack_batch

#: A task and the number of one of its utterances.
Item = tuple[str, int]


class TaskItems(Dataset):
    """Items of several data sets, by task and number.

    Arguments
    ---------
    datasets : dict
        `utterance_dataset` of each task.
    """

    def __init__(self, datasets: Mapping[str, DynamicItemDataset]) -> None:
        self.datasets = dict(datasets)

    def __len__(self) -> int:
        return sum(map(len, self.datasets.values()))

    def __getitem__(self, item: Item) -> tuple[str, dict]:
        task, number = item
        return task, self.datasets[task][number]


def packed(
    items: Sequence[tuple[str, dict]],
    budget: float,
    hiding: Collection[str] = (),
) -> PackedBatch:
    """Make one step's batch of items of any tasks.

    Tasks that share a recording, or the same part of one, share its row:
    it is encoded once.

    Arguments
    ---------
    items : sequence of tuple
        Task, and what its data set gives: ``id``, ``sig``, ``seconds``,
        ``part`` and, of tasks with answers, ``target_<task>``.
    budget : float
        See `cut_into_packs`.
    hiding : collection of str
        Tasks that predict hidden frames: what they read is packed apart.

    Returns
    -------
    batch : PackedBatch

    Example
    -------
    >>> item = {"id": "u", "sig": torch.ones(3), "seconds": 3.0, "part": "u"}
    >>> items = [(t, {**item, f"target_{t}": torch.ones(1)}) for t in "ab"]
    >>> batch = packed(items, budget=9)
    >>> [tuple(pack.wavs.shape) for pack in batch.packs], batch.ids
    ([(1, 3)], {'a': ['u'], 'b': ['u']})
    """
    numbers: dict[tuple, int] = {}
    signals, seconds = [], []
    members: dict[str, list[int]] = {}
    ids: dict[str, list[str]] = {}
    targets: dict[str, list[torch.Tensor]] = {}
    for task, item in items:
        key = (item["part"], task in hiding)
        while numbers.get(key) in members.get(task, ()):
            key = (*key, "again")  # one task reads it twice
        if key not in numbers:
            numbers[key] = len(signals)
            signals.append(item["sig"])
            seconds.append(item["seconds"])
        members.setdefault(task, []).append(numbers[key])
        ids.setdefault(task, []).append(item["id"])
        if f"target_{task}" in item:
            targets.setdefault(task, []).append(item[f"target_{task}"])
    hidden = {number for key, number in numbers.items() if key[1]}
    packs, rows = pack_batch(signals, members, budget, hidden)
    padded = {
        task: PaddedData(
            *batch_pad_right([values[i] for i in rows[task].order])
        )
        for task, values in targets.items()
    }
    ids = {n: [found[i] for i in rows[n].order] for n, found in ids.items()}
    return PackedBatch(packs, rows, padded, ids, seconds)


def packed_loader(
    datasets: Mapping[str, DynamicItemDataset],
    batches: Iterable[list[Item]],
    budget: float,
    hiding: Collection[str] = (),
    workers: int = 0,
) -> DataLoader:
    """Read what a `TaskSampler`, or a list, says of every step.

    Arguments
    ---------
    datasets : dict
        `utterance_dataset` of each task.
    batches : iterable of list
        Tasks and numbers of the utterances of each step.
    budget, hiding
        See `packed`.
    workers : int
        Reading processes.

    Returns
    -------
    loader : DataLoader
        Of `PackedBatch`.
    """
    return DataLoader(
        TaskItems(datasets),
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=partial(packed, budget=budget, hiding=hiding),
    )
