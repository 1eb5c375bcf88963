"""x-vectors: one vector an utterance, of its speaker."""

from collections.abc import Sequence

import torch
from torch import nn

from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.models.pooling import pool_frames
from speechbrain_mtl.models.tdnn import TDNNLayer


class XVector(nn.Module):
    """Time-delay network, statistics over time, one linear layer.

    D. Snyder et al., "X-vectors: robust DNN embeddings for speaker
    recognition", ICASSP 2018, with channels (512, 512, 512, 512, 1500) and
    512 values; narrower by default.

    Arguments
    ---------
    input_size : int
        Width of a frame.
    channels : sequence of int
        Of each layer.
    kernel_sizes, dilations : sequence of int
        Of each layer, in frames.
    embedding_size : int
        Values an utterance.

    Raises
    ------
    ValueError
        When these are not as many.

    Example
    -------
    >>> embed = XVector(
    ...     4,
    ...     channels=(8, 8),
    ...     kernel_sizes=(5, 1),
    ...     dilations=(1, 1),
    ...     embedding_size=3,
    ... )
    >>> embed(torch.randn(2, 50, 4), torch.tensor([50, 20])).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        input_size: int,
        channels: Sequence[int] = (128, 128, 128, 128, 384),
        kernel_sizes: Sequence[int] = (5, 3, 3, 1, 1),
        dilations: Sequence[int] = (1, 2, 3, 1, 1),
        embedding_size: int = 128,
    ) -> None:
        super().__init__()
        if not len(channels) == len(kernel_sizes) == len(dilations):
            raise ValueError(
                f"{len(channels)} channels, {len(kernel_sizes)} kernel_sizes, "
                f"{len(dilations)} dilations: give one of each a layer"
            )
        sizes = [input_size, *channels]
        self.layers = nn.ModuleList(
            TDNNLayer(before, after, kernel, dilation)
            for before, after, kernel, dilation in zip(
                sizes, channels, kernel_sizes, dilations
            )
        )
        self.size = embedding_size
        self.linear = nn.Linear(2 * channels[-1], embedding_size)

    def frames(self, x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Give what is pooled, [B, C, F]; arguments as for `forward`."""
        valid = frame_mask(lens, x.shape[1])[:, None]
        x = x.mT
        for layer in self.layers:
            x = layer(x, valid)
        return x

    def forward(self, x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Embed utterances.

        Arguments
        ---------
        x : torch.Tensor
            [B, F, input_size].
        lens : torch.Tensor
            Valid frames, absolute, [B].

        Returns
        -------
        embeddings : torch.Tensor
            [B, embedding_size].
        """
        pooled = pool_frames(self.frames(x, lens).mT, lens, "stats")
        return self.linear(pooled)
