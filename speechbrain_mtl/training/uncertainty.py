"""Weights that are learnt: the less certain a task, the less it counts."""

from collections.abc import Iterable

import torch
from torch import nn

from speechbrain_mtl.training.weighting import Weighting


class UncertaintyWeights(Weighting):
    r"""Learn a variance for every task and divide its loss by it.

    The number to minimise is :math:`\sum_t L_t / \sigma_t^2 + \log \sigma_t`,
    lowest where :math:`\sigma_t^2 = 2 L_t`, as in "Multi-Task Learning Using
    Uncertainty to Weigh Losses", https://arxiv.org/abs/1705.07115 (which
    writes the first term for regression with a factor of 1/2).

    The log-variances start at 0. They are parameters: give them to the
    optimiser, without weight decay, which would pull every variance to 1.
    Losses must not be negative; one that goes to 0 gets a weight without
    bound.

    Arguments
    ---------
    tasks : iterable of str
        Names of the tasks to train.

    Example
    -------
    >>> weighting = UncertaintyWeights(["asr", "sid"])
    >>> losses = {"asr": torch.tensor(4.0), "sid": torch.tensor(2.0)}
    >>> total = weighting(losses)
    >>> total.item()
    6.0
    >>> total.backward()  # 1 / 2 - loss / variance
    >>> weighting.log_variances.grad
    tensor([-3.5000, -1.5000])
    """

    def __init__(self, tasks: Iterable[str]) -> None:
        super().__init__(tasks)
        self.log_variances = nn.Parameter(torch.zeros(len(self.active)))

    @property
    def weights(self) -> dict[str, float]:
        """One over each task's variance."""
        values = (-self.log_variances.detach()).exp().tolist()
        return dict(zip(self.active, values))

    def forward(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Sum losses over variances, and the logarithms of deviations."""
        self.check_known(losses)
        terms = [
            losses[name].float() * (-log_variance).exp() + log_variance / 2
            for name, log_variance in zip(self.active, self.log_variances)
            if name in losses
        ]
        return torch.stack(terms).sum()
