"""Learning rates that begin anew where the optimiser does."""

from bisect import bisect_left

from speechbrain_mtl.training.rates import rates
from speechbrain_mtl.training.schedule import Schedule


class PhaseRates:
    """Rise and fall of the learning rate, once more after every restart.

    Arguments
    ---------
    schedule : Schedule
        Phases that do not restart the optimiser go on with the rate of those
        before them.
    updates_per_epoch : int
        Of the optimiser.
    peak : float
        Highest learning rate.
    warmup_share : float
        Share of the updates up to the next restart in which the rate rises.
    decay : str
        What follows: "linear", down to 0, or "none".

    Raises
    ------
    ValueError
        When the share is not between 0 and 1.

    Example
    -------
    >>> from speechbrain_mtl.training import FixedWeights, Phase
    >>> phase = Phase(1.0, FixedWeights({"a": 1.0}), restart_optimizer=True)
    >>> rate = PhaseRates(Schedule([phase, phase], 1.0), 4, 1.0, 0.5)
    >>> [round(rate.calculate_lr(update), 2) for update in range(1, 9)]
    [0.5, 1.0, 0.67, 0.33, 0.5, 1.0, 0.67, 0.33]
    """

    def __init__(
        self,
        schedule: Schedule,
        updates_per_epoch: int,
        peak: float,
        warmup_share: float = 0.1,
        decay: str = "linear",
    ) -> None:
        if not 0 <= warmup_share < 1:
            raise ValueError(
                f"warmup_share is {warmup_share}: it is 0 or more, below 1"
            )
        restarts = [p.restart_optimizer for p in schedule.phases[1:]]
        ends = [e for e, new in zip(schedule.ends, restarts) if new]
        self.ends = [e * updates_per_epoch for e in (*ends, schedule.epochs)]
        self.starts = [0, *self.ends[:-1]]
        self.rates = [
            rates(peak, round(warmup_share * n), n + 1, decay)
            for n in (e - s for s, e in zip(self.starts, self.ends))
        ]

    def calculate_lr(self, update: int) -> float:
        """Give the learning rate of an update, counted from 1."""
        part = min(bisect_left(self.ends, update), len(self.ends) - 1)
        return self.rates[part].calculate_lr(update - self.starts[part])
