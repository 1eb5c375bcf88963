"""Weights of a group of labels: the minimum of the group's dependence."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from speechbrain_mtl.selection.objective import Strata, as_strata
from speechbrain_mtl.selection.pair_sums import Sums, strata_sums
from speechbrain_mtl.selection.published import published_descent
from speechbrain_mtl.selection.simplex import Minimum, Objective, minimise

COARSE_PAIRS = 200_000  # enough to tell one valley from another
COARSE_STEPS = 100  # a valley not reached by then is stiff, and seldom lowest
# Of the relative gap, by the kernels' precision.
TOLERANCES = {torch.float64: 1e-8, torch.float32: 1e-6}
SOLVERS = ("projected", "reference")


@dataclass(frozen=True)
class Solution:
    """Weights and the evidence that they are a minimum.

    Arguments
    ---------
    weights : torch.Tensor
        float64 [k], at least 0, sum 1.
    objective : float
        `group_objective` at the weights, without regulariser.
    gap : float
        Relative Frank-Wolfe gap: 0 at a stationary point; where the problem
        is convex, no weights are better by more than this share.
    evaluations : int
        Evaluations of the objective, those on fewer pairs included.
    converged : bool
        Whether the gap is below 1e-8, or 1e-6 for float32 kernels.
    """

    weights: torch.Tensor
    objective: float
    gap: float
    evaluations: int
    converged: bool


def relative(sums: Sums) -> Objective:
    """The first sum, in units of its value at equal weights.

    Arguments
    ---------
    sums : PairSums or ShardedSums
        Of the group.

    Returns
    -------
    objective : callable
        ``weights -> (value, gradient)``.

    Example
    -------
    >>> from speechbrain_mtl.selection.pair_sums import PairSums
    >>> sums = PairSums(torch.ones(1, 1), torch.tensor([[-2.0]]))
    >>> relative(sums)(torch.tensor([1.0], dtype=torch.float64))[0]
    tensor(1., dtype=torch.float64)
    """
    like = {"dtype": sums.dtype, "device": sums.device}
    uniform = torch.full((sums.labels,), 1 / sums.labels, **like)
    scale = sums(uniform)[0][0].abs()
    # A group of constants scores zero however it is weighed.
    scale = torch.where(scale > 0, scale, 1.0)

    def objective(
        weights: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        values, jacobian = sums(weights)
        return values[0] / scale, jacobian[0] / scale

    return objective


def solve(
    prepare: Callable[[Sums], Objective],
    sums: Sums,
    mapping: str,
    temperature: float = 0.0,
    convex: bool = False,
) -> Minimum:
    """Find the best of the minima reached from every vertex and the centre.

    Where there are many pairs, valleys are found on a sample of them and the
    best three polished on all.

    Arguments
    ---------
    prepare : callable
        Turns the sums, or a sample of them, into an objective.
    sums : PairSums or ShardedSums
        Of the group.
    mapping, temperature
        See `minimise`.
    convex : bool
        Start from the centre only.

    Returns
    -------
    minimum : Minimum

    Example
    -------
    >>> from speechbrain_mtl.selection.pair_sums import PairSums
    >>> sums = PairSums(torch.ones(1, 1), torch.tensor([[-2.0], [-1.0]]))
    >>> solve(relative, sums, "simplex").weights
    tensor([1., 0.], dtype=torch.float64)
    """
    labels = sums.labels
    like = {"dtype": torch.float64, "device": sums.device}
    starts = [torch.full((labels,), 1 / labels, **like)]
    spent = 0
    if not convex and labels > 1:
        coarse = prepare(sums.sample(COARSE_PAIRS))
        valleys = [
            minimise(coarse, start, mapping, temperature, 1e-4, COARSE_STEPS)
            for start in [*starts, *torch.eye(labels, **like)]
        ]
        spent = sum(valley.evaluations for valley in valleys)
        starts = []
        for valley in sorted(valleys, key=lambda valley: valley.value):
            far = [
                (valley.weights - other).abs().max() > 0.02 for other in starts
            ]
            if len(starts) < 3 and all(far):
                starts.append(valley.weights)
    objective = prepare(sums)
    tolerance = TOLERANCES[sums.dtype]
    ends = [
        minimise(objective, start, mapping, temperature, tolerance)
        for start in starts
    ]
    best = min(ends, key=lambda end: end.value)
    return Minimum(
        best.weights,
        best.value,
        best.gap,
        spent + sum(end.evaluations for end in ends),
        best.converged,
    )


def solve_weights(
    K: Strata,
    log_Ls: Strata,
    mapping: str = "sparsemax",
    centering: str = "centered",
    estimator: str = "biased",
    temperature: float = 0.0,
    seed: int = 0,
    solver: str = "projected",
    lens: torch.Tensor | None = None,
) -> Solution:
    """Weigh labels so that, as a group, they depend least on speech.

    Minimises `group_objective` over the simplex. With the published centring
    and positive speech kernels it is convex; with the proper one it is not,
    and every vertex is a starting point.

    Arguments
    ---------
    K, log_Ls, centering, estimator, lens
        See `group_objective`.
    mapping : str
        "softmax", "entmax", "sparsemax" or "simplex": the regulariser when
        there is a temperature (see `regulariser`), else without effect on the
        minimum.
    temperature : float
        Weight of the mapping's regulariser against the objective, the latter
        in units of its value at equal weights.
    seed : int
        Of the published procedure, which starts at random.
    solver : str
        "projected", or "reference" for the published procedure: 1,000 steps
        of stochastic gradient descent, whether they converge or not.

    Returns
    -------
    solution : Solution

    Raises
    ------
    ValueError
        For unknown names, and see `as_strata`.

    Example
    -------
    >>> from speechbrain_mtl.selection import cosine_kernel, log_rbf_kernel
    >>> K = cosine_kernel(torch.rand(3, 20, 10))
    >>> log_Ls = log_rbf_kernel(torch.rand(3, 2, 20, 1))
    >>> solution = solve_weights(K, log_Ls)
    >>> round(float(solution.weights.sum()), 6), solution.converged
    (1.0, True)
    """
    if solver not in SOLVERS:
        raise ValueError(f"solver {solver!r}: choose from {SOLVERS}.")
    strata = as_strata(K, log_Ls, centering, lens)
    sums = strata_sums(strata, centering, estimator)
    if solver == "reference":
        minimum = published_descent(relative(sums), sums, mapping, seed)
    else:
        minimum = solve(
            relative,
            sums,
            mapping,
            temperature,
            convex=bool((sums.coefficients >= 0).all()),
        )
    return Solution(
        minimum.weights,
        float(sums(minimum.weights)[0][0]),
        minimum.gap,
        minimum.evaluations,
        minimum.converged,
    )
