"""Sums over pairs in shards: of a size to sample, and to share out."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from speechbrain_mtl.selection.pair_sums import PairSums
from speechbrain_mtl.selection.processes import mine, total

SHARD_PAIRS = 1 << 16  # few enough to share out, enough to keep a core busy


@dataclass(frozen=True)
class ShardedSums:
    """`PairSums` over shards of the pairs, some in this process.

    Values are added up shard by shard in float64, in one order: they do not
    depend on how many processes there are.

    Arguments
    ---------
    shards : dict
        `PairSums` by number of the shard: those of this process.
    sizes : sequence of int
        Pairs of every shard, in all processes.
    within : int
        How many shards, the first ones, hold pairs of one class.
    sums : int
        How many sums.
    labels : int
        How many labels.
    dtype, device
        Of the log kernels.

    Example
    -------
    >>> one = PairSums(torch.ones(1, 3), torch.tensor([[0.0, -1.0, -2.0]]))
    >>> two = ShardedSums.build([3, 3], 2, lambda number: one)
    >>> two(torch.ones(1))[0], one(torch.ones(1))[0]
    (tensor([3.0064], dtype=torch.float64), tensor([1.5032], dtype=torch.float64))
    """

    shards: Mapping[int, PairSums]
    sizes: Sequence[int]
    within: int
    sums: int
    labels: int
    dtype: torch.dtype
    device: torch.device

    @classmethod
    def build(
        cls,
        sizes: Sequence[int],
        within: int,
        make: Callable[[int], PairSums],
    ) -> "ShardedSums":
        """Make the shards of this process.

        Arguments
        ---------
        sizes, within
            See `ShardedSums`.
        make : callable
            Number of a shard -> its sums.

        Returns
        -------
        sums : ShardedSums
        """
        shards = {number: make(number) for number, _ in mine(sizes)}
        # A process without a shard must know the shapes of the others'.
        first = next(iter(shards.values())) if shards else make(0)
        return cls(
            shards,
            sizes,
            within,
            len(first.coefficients),
            first.labels,
            first.dtype,
            first.device,
        )

    @property
    def pairs(self) -> int:
        """How many pairs are summed."""
        return sum(self.sizes)

    def __call__(
        self, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Evaluate all sums; see `PairSums`."""
        shape = (len(self.sizes), self.sums, 1 + self.labels)
        table = torch.zeros(shape, dtype=torch.float64, device=self.device)
        for number, shard in self.shards.items():
            values, jacobian = shard(weights)
            table[number, :, 0], table[number, :, 1:] = values, jacobian
        summed = total(table).sum(dim=0)
        return summed[:, 0], summed[:, 1:]

    def select(self, labels: Sequence[int]) -> "ShardedSums":
        """Keep some labels; see `PairSums`."""
        shards = {n: shard.select(labels) for n, shard in self.shards.items()}
        return dataclasses.replace(self, shards=shards, labels=len(labels))

    def sample(self, pairs: int, seed: int = 0) -> "ShardedSums":
        """Keep some of the pairs, scaled up to stand for all.

        Arguments
        ---------
        pairs : int
            See `sample_sizes`. Every shard gives a stretch of its pairs: they
            must stand in random order.
        seed : int
            Chooses the stretch.

        Returns
        -------
        sums : ShardedSums
        """
        sizes = sample_sizes(self.sizes, self.within, pairs)
        shards = {
            number: shard.stretch(sizes[number], seed)
            for number, shard in self.shards.items()
        }
        return dataclasses.replace(self, shards=shards, sizes=sizes)


def sample_sizes(sizes: Sequence[int], within: int, pairs: int) -> list[int]:
    """How many pairs each shard gives to a sample.

    Arguments
    ---------
    sizes, within
        See `ShardedSums`.
    pairs : int
        Pairs of one class wanted, all when there are no more. Pairs of
        different classes are a quarter as many: their sum is a plain mean,
        not the small difference that dependence is.

    Returns
    -------
    sizes : list of int
        In proportion, rounded up, never more than there are.

    Example
    -------
    >>> sample_sizes([300, 100, 50], 2, 40)
    [30, 10, 10]
    """

    def share(of: Sequence[int], wanted: float) -> list[int]:
        part = min(wanted / max(sum(of), 1), 1.0)
        return [min(math.ceil(size * part), size) for size in of]

    return share(sizes[:within], pairs) + share(sizes[within:], pairs / 4)
