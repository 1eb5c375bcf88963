"""Encoder and tasks in one module: encode once, ask the active tasks."""

import dataclasses
from collections.abc import Iterable

import torch
from torch import nn

from speechbrain_mtl.models import Encoded, Encoder
from speechbrain_mtl.tasks import FrameLabels, Inputs, Task
from speechbrain_mtl.workers import WorkerBank
from speechbrain_mtl.workers.analysis import valid_samples


class MultiTaskModel(nn.Module):
    """A shared encoder and its tasks.

    One module, not one a task: under DDP a single wrapped forward sees every
    parameter of the step.

    Arguments
    ---------
    encoder : Encoder
        Shared by all tasks.
    tasks : dict
        Task modules by name.
    bank : WorkerBank, optional
        Labels for the tasks that name a worker, computed once a batch.

    Raises
    ------
    ValueError
        When a task wants labels that no worker of the bank makes, hidden
        frames that the encoder does not hide, or a layer it does not have.
    """

    def __init__(
        self,
        encoder: Encoder,
        tasks: dict[str, Task],
        bank: WorkerBank | None = None,
    ) -> None:
        super().__init__()
        known = set(bank) if bank is not None else set()
        for name, task in tasks.items():
            if task.worker is not None and task.worker not in known:
                raise ValueError(
                    f"task '{name}' wants labels of worker '{task.worker}'; "
                    f"the bank has {sorted(known)}"
                )
            if task.predicts_hidden and not encoder.can_hide:
                raise ValueError(
                    f"task '{name}' predicts hidden frames, and "
                    f"{type(encoder).__name__} cannot hide any; use an encoder "
                    "of waveforms such as Wav2Vec2Encoder"
                )
            if (task.deepest or 0) >= len(encoder.dims):
                raise ValueError(
                    f"task '{name}' reads layer {task.deepest}; the highest "
                    f"of {type(encoder).__name__} is {len(encoder.dims) - 1}"
                )
        self.encoder = encoder
        self.tasks = nn.ModuleDict(tasks)
        self.bank = bank

    def inputs(
        self,
        wavs: torch.Tensor,
        lens: torch.Tensor,
        active: Iterable[str],
        batch: object = None,
    ) -> Inputs:
        """Compute the labels that the active tasks want, once."""
        wanted = {self.tasks[name].worker for name in active} - {None}
        if not wanted:
            return Inputs(wavs, lens, {}, batch)
        samples = valid_samples(wavs, lens)
        # Labels are measurements: autocast would round them to bf16.
        with torch.autocast(wavs.device.type, enabled=False):
            bank = WorkerBank({name: self.bank[name] for name in wanted})
            values = bank(wavs, lens)
        labels = {}
        for name, value in values.items():
            worker = self.bank[name]
            labels[name] = FrameLabels(
                value, worker.frame_lens(samples), worker.hop, worker.offset
            )
        return Inputs(wavs, lens, labels, batch)

    @torch.no_grad()
    def calibrate(
        self, wavs: torch.Tensor, lens: torch.Tensor, batch: object = None
    ) -> None:
        """Add one batch to every statistic of inputs and targets."""
        self.encoder.calibrate(wavs, lens)
        inputs = self.inputs(wavs, lens, self.tasks, batch)
        for task in self.tasks.values():
            task.calibrate(inputs)

    def forward(
        self,
        wavs: torch.Tensor,
        lens: torch.Tensor,
        active: Iterable[str],
        batch: object = None,
    ) -> tuple[dict[str, torch.Tensor], Encoded]:
        """Encode a batch once and compute the active tasks' losses.

        Arguments
        ---------
        wavs : torch.Tensor
            [B, T], 16 kHz.
        lens : torch.Tensor
            Relative lengths, [B].
        active : iterable of str
            Names of the tasks to run; the others are not executed.
        batch : object
            The padded batch, for tasks with labels of their own.

        Returns
        -------
        losses : dict
            A scalar a task.
        encoded : Encoded
            What the tasks read.
        """
        encoded = self.encoder(wavs, lens, **self._wanted(active))
        inputs = self.inputs(wavs, lens, active, batch)
        losses = {
            name: self.tasks[name](encoded, self._of(name, inputs))
            for name in active
        }
        return losses, encoded

    def _wanted(self, active: Iterable[str]) -> dict:
        """What to ask of the encoder for these tasks, and no more."""
        tasks = [self.tasks[name] for name in active]
        wanted: dict[str, bool | int] = {}
        if any(task.predicts_hidden for task in tasks):
            # Also when validating: else there is nothing to predict.
            wanted["hide"] = True
        elif self.encoder.can_hide and not all(t.allows_hidden for t in tasks):
            wanted["hide"] = False
        depths = [task.deepest for task in tasks]
        if self.encoder.can_stop and depths and None not in depths:
            wanted["depth"] = max(depths)
        return wanted

    def predict(
        self, encoded: Encoded, inputs: Inputs, active: Iterable[str]
    ) -> dict[str, list]:
        """Ask supervised tasks for their answers, one an item.

        Arguments
        ---------
        encoded : Encoded
            What `forward` gave.
        inputs : Inputs
            Of the same batch.
        active : iterable of str
            The tasks to ask.

        Returns
        -------
        predictions : dict
            A list of answers by task.
        """
        return {
            name: self.tasks[name].predict(encoded, self._of(name, inputs))
            for name in active
        }

    def _of(self, name: str, inputs: Inputs) -> Inputs:
        """Inputs with the target of one task, where the batch has it."""
        target = getattr(inputs.batch, f"target_{name}", None)
        return dataclasses.replace(inputs, target=target)

    def measured(self, active: Iterable[str]) -> dict[str, torch.Tensor]:
        """Give what the active tasks measured last, as "task/what"."""
        return {
            f"{name}/{what}": value
            for name in active
            for what, value in self.tasks[name].measured.items()
        }


def unwrapped(model: nn.Module) -> "MultiTaskModel":
    """Give the model beneath what DDP and torch.compile put around it.

    Arguments
    ---------
    model : nn.Module
        A `MultiTaskModel`, wrapped by either, both, or none.

    Returns
    -------
    model : MultiTaskModel

    Example
    -------
    >>> from speechbrain_mtl.models import ContextFbank
    >>> model = MultiTaskModel(ContextFbank(), {})
    >>> unwrapped(torch.compile(model)) is model
    True
    """
    model = getattr(model, "module", model)
    return getattr(model, "_orig_mod", model)
