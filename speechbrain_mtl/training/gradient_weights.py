"""Weights from how the tasks' gradients agree, one set for every step."""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from speechbrain_mtl.training.model import unwrapped
from speechbrain_mtl.training.processes import (
    as_first_process,
    average_tensors,
    mean_over_processes,
)
from speechbrain_mtl.training.weighting import Weighting


class GradientWeights(Weighting):
    """Combine the tasks' gradients of shared parameters by an aggregator.

    `backward` computes each task's gradient of the measured parameters, asks
    the aggregator for a weight a task, and adds to ``.grad``: of shared
    parameters, the gradient of the losses summed by these weights; of all
    other parameters, such as the tasks' heads, the plain sum of gradients.

    Gradients are measured in parameters, not in the encoder's output: where
    every task brings utterances of its own, gradients of the output lie in
    different rows and never conflict.

    Measuring all shared parameters costs a backward pass a task, and memory
    of their size in float32 a task. Measuring some of them, say the last
    layers, costs passes down to these only, and then one through all.

    Over several processes, gradients are averaged task by task before they
    are aggregated, at every batch, so that all weigh what one process with
    the joint batch would. All processes must run the same tasks. DDP's own
    averaging is not used: put the forward under its ``no_sync``. A compiled
    encoder needs ``torch._functorch.config.donated_buffer = False``.

    Gradients are aggregated in float32 and without a scaler's factor. Where
    one is not finite, the shared gradient becomes NaN: the step is skipped
    as with other weightings. Where all are 0, so is it.

    Arguments
    ---------
    tasks : iterable of str
        Names of the tasks to train.
    aggregator : nn.Module
        Its ``weighting`` makes weights [K] of gradients [K, P]: of torchjd,
        see `speechbrain_mtl.training.aggregators.aggregator`.
    shared : sequence of str
        Beginnings of the names of shared parameters.
    measured : sequence of str, optional
        Beginnings of the names of those that decide on the weights; all
        shared ones by default.

    Raises
    ------
    ValueError
        When the aggregator gives no weights, or, in `backward`, when no
        parameter has such a name.

    Example
    -------
    >>> class Equal(nn.Module):
    ...     def weighting(self, gradients):
    ...         return gradients.new_full((len(gradients),), 0.5)
    >>> model = nn.ModuleDict({"encoder": nn.Linear(1, 1, bias=False)})
    >>> weighting = GradientWeights(["a", "b"], Equal())
    >>> output = model["encoder"](torch.ones(1, 1)).sum()
    >>> weighting.backward({"a": 4 * output, "b": 2 * output}, model)
    >>> model["encoder"].weight.grad
    tensor([[3.]])
    """

    averages_gradients = True

    def __init__(
        self,
        tasks: Iterable[str],
        aggregator: nn.Module,
        shared: Sequence[str] = ("encoder",),
        measured: Sequence[str] | None = None,
    ) -> None:
        super().__init__(tasks)
        if not hasattr(aggregator, "weighting"):
            raise ValueError(
                f"aggregator {aggregator} gives no weight a task; use one such "
                "as PCGrad, CAGrad, UPGrad, NashMTL or AlignedMTL"
            )
        self.aggregator = aggregator
        self.shared = tuple(shared)
        self.measured = tuple(shared if measured is None else measured)
        self.register_buffer("latest", torch.ones(len(self.active)))

    @property
    def weights(self) -> dict[str, float]:
        """Weights of the last step; 1 before the first."""
        return dict(zip(self.active, self.latest.tolist()))

    def forward(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Sum the losses: a number to report, of which none is minimised."""
        self.check_known(losses)
        return torch.stack([loss.float() for loss in losses.values()]).sum()

    def backward(
        self,
        losses: dict[str, torch.Tensor],
        model: nn.Module,
        scaler: torch.amp.GradScaler | None = None,
        accumulation: int = 1,
        sync: bool = True,
    ) -> None:
        """Add the combined gradients to ``.grad``; see `Weighting.backward`.

        Gradients are averaged over processes whether `sync` is set or not.
        """
        self.check_known(losses)
        # The same order in all processes: they exchange gradients.
        losses = {n: losses[n].float() for n in self.active if n in losses}
        shared, measured, own = self._split(unwrapped(model))
        again = len(measured) < len(shared)
        device = next(iter(losses.values())).device
        factor = torch.ones((), device=device)
        if scaler is not None:
            factor = scaler.scale(factor)
        rows = torch.zeros(
            len(losses), sum(p.numel() for p in measured), device=device
        )
        plain: list[torch.Tensor | None] = [None] * len(own)
        reached = [False] * len(measured)
        for number, loss in enumerate(losses.values()):
            found = torch.autograd.grad(
                loss * factor,
                measured + own,
                retain_graph=again or number + 1 < len(losses),
                allow_unused=True,
            )
            row = rows[number].split([p.numel() for p in measured])
            for place, grad in enumerate(found[: len(measured)]):
                if grad is not None:
                    row[place].copy_(grad.flatten())
                    reached[place] = True
            plain = [
                old if new is None else new if old is None else old + new
                for old, new in zip(plain, found[len(measured) :])
            ]
        _add(own, plain, 1 / accumulation)
        if not shared:
            return
        weights = self._weigh(mean_over_processes(rows.div_(factor)), losses)
        if again:
            total = (torch.stack(list(losses.values())) * weights).sum()
            combined = torch.autograd.grad(
                total * factor, shared, allow_unused=True
            )
            _add(shared, combined, 1 / accumulation)
            return
        parts = (weights @ rows).split([p.numel() for p in shared])
        factor = factor / accumulation
        for parameter, part, known in zip(shared, parts, reached):
            # What no task reaches keeps no gradient: it is not decayed.
            if known:
                grad = (part * factor).view_as(parameter).to(parameter.dtype)
                _accumulate(parameter, grad)

    def _split(
        self, model: nn.Module
    ) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
        """Shared parameters, the measured ones of them, and all others."""
        named = dict(model.named_parameters())
        if not any(name.startswith(self.shared) for name in named):
            raise ValueError(
                f"no parameter's name begins with any of {self.shared}; there "
                f"are {sorted({name.split('.')[0] for name in named})}"
            )
        named = {name: p for name, p in named.items() if p.requires_grad}
        shared = {n: p for n, p in named.items() if n.startswith(self.shared)}
        measured = [p for n, p in shared.items() if n.startswith(self.measured)]
        if shared and not measured:
            raise ValueError(
                f"no shared parameter that is trained has a name that begins "
                f"with any of {self.measured}: measure others"
            )
        own = [p for name, p in named.items() if name not in shared]
        return list(shared.values()), measured, own

    @torch.no_grad()
    def _weigh(self, rows: torch.Tensor, tasks: Iterable[str]) -> torch.Tensor:
        """Weights [K] of gradients [K, P]: float32, alike in all processes."""
        size = float(torch.linalg.vector_norm(rows))
        if size == 0:
            return rows.new_ones(len(rows))
        if not size < float("inf"):
            return rows.new_full((len(rows),), float("nan"))
        with torch.autocast(rows.device.type, enabled=False):
            weights = self.aggregator.weighting(rows)
        # PCGrad draws an order, and processes draw differently.
        weights = as_first_process(weights.to(rows.dtype).contiguous())
        places = [self.active.index(name) for name in tasks]
        self.latest[places] = weights
        return weights

    def get_extra_state(self) -> dict:
        """Keep where Nash-MTL's solver goes on, too."""
        state = super().get_extra_state()
        start = getattr(self.aggregator.weighting, "prvs_alpha", None)
        if start is not None:
            state["start"] = torch.tensor(start)
        return state

    def set_extra_state(self, state: dict) -> None:
        """Go on where the solver was."""
        super().set_extra_state(state)
        if "start" in state:
            self.aggregator.weighting.prvs_alpha = state["start"].numpy()


def _add(
    parameters: list[nn.Parameter],
    grads: Sequence[torch.Tensor | None],
    factor: float,
) -> None:
    """Average gradients over processes and add them, times a factor."""
    found = [
        (p, g * factor) for p, g in zip(parameters, grads) if g is not None
    ]
    average_tensors(grad for _, grad in found)
    for parameter, grad in found:
        _accumulate(parameter, grad)


def _accumulate(parameter: nn.Parameter, grad: torch.Tensor) -> None:
    if parameter.grad is None:
        parameter.grad = grad.contiguous()
    else:
        parameter.grad += grad
