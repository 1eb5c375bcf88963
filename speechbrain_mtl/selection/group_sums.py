"""What the score of a group of labels sums up: coefficients of all pairs."""

import torch

from speechbrain_mtl.selection.comparison import Block, Comparison
from speechbrain_mtl.selection.hsic import hsic_coefficients
from speechbrain_mtl.selection.kernels import PUBLISHED_FLOOR
from speechbrain_mtl.selection.pair_sums import PairSums, lower_triangle
from speechbrain_mtl.selection.relevance import between_pairs
from speechbrain_mtl.selection.shards import SHARD_PAIRS, ShardedSums


class PairPlan:
    """Which pairs of segments each shard holds, in random order.

    Arguments
    ---------
    comparison : Comparison
        Of N segments: first come shards of whole blocks of it, pairs of one
        class.
    classes : torch.Tensor, optional
        Class of each segment, [N]; with it come shards of `between_pairs`.
    seed : int
        Of the pairs of different classes.

    Example
    -------
    >>> from speechbrain_mtl.selection.features import Measurements
    >>> labels = {"f0": torch.randn(60, 1)}
    >>> measured = Measurements(torch.randn(60, 10, 40), labels, seconds=60.0)
    >>> classes = torch.arange(60) // 30
    >>> plan = PairPlan(Comparison(measured, classes), classes)
    >>> plan.sizes[0]  # two classes of 30 * 31 / 2
    930
    """

    def __init__(
        self,
        comparison: Comparison,
        classes: torch.Tensor | None = None,
        seed: int = 0,
    ) -> None:
        self.seed = seed
        self.cuts = [index for index, _ in comparison.cuts]
        self.groups: list[list[int]] = [[]]
        self.sizes = [0]
        for block, index in enumerate(self.cuts):
            if self.sizes[-1] >= SHARD_PAIRS:
                self.groups.append([])
                self.sizes.append(0)
            self.groups[-1].append(block)
            self.sizes[-1] += len(index) * (len(index) + 1) // 2
        self.between: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.apart = 0
        if classes is not None:
            first, second = between_pairs(classes, seed=seed)
            self.apart = len(first)
            parts = -(-self.apart // SHARD_PAIRS)
            self.between = list(
                zip(first.tensor_split(parts), second.tensor_split(parts))
            )
            self.sizes += [len(first) for first, _ in self.between]

    def places(self, shard: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Segments of a shard's pairs, two times [P].

        Pairs stand in random order, so that any stretch is a fair sample.
        """
        if shard >= len(self.groups):
            return self.between[shard - len(self.groups)]
        both = [
            index[torch.tril_indices(*[len(index)] * 2, device=index.device)]
            for index in (self.cuts[block] for block in self.groups[shard])
        ]
        first, second = torch.cat(both, dim=1)[:, self.order(shard)]
        return first, second

    def order(self, shard: int) -> torch.Tensor:
        """Order of the pairs of a shard of blocks, [P]."""
        generator = torch.Generator().manual_seed(self.seed + shard)
        order = torch.randperm(self.sizes[shard], generator=generator)
        return order.to(self.cuts[0].device)


def published_coefficients(block: Block) -> torch.Tensor:
    """The published score of a block: ``sum(A * L)``.

    Arguments
    ---------
    block : Block
        Of n segments.

    Returns
    -------
    A : torch.Tensor
        One sum, [1, n, n]; all blocks add up to the score.
    """
    return block.share * hsic_coefficients(block.K_published, "reference")[None]


def ratio_coefficients(block: Block, speech_scale: float) -> torch.Tensor:
    """Dependence of speech and label in a block, and similarity of its labels.

    Arguments
    ---------
    block : Block
        Of n segments.
    speech_scale : float
        From `Evidence`.

    Returns
    -------
    A : torch.Tensor
        Two sums, [2, n, n], zero on the diagonal.
    """
    A = hsic_coefficients(block.K, estimator="unbiased") / speech_scale
    n = len(A)
    same = torch.full_like(A, 1 / (n * (n - 1))).fill_diagonal_(0)
    return block.share * torch.stack([A, same])


def published_sums(comparison: Comparison, labels: list[int]) -> ShardedSums:
    """The published score of groups of some labels.

    Arguments
    ---------
    comparison : Comparison
        Of all segments.
    labels : list of int
        Which labels.

    Returns
    -------
    sums : ShardedSums
        One sum.
    """
    plan = PairPlan(comparison)

    def make(shard: int) -> PairSums:
        parts = [
            lower_triangle(
                published_coefficients(block),
                block.log_L_published[labels].clamp(PUBLISHED_FLOOR, 0),
            )
            for block in comparison.blocks(plan.groups[shard])
        ]
        order = plan.order(shard)
        return PairSums(*(torch.cat(p, dim=1)[:, order] for p in zip(*parts)))

    return ShardedSums.build(plan.sizes, len(plan.groups), make)


def ratio_sums(
    comparison: Comparison,
    classes: torch.Tensor,
    labels: list[int],
    speech_scale: float,
    seed: int = 0,
) -> ShardedSums:
    """Dependence and relevance of groups of some labels.

    Arguments
    ---------
    comparison : Comparison
        Of all segments.
    classes : torch.Tensor
        Class of each segment, [N].
    labels : list of int
        Which labels.
    speech_scale : float
        From `Evidence`.
    seed : int
        Of the pairs of different classes.

    Returns
    -------
    sums : ShardedSums
        Two sums over pairs within classes; relevance also over pairs of
        different classes.
    """
    plan = PairPlan(comparison, classes, seed)

    def make(shard: int) -> PairSums:
        if shard >= len(plan.groups):
            apart = comparison.log_pairs(*plan.places(shard))[labels]
            row = torch.full_like(apart[:1], -1 / plan.apart)
            return PairSums(torch.cat([torch.zeros_like(row), row]), apart)
        parts = [
            lower_triangle(
                ratio_coefficients(block, speech_scale), block.log_L[labels]
            )
            for block in comparison.blocks(plan.groups[shard])
        ]
        order = plan.order(shard)
        return PairSums(*(torch.cat(p, dim=1)[:, order] for p in zip(*parts)))

    return ShardedSums.build(plan.sizes, len(plan.groups), make)
