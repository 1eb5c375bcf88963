"""Losses that are no numbers: left out, so that training goes on."""

from collections.abc import Mapping

import torch
from torch import distributed, nn


def not_finite(losses: Mapping[str, torch.Tensor]) -> list[str]:
    """Name the tasks whose loss is NaN or infinite, in any process.

    Waits for the device once, in place of SpeechBrain's own check of the sum.

    Arguments
    ---------
    losses : dict
        A scalar a task; the same tasks in every process.

    Returns
    -------
    names : list of str
        The same in every process.

    Example
    -------
    >>> nan = torch.tensor(float("nan"))
    >>> not_finite({"asr": nan, "sid": torch.tensor(2.0)})
    ['asr']
    """
    bad = torch.stack([~loss.detach().isfinite() for loss in losses.values()])
    bad = bad.float()
    if distributed.is_initialized() and distributed.get_world_size() > 1:
        distributed.all_reduce(bad)
    return [name for name, found in zip(losses, bad.tolist()) if found]


def zero_of(module: nn.Module) -> torch.Tensor:
    """Make a loss of 0 that touches every trained parameter.

    DDP waits for a gradient of each parameter that its forward has used, also
    of a task that is left out.

    Example
    -------
    >>> layer = nn.Linear(1, 1)
    >>> zero_of(layer).backward()
    >>> layer.weight.grad
    tensor([[0.]])
    """
    used = [p.flatten()[:1].sum() for p in module.parameters()]
    return 0.0 * torch.stack(used).sum()
