"""How well utterances and images fit, and the loss over all their pairs."""

import torch
from torch import nn
from torch.nn import functional

from speechbrain_mtl.losses import info_nce, masked_margin_softmax


class Matching(nn.Module):
    """A similarity of vectors and the loss that goes with it.

    Subclasses define both; similarities rank in retrieval, too.
    """

    def similarity(
        self, speech: torch.Tensor, images: torch.Tensor
    ) -> torch.Tensor:
        """Score every utterance [Q, D] with every image [G, D]: [Q, G]."""
        raise NotImplementedError

    def forward(
        self, speech: torch.Tensor, images: torch.Tensor, ids: torch.Tensor
    ) -> torch.Tensor:
        """Compute the loss of pairs [B, D], [B, D] with image numbers [B]."""
        raise NotImplementedError


def _products(speech: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Dot products in float32: bf16 could not tell the best from the next."""
    with torch.autocast(speech.device.type, enabled=False):
        return speech.float() @ images.float().T


class MarginMatching(Matching):
    """Raw dot products and the masked margin softmax, as VGS+ has them.

    Arguments
    ---------
    margin : float
        See `masked_margin_softmax`.

    Example
    -------
    >>> matching = MarginMatching()
    >>> matching(torch.zeros(64, 2), torch.ones(64, 2), torch.arange(64))
    tensor(10.2979)
    """

    def __init__(self, margin: float = 1.0) -> None:
        super().__init__()
        self.margin = margin

    def similarity(
        self, speech: torch.Tensor, images: torch.Tensor
    ) -> torch.Tensor:
        """Give the dot products."""
        return _products(speech, images)

    def forward(
        self, speech: torch.Tensor, images: torch.Tensor, ids: torch.Tensor
    ) -> torch.Tensor:
        """Compute the masked margin softmax."""
        scores = self.similarity(speech, images)
        return masked_margin_softmax(scores, ids, self.margin)


class CosineMatching(Matching):
    """Cosines over a temperature, and InfoNCE: bounded, unlike dot products.

    Arguments
    ---------
    temperature : float
        Cosines are divided by it; the first one, where it is learnt.
    learnt : bool
        Learn it. Weight decay pulls it towards the first one.
    least : float
        It stays above.

    Raises
    ------
    ValueError
        When the temperature is not above `least`, or that not above 0.

    Example
    -------
    >>> matching = CosineMatching(temperature=0.1)
    >>> matching.similarity(torch.ones(1, 4), torch.ones(2, 4))
    tensor([[1., 1.]])
    """

    def __init__(
        self,
        temperature: float = 0.07,
        learnt: bool = True,
        least: float = 0.01,
    ) -> None:
        super().__init__()
        if not temperature >= least > 0:
            raise ValueError(
                f"temperature {temperature}, least {least}: the temperature is "
                "at least that, and that above 0"
            )
        self.first, self.least = temperature, least
        self.fall = nn.Parameter(torch.zeros(())) if learnt else None

    def temperature(self) -> float | torch.Tensor:
        """Give the temperature now."""
        if self.fall is None:
            return self.first
        return (self.first * (-self.fall).exp()).clamp(min=self.least)

    def similarity(
        self, speech: torch.Tensor, images: torch.Tensor
    ) -> torch.Tensor:
        """Give the cosines."""
        return _products(
            functional.normalize(speech.float(), dim=-1),
            functional.normalize(images.float(), dim=-1),
        )

    def forward(
        self, speech: torch.Tensor, images: torch.Tensor, ids: torch.Tensor
    ) -> torch.Tensor:
        """Compute InfoNCE."""
        cosines = self.similarity(speech, images)
        return info_nce(cosines, ids, self.temperature())
