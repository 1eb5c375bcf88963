"""Which layer a head reads: one of them, or a learned mix."""

from collections.abc import Sequence

import torch
from torch import nn


class LayerMix(nn.Module):
    """Mix all layers by learned weights of sum 1, equal at first.

    Give it to a task as its ``layer``. The gradient reaches every layer.

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


def read_layer(
    layers: Sequence[torch.Tensor], which: int | LayerMix
) -> torch.Tensor:
    """Give the layer of that number, counted as in a list, or the mix."""
    return which(layers) if isinstance(which, LayerMix) else layers[which]


class LayerReader(nn.Module):
    """Read one layer, a learned mix of all, or all side by side.

    Arguments
    ---------
    which : int or str
        A layer's number, counted as in a list; ``"mix"`` for a `LayerMix`;
        ``"all"`` for every layer, one beside the other, for encoders whose
        layers differ in width.
    dims : tuple of int
        Width of each of the encoder's layers.

    Raises
    ------
    ValueError
        When there is no such layer, or widths differ and a mix is wanted.

    Example
    -------
    >>> reader = LayerReader("all", (2, 3))
    >>> reader.size, reader((torch.ones(1, 4, 2), torch.ones(1, 4, 3))).shape
    (5, torch.Size([1, 4, 5]))
    """

    def __init__(self, which: int | str, dims: Sequence[int]) -> None:
        super().__init__()
        self.which = which
        if which == "all":
            self.size = sum(dims)
            return
        if which == "mix":
            if len(set(dims)) > 1:
                raise ValueError(
                    f"layers of widths {list(dims)} cannot be mixed; give "
                    'layer: "all", or the number of one'
                )
            self.mix = LayerMix(len(dims))
            self.size = dims[0]
            return
        if not isinstance(which, int) or not -len(dims) <= which < len(dims):
            raise ValueError(
                f"layer is {which!r}; the encoder has {len(dims)} layers: give "
                f'{-len(dims)} to {len(dims) - 1}, "mix" or "all"'
            )
        self.size = dims[which]

    def forward(self, layers: Sequence[torch.Tensor]) -> torch.Tensor:
        """Give [B, F, size] of an `Encoded`'s layers."""
        if self.which == "all":
            return torch.cat(list(layers), dim=-1)
        return layers[self.which] if self.which != "mix" else self.mix(layers)
