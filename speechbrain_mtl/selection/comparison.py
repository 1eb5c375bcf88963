"""Segments compared in pairs: the kernels everything is computed from."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import torch

from speechbrain_mtl.selection.features import Measurements
from speechbrain_mtl.selection.kernels import (
    cosine_kernel,
    log_multi_rbf_kernel,
    log_rbf_kernel,
    median_variance,
    squared_distances,
)

BANDWIDTHS = ("median", "multi")


class Block:
    """Kernels over some segments of one class, each made when asked for.

    Arguments
    ---------
    comparison : Comparison
        Holds the segments.
    index : torch.Tensor
        Which segments, [n].
    share : float
        Share of the block in a mean over classes; all blocks sum to 1.
    dtype : torch.dtype
        To compute in.
    """

    def __init__(
        self,
        comparison: "Comparison",
        index: torch.Tensor,
        share: float,
        dtype: torch.dtype,
    ) -> None:
        self.comparison, self.index, self.share = comparison, index, share
        self.dtype = dtype

    @cached_property
    def K(self) -> torch.Tensor:
        """Speech kernel [n, n]: cosine of mels standardised in every band."""
        return cosine_kernel(self.comparison._speech[self.index].to(self.dtype))

    @cached_property
    def log_L(self) -> torch.Tensor:
        """Log label kernels [k, n, n], of the comparison's bandwidth."""
        parts = self.comparison.each_log_label(self.index, self.dtype)
        return torch.stack(list(parts))

    @cached_property
    def K_published(self) -> torch.Tensor:
        """Speech kernel [n, n] as published: cosine of raw decibels.

        They are of one sign, so that all cosines are large and follow the
        level.
        """
        return cosine_kernel(
            self.comparison._published[self.index].to(self.dtype)
        )

    @cached_property
    def log_L_published(self) -> torch.Tensor:
        """Log label kernels [k, n, n] as published: variance 0.05."""
        plain = self.comparison._plain
        parts = [z[self.index].to(self.dtype) for z in plain]
        return torch.stack([log_rbf_kernel(z) for z in parts])


class Comparison:
    """All that is compared: segments in blocks, or in single pairs.

    Arguments
    ---------
    measured : Measurements
        Of N segments.
    classes : torch.Tensor
        Class of each segment, [N].
    max_pairs : int
        Pairs within classes at most, about. Beyond, every class is cut at
        random into blocks that are compared within only: time and memory grow
        with the segments, not with their square.
    seed : int
        Of bandwidths and blocks.
    bandwidth : str
        Of label kernels: "median", a radial basis function whose variance is
        the label's median squared difference; "multi", the mean of three, at
        a quarter, once and four times that.

    Raises
    ------
    ValueError
        For an unknown bandwidth.

    Example
    -------
    >>> labels = {"f0": torch.randn(60, 1).double()}
    >>> measured = Measurements(torch.randn(60, 10, 40), labels, seconds=60.0)
    >>> classes = torch.arange(60) // 30
    >>> comparison = Comparison(measured, classes)
    >>> [block.log_L.shape for block in comparison.blocks()]
    [torch.Size([1, 30, 30]), torch.Size([1, 30, 30])]
    """

    def __init__(
        self,
        measured: Measurements,
        classes: torch.Tensor,
        max_pairs: int = 3_000_000,
        seed: int = 0,
        bandwidth: str = "median",
    ) -> None:
        if bandwidth not in BANDWIDTHS:
            raise ValueError(
                f"bandwidth {bandwidth!r}: choose from {BANDWIDTHS}."
            )
        self.bandwidth = bandwidth
        mels = measured.mels
        center = mels.mean(dim=(0, 1))
        deviation = mels.std(dim=(0, 1)).clamp(min=1e-6)
        labels = measured.labels.values()
        self.names = list(measured.labels)
        self.bandwidths = [median_variance(z, seed) for z in labels]
        self._speech = (mels - center).div_(deviation).flatten(1)
        self._published = mels.flatten(1)
        self._plain = [z.float() for z in labels]
        self._scaled = [
            (z / variance**0.5).float()
            for z, variance in zip(labels, self.bandwidths)
        ]
        # n segments in blocks of b make n (b - 1) / 2 pairs.
        most = max(int(2 * max_pairs / len(classes)), 20)
        self.cuts = cut(classes, most, seed)
        self.strata = [[] for _ in classes.unique()]
        for number, (index, _) in enumerate(self.cuts):
            self.strata[classes[index[0]]].append(number)

    def blocks(
        self,
        chosen: Iterable[int] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Iterator[Block]:
        """Give the kernels of one block after the other, or of some.

        Arguments
        ---------
        chosen : iterable of int, optional
            Which of `cuts`, the segments [n] of each block and its share.
        dtype : torch.dtype
            To compute in.
        """
        chosen = range(len(self.cuts)) if chosen is None else chosen
        for index, share in (self.cuts[block] for block in chosen):
            yield Block(self, index, share, dtype)

    def pairs_of(self, block: int) -> int:
        """How many ordered pairs of segments a block has."""
        n = len(self.cuts[block][0])
        return n * (n - 1)

    def log_labels(self, index: torch.Tensor) -> torch.Tensor:
        """Log label kernels [k, n, n] of any segments, [n]."""
        return torch.stack(list(self.each_log_label(index)))

    def each_log_label(
        self, index: torch.Tensor, dtype: torch.dtype = torch.float32
    ) -> Iterator[torch.Tensor]:
        """The same, [n, n], one label after the other."""
        for z in self._scaled:
            yield self._mixed(log_rbf_kernel(z[index].to(dtype), 1.0))

    def directions(
        self, index: torch.Tensor, published: bool = False
    ) -> torch.Tensor:
        """Speech of some segments [n], whose products are the kernel [n, D]."""
        speech = self._published if published else self._speech
        return torch.nn.functional.normalize(speech[index], dim=1)

    def log_tile(
        self,
        first: torch.Tensor,
        second: torch.Tensor,
        labels: Sequence[int],
        published: bool = False,
    ) -> torch.Tensor:
        """Log kernels of some labels, segments [n] against others [m].

        Arguments
        ---------
        first, second : torch.Tensor
            Indices, [n] and [m].
        labels : sequence of int
            Which labels.
        published : bool
            Of the published bandwidth.

        Returns
        -------
        log_L : torch.Tensor
            [k, n, m].
        """
        if published:
            parts = [self._plain[label] for label in labels]
            return torch.stack(
                [log_rbf_kernel(z[first], other=z[second]) for z in parts]
            )
        parts = [self._scaled[label] for label in labels]
        return torch.stack(
            [
                self._mixed(log_rbf_kernel(z[first], 1.0, z[second]))
                for z in parts
            ]
        )

    def log_pairs(
        self, first: torch.Tensor, second: torch.Tensor
    ) -> torch.Tensor:
        """Log label kernels [k, P] of single pairs, indices [P]."""
        return torch.stack(
            [
                self._mixed(squared_distances(z, first, second) / -2)
                for z in self._scaled
            ]
        )

    def _mixed(self, log_L: torch.Tensor) -> torch.Tensor:
        """The kernel wanted, from the one of median bandwidth."""
        multi = self.bandwidth == "multi"
        return log_multi_rbf_kernel(log_L) if multi else log_L

    def spreads(self, classes: torch.Tensor) -> torch.Tensor:
        """Standard deviation of every label within classes, float64 [k].

        In deviations of the label's frames (of a discrete label: of the roots
        of its histogram); classes count alike, and have at least two segments
        each.
        """
        counts = classes.bincount().double()[:, None]
        spreads = []
        for z in self._plain:
            z = z.double()
            means = z.new_zeros(len(counts), z.shape[1])
            means = means.index_add_(0, classes, z) / counts
            gaps = (z - means[classes]).square()
            squares = torch.zeros_like(means).index_add_(0, classes, gaps)
            variances = (squares / (counts - 1)).sum(dim=1)
            spreads.append(variances.mean().sqrt())
        return torch.stack(spreads)


def cut(
    classes: torch.Tensor, most: int, seed: int = 0
) -> list[tuple[torch.Tensor, float]]:
    """Cut every class at random into equal blocks of at most so many segments.

    Arguments
    ---------
    classes : torch.Tensor
        Class of each segment, [N].
    most : int
        Segments of a block.
    seed : int
        Of the cuts.

    Returns
    -------
    blocks : list of tuple
        Indices [n] of each block, and its share: classes count alike, and so
        do the blocks of one class.

    Example
    -------
    >>> cut(torch.tensor([0, 0, 1, 1, 1, 1]), most=2)[0]
    (tensor([0, 1]), 0.5)
    """
    generator = torch.Generator().manual_seed(seed)
    counts = classes.bincount().tolist()
    members = classes.argsort(stable=True).split(counts)
    blocks = []
    for index in members:
        parts = -(-len(index) // most)
        if parts > 1:
            order = torch.randperm(len(index), generator=generator)
            index = index[order.to(index.device)]
        share = 1 / (parts * len(counts))
        blocks += [(part, share) for part in index.tensor_split(parts)]
    return blocks
