"""Sums over all pairs of every class, however many, in little memory."""

from collections.abc import Iterator, Sequence

import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.kernels import PUBLISHED_FLOOR
from speechbrain_mtl.selection.pair_sums import PairSums
from speechbrain_mtl.selection.processes import mine, total
from speechbrain_mtl.selection.relevance import between_pairs

TILE = 256  # segments: kernels of a tile stay in the processor's cache


class TiledSums:
    """`ratio_sums` or `published_sums` with no class cut into blocks.

    Kernels are made tile by tile and forgotten, at every evaluation anew:
    memory grows with the segments, time with the square of a class. Processes
    share the classes.

    Arguments
    ---------
    comparison : Comparison
        Of all segments; its `cuts` are not looked at.
    classes : torch.Tensor
        Class of each segment, [N].
    labels : sequence of int
        Which labels.
    speech_scale : float, optional
        As of `ratio_sums`; None for the published score.
    seed : int
        Of the pairs of different classes, which remain a sample.
    tile : int
        Segments a side.

    Example
    -------
    >>> from speechbrain_mtl.selection.features import Measurements
    >>> labels = {"f0": torch.randn(60, 1)}
    >>> measured = Measurements(torch.randn(60, 10, 40), labels, seconds=60.0)
    >>> classes = torch.arange(60) // 30
    >>> sums = TiledSums(Comparison(measured, classes), classes, [0])
    >>> sums.pairs  # two classes of 30 * 31 / 2
    930
    """

    dtype = torch.float32

    def __init__(
        self,
        comparison: Comparison,
        classes: torch.Tensor,
        labels: Sequence[int],
        speech_scale: float | None = None,
        seed: int = 0,
        tile: int = TILE,
    ) -> None:
        self.comparison, self.chosen = comparison, list(labels)
        self.scale, self.tile = speech_scale, tile
        counts = classes.bincount().tolist()
        self.members = classes.argsort(stable=True).split(counts)
        self.device = classes.device
        self.labels = len(self.chosen)
        self.pairs = sum(n * (n + 1) // 2 for n in counts)
        self.between = None
        if speech_scale is not None:
            pairs = between_pairs(classes, seed=seed)
            apart = comparison.log_pairs(*pairs)[self.chosen]
            row = torch.full_like(apart[:1], -1 / apart.shape[1])
            both = torch.cat([torch.zeros_like(row), row])
            self.between = PairSums(both, apart)

    def __call__(
        self, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Evaluate all sums; see `PairSums`."""
        sums = 1 if self.scale is None else 2
        shape = (len(self.members), sums, 1 + self.labels)
        table = torch.zeros(shape, dtype=torch.float64, device=self.device)
        for number, members in mine(self.members):
            for tile in self._tiles(members):
                values, jacobian = tile(weights)
                table[number, :, 0] += values
                table[number, :, 1:] += jacobian
        summed = total(table).sum(dim=0) / len(self.members)
        values, jacobian = summed[:, 0], summed[:, 1:]
        if self.between is None:
            return values, jacobian
        apart, slopes = self.between(weights)
        return values + apart, jacobian + slopes

    def _tiles(self, members: torch.Tensor) -> Iterator[PairSums]:
        """Sums over the tiles of the lower half of one class."""
        published, n = self.scale is None, len(members)
        speech = self.comparison.directions(members, published)
        rows = (speech.double() @ speech.double().sum(dim=0)).float()
        if not published:  # without the diagonal, zero for silence
            rows -= speech.square().sum(dim=1)
        whole = float(rows.double().sum())
        parts = torch.arange(n, device=self.device).split(self.tile)
        for place, one in enumerate(parts):
            for two in parts[: place + 1]:
                K = speech[one] @ speech[two].T
                both = rows[one, None] + rows[two]
                if published:
                    A = (K - both / n**2 + whole / n**4)[None] / n**2
                else:
                    A = K - both / (n - 2) + whole / ((n - 1) * (n - 2))
                    same = torch.full_like(A, 1 / (n * (n - 1)))
                    A = torch.stack([A / (n * (n - 3) * self.scale), same])
                if two is not one:  # the upper half is the same
                    A *= 2
                elif not published:
                    A.diagonal(0, -2, -1).zero_()
                log_L = self.comparison.log_tile(
                    members[one], members[two], self.chosen, published
                )
                if published:
                    log_L = log_L.clamp(PUBLISHED_FLOOR, 0)
                yield PairSums(A.flatten(1), log_L.flatten(1))
