"""Losses that are no numbers: left out, so that training goes on."""

from collections.abc import Iterable, Mapping

import torch
from torch import distributed


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


def zero_of(losses: Iterable[torch.Tensor]) -> torch.Tensor:
    """Make a loss of 0 that touches every parameter that some losses reach.

    DDP waits for a gradient of each parameter that its forward has used, also
    of a task that is left out, and for none of any other.

    Arguments
    ---------
    losses : iterable of torch.Tensor
        Scalars with their graphs, at least one.

    Returns
    -------
    zero : torch.Tensor
        A scalar; its gradients are 0 where those of the losses would be no
        numbers.

    Example
    -------
    >>> from torch import nn
    >>> used, unused = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> zero_of([used(torch.ones(1)).sum() * float("nan")]).backward()
    >>> used.weight.grad, unused.weight.grad
    (tensor([[0.]]), None)
    """
    losses = list(losses)
    zero = losses[0].new_zeros((), dtype=torch.float32)
    waiting = [loss.grad_fn for loss in losses]
    seen = {None}
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):  # a leaf
            zero = zero + 0.0 * node.variable.flatten()[:1].sum()
        waiting += [before for before, _ in node.next_functions]
    return zero
