"""What a task is: head, target and loss on top of an encoded batch."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from speechbrain_mtl.models import Encoded


@dataclass
class FrameLabels:
    """What a worker says of a batch, and when.

    Arguments
    ---------
    values : torch.Tensor
        [B, F, D]; 0 in padding.
    lens : torch.Tensor
        Valid frames, absolute, [B].
    hop, offset : float
        Seconds between frame centres, and the first centre.
    """

    values: torch.Tensor
    lens: torch.Tensor
    hop: float
    offset: float


@dataclass
class Inputs:
    """What a task may look at besides the encoder's output.

    Arguments
    ---------
    wavs : torch.Tensor
        [B, T], 16 kHz.
    lens : torch.Tensor
        Relative lengths, [B].
    labels : dict
        `FrameLabels` by worker, computed once a batch.
    batch : object
        The padded batch itself, for tasks with labels of their own.
    target : PaddedData, optional
        What the task that is asked made of the manifest: ``data`` [B, N] and
        relative ``lengths`` [B], from the batch's ``target_<task>``.
    teaching : Teaching, optional
        What the task's ``teacher`` says of the utterances.
    """

    wavs: torch.Tensor
    lens: torch.Tensor
    labels: dict[str, FrameLabels] = field(default_factory=dict)
    batch: Any = None
    target: Any = None
    teaching: "Teaching | None" = None


class Task(nn.Module):
    """One objective over a shared encoder.

    A task knows nothing of other tasks, of its weight, or of the loop.
    Subclasses define ``forward(encoded, inputs) -> loss``, a scalar that is a
    mean over valid frames or items, so that it does not depend on padding or
    batch size. ``worker`` names the worker whose labels it wants, if any.
    A task that `predicts_hidden` frames needs an encoder that hides some; one
    that sets `allows_hidden` to False sees all frames, unless it shares a
    batch with one that predicts them. ``deepest`` is the highest encoder layer
    it reads, from 1, or None for the whole encoder: layers that no active task
    reads are not run. ``teacher`` names the task of the same run that it learns
    from, if any: see `Teaching`. What a call measures besides the loss, it leaves in
    ``measured``: scalars, that are logged as means.
    """

    worker: str | None = None
    predicts_hidden = False
    allows_hidden = True
    deepest: int | None = None
    teacher: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.measured: dict[str, torch.Tensor] = {}

    def calibrate(self, inputs: Inputs) -> None:
        """Collect target statistics from one batch before training."""

    def advice(self, means: dict[str, float]) -> str | None:
        """Say what to do when what was measured lately means trouble."""

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Compute the scalar loss of one batch."""
        raise NotImplementedError(f"{type(self).__name__} defines no loss")


@dataclass
class Teaching:
    """A task of the run, and what it says without learning.

    Arguments
    ---------
    task : Task
        The one that is named as ``teacher``; it is trained elsewhere, too.
    log_probs : torch.Tensor
        What it says of the utterances in eval mode, [B, F, V].
    lens : torch.Tensor
        Valid frames, [B].
    """

    task: Task
    log_probs: torch.Tensor
    lens: torch.Tensor


def frame_head(input_size: int, hidden_size: int, dim: int) -> nn.Sequential:
    """Make the head of the pretext tasks: Linear, LeakyReLU, Linear.

    Nothing follows the last layer: z-scored targets are negative half of the
    time.
    """
    return nn.Sequential(
        nn.Linear(input_size, hidden_size),
        nn.LeakyReLU(),
        nn.Linear(hidden_size, dim),
    )
