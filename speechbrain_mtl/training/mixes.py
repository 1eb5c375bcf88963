"""Weights that change within a phase: a ramp, or tasks in turn.

They are functions of the step alone, so that a resumed run repeats them.
"""

from speechbrain_mtl.training.weighting import FixedWeights


class Mix(FixedWeights):
    """Fixed weights for every step, other ones at another step.

    Called itself, as in validation, it weighs by `weights`.
    """

    def at(self, step: int, steps: int) -> FixedWeights:
        """Give the weights of a step, counted from 0, of a phase of `steps`."""
        raise NotImplementedError


class LinearRamp(Mix):
    """Go from one set of weights to another, the same amount every step.

    A task of weight 0 is not executed in that step. Validation has the mean
    of both.

    Arguments
    ---------
    first, last : dict
        Weight of every task at the first step and at the last.

    Raises
    ------
    ValueError
        When they do not name the same tasks.

    Example
    -------
    >>> ramp = LinearRamp({"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0})
    >>> ramp.at(0, 5).active, ramp.at(1, 5).weights
    (('a',), {'a': 0.75, 'b': 0.25})
    """

    def __init__(self, first: dict[str, float], last: dict[str, float]) -> None:
        if set(first) != set(last):
            raise ValueError(
                f"a ramp goes from weights of {sorted(first)} to weights of "
                f"{sorted(last)}: name the same tasks, with weight 0 where "
                "they are inactive"
            )
        # Bad weights are refused now, not in the middle of the run.
        ends = FixedWeights(first).weights, FixedWeights(last).weights
        self.first, self.last = ends
        super().__init__({n: (w + self.last[n]) / 2 for n, w in first.items()})

    def at(self, step: int, steps: int) -> FixedWeights:
        """Give the weights of a step, counted from 0, of a phase of `steps`."""
        share = min(step / max(steps - 1, 1), 1.0)
        return FixedWeights(
            {
                name: (1 - share) * weight + share * self.last[name]
                for name, weight in self.first.items()
            }
        )


class TasksInTurn(Mix):
    """Train one task at a time, each for some steps; the others rest.

    Arguments
    ---------
    weights : dict
        Weight of every task in its turn, above 0; in this order.
    every : int
        Steps a turn.

    Raises
    ------
    ValueError
        When a turn has no step, or a weight is 0.

    Example
    -------
    >>> turns = TasksInTurn({"a": 0.5, "b": 2.0}, every=2)
    >>> [turns.at(step, 10).active[0] for step in range(6)]
    ['a', 'a', 'b', 'b', 'a', 'a']
    >>> turns.at(2, 10).weights
    {'a': 0.0, 'b': 2.0}
    """

    def __init__(self, weights: dict[str, float], every: int = 1) -> None:
        super().__init__(weights)
        if every < 1 or len(self.active) < len(weights):
            raise ValueError(
                f"tasks {weights} in turns of {every} steps: a turn has one "
                "step at least, and tasks have weights above 0"
            )
        self.every = every

    def at(self, step: int, steps: int) -> FixedWeights:
        """Give the weight of the one task whose turn it is, and zeros."""
        turn = self.active[step // self.every % len(self.active)]
        return FixedWeights(
            {n: w if n == turn else 0.0 for n, w in self.weights.items()}
        )
