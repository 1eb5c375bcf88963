"""How far two frames are apart, as a product of matrices and a finish.

A product is what machines do best, and float64 what it needs: an arc cosine
turns rounding of 1e-7 near 1 into angles of 1e-4. Distances are rounded to
multiples of 2**-24, so that those of equal frames are equal wherever in a
matrix they stand: ties, of which discrete features have many, stay ties, and
sums along a path are exact.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch

# Of features that are probabilities, where one is 0.
EPSILON = 1e-6
# Vanishes beside 1 when squared; a power of two, so that TINY / TINY is 1.
TINY = 2.0**-30


# One part in so many is the finest difference of distances.
GRID = 2.0**24


class Distance(NamedTuple):
    """``finish(left(x) @ right(y).T)`` is the distance of all x to all y.

    Arguments
    ---------
    prepare : callable
        Checks or scales all frames [F, D] before any are compared.
    left, right : callable
        From frames [F, D] to factors [F, K], float64.
    finish : callable
        From products to distances; may change them in place.
    """

    prepare: Callable[[torch.Tensor], torch.Tensor]
    left: Callable[[torch.Tensor], torch.Tensor]
    right: Callable[[torch.Tensor], torch.Tensor]
    finish: Callable[[torch.Tensor], torch.Tensor]

    def __call__(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Give the distances of prepared x [N, D] to y [M, D], [N, M]."""
        return self.finish(self.left(x) @ self.right(y).mT)


def _on_grid(x: torch.Tensor, factor: float = 1.0) -> torch.Tensor:
    return x.mul_(factor * GRID).round_().div_(GRID)


def _as_they_are(x: torch.Tensor) -> torch.Tensor:
    return x


def _directions(x: torch.Tensor) -> torch.Tensor:
    """Unit frames, and one value by which silence is far from all else.

    A frame of zeros has no direction. It is put opposite to all others
    (product -1), and with other frames of zeros (product above 1).
    """
    x = x.double()
    norm = x.norm(dim=-1, keepdim=True)
    zero = norm == 0
    mark = torch.where(zero, -1 / TINY, TINY)
    return torch.cat([x / norm.masked_fill(zero, 1), mark], dim=-1)


def _angle(product: torch.Tensor) -> torch.Tensor:
    return _on_grid(product.clamp_(-1, 1).acos_(), 1 / math.pi)


def _scaled(x: torch.Tensor) -> torch.Tensor:
    """Frames of norm 1 at most: which of two is nearer stays the same."""
    x = x.double()
    return x / x.norm(dim=1).max().clamp(min=torch.finfo(x.dtype).tiny)


def _with_squares(x: torch.Tensor) -> torch.Tensor:
    x = x.double()
    square = x.square().sum(-1, keepdim=True)
    return torch.cat([-2 * x, square, torch.ones_like(square)], dim=-1)


def _beside_squares(x: torch.Tensor) -> torch.Tensor:
    x = x.double()
    square = x.square().sum(-1, keepdim=True)
    return torch.cat([x, torch.ones_like(square), square], dim=-1)


def _root(square: torch.Tensor) -> torch.Tensor:
    return _on_grid(square.clamp_(min=0).sqrt_())


def _probabilities(x: torch.Tensor) -> torch.Tensor:
    if (x < 0).any():
        raise ValueError(
            f"a feature is {float(x.min()):.4g}, and distance 'kl_symmetric' "
            "is one of probabilities. Give posteriors, or choose 'angular'."
        )
    return x


def _logarithms(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    x = x.double()
    log = (x + EPSILON).log()
    own = (x * log).sum(-1, keepdim=True)
    return x, log, own, torch.ones_like(own)


def _with_entropy(x: torch.Tensor) -> torch.Tensor:
    x, log, own, one = _logarithms(x)
    return torch.cat([x, log, own, one], dim=-1)


def _beside_entropy(x: torch.Tensor) -> torch.Tensor:
    x, log, own, one = _logarithms(x)
    return torch.cat([-log, -x, one, own], dim=-1)


def _half(total: torch.Tensor) -> torch.Tensor:
    return _on_grid(total.clamp_(min=0), 0.5)


#: ``angular`` is the angle between frames, 1 for opposite ones; ``euclidean``
#: their distance, the largest norm being 1; ``kl_symmetric`` the mean of both
#: Kullback-Leibler divergences of frames that are probabilities.
DISTANCES = {
    "angular": Distance(_as_they_are, _directions, _directions, _angle),
    "euclidean": Distance(_scaled, _with_squares, _beside_squares, _root),
    "kl_symmetric": Distance(
        _probabilities, _with_entropy, _beside_entropy, _half
    ),
}


def distance_named(name: str) -> Distance:
    """Look a distance up.

    Arguments
    ---------
    name : str
        One of `DISTANCES`.

    Returns
    -------
    distance : Distance
        Of frames.

    Raises
    ------
    ValueError
        When there is none of that name.

    Example
    -------
    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    >>> distance_named("angular")(x, x)
    tensor([[0.0000, 0.5000, 1.0000],
            [0.5000, 0.0000, 1.0000],
            [1.0000, 1.0000, 0.0000]], dtype=torch.float64)
    """
    if name not in DISTANCES:
        raise ValueError(
            f"distance is '{name}'. Choose one of {', '.join(DISTANCES)}."
        )
    return DISTANCES[name]
