"""Which layer a head reads: one of them, or a learned mix."""

from collections.abc import Sequence

import torch
from torch import nn

from speechbrain_mtl.models.layer_mix import LayerMix


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
