"""Which tasks, in what order, for how long: phases of a training run."""

import math
from dataclasses import dataclass, replace

from speechbrain_mtl.training.mixes import Mix
from speechbrain_mtl.training.weighting import FixedWeights


@dataclass
class Phase:
    """A stretch of training with one set of tasks and weights.

    Arguments
    ---------
    hours : float
        Audio to train on, summed over processes and passes over the data.
    weighting : FixedWeights
        Weights; tasks of weight 0 are not executed. A `Mix` changes them
        within the phase.
    frozen : tuple of str
        Prefixes of parameter names of the model that must not change,
        for example ``("encoder",)``.
    restart_optimizer : bool
        Begin the phase with a fresh optimiser state.
    """

    hours: float
    weighting: FixedWeights
    frozen: tuple[str, ...] = ()
    restart_optimizer: bool = False

    def __post_init__(self) -> None:
        if not self.hours > 0:
            raise ValueError(f"a phase of {self.hours} hours trains nothing")


class Schedule:
    """An ordered list of phases, counted in epochs of equal audio.

    Arguments
    ---------
    phases : list of Phase
        In the order of training.
    epoch_hours : float
        Audio an epoch; logging, validation and checkpoints follow epochs. A
        phase lasts a whole number of epochs, at least one.

    Raises
    ------
    ValueError
        When there is no phase or `epoch_hours` is not positive.

    Example
    -------
    >>> first, second = FixedWeights({"a": 1.0}), FixedWeights({"b": 1.0})
    >>> schedule = Schedule([Phase(1.0, first), Phase(0.5, second)], 0.5)
    >>> schedule.epochs, schedule.at(2).weighting.active
    (3, ('a',))
    >>> schedule.at(3).weighting.active, schedule.starts(3)
    (('b',), True)
    """

    def __init__(self, phases: list[Phase], epoch_hours: float) -> None:
        if not phases:
            raise ValueError("a schedule needs at least one phase")
        if not epoch_hours > 0:
            raise ValueError(f"epoch_hours is {epoch_hours}: it must be > 0")
        self.phases = list(phases)
        self.epoch_hours = epoch_hours
        self.ends = []
        end = 0
        for phase in self.phases:
            end += max(1, math.floor(phase.hours / epoch_hours + 0.5))
            self.ends.append(end)

    @property
    def epochs(self) -> int:
        """Number of epochs of all phases."""
        return self.ends[-1]

    def index(self, epoch: int) -> int:
        """Give the number of the phase that epoch (from 1) belongs to."""
        for index, end in enumerate(self.ends):
            if epoch <= end:
                return index
        raise ValueError(f"epoch {epoch} is beyond the last, {self.epochs}")

    def at(self, epoch: int) -> Phase:
        """Give the phase of an epoch, counted from 1."""
        return self.phases[self.index(epoch)]

    def starts(self, epoch: int) -> bool:
        """Tell whether an epoch is the first of its phase."""
        return epoch == 1 or self.index(epoch) != self.index(epoch - 1)

    def at_step(self, epoch: int, step: int, steps_per_epoch: int) -> Phase:
        """Give the phase of an epoch, with the weights of one of its steps.

        Arguments
        ---------
        epoch : int
            Counted from 1.
        step : int
            Within the epoch, counted from 0.
        steps_per_epoch : int
            Of a process.

        Returns
        -------
        phase : Phase
        """
        phase = self.at(epoch)
        if not isinstance(phase.weighting, Mix):
            return phase
        index = self.index(epoch)
        first = self.ends[index - 1] if index else 0
        step += (epoch - 1 - first) * steps_per_epoch
        steps = (self.ends[index] - first) * steps_per_epoch
        return replace(phase, weighting=phase.weighting.at(step, steps))
