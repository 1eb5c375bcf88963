"""How several task losses become one update."""

from collections.abc import Iterable

import torch
from torch import nn

from speechbrain_mtl.training.processes import (
    average_tensors,
    mean_over_processes,
)


class Weighting(nn.Module):
    """What training asks of every way to weigh tasks.

    In a training step `observe` comes first, then `forward` for the number to
    report, then `backward`. Validation calls `forward` alone, which changes
    nothing. What is learnt or remembered is in the state dict, with the names
    of the tasks; parameters, if any, belong into the optimiser, without
    weight decay.

    Arguments
    ---------
    tasks : iterable of str
        Names of the tasks to train, each once.

    Raises
    ------
    ValueError
        When there is no task, or one twice.
    """

    #: Whether `backward` averages all gradients over processes itself. The
    #: forward of a DDP model then belongs under `no_sync`.
    averages_gradients = False
    #: Factor of every task's loss, for logs; reading it waits for the device.
    weights: dict[str, float]

    def __init__(self, tasks: Iterable[str]) -> None:
        super().__init__()
        self.active = tuple(tasks)
        if not self.active or len(set(self.active)) < len(self.active):
            raise ValueError(
                f"tasks {list(self.active)}: give at least one, each once"
            )

    def observe(self, losses: dict[str, torch.Tensor]) -> None:
        """Remember what later weights depend on; training steps only."""

    def forward(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Make one number of the losses; an unknown task is an error."""
        raise NotImplementedError

    def backward(
        self,
        losses: dict[str, torch.Tensor],
        model: nn.Module,
        scaler: torch.amp.GradScaler | None = None,
        accumulation: int = 1,
        sync: bool = True,
    ) -> None:
        """Add this batch's gradients to ``.grad``.

        Arguments
        ---------
        losses : dict
            A scalar a task, with its graph; the graph is freed.
        model : nn.Module
            What the losses were computed with, wrapped by DDP or not.
        scaler : torch.amp.GradScaler, optional
            Of mixed precision; gradients are left scaled, as it expects.
        accumulation : int
            Batches an update; gradients are divided by it.
        sync : bool
            Whether an update follows: gradients of the weighting's own
            parameters are then averaged over processes.
        """
        total = self(losses) / accumulation
        if scaler is not None:
            total = scaler.scale(total)
        total.backward()
        if sync:
            own = [p.grad for p in self.parameters() if p.grad is not None]
            average_tensors(own)

    def check_known(self, losses: dict[str, torch.Tensor]) -> None:
        """Refuse losses of tasks that are not weighted.

        Arguments
        ---------
        losses : dict
            By task.

        Raises
        ------
        ValueError
            Naming the tasks.
        """
        unknown = sorted(set(losses) - set(self.active))
        if unknown:
            raise ValueError(
                f"no weight for task(s) {unknown}; weighted are "
                f"{sorted(self.active)}"
            )

    def averaged(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Average losses over processes, so that all have the same weights.

        Arguments
        ---------
        losses : dict
            A scalar a task; some tasks may be missing.

        Returns
        -------
        values : torch.Tensor
            [K] in the order of ``active``, without graph, float32; NaN for
            those missing.
        """
        self.check_known(losses)
        device = next(iter(losses.values())).device
        unknown = torch.full((), float("nan"), device=device)
        values = torch.stack(
            [losses.get(n, unknown).detach().float() for n in self.active]
        )
        return mean_over_processes(values)

    def get_extra_state(self) -> dict:
        """Keep the tasks' names: state and parameters are in their order."""
        return {"tasks": list(self.active)}

    def set_extra_state(self, state: dict) -> None:
        """Refuse the state of other tasks."""
        if state["tasks"] != list(self.active):
            raise ValueError(
                f"the checkpoint weighs tasks {state['tasks']}, this run "
                f"{list(self.active)}: go on with the same tasks in the same "
                "order, or start in another output folder"
            )


class FixedWeights(Weighting):
    """Weigh each task by a constant.

    Arguments
    ---------
    weights : dict
        Weight of every task by name, finite and not negative. A task of
        weight 0 is inactive and never executed.

    Raises
    ------
    ValueError
        When a weight is negative or not finite, or all are 0.

    Example
    -------
    >>> weighting = FixedWeights({"f0": 0.25, "mfcc": 1.0, "zcr": 0.0})
    >>> weighting.active
    ('f0', 'mfcc')
    >>> losses = {"f0": torch.tensor(4.0), "mfcc": torch.tensor(2.0)}
    >>> weighting(losses)
    tensor(3.)
    """

    def __init__(self, weights: dict[str, float]) -> None:
        for name, weight in weights.items():
            if not 0 <= weight < float("inf"):
                raise ValueError(
                    f"weight {weight} of task '{name}': weights are finite "
                    "and not negative"
                )
        if not any(weights.values()):
            raise ValueError(
                f"all weights are 0 ({sorted(weights)}): nothing to train"
            )
        super().__init__(name for name, w in weights.items() if w > 0)
        self.weights = {name: float(w) for name, w in weights.items()}

    def forward(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Sum the losses times their weights; an unknown task is an error."""
        self.check_known(losses)
        return torch.stack(
            [self.weights[name] * loss for name, loss in losses.items()]
        ).sum()
