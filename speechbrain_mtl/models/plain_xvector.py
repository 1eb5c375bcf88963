"""The speaker vectors of SUPERB."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from speechbrain_mtl.models.encoder import frame_mask


class PlainXVector(nn.Module):
    """x-vectors without normalisation, over whole contexts only.

    A linear layer, time-delay layers of 5, 3, 3, 1 and 1 frames with ReLU,
    mean and deviation over time, and a linear layer with ReLU: SUPERB's head
    (Yang et al., Interspeech 2021). Frames whose context reaches beyond the
    utterance are left out; one that is shorter than a context is followed by
    silence. For another kind, see `XVector`.

    Arguments
    ---------
    input_size : int
        Width of a frame.
    projection : int
        Width of the first layer and of all time-delay layers but the last.
    pooled_size : int
        Width of the last time-delay layer.
    embedding_size : int
        Values an utterance.
    kernel_sizes, dilations : sequence of int
        Of each time-delay layer, in frames.

    Raises
    ------
    ValueError
        When these are not as many.

    Example
    -------
    >>> embed = PlainXVector(4, 6, 8, 5)
    >>> embed(torch.randn(2, 50, 4), torch.tensor([50, 2])).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        input_size: int,
        projection: int = 512,
        pooled_size: int = 1500,
        embedding_size: int = 512,
        kernel_sizes: Sequence[int] = (5, 3, 3, 1, 1),
        dilations: Sequence[int] = (1, 2, 3, 1, 1),
    ) -> None:
        super().__init__()
        if len(kernel_sizes) != len(dilations):
            raise ValueError(
                f"{len(kernel_sizes)} kernel_sizes and {len(dilations)} "
                "dilations: give one of each a layer"
            )
        self.connector = nn.Linear(input_size, projection)
        widths = [projection] * len(kernel_sizes) + [pooled_size]
        self.layers = nn.ModuleList(
            nn.Conv1d(before, after, kernel, dilation=dilation)
            for before, after, kernel, dilation in zip(
                widths, widths[1:], kernel_sizes, dilations
            )
        )
        self.context = 1 + sum(
            (kernel - 1) * dilation
            for kernel, dilation in zip(kernel_sizes, dilations)
        )
        self.size = embedding_size
        self.linear = nn.Linear(2 * pooled_size, embedding_size)

    def frames(self, x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Give what is pooled, [B, C, F'], for at least one context."""
        x = x.masked_fill(~frame_mask(lens, x.shape[1])[..., None], 0.0)
        missing = max(0, self.context - x.shape[1])
        x = self.connector(functional.pad(x, (0, 0, 0, missing))).mT
        for layer in self.layers:
            x = layer(x).relu()
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
            [B, embedding_size], none below 0.
        """
        # Sums over many frames: bf16 would lose them.
        x = self.frames(x, lens).float()
        lens = (lens - self.context + 1).clamp(min=1)
        mask = frame_mask(lens, x.shape[2])[:, None]
        count = lens[:, None]
        mean = x.masked_fill(~mask, 0.0).sum(dim=2) / count
        apart = (x - mean[..., None]).masked_fill(~mask, 0.0)
        spread = apart.square().sum(dim=2) / (count - 1).clamp(min=1)
        # The gradient of a root is infinite at 0, and ReLU makes many zeros.
        pooled = torch.cat([mean, spread.clamp(min=1e-10).sqrt()], dim=1)
        return self.linear(pooled).relu()
