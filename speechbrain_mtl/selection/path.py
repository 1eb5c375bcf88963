"""How would weights change with the temperature? The path through a solution."""

import torch

from speechbrain_mtl.selection.problem import Problem

PATH_PAIRS = 800_000
POINTS = 13  # odd, so that the temperature in use is among them
DECADES = 1.0  # to each side of it


def temperatures(center: float) -> torch.Tensor:
    """A logarithmic grid about a temperature.

    Arguments
    ---------
    center : float
        The temperature in use, above 0.

    Returns
    -------
    grid : torch.Tensor
        Ascending float64 [13]; `center` is in the middle.

    Example
    -------
    >>> grid = temperatures(2.0)
    >>> len(grid), float(grid[6]), round(float(grid[-1] / grid[0]))
    (13, 2.0, 100)
    """
    steps = torch.arange(POINTS, dtype=torch.float64) - POINTS // 2
    return center * 10 ** (steps * DECADES / (POINTS // 2))


def weight_path(problem: Problem, weights: torch.Tensor) -> torch.Tensor:
    """Follow the weights from the temperature in use to higher and lower ones.

    Each point starts from its neighbour's weights, so the path stays in the
    valley of the solution: at low temperatures, where there may be several,
    that is one of the minima. Where there are many pairs, a sample of them
    draws the path.

    Arguments
    ---------
    problem : Problem
        Of a mapping with a temperature above 0.
    weights : torch.Tensor
        Its solution, [k].

    Returns
    -------
    path : torch.Tensor
        float64 [13, k], a row for each of `temperatures`.

    Example
    -------
    >>> from speechbrain_mtl.selection.pair_sums import PairSums
    >>> logs = torch.tensor([[-1.0], [-1.1]])
    >>> sums = PairSums(torch.tensor([[1.0], [0.5]]), logs)
    >>> problem = Problem.of_ratio(sums, (0.1, 0.1), "softmax", 1.0)
    >>> path = weight_path(problem, problem.solve().weights)
    >>> bool((path[0] - 0.5).abs().sum() > (path[-1] - 0.5).abs().sum())
    True
    """
    objective = problem.prepare(problem.sums.sample(PATH_PAIRS))
    grid = temperatures(problem.temperature)
    path = weights.new_empty(len(grid), len(weights), dtype=torch.float64)
    middle = len(grid) // 2
    for order in (range(middle, len(grid)), range(middle - 1, -1, -1)):
        start = weights if order.step > 0 else path[middle]
        for point in order:
            start = problem.improve(
                objective, [start], 1e-6, float(grid[point])
            ).weights
            path[point] = start
    return path
