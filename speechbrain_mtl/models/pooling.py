"""From frames to one vector an utterance; padding does not count."""

import torch

from speechbrain_mtl.models.encoder import frame_mask

POOLINGS = ("mean", "stats")


def pool_frames(
    x: torch.Tensor, lens: torch.Tensor, pooling: str = "mean"
) -> torch.Tensor:
    """Summarise the valid frames of each item.

    Arguments
    ---------
    x : torch.Tensor
        [B, F, D].
    lens : torch.Tensor
        Valid frames, absolute, [B].
    pooling : str
        ``"mean"``, or ``"stats"`` for means followed by standard deviations.

    Returns
    -------
    pooled : torch.Tensor
        [B, D] or [B, 2 D], float32.

    Raises
    ------
    ValueError
        When the pooling is unknown.

    Example
    -------
    >>> x = torch.tensor([[[1.0], [3.0], [9.0]]])
    >>> pool_frames(x, torch.tensor([2]), "stats")
    tensor([[2., 1.]])
    """
    if pooling not in POOLINGS:
        raise ValueError(f"pooling '{pooling}' is none of {list(POOLINGS)}")
    # Sums over many frames: bf16 would lose them.
    mask = frame_mask(lens, x.shape[1])[..., None]
    x = x.float().masked_fill(~mask, 0.0)
    count = lens.clamp(min=1)[:, None]
    mean = x.sum(dim=1) / count
    if pooling == "mean":
        return mean
    spread = (x - mean[:, None]).masked_fill(~mask, 0.0).square().sum(dim=1)
    # The gradient of a root is infinite at 0: a single frame has no spread.
    return torch.cat([mean, (spread / count).clamp(min=1e-10).sqrt()], dim=-1)
