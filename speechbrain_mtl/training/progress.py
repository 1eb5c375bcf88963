"""What a run has done so far, and its log: both survive a kill."""

import json
import os
from pathlib import Path

import torch
from speechbrain.utils.checkpoints import (
    mark_as_loader,
    mark_as_saver,
    register_checkpoint_hooks,
)

from speechbrain_mtl.data.atomic import atomic_path, write_json


class LossMeter:
    """Mean of task losses over seconds of audio, kept on the device.

    Sums stay tensors until `result` is called, so that a training step never
    waits for the device.
    """

    def __init__(self) -> None:
        self.totals: dict[str, torch.Tensor] = {}
        self.seconds: dict[str, float] = {}

    def add(self, losses: dict[str, torch.Tensor], seconds: float) -> None:
        """Add a batch's losses, weighted by its audio."""
        for name, loss in losses.items():
            total = loss.detach().float() * seconds
            if name in self.totals:
                total = total + self.totals[name].to(total.device)
            self.totals[name] = total
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def result(self) -> dict[str, float]:
        """Give the means and start anew."""
        means = {
            name: float(total) / self.seconds[name]
            for name, total in self.totals.items()
        }
        self.__init__()
        return means


@register_checkpoint_hooks
class Progress:
    """Steps and audio seen, and what is measured but not yet logged.

    Audio counted on a device, as a sum over processes is, stays there until
    `hours` is read.

    Example
    -------
    >>> progress = Progress()
    >>> progress.advance({"f0": torch.tensor(2.0)}, seconds=7.2)
    >>> progress.steps, progress.hours
    (1, 0.002)
    """

    def __init__(self) -> None:
        self.steps = 0
        self._hours: float | torch.Tensor = 0.0
        self.meter = LossMeter()
        self.shares: dict[str, torch.Tensor] = {}
        #: Steps that a task was left out of, its loss not being finite.
        self.skipped: dict[str, int] = {}

    @property
    def hours(self) -> float:
        """Audio seen, of all processes."""
        return float(self._hours)

    def advance(
        self,
        losses: dict[str, torch.Tensor],
        seconds: float,
        of_all: float | torch.Tensor | None = None,
    ) -> None:
        """Count one training step.

        Arguments
        ---------
        losses : dict
            And whatever else was measured; scalars of this process.
        seconds : float
            Of audio that they were measured on.
        of_all : float or torch.Tensor, optional
            Seconds of all processes, where there are others.
        """
        self.steps += 1
        self._hours += (seconds if of_all is None else of_all) / 3600
        self.meter.add(losses, seconds)

    @mark_as_saver
    def save(self, path: str) -> None:
        """Write the state; losses lie in the file as exact float32 values."""
        totals = {name: float(t) for name, t in self.meter.totals.items()}
        state = {
            "steps": self.steps,
            "hours": self.hours,
            "totals": totals,
            "seconds": self.meter.seconds,
            "shares": {name: float(s) for name, s in self.shares.items()},
            "skipped": self.skipped,
        }
        write_json(path, state)

    @mark_as_loader
    def load(self, path: str, end_of_epoch: bool) -> None:
        """Read the state back."""
        state = json.loads(Path(path).read_text())
        self.steps, self._hours = state["steps"], state["hours"]
        totals = state["totals"].items()
        self.meter.totals = {n: torch.tensor(t) for n, t in totals}
        self.meter.seconds = state["seconds"]
        self.shares = {n: torch.tensor(s) for n, s in state["shares"].items()}
        self.skipped = state["skipped"]


class JsonLinesLog:
    """One JSON object a line: what happened at which step.

    Arguments
    ---------
    path : str or path-like
        The file; appended to.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)

    def append(self, entry: dict) -> None:
        """Write one line and flush it to the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def entries(self) -> list[dict]:
        """Read all whole lines; a line cut short by a kill is left out."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def rewind(self, step: int) -> None:
        """Drop what was written after `step`, before repeating it."""
        kept = [entry for entry in self.entries() if entry["step"] <= step]
        with atomic_path(self.path) as temporary:
            text = "".join(json.dumps(entry) + "\n" for entry in kept)
            temporary.write_text(text, encoding="utf-8")
