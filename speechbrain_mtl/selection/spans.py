"""Segments of a batch of recordings, in the frames of any worker."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from speechbrain_mtl.data.audio import SAMPLE_RATE, TOLERANCE
from speechbrain_mtl.selection.downsampling import gaussian_filters


class Spans:
    """Time stretches of the recordings of one batch.

    Arguments
    ---------
    starts, ends : np.ndarray
        Seconds, [S]; NaN for the whole recording.
    rows : sequence of int
        Recording of the batch each stretch belongs to, [S].
    samples : sequence of int
        Length of each recording at 16 kHz, [B].
    names : sequence of str
        What to call the recordings in messages, [B].

    Raises
    ------
    ValueError
        When a stretch reaches more than 10 ms beyond its recording.

    Example
    -------
    >>> spans = Spans([0.1, np.nan], [0.2, np.nan], [0, 0], [16000], ["a"])
    >>> spans.frames(hop=0.01, offset=0.0125, valid=[98])
    (array([9, 0]), array([10, 98]))
    """

    def __init__(
        self,
        starts: np.ndarray,
        ends: np.ndarray,
        rows: Sequence[int],
        samples: Sequence[int],
        names: Sequence[str],
    ) -> None:
        self.rows = np.asarray(rows)
        length = np.asarray(samples)[self.rows] / SAMPLE_RATE
        self.starts = np.where(np.isnan(starts), 0.0, starts)
        self.ends = np.where(np.isnan(ends), length, ends)
        for i in np.flatnonzero(self.ends > length + TOLERANCE)[:1]:
            raise ValueError(
                f"{names[self.rows[i]]}: a segment from {self.starts[i]:.3f} s "
                f"to {self.ends[i]:.3f} s reaches beyond the recording, which "
                f"is {length[i]:.3f} s long. Correct its times in the manifest."
            )

    def frames(
        self, hop: float, offset: float, valid: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the frames whose centres lie in ``[start, end)``.

        Arguments
        ---------
        hop, offset : float
            Frame i is centred at ``offset + i * hop`` seconds.
        valid : sequence of int
            Frames of each recording, at least 1, [B].

        Returns
        -------
        first, count : np.ndarray
            Integers [S]; where no centre lies inside, the nearest frame.
        """
        last = np.asarray(valid)[self.rows] - 1
        # A centre that rounding puts a hair before the border is on it.
        first = np.ceil((self.starts - offset) / hop - 1e-6).clip(0)
        after = np.ceil((self.ends - offset) / hop - 1e-6)
        after = np.minimum(after, last + 1)
        middle = (self.starts + self.ends) / 2
        nearest = np.rint((middle - offset) / hop).clip(0, last)
        none = after <= first
        first = np.where(none, nearest, first).astype(int)
        return first, np.where(none, 1, after - first).astype(int)

    def sums(
        self, frames: torch.Tensor, first: np.ndarray, count: np.ndarray
    ) -> torch.Tensor:
        """Add up the frames of every stretch.

        Arguments
        ---------
        frames : torch.Tensor
            [B, F, D].
        first, count : np.ndarray
            From `frames`.

        Returns
        -------
        sums : torch.Tensor
            float64 [S, D].
        """
        running = frames.double().cumsum(dim=1)
        running = torch.nn.functional.pad(running, (0, 0, 1, 0))
        return running[self.rows, first + count] - running[self.rows, first]

    def downsample(
        self,
        frames: torch.Tensor,
        first: np.ndarray,
        count: np.ndarray,
        n_samples: int,
    ) -> torch.Tensor:
        """Apply `gaussian_downsample` to every stretch.

        Arguments
        ---------
        frames, first, count
            See `sums`.
        n_samples : int
            Rows a stretch.

        Returns
        -------
        samples : torch.Tensor
            [S, n_samples, D].
        """
        samples = frames.new_empty(len(first), n_samples, frames.shape[-1])
        rows = torch.from_numpy(self.rows).to(frames.device)
        starts = torch.from_numpy(first).to(frames.device)
        # Stretches of one length share their filters and need no padding.
        for length in np.unique(count):
            chosen = torch.from_numpy(np.flatnonzero(count == length))
            chosen = chosen.to(frames.device)
            steps = torch.arange(int(length), device=frames.device)
            stretch = frames[rows[chosen, None], starts[chosen, None] + steps]
            samples[chosen] = _filters(int(length), n_samples).to(frames) @ (
                stretch
            )
        return samples


@lru_cache(maxsize=4096)
def _filters(length: int, n_samples: int) -> torch.Tensor:
    """Filters of one length, which comes back in every batch."""
    return gaussian_filters(torch.tensor([length]), n_samples).float()
