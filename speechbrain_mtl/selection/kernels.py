"""How similar are two segments of speech, or two values of a label?"""

import math

import torch

# The published bandwidth, used as a variance: log L = -10 d^2.
PUBLISHED_VARIANCE = 0.05
# The published optimiser's floor of log L: labels one deviation apart are as
# different as any.
PUBLISHED_FLOOR = -10.0
# Values a label from which on matrix products, 20 times faster, may round
# close values: by 1e-6 of a bandwidth, for histograms of single precision.
WIDE = 128
PAIR_VALUES = 4_000_000  # worked on at once


def cosine_kernel(x: torch.Tensor) -> torch.Tensor:
    """Cosine similarity of all pairs of rows.

    Arguments
    ---------
    x : torch.Tensor
        One flattened embedding a row, [..., n, D].

    Returns
    -------
    K : torch.Tensor
        [..., n, n], symmetric, ones on the diagonal (zeros for a row of
        zeros, which has no direction).

    Example
    -------
    >>> cosine_kernel(torch.tensor([[2.0, 0.0], [0.0, 3.0], [1.0, 0.0]]))
    tensor([[1., 0., 1.],
            [0., 1., 0.],
            [1., 0., 1.]])
    """
    x = torch.nn.functional.normalize(x, dim=-1)
    return x @ x.mT


def log_rbf_kernel(
    z: torch.Tensor,
    variance: float = PUBLISHED_VARIANCE,
    other: torch.Tensor | None = None,
) -> torch.Tensor:
    """Logarithm of `rbf_kernel`; exact where the kernel itself underflows.

    Arguments
    ---------
    z : torch.Tensor
        One label value a segment [n], or vectors [..., n, d].
    variance : float
        The square of the radial basis function's standard deviation.
    other : torch.Tensor, optional
        Vectors to compare with, [..., m, d]; `z` itself by default.

    Returns
    -------
    log_L : torch.Tensor
        ``-|z_i - z_j|^2 / (2 variance)``, [..., n, n] or [..., n, m].

    Raises
    ------
    ValueError
        When `variance` is not positive.

    Example
    -------
    >>> log_rbf_kernel(torch.tensor([0.0, 1.0]))
    tensor([[ -0., -10.],
            [-10.,  -0.]])
    """
    if not variance > 0:
        raise ValueError(f"variance is {variance}; it must be positive.")
    z = z[:, None] if z.dim() == 1 else z
    to = z if other is None else other
    if z.shape[-1] == 1:
        squared = (z - to.mT).square_()
    elif z.shape[-1] < WIDE:
        # Not through matrix products, which lose close values' digits.
        squared = torch.cdist(
            z, to, compute_mode="donot_use_mm_for_euclid_dist"
        ).square_()
    else:
        center = z.mean(dim=-2, keepdim=True)
        z, to = z - center, to - center
        squares = z.square().sum(dim=-1)[..., None]
        squares = squares + to.square().sum(dim=-1)[..., None, :]
        squared = (squares - 2 * (z @ to.mT)).clamp_(min=0)
        if other is None:
            squared.diagonal(0, -2, -1).zero_()
    return squared.div_(-2 * variance)


def rbf_kernel(
    z: torch.Tensor, variance: float = PUBLISHED_VARIANCE
) -> torch.Tensor:
    """Radial basis function of the differences of a label's values.

    Arguments
    ---------
    z, variance
        See `log_rbf_kernel`. The bandwidth is fixed, so z-score the label
        first, or give a variance on its scale (`median_variance`).

    Returns
    -------
    L : torch.Tensor
        Values in [0, 1], [..., n, n].

    Example
    -------
    >>> rbf_kernel(torch.tensor([0.0, 1.0]), variance=0.5)
    tensor([[1.0000, 0.3679],
            [0.3679, 1.0000]])
    """
    return log_rbf_kernel(z, variance).exp_()


def log_multi_rbf_kernel(log_L: torch.Tensor) -> torch.Tensor:
    """Logarithm of the mean of three radial basis functions.

    Their variances are a quarter, once and four times that of the kernel
    given: what differs little and what differs much are both told apart,
    where one bandwidth sees only differences of its own size (Gretton et al.,
    "Optimal kernel choice", NeurIPS 2012, mix kernels alike).

    Arguments
    ---------
    log_L : torch.Tensor
        Logarithms of one radial basis function, of any shape.

    Returns
    -------
    log_mean : torch.Tensor
        The same shape; finite wherever `log_L` is.

    Example
    -------
    >>> log_multi_rbf_kernel(torch.tensor([0.0, -4.0])).exp()
    tensor([1.0000, 0.1287])
    """
    # exp(b / 4) is the largest of the three: the sum is taken relative to it,
    # so that it never underflows.
    smaller = (log_L * 0.75).exp_().add_((log_L * 3.75).exp_())
    return smaller.log1p_().add_(log_L, alpha=0.25).sub_(math.log(3))


def squared_distances(
    z: torch.Tensor, first: torch.Tensor, second: torch.Tensor
) -> torch.Tensor:
    """Squared distances of single pairs, in little memory for wide labels.

    Arguments
    ---------
    z : torch.Tensor
        Label values of all segments, [N, d].
    first, second : torch.Tensor
        Indices of the pairs, [P].

    Returns
    -------
    squared : torch.Tensor
        [P].

    Example
    -------
    >>> pairs = torch.tensor([0, 1]), torch.tensor([2, 2])
    >>> squared_distances(torch.tensor([[0.0], [1.0], [3.0]]), *pairs)
    tensor([9., 4.])
    """
    most = max(PAIR_VALUES // z.shape[1], 1)
    parts = zip(first.split(most), second.split(most))
    return torch.cat([(z[a] - z[b]).square().sum(dim=1) for a, b in parts])


def median_variance(
    z: torch.Tensor, seed: int = 0, pairs: int = 100_000
) -> float:
    """The bandwidth that suits a label: the median squared difference.

    Unlike the label's own variance it does not follow a few extreme values.
    Where more than half of all pairs are equal (a label that is nearly always
    zero), it is the mean squared difference instead.

    Arguments
    ---------
    z : torch.Tensor
        Label values of all segments, [N] or [N, d].
    seed : int
        Chooses the pairs.
    pairs : int
        Pairs looked at.

    Returns
    -------
    variance : float
        Zero only for a constant label.

    Example
    -------
    >>> round(median_variance(torch.tensor([0.0, 3.0])), 6)
    9.0
    """
    z = z[:, None] if z.dim() == 1 else z
    generator = torch.Generator().manual_seed(seed)
    first = torch.randint(len(z), (pairs,), generator=generator)
    gap = torch.randint(1, len(z), (pairs,), generator=generator)
    second = (first + gap) % len(z)
    squared = squared_distances(z, first, second)
    median = squared.median()
    return float(median if median > 0 else squared.mean())
