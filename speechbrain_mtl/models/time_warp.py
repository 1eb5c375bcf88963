"""Stretch one part of an utterance, and squeeze the other."""

import torch

CUBIC = -0.75  # of bicubic interpolation, as in `torch.nn.functional`


def warp_frames(
    x: torch.Tensor,
    lens: torch.Tensor,
    centre: torch.Tensor,
    moved: torch.Tensor,
) -> torch.Tensor:
    """Move one frame border of each item, by cubic interpolation over time.

    What lies before the border, and what lies after it, is resized to its new
    length, each by itself (Park et al., Interspeech 2019).

    Arguments
    ---------
    x : torch.Tensor
        [B, F, D].
    lens : torch.Tensor
        Valid frames, absolute, [B].
    centre : torch.Tensor
        Frames before the border, [B].
    moved : torch.Tensor
        Frames that these become, [B]: above 0 where `centre` is, below
        `lens`. Where both are equal nothing changes.

    Returns
    -------
    warped : torch.Tensor
        [B, F, D]; padding as it was.

    Example
    -------
    >>> x = torch.arange(6.0)[None, :, None]
    >>> six, two, four = (torch.tensor([n]) for n in (6, 2, 4))
    >>> warp_frames(x, six, two, four).round(decimals=1).flatten()
    tensor([-0.1000,  0.2000,  0.8000,  1.1000,  2.4000,  4.6000])
    """
    frames = torch.arange(x.shape[1], device=x.device)
    lens, centre, moved = lens[:, None], centre[:, None], moved[:, None]
    early, valid = frames < moved, frames < lens
    first = torch.where(early, 0, centre)
    last = torch.where(early, centre, lens) - 1
    old = last + 1 - first
    new = torch.where(early, moved, lens - moved)
    place = frames - torch.where(early, 0, moved)
    # Frames are as wide as one: they have centres at a half.
    source = first + (place + 0.5) * old / new.clamp(min=1) - 0.5
    source = torch.where(valid, source, frames.float())
    first = torch.where(valid, first, frames)[..., None]
    last = torch.where(valid, last, frames)[..., None]
    below = source.floor()
    taps = below[..., None] + torch.arange(-1, 3, device=x.device)
    weights = _cubic((source[..., None] - taps).abs())
    # Beyond the ends of a part its last frames go on.
    taps = taps.long().clamp(min=0).maximum(first).minimum(last)
    # A matrix from old to new frames: gathering has no deterministic gradient.
    matrix = sum(
        weight[..., None] * (tap[..., None] == frames)
        for weight, tap in zip(weights.unbind(-1), taps.unbind(-1))
    )
    return matrix.to(x.dtype) @ x


def _cubic(distance: torch.Tensor) -> torch.Tensor:
    """Weigh a frame at a distance of up to 2 (Keys, IEEE ASSP 1981)."""
    near = ((CUBIC + 2) * distance - (CUBIC + 3)) * distance.square() + 1
    far = CUBIC * (((distance - 5) * distance + 8) * distance - 4)
    return torch.where(distance <= 1, near, far)
