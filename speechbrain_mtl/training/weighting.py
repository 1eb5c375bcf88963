"""How several task losses become one number to minimise."""

import torch
from torch import nn


class FixedWeights(nn.Module):
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
        super().__init__()
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
        self.weights = {name: float(w) for name, w in weights.items()}

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the tasks with a weight above 0."""
        return tuple(name for name, w in self.weights.items() if w > 0)

    def forward(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Sum the losses times their weights; an unweighted task is an error."""
        missing = sorted(set(losses) - set(self.weights))
        if missing:
            raise ValueError(
                f"no weight for task(s) {missing}; weighted are "
                f"{sorted(self.weights)}"
            )
        return torch.stack(
            [self.weights[name] * loss for name, loss in losses.items()]
        ).sum()
