"""From the time of labels to the time of encoder frames."""

import torch


def align(
    labels: torch.Tensor,
    frame_lens: torch.Tensor,
    hop: float,
    offset: float,
    to_hop: float,
    to_offset: float,
    to_lens: torch.Tensor,
    to_frames: int,
    nearest: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Read labels at the centre of each encoder frame.

    Values between two label frames are interpolated linearly. An encoder
    that is slower than the labels (20 ms against 10 ms) still gets the
    value at its centre, not an average over its hop: a label frame is
    itself made of 20 ms or more of signal, so averaging again would only
    blur onsets.

    Arguments
    ---------
    labels : torch.Tensor
        Labels, [B, F, D].
    frame_lens : torch.Tensor
        Valid label frames, [B].
    hop, offset : float
        Seconds between label frames; centre of the first.
    to_hop, to_offset : float
        The same of the encoder.
    to_lens : torch.Tensor
        Valid encoder frames, [B].
    to_frames : int
        Encoder frames of the padded batch.
    nearest : bool
        Take the nearest label frame as it is, for integer labels.

    Returns
    -------
    aligned : torch.Tensor
        [B, to_frames, D], zeros where the mask is false.
    mask : torch.Tensor
        bool [B, to_frames]: encoder frames that are valid and lie inside
        the labelled span, widened by half a label hop on both sides (there
        the first or last label holds).

    Raises
    ------
    ValueError
        When a hop is not positive or the shapes do not fit.

    Example
    -------
    >>> labels = torch.arange(4.0)[None, :, None]
    >>> aligned, mask = align(
    ...     labels,
    ...     torch.tensor([4]),
    ...     0.01,
    ...     0.01,
    ...     0.02,
    ...     0.0125,
    ...     torch.tensor([3]),
    ...     3,
    ... )
    >>> aligned.flatten(), mask
    (tensor([0.2500, 2.2500, 0.0000]), tensor([[ True,  True, False]]))
    """
    if hop <= 0 or to_hop <= 0:
        raise ValueError(f"hops must be positive, got {hop} and {to_hop}")
    if labels.dim() != 3 or not (
        len(labels) == len(frame_lens) == len(to_lens)
    ):
        raise ValueError(
            "expected labels [batch, frames, dim] and two length vectors "
            f"[batch], got {list(labels.shape)}, {list(frame_lens.shape)} "
            f"and {list(to_lens.shape)}"
        )
    index = torch.arange(to_frames, device=labels.device)
    # Double precision: an hour has more frames than float32 has steps.
    place = (to_offset - offset + index.double() * to_hop) / hop
    last = (frame_lens[:, None] - 1).to(labels.device)
    slack = 0.5 + 1e-6
    mask = (place >= -slack) & (place <= last + slack)
    mask &= index < to_lens[:, None].to(labels.device)

    place = place.clamp(min=0).minimum(last)
    left = (place + 0.5 * nearest).floor().long()
    aligned = take(labels, left)
    if not nearest:
        weight = (place - left)[..., None].to(labels.dtype)
        right = take(labels, (left + 1).minimum(last))
        aligned = torch.lerp(aligned, right, weight)
    return torch.where(mask[..., None], aligned, 0), mask


def take(labels: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Take frames [B, G] of labels [B, F, D], giving [B, G, D]."""
    return labels.gather(1, index[..., None].expand(-1, -1, labels.shape[2]))
