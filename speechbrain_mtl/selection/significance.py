"""Could so much dependence come from chance? Permutations within strata.

Under independence within a stratum every re-assignment of the label's values
to the stratum's segments is equally likely. The mean and the variance of the
score over all n! of them have a closed form, so the usual z needs no random
permutation at all; `permutation_test` draws them for those who want to see.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.stats import gamma


@dataclass(frozen=True)
class Significance:
    """How far a score lies from what permutations give.

    Arguments
    ---------
    score : float
        The score, meaned over strata.
    deviation : float
        Its standard deviation over permutations.
    z : float
        Distance from the permutations' mean, in deviations.
    p : float
        One-sided probability of a score as large under independence.
    room : float
        How far a score may fall below the permutations' mean: 0 where no
        closed form was used.
    """

    score: float
    deviation: float
    z: float
    p: float
    room: float = 0.0

    def critical(self, level: float) -> float:
        """Give the excess over the permutations' mean at which p is a level.

        Arguments
        ---------
        level : float
            Between 0 and 1.

        Returns
        -------
        excess : float
            By the law of `gamma_p`; infinite where the deviation is zero.

        Example
        -------
        >>> round(Significance(0.0, 1.0, 0.0, 0.5, room=1.0).critical(0.01), 4)
        3.6052
        """
        if self.deviation <= 0:
            return math.inf
        room = max(self.room, 1e-3 * self.deviation)
        shape = (room / self.deviation) ** 2
        return float(gamma.isf(level, shape)) * self.deviation**2 / room - room


def permutation_moments(
    A: torch.Tensor, L: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of ``sum(A * L[p][:, p])`` over all permutations p.

    Exact, for symmetric matrices whose diagonals are ignored (Mantel, Cancer
    Research 27, 1967).

    Arguments
    ---------
    A, L : torch.Tensor
        Symmetric, [..., n, n], n >= 4.

    Returns
    -------
    mean, variance : torch.Tensor
        float64 [...].

    Example
    -------
    >>> A = torch.eye(4).roll(1, 0) + torch.eye(4).roll(-1, 0)
    >>> permutation_moments(A, A)
    (tensor(5.3333, dtype=torch.float64), tensor(3.5556, dtype=torch.float64))
    """
    n = A.shape[-1]

    def sums(M: torch.Tensor) -> tuple[torch.Tensor, ...]:
        M = M - torch.diag_embed(M.diagonal(0, -2, -1))
        rows = M.sum(dim=-1, dtype=torch.float64)
        total = rows.sum(dim=-1)
        squares = M.square().sum(dim=(-2, -1), dtype=torch.float64)
        stars = rows.square().sum(dim=-1)
        # Pairs of entries that share both, one, or none of their indices.
        apart = total**2 + 2 * squares - 4 * stars
        return total, squares, stars - squares, apart

    total_a, both_a, one_a, none_a = sums(A)
    total_l, both_l, one_l, none_l = sums(L)
    mean = total_a * total_l / (n * (n - 1))
    second = 2 * both_a * both_l / (n * (n - 1))
    second = second + 4 * one_a * one_l / (n * (n - 1) * (n - 2))
    second = second + none_a * none_l / (n * (n - 1) * (n - 2) * (n - 3))
    return mean, (second - mean**2).clamp(min=0)


def gamma_p(
    excess: torch.Tensor, deviation: torch.Tensor, room: torch.Tensor
) -> torch.Tensor:
    """Upper tail of a gamma law with mean 0 and a lower end at ``-room``.

    The usual approximation of HSIC's null law (Gretton et al., NeurIPS 2007),
    here with exact moments. It tends to the normal law as strata add up.

    Arguments
    ---------
    excess : torch.Tensor
        Observed score minus the permutations' mean.
    deviation : torch.Tensor
        Standard deviation over permutations.
    room : torch.Tensor
        How far a score may fall below the mean.

    Returns
    -------
    p : torch.Tensor
        1 where the deviation is zero: such a score says nothing.

    Example
    -------
    >>> one = torch.tensor(1.0, dtype=torch.float64)
    >>> gamma_p(0 * one, one, one)  # the exponential law: exp(-1)
    tensor(0.3679, dtype=torch.float64)
    """
    safe = deviation.clamp(min=torch.finfo(deviation.dtype).tiny)
    room = torch.maximum(room, safe * 1e-3)
    shape = (room / safe) ** 2
    above = ((excess + room) * room / safe**2).clamp(min=0)
    return torch.where(
        deviation > 0, torch.special.gammaincc(shape, above), 1.0
    )


def permutation_test(
    As: Sequence[torch.Tensor],
    Ls: Sequence[torch.Tensor],
    permutations: int = 999,
    seed: int = 0,
    block: int = 64,
) -> Significance:
    """Test independence within strata with random permutations.

    Arguments
    ---------
    As : sequence of torch.Tensor
        `hsic_coefficients` of each stratum, [n, n]; n may differ.
    Ls : sequence of torch.Tensor
        The label's kernel of each stratum, [n, n].
    permutations : int
        How many; p is never below ``1 / (permutations + 1)``.
    seed : int
        Chooses them.
    block : int
        Permutations applied at once.

    Returns
    -------
    significance : Significance
        Of the score meaned over strata.

    Example
    -------
    >>> from speechbrain_mtl.selection import hsic_coefficients, rbf_kernel
    >>> L = rbf_kernel(torch.linspace(-1, 1, 20))
    >>> permutation_test([hsic_coefficients(L)], [L], 99).p
    0.01
    """
    generator = torch.Generator().manual_seed(seed)
    scores = torch.zeros(permutations + 1, dtype=torch.float64)
    for A, L in zip(As, Ls, strict=True):
        n = len(A)
        order = torch.rand(permutations, n, generator=generator).argsort(-1)
        order = torch.cat([torch.arange(n)[None], order]).to(L.device)
        scores += torch.cat(
            [
                (A * L[p[:, :, None], p[:, None, :]]).sum(dim=(-2, -1))
                for p in order.split(block)
            ]
        ).cpu()
    scores /= len(As)
    observed, drawn = scores[0], scores[1:]
    # Permuted scores equal to the observed one up to rounding are ties.
    slack = 1e-9 * scores.abs().max()
    above = (drawn >= observed - slack).sum()
    deviation = drawn.std()
    z = (observed - drawn.mean()) / deviation if deviation > slack else 0.0
    return Significance(
        float(observed),
        float(deviation),
        float(z),
        (1 + int(above)) / (1 + permutations),
    )


def exact_test(
    scores: torch.Tensor,
    means: torch.Tensor,
    variances: torch.Tensor,
    rooms: torch.Tensor,
    shares: torch.Tensor,
) -> list[Significance]:
    """Combine strata: exact permutation z, gamma approximation of p.

    Arguments
    ---------
    scores, means, variances : torch.Tensor
        Observed score of each stratum and its `permutation_moments`, for k
        labels, [S, k].
    rooms : torch.Tensor
        See `gamma_p`, [S, k].
    shares : torch.Tensor
        Share of each stratum in the whole score, sum 1, [S].

    Returns
    -------
    significances : list of Significance
        One a label.

    Example
    -------
    >>> one, quarter = torch.ones(4, 1), torch.full((4,), 0.25)
    >>> exact_test(3 * one, one, one, one, quarter)[0].z
    4.0
    """
    shares = shares.double()
    score = shares @ scores.double()
    excess = score - shares @ means.double()
    deviation = (shares.square() @ variances.double()).sqrt()
    room = shares @ rooms.double()
    p = gamma_p(excess, deviation, room)
    z = torch.where(deviation > 0, excess / deviation, 0.0)
    columns = (score, deviation, z, p, room)
    return [
        Significance(*row)
        for row in zip(*(column.tolist() for column in columns))
    ]
