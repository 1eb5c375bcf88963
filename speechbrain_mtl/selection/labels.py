"""What a segment's label is: a mean, a histogram of units, a trajectory."""

import numpy as np
import torch

from speechbrain_mtl.selection.processes import total
from speechbrain_mtl.selection.spans import Spans


class NothingToCompare(ValueError):
    """All segments alike in a label, or in sound; others may differ."""


class ValueLabels:
    """Labels of segments whose frames hold values.

    A segment's label is the mean of its frames, or with `rows` its course:
    frames downsampled as speech is (`gaussian_downsample`). Both are z-scored
    over all frames used and divided by the root of their length, so that a
    squared distance is a mean over dimensions and rows: a label that does not
    move within segments is compared alike either way, at one bandwidth.

    Arguments
    ---------
    name : str
        What error messages call the label.
    dim : int
        Values a frame.
    count : int
        Segments.
    rows : int, optional
        Rows of a trajectory; by default the mean is kept.
    device : str or torch.device
        Where to collect.
    """

    def __init__(
        self,
        name: str,
        dim: int,
        count: int,
        rows: int | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.name = name
        double = {"dtype": torch.float64, "device": device}
        self.sums = torch.zeros(count, dim, **double)
        self.squares = torch.zeros(count, dim, **double)
        self.frames = torch.zeros(count, **double)
        self.rows = rows
        if rows:
            self.course = torch.zeros(count, rows, dim, device=device)

    def add(
        self,
        index: list[int],
        frames: torch.Tensor,
        spans: Spans,
        first: np.ndarray,
        lengths: np.ndarray,
    ) -> None:
        """Take the segments of one batch.

        Arguments
        ---------
        index : list of int
            Which segments they are.
        frames : torch.Tensor
            Labels of the batch, [B, F, dim].
        spans : Spans
            Where the segments lie.
        first, lengths : np.ndarray
            Their frames, from `Spans.frames`.
        """
        self.sums[index] = spans.sums(frames, first, lengths)
        self.squares[index] = spans.sums(frames**2, first, lengths)
        self.frames[index] = torch.from_numpy(lengths).to(self.frames)
        if self.rows:
            self.course[index] = spans.downsample(
                frames, first, lengths, self.rows
            )

    def gather(self) -> None:
        """Take the segments of other processes too."""
        self.sums, self.squares = total(self.sums), total(self.squares)
        self.frames = total(self.frames)
        if self.rows:
            self.course = total(self.course)

    def result(self) -> torch.Tensor:
        """Give the labels: means float64 [N, dim], courses float32.

        Raises
        ------
        NothingToCompare
            When the label is constant.
        """
        frames = self.frames.sum()
        mean = self.sums.sum(dim=0) / frames
        variance = self.squares.sum(dim=0) / frames - mean**2
        # What is left of a constant by rounding of float32 labels.
        if (variance <= 1e-10 * mean**2).all():
            raise NothingToCompare(
                f"worker {self.name!r} is constant over all {len(self.frames)} "
                f"segments (value {float(mean.flatten()[0]):.6g}): it says "
                "nothing about speech. Leave it out of the workers."
            )
        deviation = variance.clamp(min=1e-10 * mean**2).sqrt()
        deviation = torch.where(deviation > 0, deviation, 1.0)
        if self.rows:
            scored = ((self.course - mean) / deviation).float().flatten(1)
        else:
            scored = (self.sums / self.frames[:, None] - mean) / deviation
        return scored / scored.shape[1] ** 0.5


class UnitLabels:
    """Labels of segments whose frames hold one of some units.

    A segment's label is the root of its histogram: the share of frames of
    each unit, square-rooted, so that a squared Euclidean distance is twice
    the squared Hellinger distance of two histograms. With `rows` there is one
    histogram a row of the downsampled course, and distances are means over
    rows, as they are over the columns of several codebooks.

    The kernel that goes with it is the radial basis function of that
    distance, of median bandwidth like any label's. Units are names without
    order, and it does not change when they are renumbered. It is
    characteristic: no difference of two distributions of histograms escapes
    it. The root evens out the noise of counts, so that frequent units do not
    drown rare ones. And between segments of one frame it is
    ``a + (1 - a) * same unit``: the delta kernel of discrete labels, up to
    constants that centring and the ratio of two dependences remove. A z-score
    of unit numbers would mean nothing.

    Arguments
    ---------
    name : str
        What error messages call the label.
    dim : int
        Units a frame, one for each codebook.
    units : int
        How many different ones there are.
    count : int
        Segments.
    rows : int, optional
        Rows of a trajectory; by default one histogram is kept.
    device : str or torch.device
        Where to collect.
    """

    def __init__(
        self,
        name: str,
        dim: int,
        units: int,
        count: int,
        rows: int | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.name = name
        self.units = units
        self.rows = rows
        self.shares = torch.zeros(count, rows or 1, dim, units, device=device)

    def add(
        self,
        index: list[int],
        frames: torch.Tensor,
        spans: Spans,
        first: np.ndarray,
        lengths: np.ndarray,
    ) -> None:
        """Take the segments of one batch; see `ValueLabels.add`.

        Raises
        ------
        ValueError
            When a frame holds no unit's number.
        """
        codes = frames.long()
        known = (codes == frames) & (codes >= 0) & (codes < self.units)
        if not known.all():
            raise ValueError(
                f"worker {self.name!r} gives {float(frames[~known][0]):g}, "
                f"which is none of its {self.units} units, 0 to "
                f"{self.units - 1}. Correct the worker's `units` or labels."
            )
        if self.rows:
            one_hot = frames.new_zeros(*frames.shape, self.units)
            one_hot.scatter_(3, codes[..., None], 1.0)
            shares = spans.downsample(
                one_hot.flatten(2), first, lengths, self.rows
            )
        else:
            shares = histograms(codes, spans.rows, first, lengths, self.units)
        self.shares[index] = shares.view(-1, *self.shares.shape[1:])

    def gather(self) -> None:
        """Take the segments of other processes too."""
        self.shares = total(self.shares)

    def result(self) -> torch.Tensor:
        """Give the labels, float32 [N, rows * dim * units].

        Raises
        ------
        NothingToCompare
            When only one unit occurs.
        """
        occurring = (self.shares.sum(dim=(0, 1)) > 0).sum(dim=-1)
        if (occurring < 2).all():
            raise NothingToCompare(
                f"worker {self.name!r} gives one and the same unit in all "
                f"{len(self.shares)} segments: it says nothing about speech. "
                "Leave it out of the workers."
            )
        _, rows, dim, _ = self.shares.shape
        return self.shares.sqrt().flatten(1) / (rows * dim) ** 0.5


def histograms(
    codes: torch.Tensor,
    recordings: np.ndarray,
    first: np.ndarray,
    lengths: np.ndarray,
    units: int,
) -> torch.Tensor:
    """Count the units of stretches of frames.

    Arguments
    ---------
    codes : torch.Tensor
        Integers [B, F, dim].
    recordings : np.ndarray
        Row of `codes` each stretch lies in, [S].
    first, lengths : np.ndarray
        First frame of each stretch and how many, [S].
    units : int
        How many units there are.

    Returns
    -------
    shares : torch.Tensor
        float32 [S, dim, units], sum 1 over units.

    Example
    -------
    >>> codes = torch.tensor([[[2], [0], [0], [1]]])
    >>> histograms(codes, *np.array([[0], [0], [3]]), units=3)
    tensor([[[0.6667, 0.0000, 0.3333]]])
    """
    device, dim = codes.device, codes.shape[2]
    stretch = np.repeat(np.arange(len(first)), lengths)
    began = np.repeat(lengths.cumsum() - lengths, lengths)
    frame = first[stretch] + np.arange(len(stretch)) - began
    which = torch.from_numpy(recordings[stretch]).to(device)
    found = codes[which, torch.from_numpy(frame).to(device)]
    place = torch.from_numpy(stretch).to(device)[:, None] * dim
    place = (place + torch.arange(dim, device=device)) * units + found
    counts = torch.bincount(
        place.flatten(), minlength=len(first) * dim * units
    ).view(len(first), dim, units)
    return counts / torch.from_numpy(lengths).to(device)[:, None, None]
