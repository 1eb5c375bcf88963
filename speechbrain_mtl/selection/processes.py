"""Several processes share one computation, and all get the whole result.

Work is cut into numbered pieces, whatever the number of processes; each takes
every so-manieth piece, and writes its results into a table that is zero
elsewhere. Tables are then added up over processes. As every piece is worked on
by one process alone, the sum is exact, and the result is that of one process.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
import torch.distributed as dist

Piece = TypeVar("Piece")


_sharing = False


def world() -> int:
    """Count the processes that share the work.

    Returns
    -------
    count : int
        1 outside `several_processes`, even where torch.distributed is in use:
        a training may well select in its first process alone.

    Example
    -------
    >>> world()
    1
    """
    return dist.get_world_size() if _sharing else 1


def rank() -> int:
    """Number of this process, from 0.

    Returns
    -------
    number : int

    Example
    -------
    >>> rank()
    0
    """
    return dist.get_rank() if world() > 1 else 0


def mine(pieces: Sequence[Piece]) -> list[tuple[int, Piece]]:
    """Choose this process's pieces.

    Arguments
    ---------
    pieces : sequence
        The same in all processes.

    Returns
    -------
    numbered : list of tuple
        Number of each piece, and the piece.

    Example
    -------
    >>> mine(["a", "b"])
    [(0, 'a'), (1, 'b')]
    """
    return list(enumerate(pieces))[rank() :: world()]


def total(table: torch.Tensor) -> torch.Tensor:
    """Add up a table over all processes, each of which must call this.

    Arguments
    ---------
    table : torch.Tensor
        Of one shape in all processes.

    Returns
    -------
    sum : torch.Tensor
        The same in all processes, on the table's device.

    Example
    -------
    >>> total(torch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    if world() == 1:
        return table
    summed = table.cpu() if dist.get_backend() == "gloo" else table.clone()
    dist.all_reduce(summed)
    return summed.to(table.device)


@contextlib.contextmanager
def several_processes() -> Iterator[None]:
    """Let the processes that ``torchrun`` started share the work inside.

    All of them must enter, and do the same. Does nothing in a single process.
    Where torch.distributed is not in use yet, tables travel over its "gloo"
    backend, which needs no GPU.

    Example
    -------
    >>> with several_processes():
    ...     world()
    1
    """
    global _sharing
    if int(os.environ.get("WORLD_SIZE", 1)) < 2:
        yield
        return
    ours = not dist.is_initialized()
    if ours:
        dist.init_process_group("gloo")
    _sharing = True
    try:
        yield
    finally:
        _sharing = False
        if ours:
            dist.destroy_process_group()
