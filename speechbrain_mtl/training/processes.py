"""Means over the processes of a run; nothing happens where there is one."""

from collections.abc import Iterable

import torch
from torch import distributed


def mean_over_processes(values: torch.Tensor) -> torch.Tensor:
    """Average a tensor over processes, in place.

    Arguments
    ---------
    values : torch.Tensor
        Of the same shape in every process.

    Returns
    -------
    values : torch.Tensor
        The same tensor; unchanged without a process group.

    Example
    -------
    >>> mean_over_processes(torch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    if distributed.is_initialized() and distributed.get_world_size() > 1:
        # gloo knows no mean.
        distributed.all_reduce(values)
        values /= distributed.get_world_size()
    return values


def average_tensors(tensors: Iterable[torch.Tensor]) -> None:
    """Average many tensors over processes in place, in one exchange.

    Arguments
    ---------
    tensors : iterable of torch.Tensor
        In the same order in every process.
    """
    tensors = list(tensors)
    alone = not distributed.is_initialized() or (
        distributed.get_world_size() == 1
    )
    if alone or not tensors:
        return
    joined = torch.cat([tensor.flatten() for tensor in tensors])
    parts = mean_over_processes(joined).split([t.numel() for t in tensors])
    for tensor, part in zip(tensors, parts):
        tensor.copy_(part.view_as(tensor))


def as_first_process(values: torch.Tensor) -> torch.Tensor:
    """Give every process what the first one has, in place.

    Arguments
    ---------
    values : torch.Tensor
        Of the same shape in every process.

    Returns
    -------
    values : torch.Tensor
        The same tensor.
    """
    if distributed.is_initialized() and distributed.get_world_size() > 1:
        distributed.broadcast(values, src=0)
    return values
