"""A learned mix of layers."""

from collections.abc import Sequence

import torch
from torch import nn


class LayerMix(nn.Module):
    """Mix all layers by learned weights of sum 1, equal at first.

    Give it to a pretext task as its ``layer``. The gradient reaches every
    layer.

    Arguments
    ---------
    layers : int
        How many layers the encoder has; all of one width.

    Example
    -------
    >>> mix = LayerMix(2)
    >>> mix((torch.zeros(1, 3, 4), torch.ones(1, 3, 4)))[0, 0]
    tensor([0.5000, 0.5000, 0.5000, 0.5000], grad_fn=<SelectBackward0>)
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(layers))

    def forward(self, layers: Sequence[torch.Tensor]) -> torch.Tensor:
        """Mix [B, F, D] layers into one.

        Arguments
        ---------
        layers : sequence of torch.Tensor
            Of an `Encoded`.

        Returns
        -------
        mixed : torch.Tensor
            [B, F, D].

        Raises
        ------
        ValueError
            When the encoder has another number of layers, or other widths.
        """
        widths = {layer.shape[-1] for layer in layers}
        if len(layers) != len(self.logits) or len(widths) > 1:
            raise ValueError(
                f"a mix of {len(self.logits)} layers of one width cannot read "
                f"{len(layers)} layers of widths {sorted(widths)}. Give the "
                "mix the encoder's number of layers, or read a single one."
            )
        weights = self.logits.softmax(dim=0)
        return sum(weight * layer for weight, layer in zip(weights, layers))
