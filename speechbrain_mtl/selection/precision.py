"""How far are scores from what all pairs, in float64, would give?"""

from collections.abc import Sequence

import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.hsic import hsic_coefficients

CHECKED = 4  # blocks that are computed twice


def pair_variance(terms: torch.Tensor) -> torch.Tensor:
    """Variance of a mean over pairs that other pairs of segments would bring.

    Cutting a class into blocks leaves pairs out, but no segment: what a
    segment brings to all of its pairs stays, and only what single pairs do
    beyond varies (Hoeffding's decomposition of a U-statistic).

    Arguments
    ---------
    terms : torch.Tensor
        One value a pair, symmetric, [k, n, n]; the diagonal is ignored.

    Returns
    -------
    variance : torch.Tensor
        Of one pair, without what its two segments bring, [k].

    Example
    -------
    >>> x = torch.arange(5.0)
    >>> pair_variance((x[:, None] + x)[None])
    tensor([0.])
    """
    n = terms.shape[-1]
    terms = terms - torch.diag_embed(terms.diagonal(0, -2, -1))
    pairs = n * (n - 1)
    mean = terms.sum(dim=(1, 2)) / pairs
    # Least squares of t_ij = mean + e_i + e_j over pairs.
    effects = (terms.sum(dim=2) - (n - 1) * mean[:, None]) / (n - 2)
    left = (
        terms.square().sum(dim=(1, 2)) / pairs
        - mean.square()
        - 2 * effects.square().mean(dim=1) * (n - 2) / (n - 1)
    )
    # There are so many fewer free values than pairs.
    free = max(pairs / 2 - n, 1) / (pairs / 2)
    return left.clamp(min=0) / free


def block_errors(
    variances: torch.Tensor, sizes: Sequence[int], strata: Sequence[list[int]]
) -> torch.Tensor:
    """Standard errors, against all pairs, of means over pairs within blocks.

    Arguments
    ---------
    variances : torch.Tensor
        `pair_variance` in every block, [B, k].
    sizes : sequence of int
        Segments of every block.
    strata : sequence of list
        Blocks of every class.

    Returns
    -------
    errors : torch.Tensor
        Of the mean over classes, [k]; 0 where no class is cut.

    Example
    -------
    >>> block_errors(torch.ones(2, 1), [30, 30], [[0], [1]])
    tensor([0.])
    """
    squares = torch.zeros_like(variances[0])
    for blocks in strata:
        segments = sum(sizes[block] for block in blocks)
        every = segments * (segments - 1) / 2
        used = sum(sizes[block] * (sizes[block] - 1) / 2 for block in blocks)
        squares += variances[blocks].mean(dim=0) * (1 / used - 1 / every)
    return squares.sqrt() / len(strata)


def rounding_error(comparison: Comparison) -> float:
    """Largest difference that single precision makes to a block's scores.

    Arguments
    ---------
    comparison : Comparison
        Its first blocks are computed in float64 too.

    Returns
    -------
    error : float
        Of the unbiased score of any label in any of the blocks.

    Example
    -------
    >>> from speechbrain_mtl.selection.features import Measurements
    >>> labels = {"f0": torch.randn(60, 1)}
    >>> measured = Measurements(torch.randn(60, 10, 40), labels, seconds=60.0)
    >>> comparison = Comparison(measured, torch.arange(60) // 30)
    >>> rounding_error(comparison) < 1e-6
    True
    """
    numbers = range(min(CHECKED, len(comparison.cuts)))
    scores = [
        torch.stack(
            [
                torch.sum(
                    hsic_coefficients(block.K, estimator="unbiased")
                    * block.log_L.exp(),
                    dim=(1, 2),
                ).double()
                for block in comparison.blocks(numbers, dtype)
            ]
        )
        for dtype in (torch.float32, torch.float64)
    ]
    return float((scores[0] - scores[1]).abs().max())
