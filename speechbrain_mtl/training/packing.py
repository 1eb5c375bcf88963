"""Utterances of many tasks in few encoder forwards, and back again.

Every task brings a small batch of its own. One forward a task, each padded by
itself, wastes the encoder; one forward for all pads the shortest to the
longest. So utterances of all tasks are sorted by length and cut into as few
forwards as a budget of padded audio allows; afterwards every task gets its own
rows back, in its own order.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

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
    hide : bool
        Whether the encoder hides frames of it, for tasks that predict them.
    """

    wavs: torch.Tensor
    lens: torch.Tensor
    hide: bool = False


@dataclass
class Rows:
    """Where one task's utterances are; planned on the host, before the step.

    Arguments
    ---------
    parts : dict
        Rows [n] of the packs that hold any, by the pack's number.
    order : torch.Tensor
        [N]: puts the rows, taken pack after pack, into the task's own order.
    """

    parts: dict[int, torch.Tensor]
    order: torch.Tensor


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
        For each task its `PaddedData`, in its own order.
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
            [Pack(move(p.wavs), move(p.lens), p.hide) for p in self.packs],
            {
                name: Rows(
                    {n: move(part) for n, part in rows.parts.items()},
                    move(rows.order),
                )
                for name, rows in self.rows.items()
            },
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
    >>> [tuple(pack.wavs.shape) for pack in packs]
    [(2, 5), (1, 2)]
    >>> rows["a"].parts, rows["a"].order
    ({0: tensor([1]), 1: tensor([0])}, tensor([1, 0]))
    """
    cut, hide = [], []
    for chosen in (False, True):
        numbers = [i for i in range(len(utterances)) if (i in hidden) == chosen]
        sizes = [len(utterances[i]) for i in numbers]
        found = cut_into_packs(sizes, budget)
        cut += [[numbers[place] for place in pack] for pack in found]
        hide += [chosen] * len(found)
    place = {
        number: (pack, row)
        for pack, numbers in enumerate(cut)
        for row, number in enumerate(numbers)
    }
    packs = [
        Pack(*batch_pad_right([utterances[i] for i in numbers]), chosen)
        for numbers, chosen in zip(cut, hide)
    ]
    rows = {}
    for name, numbers in members.items():
        found = torch.tensor([place[number] for number in numbers])
        # Stable, so that rows of one pack stay in the task's own order.
        order = found[:, 0].argsort(stable=True)
        parts = {
            pack: found[found[:, 0] == pack, 1]
            for pack in found[:, 0].unique().tolist()
        }
        rows[name] = Rows(parts, order.argsort())
    return packs, rows


def take_rows(encoded: Sequence[Encoded], rows: Rows) -> Encoded:
    """Gather a task's utterances from the packs they were encoded in.

    Arguments
    ---------
    encoded : sequence of Encoded
        Of each pack.
    rows : Rows
        The task's.

    Returns
    -------
    own : Encoded
        [N, F, D_l] layers, F that of the longest pack with any of the rows,
        each gathered when it is read; gradients flow back to the packs.
    """
    packs = [encoded[pack] for pack in rows.parts]
    lens = [e.lens[part] for e, part in zip(packs, rows.parts.values())]
    extra = {
        name: gather_rows([getattr(e, name) for e in encoded], rows)
        for name in ("hidden", "latents")
        if getattr(packs[0], name) is not None
    }
    first = encoded[0]
    lens = torch.cat(lens)[rows.order]
    layers = RowsOfLayers(encoded, rows)
    return Encoded(layers, lens, first.hop, first.offset, **extra)


class RowsOfLayers(Sequence):
    """A task's rows of every layer, gathered when they are read.

    A head that reads one layer of an encoder costs no copy of the others.

    Arguments
    ---------
    encoded : sequence of Encoded
        Of each pack.
    rows : Rows
        The task's.
    """

    def __init__(self, encoded: Sequence[Encoded], rows: Rows) -> None:
        self.encoded = encoded
        self.rows = rows
        self.known: dict[int, torch.Tensor] = {}

    def __len__(self) -> int:
        return len(self.encoded[0].layers)

    def __getitem__(self, number: int) -> torch.Tensor:
        place = range(len(self))[number]
        if place not in self.known:
            packs = [e.layers[place] for e in self.encoded]
            self.known[place] = gather_rows(packs, self.rows)
        return self.known[place]


def gather_rows(packs: Sequence[torch.Tensor], rows: Rows) -> torch.Tensor:
    """Take rows of [B, F, ...] tensors of unequal F, padded to the longest.

    Arguments
    ---------
    packs : sequence of torch.Tensor
        One a pack; those that hold no row may be None.
    rows : Rows
        Which to take.

    Returns
    -------
    own : torch.Tensor
        [N, F, ...]
    """
    longest = max(packs[pack].shape[1] for pack in rows.parts)
    found = []
    for pack, part in rows.parts.items():
        kept = packs[pack].index_select(0, part)
        missing = longest - kept.shape[1]
        found.append(pad(kept, (0, 0) * (kept.ndim - 2) + (0, missing)))
    return torch.cat(found).index_select(0, rows.order)


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
        [N, T] or stored frames, in the task's own order.
    lens : torch.Tensor
        Relative lengths, [N].
    """
    rows = batch.rows[task]
    wavs = gather_rows([pack.wavs for pack in batch.packs], rows)
    samples = [
        batch.packs[number].lens[part] * batch.packs[number].wavs.shape[1]
        for number, part in rows.parts.items()
    ]
    return wavs, torch.cat(samples)[rows.order] / wavs.shape[1]
