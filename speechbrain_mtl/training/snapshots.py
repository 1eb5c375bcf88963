"""Weights of validated moments, kept while any rule might choose them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch

from speechbrain_mtl.data.atomic import atomic_path, write_json


class Snapshots:
    """Keep the weights of every validation that no other beats throughout.

    What another validation equals or beats on every task can be first by no
    rule that reads the tasks' errors: neither by their mean, nor by ranks,
    nor as the best of a task. The last few are kept as well, to be averaged.

    Arguments
    ---------
    folder : str or path-like
        Gets ``<epoch>.ckpt`` and ``validations.json`` with all that was
        measured, also of what is no longer there.
    last : int
        How many of the last to keep in any case.

    Example
    -------
    >>> kept = Snapshots(getfixture("tmp_path"), last=1)
    >>> kept.add(1, {}, {"asr": 0.5, "sid": 0.5})
    >>> kept.add(2, {}, {"asr": 0.4, "sid": 0.4})
    >>> kept.add(3, {}, {"asr": 0.6, "sid": 0.3})
    >>> list(kept.errors()), kept.there()
    ([1, 2, 3], [2, 3])
    """

    def __init__(self, folder: str | os.PathLike, last: int = 1) -> None:
        self.folder = Path(folder)
        self.last = last

    def add(
        self,
        epoch: int,
        state: Mapping[str, torch.Tensor],
        errors: Mapping[str, float],
        values: Mapping[str, float] | None = None,
    ) -> None:
        """Keep one validation; a second of the same epoch replaces it.

        Arguments
        ---------
        epoch : int
            Counted from 1.
        state : dict
            What to keep.
        errors : dict
            By task; lower is better.
        values : dict, optional
            What else was measured, by "task/metric".
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self._path(epoch)) as temporary:
            torch.save(dict(state), temporary)
        # A resumed run repeats what came after its checkpoint.
        known = {e: found for e, found in self._known().items() if e < epoch}
        known[epoch] = {"errors": dict(errors), "values": dict(values or {})}
        write_json(self.folder / "validations.json", known)
        by_epoch = self.errors()
        kept = set(front(by_epoch)) | set(sorted(by_epoch)[-self.last :])
        for path in self.folder.glob("*.ckpt"):
            if int(path.stem) not in kept:
                path.unlink()

    def errors(self) -> dict[int, dict[str, float]]:
        """Give the errors of all validations, by epoch."""
        return {e: found["errors"] for e, found in self._known().items()}

    def values(self, epoch: int) -> dict[str, float]:
        """Give what was measured at one validation, by "task/metric"."""
        return self._known()[epoch]["values"]

    def _known(self) -> dict[int, dict]:
        path = self.folder / "validations.json"
        if not path.exists():
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
        return {int(epoch): one for epoch, one in found.items()}

    def there(self) -> list[int]:
        """List the epochs whose weights are kept."""
        return sorted(int(path.stem) for path in self.folder.glob("*.ckpt"))

    def load(self, epoch: int) -> dict[str, torch.Tensor]:
        """Read the weights of an epoch, onto the host."""
        return torch.load(
            self._path(epoch), map_location="cpu", weights_only=True
        )

    def _path(self, epoch: int) -> Path:
        return self.folder / f"{epoch}.ckpt"


def front(errors: Mapping[int, Mapping[str, float]]) -> list[int]:
    """List the epochs that no other equals or beats on every task.

    Of equals the first stays.

    Example
    -------
    >>> front(
    ...     {
    ...         1: {"a": 1.0, "b": 2.0},
    ...         2: {"a": 2.0, "b": 1.0},
    ...         3: {"a": 2.0, "b": 2.0},
    ...         4: {"a": 1.0, "b": 2.0},
    ...     }
    ... )
    [1, 2]
    """
    epochs = list(errors)
    table = torch.tensor([list(errors[e].values()) for e in epochs])
    table = table.double()
    better = (table[:, None] <= table[None]).all(dim=-1)
    number = torch.arange(len(epochs))
    same = better & better.T
    # Equal rows beat those that follow, not each other.
    beaten = better & (~same | (number[:, None] < number))
    return [e for e, lost in zip(epochs, beaten.any(dim=0)) if not lost]
