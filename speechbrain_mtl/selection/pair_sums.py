"""Sums over pairs of segments: what every evaluation of a group comes down to."""

from collections.abc import Sequence
from typing import Protocol

import torch

from speechbrain_mtl.selection.hsic import hsic_coefficients


class Sums(Protocol):
    """What a solver needs: `PairSums`, or the like in other forms."""

    labels: int
    pairs: int
    dtype: torch.dtype
    device: torch.device

    def __call__(
        self, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the sums [m] and their derivatives [m, k] at weights [k]."""

    def sample(self, pairs: int, seed: int = 0) -> "Sums":
        """Keep some random pairs, scaled up to stand for all."""

    def select(self, labels: Sequence[int]) -> "Sums":
        """Keep some labels."""


class PairSums:
    """Weighted sums of a group kernel over pairs of segments, with gradient.

    For coefficients a and log kernels D over P pairs it gives
    ``sum_p a_p exp(w . D_p)`` for several a at once. HSIC is such a sum
    (`hsic_coefficients`), so this is the whole objective in the form that one
    pass over memory evaluates: O(k P) instead of O(n^3), each pair once.

    Arguments
    ---------
    coefficients : torch.Tensor
        One sum a row, [m, P].
    log_kernels : torch.Tensor
        [k, P].
    block : int
        Pairs worked on at once: few enough for the processor's cache and
        for sums in the kernels' own precision; blocks add up in float64.

    Example
    -------
    >>> sums = PairSums(torch.ones(1, 3), torch.tensor([[0.0, -1.0, -2.0]]))
    >>> values, jacobian = sums(torch.tensor([1.0], dtype=torch.float64))
    >>> values, jacobian
    (tensor([1.5032], dtype=torch.float64), tensor([[-0.6386]], dtype=torch.float64))
    """

    def __init__(
        self,
        coefficients: torch.Tensor,
        log_kernels: torch.Tensor,
        block: int = 1 << 16,
    ) -> None:
        self.coefficients = coefficients
        self.log_kernels = log_kernels
        self.block = block

    @property
    def labels(self) -> int:
        """How many labels are weighed."""
        return len(self.log_kernels)

    @property
    def pairs(self) -> int:
        """How many pairs are summed."""
        return self.log_kernels.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """Of the log kernels."""
        return self.log_kernels.dtype

    @property
    def device(self) -> torch.device:
        """Of the log kernels."""
        return self.log_kernels.device

    def __call__(
        self, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Evaluate all sums.

        Arguments
        ---------
        weights : torch.Tensor
            [k].

        Returns
        -------
        values, jacobian : torch.Tensor
            float64 [m] and [m, k].
        """
        labels, sums = self.labels, len(self.coefficients)
        weights = weights.to(self.log_kernels)
        values = weights.new_zeros(sums, dtype=torch.float64)
        jacobian = weights.new_zeros(sums, labels, dtype=torch.float64)
        # One buffer for all blocks stays in the cache.
        room = weights.new_empty(1 + sums, min(self.block, self.pairs))
        for start in range(0, self.pairs, self.block):
            part = slice(start, start + self.block)
            log_kernels = self.log_kernels[:, part]
            group, terms = room[0], room[1:]
            if log_kernels.shape[1] < self.block:  # the last block is short
                group = group[: log_kernels.shape[1]]
                terms = terms[:, : log_kernels.shape[1]]
            torch.mv(log_kernels.T, weights, out=group).exp_()
            torch.mul(self.coefficients[:, part], group, out=terms)
            values += terms.sum(dim=1).double()
            jacobian += (terms @ log_kernels.T).double()
        return values, jacobian

    def select(self, labels: Sequence[int]) -> "PairSums":
        """Keep some labels.

        Arguments
        ---------
        labels : sequence of int
            Which; all of them in order cost nothing.

        Returns
        -------
        sums : PairSums
        """
        if list(labels) == list(range(self.labels)):
            return self
        chosen = self.log_kernels[list(labels)]
        return PairSums(self.coefficients, chosen, self.block)

    def sample(self, pairs: int, seed: int = 0) -> "PairSums":
        """Keep some random pairs, scaled up to stand for all.

        Arguments
        ---------
        pairs : int
            How many; all when there are no more.
        seed : int
            Chooses them.

        Returns
        -------
        sums : PairSums
        """
        if self.pairs <= pairs:
            return self
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randint(self.pairs, (pairs,), generator=generator)
        chosen = chosen.to(self.log_kernels.device)
        return PairSums(
            self.coefficients[:, chosen] * (self.pairs / pairs),
            self.log_kernels[:, chosen],
            self.block,
        )

    def stretch(self, pairs: int, number: int) -> "PairSums":
        """Keep some consecutive pairs, scaled up to stand for all.

        Unlike `sample` it copies no kernels.

        Arguments
        ---------
        pairs : int
            How many.
        number : int
            Which stretch; they follow on one another, and start again.

        Returns
        -------
        sums : PairSums
        """
        part = slice(*stretch(self.pairs, pairs, number))
        return PairSums(
            self.coefficients[:, part] * (self.pairs / pairs),
            self.log_kernels[:, part],
            self.block,
        )


def stretch(size: int, count: int, number: int) -> tuple[int, int]:
    """Cut consecutive stretches out of a range, starting again at its end.

    Arguments
    ---------
    size : int
        Of the range.
    count : int
        Of a stretch.
    number : int
        Which stretch.

    Returns
    -------
    first, end : int
        Where it begins and ends.

    Example
    -------
    >>> [stretch(10, 4, number) for number in range(3)]
    [(0, 4), (4, 8), (1, 5)]
    """
    first = number * count % (size - count + 1)
    return first, first + count


def lower_triangle(
    A: torch.Tensor, log_L: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Write ``sum(A * exp(log_L))`` of symmetric matrices as a sum over pairs.

    Arguments
    ---------
    A : torch.Tensor
        Coefficients, [m, n, n].
    log_L : torch.Tensor
        Log kernels, [k, n, n].

    Returns
    -------
    coefficients, log_kernels : torch.Tensor
        [m, P] and [k, P] with P = n (n + 1) / 2; the halves off the diagonal
        are folded together.

    Example
    -------
    >>> lower_triangle(torch.ones(1, 2, 2), torch.zeros(1, 2, 2))[0]
    tensor([[1., 2., 1.]])
    """
    row, column = torch.tril_indices(*A.shape[-2:], device=A.device)
    folded = 2.0 - (row == column).to(A.dtype)
    # Flat places: several times faster than pairs of indices.
    place = row * A.shape[-1] + column
    return (
        A.flatten(1).index_select(1, place) * folded,
        log_L.flatten(1).index_select(1, place),
    )


def strata_sums(
    strata: list[tuple[torch.Tensor, torch.Tensor]],
    centering: str = "centered",
    estimator: str = "biased",
) -> PairSums:
    """Prepare `group_objective` for many evaluations.

    Arguments
    ---------
    strata : list
        From `as_strata`.
    centering, estimator
        See `group_objective`.

    Returns
    -------
    sums : PairSums
        Of one sum, the objective.

    Example
    -------
    >>> from speechbrain_mtl.selection import cosine_kernel, log_rbf_kernel
    >>> from speechbrain_mtl.selection.objective import as_strata
    >>> K = cosine_kernel(torch.rand(3, 6, 10))
    >>> log_Ls = log_rbf_kernel(torch.rand(3, 2, 6, 1))
    >>> strata_sums(as_strata(K, log_Ls)).pairs
    63
    """
    parts = []
    for k, log_L in strata:
        A = hsic_coefficients(k, centering, estimator) / len(strata)
        parts.append(lower_triangle(A[None], log_L))
    return PairSums(*(torch.cat(part, dim=1) for part in zip(*parts)))
