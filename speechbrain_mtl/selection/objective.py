"""The dependence of a weighted group of labels on speech, within classes.

The group's kernel is the weighted geometric mean of its labels' kernels,
``G(w) = exp(sum_k w_k log L_k)``: a radial basis function on the vector of all
labels, each scaled by the root of its weight.
"""

from collections.abc import Sequence

import torch

from speechbrain_mtl.selection.hsic import hsic
from speechbrain_mtl.selection.kernels import PUBLISHED_FLOOR

Strata = torch.Tensor | Sequence[torch.Tensor]


def as_strata(
    K: Strata,
    log_Ls: Strata,
    centering: str = "centered",
    lens: torch.Tensor | None = None,
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Bring strata into one form, a list without padding, and check them.

    Arguments
    ---------
    K, log_Ls, centering, lens
        See `group_objective`.

    Returns
    -------
    strata : list
        Pairs of kernels [n, n] and log kernels [k, n, n].

    Raises
    ------
    ValueError
        When shapes disagree, a stratum has one sample, or a value is not
        finite.

    Example
    -------
    >>> pairs = as_strata(torch.ones(2, 5, 5), torch.zeros(2, 3, 5, 5))
    >>> len(pairs), pairs[0][1].shape
    (2, torch.Size([3, 5, 5]))
    """
    if len(K) != len(log_Ls) or len(K) == 0:
        raise ValueError(
            f"{len(K)} speech kernels and {len(log_Ls)} label kernels; give "
            "one of each per stratum, and at least one stratum."
        )
    if lens is not None:
        K = [k[:n, :n] for k, n in zip(K, lens.tolist(), strict=True)]
        log_Ls = [
            log_L[:, :n, :n]
            for log_L, n in zip(log_Ls, lens.tolist(), strict=True)
        ]
    labels, strata = len(log_Ls[0]), []
    for index, (k, log_L) in enumerate(zip(K, log_Ls)):
        n = len(k)
        if k.shape != (n, n) or log_L.shape != (labels, n, n):
            raise ValueError(
                f"stratum {index}: kernels of shapes {tuple(k.shape)} and "
                f"{tuple(log_L.shape)}; expected (n, n) and ({labels}, n, n)."
            )
        if n < 2:
            raise ValueError(
                f"stratum {index} has {n} sample(s): no pair to compare. "
                "Remove the stratum, or give it more samples."
            )
        if centering == "reference":
            log_L = log_L.clamp(PUBLISHED_FLOOR, 0)
        # One sum is cheaper than a look at every entry, and as telling.
        if not (k.sum() + log_L.sum()).isfinite():
            raise ValueError(
                f"stratum {index}: a kernel holds NaN or infinity. Check the "
                "features and labels; take logarithms by log_rbf_kernel, "
                "which cannot underflow."
            )
        strata.append((k, log_L))
    return strata


def group_objective(
    K: Strata,
    log_Ls: Strata,
    weights: torch.Tensor,
    centering: str = "centered",
    estimator: str = "biased",
    lens: torch.Tensor | None = None,
) -> torch.Tensor:
    """Score a weighted group of labels: HSIC of speech and group, over strata.

    Lower is closer to conditional independence of speech and labels given the
    class. Differentiable in `weights`.

    Arguments
    ---------
    K : torch.Tensor or list
        Speech kernel of each stratum: [C, n, n], or a list of [n, n] of
        unequal n.
    log_Ls : torch.Tensor or list
        Log label kernels: [C, k, n, n], or a list of [k, n, n].
    weights : torch.Tensor
        Weight of each label, [k].
    centering, estimator
        See `hsic`. "reference" also clamps the log kernels at -10 as the
        published optimiser does.
    lens : torch.Tensor, optional
        Samples of each stratum when the batch is padded, integers [C].

    Returns
    -------
    objective : torch.Tensor
        Mean over strata, a scalar. Padding does not change it.

    Raises
    ------
    ValueError
        See `as_strata` and `hsic`.

    Example
    -------
    >>> from speechbrain_mtl.selection import cosine_kernel, log_rbf_kernel
    >>> K = cosine_kernel(torch.rand(3, 6, 10))
    >>> log_Ls = log_rbf_kernel(torch.rand(3, 2, 6, 1))
    >>> w = torch.tensor([0.5, 0.5], requires_grad=True)
    >>> group_objective(K, log_Ls, w).backward()
    >>> w.grad.shape
    torch.Size([2])
    """
    scores = []
    for k, log_L in as_strata(K, log_Ls, centering, lens):
        group = torch.tensordot(weights.to(log_L), log_L, dims=1).exp()
        scores.append(hsic(k, group, centering, estimator))
    return torch.stack(scores).mean()
