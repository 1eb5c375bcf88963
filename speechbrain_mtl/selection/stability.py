"""Would other speakers have chosen the same labels?"""

import torch

from speechbrain_mtl.selection.leave_one_out import among
from speechbrain_mtl.selection.problem import Problem
from speechbrain_mtl.selection.resampled import ResampledSums

DRAWS = 50  # weights are solved for again
PAIRS = 100_000  # of each draw


def selection_frequency(
    problem: Problem,
    weights: torch.Tensor,
    resampled: ResampledSums,
    eligible: torch.Tensor,
    pairs: int = PAIRS,
) -> torch.Tensor:
    """Share of bootstrap draws in which each label gets weight.

    Stability selection (Meinshausen and Buehlmann, JRSS B 72, 2010) with
    draws of speakers. In every draw labels are judged and weights solved for
    again, from the solution on (without a temperature from equal weights
    too); where there are many pairs, on a sample of them of the draw's own,
    which makes frequencies a little less certain than the data are.

    Arguments
    ---------
    problem : Problem
        Of k labels: those that may be weighed in the data or in any draw.
    weights : torch.Tensor
        Solution of the data, [k].
    resampled : ResampledSums
        Draws of the problem's sums.
    eligible : torch.Tensor
        Which labels may be weighed in each draw, bool [draws, k].
    pairs : int
        At most, of each draw.

    Returns
    -------
    frequency : torch.Tensor
        float64 [k].
    """
    chosen = torch.zeros_like(weights)
    for number, fit in enumerate(eligible):
        if not fit.any():
            continue
        objective = problem.prepare(resampled.draw(number, pairs))
        before = weights[fit]
        starts = [before / before.sum()] if before.sum() > 0 else []
        # Without a regulariser every vertex may hold its own minimum.
        if not starts or problem.temperature == 0:
            starts.append(torch.full_like(before, 1 / len(before)))
        found = problem.improve(among(objective, fit), starts, 1e-3)
        chosen[fit] += found.weights > 1e-6
    return chosen / len(eligible)
