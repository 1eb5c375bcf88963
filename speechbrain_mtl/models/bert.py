"""Transformer layers as BERT has them: normalised after each part."""

import torch
from torch import nn


class BertLayers(nn.Module):
    """Self-attention over a set of vectors, some of them padding.

    Devlin et al., "BERT" (NAACL 2019); see `bert_weights`.

    Arguments
    ---------
    size : int
        Width of a vector.
    layers, heads, feedforward_size : int
        Of the transformer.
    dropout : float
        In every layer.

    Example
    -------
    >>> layers = BertLayers(8, layers=2, heads=2, feedforward_size=16)
    >>> layers(torch.randn(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        size: int,
        layers: int,
        heads: int,
        feedforward_size: int,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                size, heads, feedforward_size, dropout, "gelu", batch_first=True
            )
            for _ in range(layers)
        )
        bert_weights(self, size)

    def forward(
        self, x: torch.Tensor, valid: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Attend.

        Arguments
        ---------
        x : torch.Tensor
            [B, N, D].
        valid : torch.Tensor, optional
            [B, N] bool, at least one an item; all by default.

        Returns
        -------
        x : torch.Tensor
            [B, N, D]; what stands in padding means nothing.
        """
        padding = None if valid is None else ~valid
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=padding)
        return x


def bert_weights(network: nn.Module, size: int) -> None:
    """Draw weights of linear layers as BERT does; biases are 0.

    BERT draws from N(0, 0.02) at a width of 768. Narrower networks would lose
    their input among the biases: they get as much more as keeps it as large.

    Arguments
    ---------
    network : nn.Module
        Modules of other kinds keep what they have.
    size : int
        Width of its vectors.
    """
    std = 0.02 * (768 / size) ** 0.5
    for module in network.modules():
        if isinstance(module, nn.MultiheadAttention):
            nn.init.normal_(module.in_proj_weight, std=std)
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=std)
            nn.init.zeros_(module.bias)


def widened(input_size: int, output_size: int) -> nn.Sequential:
    """Make a projection with a hidden layer twice as wide, and GELU."""
    return nn.Sequential(
        nn.Linear(input_size, 2 * input_size),
        nn.GELU(),
        nn.Linear(2 * input_size, output_size),
    )
