"""Utterances of many tasks in few encoder forwards, and back again.

Every task brings a small batch of its own. One forward a task, each padded by
itself, wastes the encoder; one forward for all pads the shortest to the
longest. So utterances of all tasks are sorted by length and cut into as few
forwards as a budget of padded audio allows; afterwards every task gets its own
rows back, in its own order.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from speechbrain.dataio.batch import PaddedData
from speechbrain.utils.data_utils import batch_pad_right
from torch.nn.functional import pad

from speechbrain_mtl.models import Encoded


@dataclass
class Pack:
    """What one encoder forward reads.

    Arguments
    ---------
    wavs : torch.Tensor
        [B, T], or stored frames [B, F, L, D].
    lens : torch.Tensor
        Relative lengths, [B].
    groups : list of int
        Sizes of the groups that its rows stand in, one after the other: those
        of a group are read by the same tasks.
    hide : bool
        Whether the encoder hides frames of it, for tasks that predict them.
    """

    wavs: torch.Tensor
    lens: torch.Tensor
    groups: list[int]
    hide: bool = False


@dataclass
class Rows:
    """Where one task's utterances are; planned on the host, before the step.

    Arguments
    ---------
    groups : list of tuple of int
        Numbers of a pack and of a group in it, in the order of rows.
    order : list of int
        Which of the task's utterances each row is.
    """

    groups: list[tuple[int, int]]
    order: list[int]


@dataclass
class PackedBatch:
    """The utterances of one step, packed, and which task wants which.

    Arguments
    ---------
    packs : list of Pack
        Longest utterances first.
    rows : dict
        `Rows` of each task.
    targets : dict
        For each task its `PaddedData`, in the order of its rows.
    ids : dict
        For each task the ids of its utterances, in that order.
    seconds : list of float
        Of every utterance, each once.
    """

    packs: list[Pack]
    rows: dict[str, Rows]
    targets: dict[str, PaddedData] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    @property
    def id(self) -> list[str]:
        """Ids of all tasks' utterances, one task after the other."""
        return [name for names in self.ids.values() for name in names]

    def to(self, device: str | torch.device) -> "PackedBatch":
        """Move everything to a device; without waiting where memory is pinned."""

        def move(x: torch.Tensor) -> torch.Tensor:
            return x.to(device, non_blocking=True)

        return PackedBatch(
            [
                replace(p, wavs=move(p.wavs), lens=move(p.lens))
                for p in self.packs
            ],
            self.rows,
            {
                name: PaddedData(move(t.data), move(t.lengths))
                for name, t in self.targets.items()
            },
            self.ids,
            self.seconds,
        )

    def pin_memory(self) -> "PackedBatch":
        """Put everything where a device can read it while computing."""
        for pack in self.packs:
            pack.wavs, pack.lens = (
                pack.wavs.pin_memory(),
                pack.lens.pin_memory(),
            )
        return self


def cut_into_packs(sizes: Sequence[int], budget: float) -> list[list[int]]:
    """Group utterances into forwards that hold `budget` padded samples each.

    Arguments
    ---------
    sizes : sequence of int
        Samples, or frames, of each utterance.
    budget : float
        Longest times number, at most; an utterance above it stands alone.

    Returns
    -------
    packs : list of list of int
        Numbers of the utterances, longest first. No pack could be joined with
        the next within the budget.

    Raises
    ------
    ValueError
        When an utterance has no samples.

    Example
    -------
    >>> cut_into_packs([10, 90, 30, 100, 20], budget=200)
    [[3, 1], [2, 4, 0]]
    """
    if min(sizes, default=1) < 1:
        raise ValueError(f"utterance {sizes.index(min(sizes))} has no samples")
    packs: list[list[int]] = []
    for number in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        longest = sizes[packs[-1][0]] if packs else 0
        if packs and longest * (len(packs[-1]) + 1) <= budget:
            packs[-1].append(number)
        else:
            packs.append([number])
    return packs


def pack_batch(
    utterances: Sequence[torch.Tensor],
    members: Mapping[str, Sequence[int]],
    budget: float,
    hidden: Collection[int] = (),
) -> tuple[list[Pack], dict[str, Rows]]:
    """Pad utterances into packs, and find each task's rows in them.

    Within a pack, utterances of the same tasks stand together: a task takes
    slices of it, which cost a copy at most, where picking rows would cost a
    gradient of the whole pack for every task.

    Arguments
    ---------
    utterances : sequence of torch.Tensor
        [T] each, or [F, L, D].
    members : dict
        For each task the numbers of its utterances.
    budget : float
        See `cut_into_packs`.
    hidden : collection of int
        Utterances that get packs of their own, of which frames are hidden.

    Returns
    -------
    packs : list of Pack
    rows : dict
        See `PackedBatch`.

    Example
    -------
    >>> waves = [torch.ones(2), torch.ones(5), torch.ones(4)]
    >>> packs, rows = pack_batch(waves, {"a": [0, 2], "b": [1]}, budget=10)
    >>> [(tuple(pack.wavs.shape), pack.groups) for pack in packs]
    [((2, 5), [1, 1]), ((1, 2), [1])]
    >>> rows["a"]
    Rows(groups=[(0, 1), (1, 0)], order=[1, 0])
    """
    readers = [
        tuple(task for task, numbers in members.items() if i in numbers)
        for i in range(len(utterances))
    ]
    packs: list[Pack] = []
    rows = {name: Rows([], []) for name in members}
    for hide in (False, True):
        numbers = [i for i in range(len(utterances)) if (i in hidden) == hide]
        sizes = [len(utterances[i]) for i in numbers]
        for cut in cut_into_packs(sizes, budget):
            groups: dict[tuple[str, ...], list[int]] = {}
            for place in cut:
                number = numbers[place]
                groups.setdefault(readers[number], []).append(number)
            for place, (names, group) in enumerate(groups.items()):
                for name in names:
                    own = members[name]
                    rows[name].groups.append((len(packs), place))
                    rows[name].order += [own.index(i) for i in group]
            signals = [utterances[i] for g in groups.values() for i in g]
            counts = [len(group) for group in groups.values()]
            packs.append(Pack(*batch_pad_right(signals), counts, hide))
    return packs, rows


class EncodedGroups:
    """What packs were encoded as, cut into groups.

    A layer is cut once, when the first task reads it: so its gradient is put
    together once, for all tasks.

    Arguments
    ---------
    encoded : sequence of Encoded
        Of each pack.
    packs : sequence of Pack
        The same.
    """

    def __init__(
        self, encoded: Sequence[Encoded], packs: Sequence[Pack]
    ) -> None:
        self.encoded = encoded
        self.sizes = [pack.groups for pack in packs]
        self._layers: dict[int, list[tuple[torch.Tensor, ...]]] = {}

    def layer(self, number: int) -> list[tuple[torch.Tensor, ...]]:
        """Give a layer of every group, [N, F, D], by pack and group."""
        if number not in self._layers:
            layers = [one.layers[number] for one in self.encoded]
            self._layers[number] = cut_groups(layers, self.sizes)
        return self._layers[number]

    def of(self, rows: Rows) -> Encoded:
        """Gather a task's utterances.

        Arguments
        ---------
        rows : Rows
            The task's.

        Returns
        -------
        own : Encoded
            [N, F, D_l] layers, F that of the longest pack with any of the
            rows, each gathered when it is read; gradients flow back to the
            packs.
        """
        extra = {}
        for name in ("hidden", "latents"):
            values = [getattr(one, name) for one in self.encoded]
            if values[rows.groups[0][0]] is not None:
                extra[name] = join_groups(cut_groups(values, self.sizes), rows)
        cut = cut_groups([one.lens for one in self.encoded], self.sizes)
        lens = torch.cat([cut[pack][group] for pack, group in rows.groups])
        first = self.encoded[0]
        layers = RowsOfLayers(self, rows)
        return Encoded(layers, lens, first.hop, first.offset, **extra)


class RowsOfLayers(Sequence):
    """A task's rows of every layer, gathered when they are read.

    A head that reads one layer of an encoder costs no copy of the others.

    Arguments
    ---------
    groups : EncodedGroups
        Of the step.
    rows : Rows
        The task's.
    """

    def __init__(self, groups: EncodedGroups, rows: Rows) -> None:
        self.groups = groups
        self.rows = rows
        self.known: dict[int, torch.Tensor] = {}

    def __len__(self) -> int:
        return len(self.groups.encoded[0].layers)

    def __getitem__(self, number: int) -> torch.Tensor:
        place = range(len(self))[number]
        if place not in self.known:
            cut = self.groups.layer(place)
            self.known[place] = join_groups(cut, self.rows)
        return self.known[place]


def cut_groups(
    packs: Sequence[torch.Tensor | None], sizes: Sequence[list[int]]
) -> list[tuple[torch.Tensor, ...]]:
    """Cut [B, ...] tensors of packs into their groups; None into none."""
    return [
        () if pack is None else pack.split(size)
        for pack, size in zip(packs, sizes)
    ]


def join_groups(
    cut: Sequence[tuple[torch.Tensor, ...]], rows: Rows
) -> torch.Tensor:
    """Put a task's groups together, padded to the longest.

    Arguments
    ---------
    cut : sequence of tuple
        Groups [N, F, ...] of each pack.
    rows : Rows
        The task's.

    Returns
    -------
    own : torch.Tensor
        [N, F, ...]; a view where it is one group.
    """
    found = [cut[pack][group] for pack, group in rows.groups]
    if len(found) == 1:
        return found[0]
    longest = max(group.shape[1] for group in found)
    return torch.cat([_lengthened(group, longest) for group in found])


def _lengthened(x: torch.Tensor, frames: int) -> torch.Tensor:
    missing = frames - x.shape[1]
    return pad(x, (0, 0) * (x.ndim - 2) + (0, missing)) if missing else x


def waveforms_of(
    batch: PackedBatch, task: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gather a task's utterances, as they are before encoding.

    Arguments
    ---------
    batch : PackedBatch
        That has any.
    task : str
        Its name.

    Returns
    -------
    wavs : torch.Tensor
        [N, T] or stored frames, in the order of the task's rows.
    lens : torch.Tensor
        Relative lengths, [N].
    """
    rows = batch.rows[task]
    sizes = [pack.groups for pack in batch.packs]
    wavs = join_groups(cut_groups([p.wavs for p in batch.packs], sizes), rows)
    cut = cut_groups([p.lens * p.wavs.shape[1] for p in batch.packs], sizes)
    samples = torch.cat([cut[pack][group] for pack, group in rows.groups])
    return wavs, samples / wavs.shape[1]
