"""Which tasks pull the encoder the same way, measured during one run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from speechbrain_mtl.training.packed_model import PackedModel
from speechbrain_mtl.training.packing import PackedBatch


@dataclass
class Affinity:
    """What the tasks of one batch do to each other.

    Arguments
    ---------
    tasks : list of str
        In the order of rows and columns.
    cosines : torch.Tensor
        [K, K]: of the tasks' gradients of the encoder.
    lookahead : torch.Tensor
        [K, K]: by what share a step for the task of the row lowers the loss
        of the column's; below 0 it raises it.
    """

    tasks: list[str]
    cosines: torch.Tensor
    lookahead: torch.Tensor


def task_affinity(
    model: PackedModel,
    batch: PackedBatch,
    active: Sequence[str],
    step: float = 1e-3,
    seed: int = 0,
) -> Affinity:
    """Measure gradients' cosines, and what a step for each task does to all.

    As the inter-task affinity of "Efficiently Identifying Task Groupings for
    Multi-Task Learning", https://arxiv.org/abs/2109.04617, but with steps of
    one length for all tasks, so that tasks with large losses do not seem to
    matter more. It leaves parameters, statistics and random draws as they
    were, and costs a forward and a backward pass a task.

    Arguments
    ---------
    model : PackedModel
        With an encoder that is trained.
    batch : PackedBatch
        On the model's device.
    active : sequence of str
        Tasks that it has utterances of.
    step : float
        Length of a step, as a share of the norm of the encoder's weights.
    seed : int
        All passes drop the same units.

    Returns
    -------
    affinity : Affinity
        On the host.
    """
    shared = [p for p in model.encoder.parameters() if p.requires_grad]
    with _undisturbed(model, batch.packs[0].wavs.device):
        losses = _losses(model, batch, active, seed)
        values = torch.stack(list(losses.values())).detach()
        rows = []
        for number, loss in enumerate(losses.values()):
            grads = torch.autograd.grad(
                loss,
                shared,
                retain_graph=number + 1 < len(losses),
                allow_unused=True,
            )
            flat = [
                torch.zeros_like(p) if g is None else g
                for p, g in zip(shared, grads)
            ]
            rows.append(torch.cat([g.flatten().float() for g in flat]))
        rows = torch.stack(rows)
        norms = rows.norm(dim=1)
        products = rows @ rows.T
        scale = products.diagonal().sqrt()
        # A task that does not reach the encoder agrees with none.
        cosines = (products / (scale[:, None] * scale)).nan_to_num()
        del losses
        start = torch.cat([p.detach().flatten() for p in shared])
        length = step * start.norm()
        lookahead = []
        for row, norm in zip(rows, norms.clamp(min=1e-30)):
            _set(shared, start - (length / norm * row).to(start.dtype))
            with torch.no_grad():
                found = _losses(model, batch, active, seed)
            after = torch.stack(list(found.values()))
            # A task that has nothing to learn in this batch gains nothing.
            share = 1 - after / values
            lookahead.append(torch.where(values == 0, 0.0, share))
        _set(shared, start)
    found = torch.stack(lookahead)
    return Affinity(list(active), cosines.cpu(), found.cpu())


def _losses(
    model: PackedModel, batch: PackedBatch, active: Sequence[str], seed: int
) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    losses, _ = model(batch, active)
    return {name: loss.float() for name, loss in losses.items()}


@torch.no_grad()
def _set(parameters: Sequence[nn.Parameter], flat: torch.Tensor) -> None:
    parts = flat.split([p.numel() for p in parameters])
    for parameter, part in zip(parameters, parts):
        parameter.copy_(part.view_as(parameter))


@contextmanager
def _undisturbed(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Give back running statistics and random states afterwards."""
    buffers = [(b, b.clone()) for b in model.buffers()]
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        yield
    for buffer, before in buffers:
        buffer.copy_(before)
    # Nothing to load, but tasks that know a buffer's value look again.
    model.load_state_dict({}, strict=False)
