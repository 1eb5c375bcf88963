"""What would the group lose with each label? Leave it out and solve again."""

import torch

from speechbrain_mtl.selection.problem import Problem
from speechbrain_mtl.selection.simplex import Objective

PAIRS = 200_000


def leave_one_out(
    problem: Problem, weights: torch.Tensor
) -> list[float | None]:
    """Relative rise of the group's score when a label is left out.

    The score is compared without the mapping's regulariser. That spreads
    weights further than the score alone would, so leaving out a label that
    has weight only for that reason may lower the score. Where there are many
    pairs, both groups are solved on the same sample of them.

    Arguments
    ---------
    problem : Problem
        Of k labels.
    weights : torch.Tensor
        Its solution, [k].

    Returns
    -------
    rises : list
        k numbers: 0.1 for a score 10 % worse; 0 for a label without weight;
        None where no other label is left.

    Example
    -------
    >>> from speechbrain_mtl.selection.pair_sums import PairSums
    >>> sums = PairSums(torch.ones(1, 1), torch.tensor([[-2.0], [-1.0]]))
    >>> problem = Problem.published(sums, "simplex")
    >>> rises = leave_one_out(problem, problem.solve().weights)
    >>> [round(rise, 3) for rise in rises]  # exp(-1) instead of exp(-2)
    [1.718, 0.0]
    """
    labels = len(weights)
    if labels == 1:
        return [None]
    sums = problem.sums.sample(PAIRS)
    objective = problem.prepare(sums)
    whole = problem.improve(objective, [weights], 1e-6).weights
    score = problem.score(whole, sums)
    vertices = torch.eye(labels, dtype=torch.float64, device=weights.device)
    alone = torch.stack([objective(vertex)[0] for vertex in vertices])
    rises: list[float | None] = []
    for label in range(labels):
        if weights[label] <= 0:
            rises.append(0.0)
            continue
        others = torch.arange(labels, device=weights.device) != label
        best = alone[others].argmin()
        rest = whole[others]
        starts = [
            torch.full_like(rest, 1 / len(rest)),
            torch.nn.functional.one_hot(best, len(rest)).to(rest),
        ]
        if rest.sum() > 0:
            starts.append(rest / rest.sum())
        found = problem.improve(among(objective, others), starts, 1e-6)
        left = torch.zeros_like(whole)
        left[others] = found.weights
        rises.append(problem.score(left, sums) / score - 1)
    return rises


def among(objective: Objective, chosen: torch.Tensor) -> Objective:
    """The same objective with weight for some labels only.

    Arguments
    ---------
    objective : callable
        Of k labels.
    chosen : torch.Tensor
        Which may have weight, bool [k].

    Returns
    -------
    objective : callable
        Of the chosen labels.

    Example
    -------
    >>> slope = torch.tensor([1.0, 2.0, 3.0])
    >>> two = among(lambda w: (w @ slope, slope), slope > 1)
    >>> two(torch.tensor([0.5, 0.5]))
    (tensor(2.5000), tensor([2., 3.]))
    """

    def part(weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        full = weights.new_zeros(len(chosen))
        full[chosen] = weights
        value, gradient = objective(full)
        return value, gradient[chosen]

    return part
