"""Weights by how fast losses fall: the slower a task learns, the more."""

from collections.abc import Iterable

import torch

from speechbrain_mtl.training.weighting import Weighting


class DynamicWeightAverage(Weighting):
    r"""Weigh tasks by the ratio of their last two mean losses.

    After "End-to-End Multi-Task Learning with Attention",
    https://arxiv.org/abs/1803.10704: with :math:`r_t` the mean loss of the
    last period over that of the one before, the weights are :math:`K`
    times the softmax of :math:`r_t / T`. In the first two periods, and for a
    task that a period did not see, :math:`r_t` is 1. The paper's period is an
    epoch.

    Sums stay on the device: no step waits for it. Losses that are not finite
    do not count.

    Arguments
    ---------
    tasks : iterable of str
        Names of the tasks to train.
    temperature : float
        The higher, the closer to equal weights.
    every : int
        Training steps a period.

    Raises
    ------
    ValueError
        When the temperature is not above 0 or a period has no step.

    Example
    -------
    >>> weighting = DynamicWeightAverage(["asr", "sid"], every=1)
    >>> for asr in (4.0, 2.0):
    ...     losses = {"asr": torch.tensor(asr), "sid": torch.tensor(3.0)}
    ...     weighting.observe(losses)
    >>> {name: round(w, 3) for name, w in weighting.weights.items()}
    {'asr': 0.876, 'sid': 1.124}
    """

    def __init__(
        self, tasks: Iterable[str], temperature: float = 2.0, every: int = 1000
    ) -> None:
        super().__init__(tasks)
        if not 0 < temperature < float("inf"):
            raise ValueError(f"temperature is {temperature}: it must be > 0")
        if every < 1:
            raise ValueError(f"every is {every}: a period has 1 step or more")
        self.temperature = temperature
        self.every = every
        count = len(self.active)
        # NaN: not known yet.
        self.register_buffer("last", torch.full((count,), float("nan")))
        self.register_buffer("before", torch.full((count,), float("nan")))
        self.register_buffer("sums", torch.zeros(count))
        self.register_buffer("counts", torch.zeros(count))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @property
    def weights(self) -> dict[str, float]:
        """Factor of each task; their sum is the number of tasks."""
        return dict(zip(self.active, self._factors().tolist()))

    def observe(self, losses: dict[str, torch.Tensor]) -> None:
        """Add a step's losses; at the end of a period, close it."""
        values = self.averaged(losses)
        seen = values.isfinite()
        self.sums += torch.where(seen, values, 0.0)
        self.counts += seen
        self.steps += 1
        # On the device: asking whether the period is over would wait for it.
        over = self.steps >= self.every
        self.before.copy_(torch.where(over, self.last, self.before))
        mean = self.sums / self.counts
        self.last.copy_(torch.where(over, mean, self.last))
        for total in (self.sums, self.counts, self.steps):
            total *= ~over

    def forward(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Sum the losses times their present weights."""
        self.check_known(losses)
        terms = [
            losses[name].float() * factor
            for name, factor in zip(self.active, self._factors())
            if name in losses
        ]
        return torch.stack(terms).sum()

    def _factors(self) -> torch.Tensor:
        ratio = self.last / self.before
        ratio = torch.where(ratio.isfinite(), ratio, 1.0)
        return len(self.active) * (ratio / self.temperature).softmax(0)
