"""ECAPA-TDNN: speaker vectors with attention to channels and times."""

from collections.abc import Sequence

import torch
from torch import nn

from speechbrain_mtl.models.batch_norm import ValidBatchNorm
from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.models.pooling import pool_frames
from speechbrain_mtl.models.tdnn import TDNNLayer


class ECAPA(nn.Module):
    """Embed an utterance as ECAPA-TDNN does, whatever its padding.

    B. Desplanques, J. Thienpondt and K. Demuynck, Interspeech 2020,
    https://arxiv.org/abs/2005.07143. SpeechBrain's own is the same network,
    but its convolutions and batch norms see padding. The paper's size is
    512 or 1024 channels with 192 values; narrower by default.

    Arguments
    ---------
    input_size : int
        Width of a frame.
    channels : int
        Of all layers but the last, which has three times as many.
    kernel_sizes, dilations : sequence of int
        Of each layer but the last, in frames.
    scale : int
        Steps of each Res2Net block; divides the channels.
    attention_size, squeeze_size : int
        Widths of the bottlenecks over times and over channels.
    embedding_size : int
        Values an utterance.

    Raises
    ------
    ValueError
        When the scale does not divide the channels, or kernels and dilations
        are not as many.

    Example
    -------
    >>> embed = ECAPA(4, channels=16, scale=4, embedding_size=3)
    >>> embed(torch.randn(2, 50, 4), torch.tensor([50, 20])).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        input_size: int,
        channels: int = 128,
        kernel_sizes: Sequence[int] = (5, 3, 3, 3),
        dilations: Sequence[int] = (1, 2, 3, 4),
        scale: int = 8,
        attention_size: int = 64,
        squeeze_size: int = 64,
        embedding_size: int = 128,
    ) -> None:
        super().__init__()
        if channels % scale or len(kernel_sizes) != len(dilations):
            raise ValueError(
                f"channels {channels}, scale {scale}, kernel_sizes "
                f"{list(kernel_sizes)}, dilations {list(dilations)}: give a "
                "scale that divides the channels, and one kernel and one "
                "dilation a layer"
            )
        self.first = TDNNLayer(
            input_size, channels, kernel_sizes[0], dilations[0], nn.ReLU
        )
        self.blocks = nn.ModuleList(
            SERes2NetBlock(channels, kernel, dilation, scale, squeeze_size)
            for kernel, dilation in zip(kernel_sizes[1:], dilations[1:])
        )
        wide = 3 * channels
        self.aggregate = TDNNLayer(
            channels * len(self.blocks), wide, activation=nn.ReLU
        )
        self.pool = AttentivePooling(wide, attention_size)
        self.norm = ValidBatchNorm(2 * wide)
        self.size = embedding_size
        self.linear = nn.Linear(2 * wide, embedding_size)

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
        valid = frame_mask(lens, x.shape[1])[:, None]
        x = self.first(x.mT, valid)
        outputs = []
        for block in self.blocks:
            x = block(x, valid, lens)
            outputs.append(x)
        x = self.aggregate(torch.cat(outputs, dim=1), valid)
        pooled = self.pool(x, valid, lens)
        return self.linear(self.norm(pooled[..., None])[..., 0])


class SERes2NetBlock(nn.Module):
    """TDNN, Res2Net, TDNN, squeeze and excitation, and a way around.

    Arguments
    ---------
    channels : int
        In and out.
    kernel_size, dilation : int
        Of the Res2Net's convolutions.
    scale : int
        Groups of channels; each but the first looks one convolution further
        than the one before.
    squeeze_size : int
        Bottleneck of the excitation.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        dilation: int,
        scale: int,
        squeeze_size: int,
    ) -> None:
        super().__init__()
        width = channels // scale
        self.scale = scale
        self.before = TDNNLayer(channels, channels, activation=nn.ReLU)
        self.steps = nn.ModuleList(
            TDNNLayer(width, width, kernel_size, dilation, nn.ReLU)
            for _ in range(scale - 1)
        )
        self.after = TDNNLayer(channels, channels, activation=nn.ReLU)
        self.excite = nn.Sequential(
            nn.Linear(channels, squeeze_size),
            nn.ReLU(),
            nn.Linear(squeeze_size, channels),
            nn.Sigmoid(),
        )

    def forward(
        self, x: torch.Tensor, valid: torch.Tensor, lens: torch.Tensor
    ) -> torch.Tensor:
        """Give [B, C, F] of [B, C, F], [B, 1, F] bool and [B]."""
        first, *groups = self.before(x, valid).chunk(self.scale, dim=1)
        outputs, y = [first], 0.0
        for step, group in zip(self.steps, groups):
            y = step(group + y, valid)
            outputs.append(y)
        y = self.after(torch.cat(outputs, dim=1), valid)
        gate = self.excite(pool_frames(y.mT, lens))
        return x + gate[..., None] * y


class AttentivePooling(nn.Module):
    """Means and deviations over time, every channel with weights of its own.

    Arguments
    ---------
    channels : int
        Of what is pooled.
    attention_size : int
        Bottleneck of the attention.
    """

    def __init__(self, channels: int, attention_size: int) -> None:
        super().__init__()
        self.tdnn = TDNNLayer(3 * channels, attention_size, activation=nn.ReLU)
        self.conv = nn.Conv1d(attention_size, channels, 1)

    def forward(
        self, x: torch.Tensor, valid: torch.Tensor, lens: torch.Tensor
    ) -> torch.Tensor:
        """Give [B, 2 C] of [B, C, F], [B, 1, F] bool and [B]."""
        context = pool_frames(x.mT, lens, "stats")[..., None]
        context = context.expand(-1, -1, x.shape[2])
        scores = self.tdnn(torch.cat([x, context], dim=1), valid)
        scores = self.conv(scores.tanh()).float()
        weights = scores.masked_fill(~valid, float("-inf")).softmax(dim=2)
        mean = (weights * x).sum(dim=2)
        squares = weights * (x - mean[..., None]).square()
        # The gradient of a root is infinite at 0.
        deviation = squares.sum(dim=2).clamp(min=1e-10).sqrt()
        return torch.cat([mean, deviation], dim=1)
