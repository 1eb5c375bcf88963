"""A recursive filter without a loop over time."""

import functools

import torch

BLOCK = 64


@functools.lru_cache
def decay(
    length: int, pole: float, step: int, device: torch.device
) -> torch.Tensor:
    """Lower-triangular ``pole ** (step * (i - j))``, [length, length]."""
    index = torch.arange(length, dtype=torch.float64)
    apart = index[:, None] - index
    table = pole ** (step * apart.clamp(min=0))
    return torch.where(apart >= 0, table, 0.0).float().to(device)


def one_pole(values: torch.Tensor, pole: float) -> torch.Tensor:
    """Run ``y[t] = x[t] + pole * y[t - 1]`` from ``y[-1] = 0``.

    Exact in two products: inside blocks of 64 frames, then the state that
    every block inherits from the blocks before it.

    Arguments
    ---------
    values : torch.Tensor
        x, [B, F, D].
    pole : float
        In [0, 1).

    Returns
    -------
    filtered : torch.Tensor
        y, [B, F, D].

    Example
    -------
    >>> impulse = torch.tensor([1.0, 0, 0])[None, :, None]
    >>> one_pole(impulse, 0.5).flatten()
    tensor([1.0000, 0.5000, 0.2500])
    """
    batch, frames, dim = values.shape
    device = values.device
    blocks = -(-frames // BLOCK)
    spare = blocks * BLOCK - frames
    values = torch.nn.functional.pad(values, (0, 0, 0, spare))
    values = values.view(batch, blocks, BLOCK, dim)
    inside = decay(BLOCK, pole, 1, device)
    filtered = inside @ values
    ends = decay(blocks, pole, BLOCK, device) @ filtered[:, :, -1]
    inherited = torch.nn.functional.pad(ends[:, :-1], (0, 0, 1, 0))
    fade = pole * inside[:, 0]
    filtered = filtered + inherited[:, :, None] * fade[:, None]
    return filtered.view(batch, -1, dim)[:, :frames]
