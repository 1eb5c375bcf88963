"""The weights of a group as a minimum: solved, solved again, looked into."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from speechbrain_mtl.selection.criterion import log_ratio
from speechbrain_mtl.selection.pair_sums import Sums
from speechbrain_mtl.selection.simplex import Minimum, Objective, minimise
from speechbrain_mtl.selection.solver import relative, solve

# From weights nearby; where dependence drowns in noise the objective is so stiff
# that the last digits of weights would take ten times as many.
STEPS_FROM_NEAR = 60


@dataclass(frozen=True)
class Problem:
    """What is minimised over the weights of k labels.

    Arguments
    ---------
    prepare : callable
        Turns sums over pairs into an objective: the logarithm of the `ratio`,
        or the published score in units of its value at equal weights.
    sums : PairSums or ShardedSums
        Of the group.
    mapping, temperature
        See `minimise`.
    logarithmic : bool
        Whether the objective is the logarithm of the score.

    Example
    -------
    >>> from speechbrain_mtl.selection.pair_sums import PairSums
    >>> sums = PairSums(torch.ones(1, 1), torch.tensor([[-2.0], [-1.0]]))
    >>> problem = Problem.published(sums, "simplex")
    >>> weights = problem.solve().weights
    >>> weights, round(problem.score(weights), 4)
    (tensor([1., 0.], dtype=torch.float64), 0.1353)
    """

    prepare: Callable[[Sums], Objective]
    sums: Sums
    mapping: str
    temperature: float
    logarithmic: bool

    @classmethod
    def of_ratio(
        cls,
        sums: Sums,
        noise: tuple[float, float],
        mapping: str,
        temperature: float,
    ) -> "Problem":
        """Minimise the `ratio` of a group; sums from `ratio_sums`."""
        return cls(log_ratio(noise), sums, mapping, temperature, True)

    @classmethod
    def published(cls, sums: Sums, mapping: str) -> "Problem":
        """Minimise the published score; sums from `published_sums`."""
        return cls(relative, sums, mapping, 0.0, False)

    def solve(self) -> Minimum:
        """Find the weights; see `solve` of the solver."""
        return solve(self.prepare, self.sums, self.mapping, self.temperature)

    def score(self, weights: torch.Tensor, sums: Sums | None = None) -> float:
        """Score a group, without the mapping's regulariser.

        Arguments
        ---------
        weights : torch.Tensor
            [k].
        sums : PairSums or ShardedSums, optional
            Other sums than the problem's, such as a sample.

        Returns
        -------
        score : float
            Lower is better; for one label its `ci`.
        """
        sums = self.sums if sums is None else sums
        if self.logarithmic:
            return float(self.prepare(sums)(weights)[0].exp())
        return float(sums(weights)[0][0])

    def improve(
        self,
        objective: Objective,
        starts: Sequence[torch.Tensor],
        tolerance: float,
        temperature: float | None = None,
    ) -> Minimum:
        """Find the best minimum near given weights.

        Arguments
        ---------
        objective : callable
            From `prepare`, or a part of it.
        starts : sequence of torch.Tensor
            Weights.
        tolerance : float
            See `minimise`.
        temperature : float, optional
            Another than the problem's.

        Returns
        -------
        minimum : Minimum
        """
        temperature = self.temperature if temperature is None else temperature
        ends = [
            minimise(
                objective,
                start,
                self.mapping,
                temperature,
                tolerance,
                limit=STEPS_FROM_NEAR,
            )
            for start in starts
        ]
        return min(ends, key=lambda end: end.value)
