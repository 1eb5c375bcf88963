"""The score that ranks and weighs labels; `RULE` says it in one sentence.

Why a ratio: a pretext task helps when its label is independent of speech given
the class, and when the label tells the class (Lee et al., "Predicting what you
already know helps", NeurIPS 2021): less of the one is worth little without
more of the other. A ratio also does not change with the scale of a label's
kernel, so neither noise nor a nearly constant label wins by showing little of
anything.
"""

from collections.abc import Callable

import torch

from speechbrain_mtl.selection.evidence import Evidence
from speechbrain_mtl.selection.pair_sums import Sums
from speechbrain_mtl.selection.simplex import Objective

RULE = (
    "weights minimise the dependence of speech and labels within classes "
    "divided by the labels' dependence on the class, over those labels whose "
    "dependence on the class is more than chance (permutation p < 0.01)"
)
PUBLISHED_RULE = (
    "weights minimise the published score, HSIC of speech and labels within "
    "classes with its centring by 1/n^2, over all labels"
)


def positive_part(value: torch.Tensor, noise: float) -> torch.Tensor:
    """The value where it is large, the noise level where it is nothing.

    Unbiased estimates of what is at least zero may fall below it, and none
    can tell zero from its own noise: ``(v + sqrt(v^2 + 4 noise^2)) / 2``.

    Arguments
    ---------
    value : torch.Tensor
        Estimates.
    noise : float
        Their standard deviation where the truth is zero.

    Returns
    -------
    positive : torch.Tensor
        Smooth, increasing, above zero.

    Example
    -------
    >>> positive_part(torch.tensor([-9.0, 0.0, 9.0]), 1.0)
    tensor([0.1098, 1.0000, 9.1098])
    """
    # Not v + sqrt(...): that cancels for negative values.
    root = (value.square() + 4 * noise**2).sqrt()
    far = (root + value.abs()) / 2
    return torch.where(value > 0, far, noise**2 / far.clamp(min=1e-300))


def noise_levels(evidence: Evidence) -> tuple[float, float]:
    """Chance deviations of dependence and relevance, common to all labels.

    Arguments
    ---------
    evidence : Evidence
        Of k labels.

    Returns
    -------
    dependence, relevance : float
        Root mean squares over labels; dependence in units of speech.

    Example
    -------
    >>> from types import SimpleNamespace as Any
    >>> tests = [Any(deviation=0.2)]
    >>> noise_levels(Any(dependence=tests, relevance=tests, speech_scale=0.5))
    (0.4, 0.2)
    """

    def level(tests: list) -> float:
        squares = [test.deviation**2 for test in tests]
        return (sum(squares) / len(squares)) ** 0.5

    return (
        level(evidence.dependence) / evidence.speech_scale,
        level(evidence.relevance),
    )


def ratio(
    unbiased: torch.Tensor,
    relevance: torch.Tensor,
    noise: tuple[float, float],
    speech_scale: float,
) -> torch.Tensor:
    """Conditional dependence a unit of relevance; lower is better.

    Arguments
    ---------
    unbiased, relevance : torch.Tensor
        Estimates of any one shape.
    noise, speech_scale
        From `noise_levels` and `Evidence`.

    Returns
    -------
    score : torch.Tensor
        Above zero.

    Example
    -------
    >>> ratio(torch.tensor(0.02), torch.tensor(0.5), (0.0, 0.0), 0.1)
    tensor(0.4000)
    """
    dependence = positive_part(unbiased / speech_scale, noise[0])
    return dependence / positive_part(relevance, noise[1])


def ratio_error(evidence: Evidence, noise: tuple[float, float]) -> torch.Tensor:
    """Standard error of every label's `ratio` from classes cut into blocks.

    To first order, from the errors of dependence and relevance, at the same
    noise levels.

    Arguments
    ---------
    evidence : Evidence
        Of k labels.
    noise
        From `noise_levels`.

    Returns
    -------
    error : torch.Tensor
        [k].
    """
    scale, columns = evidence.speech_scale, evidence.columns
    score = ratio(columns["unbiased"], columns["relevance"], noise, scale)
    parts = (
        (columns["unbiased"] / scale, evidence.errors["unbiased"] / scale),
        (columns["relevance"], evidence.errors["relevance"]),
    )
    # The derivative of log positive_part is 1 / sqrt(v^2 + 4 noise^2).
    squares = [
        error.square() / (value.square() + 4 * level**2).clamp(min=1e-300)
        for (value, error), level in zip(parts, noise)
    ]
    return score * (squares[0] + squares[1]).sqrt()


def log_ratio(
    noise: tuple[float, float],
) -> Callable[[Sums], Objective]:
    """The logarithm of a group's `ratio`, as an objective.

    Arguments
    ---------
    noise : tuple of float
        From `noise_levels`.

    Returns
    -------
    prepare : callable
        ``sums of dependence and relevance -> objective``.

    Example
    -------
    >>> from speechbrain_mtl.selection.pair_sums import PairSums
    >>> logs = torch.tensor([[0.0], [0.0]])
    >>> sums = PairSums(torch.tensor([[0.2], [0.1]]), logs)
    >>> log_ratio((0.0, 0.0))(sums)(torch.tensor([0.5, 0.5]))[0]
    tensor(0.6931, dtype=torch.float64)
    """
    levels = torch.tensor(noise, dtype=torch.float64)

    def prepare(sums: Sums) -> Objective:
        def objective(
            weights: torch.Tensor,
        ) -> tuple[torch.Tensor, torch.Tensor]:
            values, jacobian = sums(weights)
            noises = levels.to(values)
            root = (values.square() + 4 * noises.square()).sqrt()
            parts = torch.stack(
                [positive_part(v, n) for v, n in zip(values, noise)]
            ).log()
            # The derivative of log positive_part is 1 / root.
            slopes = jacobian / root[:, None]
            return parts[0] - parts[1], slopes[0] - slopes[1]

        return objective

    return prepare
