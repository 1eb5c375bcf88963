"""The Hilbert-Schmidt independence criterion, as published and as it should be.

Every estimator here is linear in L for fixed K: ``hsic(K, L) = sum(A * L)``
with ``A = hsic_coefficients(K)``. Scores, gradients and permutation moments
all follow from A at a cost of n^2; no product of n x n matrices is needed.
"""

import torch

CENTERINGS = ("centered", "reference")
ESTIMATORS = ("biased", "unbiased")


def hsic_coefficients(
    K: torch.Tensor,
    centering: str = "centered",
    estimator: str = "biased",
    lens: torch.Tensor | None = None,
) -> torch.Tensor:
    """Give the matrix A with ``hsic(K, L) = sum(A * L)`` for every L.

    Arguments
    ---------
    K : torch.Tensor
        Symmetric kernels, [..., n, n].
    centering, estimator, lens
        See `hsic`.

    Returns
    -------
    A : torch.Tensor
        [..., n, n], zero in padding.

    Raises
    ------
    ValueError
        For an unknown centring or estimator, their impossible combination,
        and too few samples.

    Example
    -------
    >>> A = hsic_coefficients(torch.eye(2))
    >>> A
    tensor([[ 0.1250, -0.1250],
            [-0.1250,  0.1250]])
    """
    if centering not in CENTERINGS or estimator not in ESTIMATORS:
        raise ValueError(
            f"centering {centering!r} and estimator {estimator!r}: choose from "
            f"{CENTERINGS} and {ESTIMATORS}."
        )
    unbiased = estimator == "unbiased"
    if unbiased and centering == "reference":
        raise ValueError(
            "the published centring has no unbiased form; use "
            "estimator='biased' with centering='reference'."
        )
    size = K.shape[-1]
    fewest = size if lens is None else int(lens.min())
    if fewest < (4 if unbiased else 2):
        raise ValueError(
            f"a stratum has {fewest} samples; the {estimator} "
            f"estimator needs at least {4 if unbiased else 2}. Raise "
            "min_per_class."
        )

    def blank(x: torch.Tensor) -> torch.Tensor:
        """Zero what no sum may see: padding, and the diagonal if unbiased."""
        if lens is not None:
            inside = torch.arange(size, device=K.device) < lens[..., None]
            x = torch.where(inside[..., None] & inside[..., None, :], x, 0.0)
        if unbiased:
            x = x.clone()
            x.diagonal(0, -2, -1).zero_()
        return x

    K = blank(K)
    n = size if lens is None else lens[..., None, None].to(K.dtype)
    rows = K.sum(dim=-1, keepdim=True)
    total = rows.sum(dim=-2, keepdim=True)
    if unbiased:
        A = K - (rows + rows.mT) / (n - 2) + total / ((n - 1) * (n - 2))
        A = A / (n * (n - 3))
    else:
        c = 1 / n if centering == "centered" else 1 / n**2
        A = (K - c * (rows + rows.mT) + c**2 * total) / n**2
    return blank(A)


def hsic(
    K: torch.Tensor,
    L: torch.Tensor,
    centering: str = "centered",
    estimator: str = "biased",
    lens: torch.Tensor | None = None,
) -> torch.Tensor:
    """Measure how much two kernels over the same samples depend.

    The biased estimator is ``tr(K H L H) / n^2`` (Gretton et al., 2005) with
    ``H = I - 11'/n``: at least 0 for positive kernels, about
    ``tr(HK) tr(HL) / n^3`` under independence. The unbiased one (Song et al.,
    JMLR 13, 2012, eq. 5) has mean 0 under independence.

    Arguments
    ---------
    K, L : torch.Tensor
        Symmetric kernels, [..., n, n].
    centering : str
        "centered", or "reference" for ``H = I - 11'/n^2``: the formula of the
        published code, which is not zero under independence but close to
        ``mean(K) mean(L)``.
    estimator : str
        "biased" or "unbiased"; the latter needs n >= 4 and proper centring.
    lens : torch.Tensor, optional
        Samples of each stratum when the kernels are padded, integers [...].

    Returns
    -------
    score : torch.Tensor
        [...]; padding does not change it.

    Raises
    ------
    ValueError
        See `hsic_coefficients`.

    Example
    -------
    >>> K = torch.eye(4)
    >>> hsic(K, K), hsic(K, torch.ones(4, 4))
    (tensor(0.1875), tensor(0.))
    """
    A = hsic_coefficients(K, centering, estimator, lens)
    return torch.where(A != 0, A * L, 0.0).sum(dim=(-2, -1))


def normalized_hsic(
    K: torch.Tensor,
    L: torch.Tensor,
    estimator: str = "unbiased",
    lens: torch.Tensor | None = None,
) -> torch.Tensor:
    """Centred kernel alignment: HSIC as a correlation of kernels.

    ``hsic(K, L) / sqrt(hsic(K, K) hsic(L, L))`` (Cortes et al., 2012;
    Kornblith et al., 2019), free of each kernel's scale and spread.

    Arguments
    ---------
    K, L : torch.Tensor
        Symmetric kernels, [..., n, n].
    estimator, lens
        See `hsic`.

    Returns
    -------
    alignment : torch.Tensor
        [...], at most 1; 0 under independence (on average, when unbiased)
        and where a kernel is constant.

    Example
    -------
    >>> K = torch.eye(4) + 0.5
    >>> normalized_hsic(K, 7 * K, estimator="biased")
    tensor(1.)
    """
    pair = hsic(K, L, estimator=estimator, lens=lens)
    own_K = hsic(K, K, estimator=estimator, lens=lens)
    own_L = hsic(L, L, estimator=estimator, lens=lens)
    # What rounding leaves of a constant kernel is no variation.
    dust = torch.finfo(K.dtype).eps
    varied = (own_K > dust * _power(K, lens)) & (own_L > dust * _power(L, lens))
    safe = torch.where(varied, own_K * own_L, 1.0)
    return torch.where(varied, pair / safe.sqrt(), 0.0)


def _power(K: torch.Tensor, lens: torch.Tensor | None) -> torch.Tensor:
    """Largest squared entry of each kernel outside its padding."""
    if lens is not None:
        inside = torch.arange(K.shape[-1], device=K.device) < lens[..., None]
        K = torch.where(inside[..., None] & inside[..., None, :], K, 0.0)
    return K.square().amax(dim=(-2, -1))
