"""Minimise a smooth function plus a regulariser over the weights' simplex.

A mapping names the regulariser it is the map of (Blondel et al., JMLR 21,
2020): softmax, negative entropy; sparsemax, half the squared norm (Martins and
Astudillo, 2016); entmax, Tsallis' entropy of index 1.5 between the two (Peters
et al., 2019); simplex, none. At the minimum of ``f(w) + temperature *
regulariser(w)`` the weights are ``mapping(-gradient(f) / temperature)``: dense
for softmax, often with exact zeros for the others.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from entmax import entmax15, sparsemax

MAPPINGS = ("softmax", "entmax", "sparsemax", "simplex")

# weights [k] -> value (a scalar) and gradient [k], in float64
Objective = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Minimum:
    """Where a minimisation ended.

    Arguments
    ---------
    weights : torch.Tensor
        float64 [k], at least 0, sum 1.
    value : float
        Objective with its regulariser.
    gap : float
        At least ``value - best value`` for a convex objective, and zero
        exactly at a stationary point of any (generalised Frank-Wolfe gap).
    evaluations : int
        Evaluations of the objective.
    converged : bool
        Whether the gap fell below the tolerance.
    """

    weights: torch.Tensor
    value: float
    gap: float
    evaluations: int
    converged: bool


def regulariser(mapping: str, weights: torch.Tensor) -> torch.Tensor:
    """The regulariser a mapping stands for.

    Arguments
    ---------
    mapping : str
        "softmax", "entmax", "sparsemax" or "simplex".
    weights : torch.Tensor
        On the simplex, [k].

    Returns
    -------
    value : torch.Tensor
        A scalar.

    Example
    -------
    >>> regulariser("sparsemax", torch.tensor([0.5, 0.5]))
    tensor(0.2500)
    """
    if mapping == "softmax":
        return torch.special.xlogy(weights, weights).sum()
    if mapping == "sparsemax":
        return weights.square().sum() / 2
    if mapping == "entmax":
        # Rounding may leave a weight a hair below zero.
        return weights.clamp(min=0).pow(1.5).sum() * (4 / 3)
    return weights.new_zeros(())


def respond(
    mapping: str, gradient: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Weights that minimise the linear model of an objective, regularised.

    Arguments
    ---------
    mapping : str
        See `regulariser`.
    gradient : torch.Tensor
        Of the objective without its regulariser, [k].
    temperature : float
        Weight of the regulariser; at 0 the best vertex is returned.

    Returns
    -------
    weights : torch.Tensor
        [k].

    Example
    -------
    >>> respond("sparsemax", torch.tensor([0.0, 0.5, 3.0]), 1.0)
    tensor([0.7500, 0.2500, 0.0000])
    """
    if temperature > 0 and mapping == "softmax":
        return torch.softmax(-gradient / temperature, dim=-1)
    if temperature > 0 and mapping == "sparsemax":
        return sparsemax(-gradient / temperature, dim=-1)
    if temperature > 0 and mapping == "entmax":
        return entmax15(-gradient / temperature, dim=-1)
    return torch.nn.functional.one_hot(gradient.argmin(), len(gradient)).to(
        gradient
    )


def frank_wolfe_gap(
    mapping: str,
    weights: torch.Tensor,
    gradient: torch.Tensor,
    temperature: float,
) -> float:
    """How much the linear model of the objective could still fall.

    Arguments
    ---------
    mapping, gradient, temperature
        See `respond`.
    weights : torch.Tensor
        Where the gradient was taken, [k].

    Returns
    -------
    gap : float
        See `Minimum`.

    Example
    -------
    >>> half = torch.tensor([0.5, 0.5])
    >>> frank_wolfe_gap("simplex", half, torch.tensor([1.0, 3.0]), 0.0)
    1.0
    """
    best = respond(mapping, gradient, temperature)
    gap = gradient @ (weights - best) + temperature * (
        regulariser(mapping, weights) - regulariser(mapping, best)
    )
    return max(float(gap), 0.0)


def minimise(
    objective: Objective,
    start: torch.Tensor,
    mapping: str,
    temperature: float = 0.0,
    tolerance: float = 1e-7,
    limit: int = 500,
) -> Minimum:
    """Find a minimum over the simplex from one starting point.

    Spectral projected gradient: the step length of Barzilai and Borwein
    (1988), projection on the simplex, Armijo's condition (Birgin et al.,
    2000). Under an entropy, whose gradient is infinite on the border, the
    step is taken in the logarithms of the weights instead (mirror descent).

    Arguments
    ---------
    objective : callable
        ``weights -> (value, gradient)``.
    start : torch.Tensor
        On the simplex, [k].
    mapping, temperature
        See `respond`.
    tolerance : float
        Gap at which to stop.
    limit : int
        Iterations at which to give up.

    Returns
    -------
    minimum : Minimum

    Raises
    ------
    ValueError
        For an unknown mapping or a negative temperature.

    Example
    -------
    >>> target = torch.tensor([0.9, 0.4, -0.3], dtype=torch.float64)
    >>> def distance(w):
    ...     return (w - target).square().sum(), 2 * (w - target)
    >>> uniform = torch.full_like(target, 1 / 3)
    >>> minimise(distance, uniform, "simplex").weights
    tensor([0.7500, 0.2500, 0.0000], dtype=torch.float64)
    """
    if mapping not in MAPPINGS:
        raise ValueError(f"mapping {mapping!r}: choose from {MAPPINGS}.")
    if temperature < 0:
        raise ValueError(f"temperature is {temperature}; give 0 or more.")
    mirrored = mapping == "softmax" and temperature > 0

    def evaluate(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        weights = torch.softmax(x, dim=-1) if mirrored else x
        value, gradient = objective(weights)
        total = value + temperature * regulariser(mapping, weights)
        return weights, total, gradient

    def steepest(x: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        if mirrored:  # natural gradient: x is free up to a constant
            slope = gradient / temperature + x
            return slope - slope.mean()
        if mapping == "sparsemax":
            return gradient + temperature * x
        if mapping == "entmax":
            return gradient + temperature * 2 * x.clamp(min=0).sqrt()
        return gradient

    # Mixing in a little of all keeps logarithms finite at a vertex.
    x = (0.9 * start + 0.1 / len(start)).log() if mirrored else start.clone()
    x = x.double()
    weights, value, gradient = evaluate(x)
    slope = steepest(x, gradient)
    length = 0.5 if mirrored else 1 / max(float(slope.abs().max()), 1e-12)
    evaluations = 1
    for _ in range(limit):
        gap = frank_wolfe_gap(mapping, weights, gradient, temperature)
        if gap <= tolerance:
            break
        if mirrored:
            move = -length * slope
            # Derivative along the move, in the geometry of the softmax.
            mean = weights @ slope
            drop = -length * temperature * weights @ (slope - mean).square()
        else:
            move = sparsemax(x - length * slope, dim=-1) - x
            drop = slope @ move
        if -drop <= 1e-16 * abs(value):  # nothing left but rounding
            break
        share = 1.0
        while True:
            there = evaluate(x + share * move)
            evaluations += 1
            # The slack is for rounding, which the tolerance is above.
            slack = 0.1 * tolerance * abs(value)
            if there[1] <= value + 1e-4 * share * drop + slack:
                break
            share /= 2
            if share < 1e-8:
                return Minimum(weights, float(value), gap, evaluations, False)
        step = share * move
        x = x + step
        weights, value, gradient = there
        change = steepest(x, gradient) - slope
        slope = slope + change
        curvature = step @ change
        longest = 2.0 if mirrored else 1e6
        length = float(step @ step / curvature) if curvature > 0 else longest
        length = min(max(length, 1e-8), longest)
    gap = frank_wolfe_gap(mapping, weights, gradient, temperature)
    return Minimum(weights, float(value), gap, evaluations, gap <= tolerance)
