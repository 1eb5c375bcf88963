"""The published weight optimiser, kept for comparison."""

from functools import partial

import torch

from speechbrain_mtl.selection.pair_sums import Sums
from speechbrain_mtl.selection.simplex import (
    Minimum,
    Objective,
    frank_wolfe_gap,
)

PUBLISHED_MAPS = ("softmax", "sparsemax")
STEPS = 1000
TOLERANCE = 1e-7
SOFTMAX = partial(torch.softmax, dim=-1)


def sparsemax(inputs: torch.Tensor) -> torch.Tensor:
    """Project onto the simplex (Martins and Astudillo, ICML 2016).

    Without a gradient: autograd would take as long as few pairs do.

    Arguments
    ---------
    inputs : torch.Tensor
        [k].

    Returns
    -------
    weights : torch.Tensor
        [k], at least 0, sum 1.

    Example
    -------
    >>> sparsemax(torch.tensor([0.5, 1.0, -2.0]))
    tensor([0.2500, 0.7500, 0.0000])
    """
    high = inputs.sort(descending=True).values
    over = high.cumsum(0) - 1
    rank = torch.arange(1, len(high) + 1, device=high.device)
    # Largest over all ranks; it falls once a label is out.
    threshold = (over / rank).amax()
    return (inputs - threshold).clamp(min=0)


def published_descent(
    objective: Objective, sums: Sums, mapping: str, seed: int
) -> Minimum:
    """Descend as the published code does: 1,000 steps, then stop.

    SGD with learning rate 0.01 and momentum 0.9 on the inputs of the mapping,
    drawn from N(0, 1) for softmax and from 1 + 0.05 N(0, 1) for sparsemax; the
    weights are those of the last forward pass. Softmax usually has not
    converged by then, so that its weights depend on the seed (the gap says
    so).

    Arguments
    ---------
    objective : callable
        ``weights -> (value, gradient)``, for the gap.
    sums : PairSums or ShardedSums
        Of the group; its first sum is descended.
    mapping : str
        "softmax" or "sparsemax".
    seed : int
        Of the starting point.

    Returns
    -------
    minimum : Minimum

    Raises
    ------
    ValueError
        For another mapping.

    Example
    -------
    >>> from speechbrain_mtl.selection.solver import relative
    >>> from speechbrain_mtl.selection.pair_sums import PairSums
    >>> sums = PairSums(torch.ones(1, 1), torch.tensor([[-2.0], [-1.0]]))
    >>> published_descent(relative(sums), sums, "sparsemax", 0).weights
    tensor([1., 0.], dtype=torch.float64)
    """
    if mapping not in PUBLISHED_MAPS:
        raise ValueError(
            f"mapping {mapping!r}: the published procedure knows "
            f"{PUBLISHED_MAPS}."
        )
    to_weights = SOFTMAX if mapping == "softmax" else sparsemax
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(1, sums.labels, generator=generator)[0]
    if mapping == "sparsemax":
        start = 1 + 0.05 * start
    inputs = start.to(sums.device)
    velocity = torch.zeros_like(inputs)
    kept, part = None, sums
    # By hand: autograd and an optimiser cost more than few pairs do.
    for _ in range(STEPS):
        weights = to_weights(inputs)
        # Labels of weight 0 neither count nor move.
        support = weights.nonzero()[:, 0].tolist()
        if support != kept:
            kept, part = support, sums.select(support)
        weighed = weights[kept]
        pull = part(weighed)[1][0].to(weights)
        if mapping == "softmax":
            pull = weighed * (pull - weighed @ pull)
        else:
            pull = pull - pull.mean()
        slope = torch.zeros_like(weights)
        slope[kept] = pull
        velocity = 0.9 * velocity + slope
        inputs = inputs - 0.01 * velocity
    weights = weights.double()
    value, gradient = objective(weights)
    gap = frank_wolfe_gap("simplex", weights, gradient, 0.0)
    return Minimum(weights, float(value), gap, STEPS, gap <= TOLERANCE)
