"""Which frames belong to an item: two conventions, one frame apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from speechbrain_mtl.data.manifest import raise_problems
from speechbrain_mtl.evaluation.abx_items import Item

SLICINGS = ("fixed", "librilight")
# Frames nearer than this to an item's edge, in hops, lie on it: times such as
# 0.29 s are not exact in binary.
ON_EDGE = 1e-6


@dataclass(frozen=True)
class Segments:
    """Items as runs of frames, all recordings laid end to end.

    Arguments
    ---------
    frames : torch.Tensor
        Of all recordings that items name, [F, D].
    begins, lengths : numpy.ndarray
        First frame of each item and how many there are, [N]; 0 for an item
        that no frame is centred in.
    """

    frames: torch.Tensor
    begins: np.ndarray
    lengths: np.ndarray


def item_frames(
    items: Sequence[Item],
    counts: np.ndarray,
    hop: float,
    offset: float | None = None,
    slicing: str = "fixed",
) -> tuple[np.ndarray, np.ndarray]:
    """Find the frames of each item in its recording.

    ``"fixed"`` takes every frame whose centre lies in the item, its edges
    included. ``"librilight"`` is what Libri-Light and the ZeroSpeech
    challenges count: frame i is taken to be centred at (i + 1/2) hops,
    whatever the encoder's windows are, and the last frame is lost.

    Arguments
    ---------
    items : sequence of Item
        N of them.
    counts : numpy.ndarray
        Frames of each item's recording, [N].
    hop : float
        Seconds between frames.
    offset : float, optional
        Centre of frame 0 in seconds, half a hop by default; `librilight`
        does not look at it.
    slicing : str
        One of `SLICINGS`.

    Returns
    -------
    first, length : numpy.ndarray
        Frames counted from the recording's beginning, [N].

    Raises
    ------
    ValueError
        When there is no such slicing or hop.

    Example
    -------
    >>> item = Item("a", 0.04, 0.10, "AE", "K", "T", "ann")
    >>> for slicing in SLICINGS:
    ...     first, length = item_frames(
    ...         [item], np.array([9]), 0.02, slicing=slicing
    ...     )
    ...     print(slicing, first, length)
    fixed [2] [3]
    librilight [2] [2]
    """
    _check(hop, slicing)
    onsets = np.array([item.onset for item in items])
    offsets = np.array([item.offset for item in items])
    if slicing == "librilight":
        # In that order of operations: at edges the rounding decides.
        rate = 1 / hop
        first = np.ceil(rate * onsets - 0.5)
        last = np.floor(rate * offsets - 0.5)
    else:
        centre = hop / 2 if offset is None else offset
        first = np.ceil((onsets - centre) / hop - ON_EDGE)
        last = np.floor((offsets - centre) / hop + ON_EDGE) + 1
    first = np.maximum(first, 0).astype(np.int64)
    last = np.minimum(last, counts).astype(np.int64)
    return first, np.maximum(last - first, 0)


def lay_out(
    features: Mapping[str, torch.Tensor],
    items: Sequence[Item],
    hop: float,
    offset: float | None = None,
    slicing: str = "fixed",
) -> Segments:
    """Check the features and find the frames of all items.

    Arguments
    ---------
    features : dict
        [T, D] of each recording, by id; more than items name may be there.
    items, hop, offset, slicing
        See `item_frames`.

    Returns
    -------
    segments : Segments
        In the order of the items.

    Raises
    ------
    ManifestError
        Naming recordings that are missing, not [T, D], of another D than
        the first, empty or not finite, and items that end beyond theirs.
    ValueError
        As `item_frames`.
    """
    _check(hop, slicing)  # first: what follows is told in hops
    names = list(dict.fromkeys(item.file for item in items))
    missing = [name for name in names if name not in features]
    raise_problems(
        "features",
        [
            f"{name}: named by items, but has no features. There are "
            f"{len(features)}, such as '{next(iter(features), '')}': add "
            "it, or take its items out."
            for name in missing
        ],
    )
    tensors = {name: torch.as_tensor(features[name]) for name in names}
    first = tensors[names[0]]
    width = first.shape[-1] if first.ndim else 0
    raise_problems(
        "features",
        [
            problem
            for name, frames in tensors.items()
            if (problem := _problem(name, frames, names[0], width))
        ],
    )
    counts = {name: len(frames) for name, frames in tensors.items()}
    # Encoders without padding lack the frames of a last window.
    slack = max(0.05, 2 * hop)
    raise_problems(
        "items",
        [
            f"{item.file}: {item.left}-{item.phone}-{item.right} ends at "
            f"{item.offset:.3f} s, but {counts[item.file]} frames of {hop} s "
            f"end at {counts[item.file] * hop:.3f} s. Give the features' own "
            "hop, or correct the times."
            for item in items
            if item.offset > counts[item.file] * hop + slack
        ],
    )
    starts = dict(zip(names, np.cumsum([0, *counts.values()]).tolist()))
    begins, lengths = item_frames(
        items,
        np.array([counts[item.file] for item in items]),
        hop,
        offset,
        slicing,
    )
    begins = begins + np.array([starts[item.file] for item in items])
    return Segments(torch.cat(list(tensors.values())), begins, lengths)


def _check(hop: float, slicing: str) -> None:
    """Raise for a convention or a hop that is none."""
    if slicing not in SLICINGS:
        raise ValueError(
            f"slicing is '{slicing}'. Choose one of {', '.join(SLICINGS)}."
        )
    if not hop > 0:
        raise ValueError(f"hop is {hop}. Give the seconds between frames.")


def _problem(
    name: str, frames: torch.Tensor, first: str, width: int
) -> str | None:
    """What is wrong with the features of a recording, if anything."""
    if frames.ndim != 2 or not frames.numel():
        return (
            f"{name}: features are {tuple(frames.shape)}. Give [T, D], at "
            "least one frame of one value."
        )
    if frames.shape[1] != width:
        return (
            f"{name}: frames have {frames.shape[1]} values, those of {first} "
            f"{width}. Take all features from one layer of one encoder."
        )
    if frames.is_floating_point():
        bad = ~torch.isfinite(frames).all(dim=1)
        if bad.any():
            return (
                f"{name}: {int(bad.sum())} of {len(frames)} frames are NaN or "
                f"infinite, the first is number {int(bad.int().argmax())}. "
                "Look for silence that was divided by its level."
            )
    return None
