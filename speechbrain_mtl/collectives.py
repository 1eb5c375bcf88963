"""Sums and rows over the processes of a run, with gradients.

Both are exact adjoints: where every process's loss is averaged, as DDP does,
gradients are those of one process with the joint batch.
"""

import torch
from torch import distributed


def several_processes() -> bool:
    """Tell whether there are other processes to speak to."""
    return distributed.is_initialized() and distributed.get_world_size() > 1


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: object, grad: torch.Tensor) -> torch.Tensor:
        grad = grad.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(grad)
        return grad


def sum_over_processes(x: torch.Tensor) -> torch.Tensor:
    """Add a tensor up over processes; gradients flow to all of them.

    Arguments
    ---------
    x : torch.Tensor
        Of the same shape in every process.

    Returns
    -------
    total : torch.Tensor
        Of that shape; `x` itself without a process group.

    Example
    -------
    >>> sum_over_processes(torch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return _Sum.apply(x) if several_processes() else x


def gather_rows(x: torch.Tensor) -> torch.Tensor:
    """Join the rows of all processes; gradients flow to all of them.

    Arguments
    ---------
    x : torch.Tensor
        [B, ...]; B may differ between processes.

    Returns
    -------
    rows : torch.Tensor
        [N, ...], process after process, the same in all; `x` itself without a
        process group.

    Example
    -------
    >>> gather_rows(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    if not several_processes():
        return x
    rank = distributed.get_rank()
    places = range(distributed.get_world_size())
    own = [len(x) if place == rank else 0 for place in places]
    counts = torch.tensor(own, device=x.device)
    distributed.all_reduce(counts)
    counts = counts.tolist()
    # Every process adds its rows to zeros in the place of all others'.
    before = x.new_zeros(sum(counts[:rank]), *x.shape[1:])
    after = x.new_zeros(sum(counts[rank + 1 :]), *x.shape[1:])
    return sum_over_processes(torch.cat([before, x, after]))
