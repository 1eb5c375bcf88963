"""Residual convolutions that pool in time: the audio network of ResDAVEnet."""

from collections.abc import Sequence

import torch
from torch import nn

from speechbrain_mtl.models.batch_norm import ValidBatchNorm
from speechbrain_mtl.models.encoder import frame_mask


class ResDAVEnet(nn.Module):
    """Every stage halves the number of frames, whatever their padding.

    Harwath, Hsu and Glass (ICLR 2020), https://arxiv.org/abs/1911.09602, with
    a projection of frames in the place of the spectrogram's convolution.

    Arguments
    ---------
    input_size : int
        Width of a frame.
    channels : sequence of int
        Of each stage.
    kernel : int
        Frames a convolution sees, odd.
    blocks : int
        Residual blocks a stage.

    Raises
    ------
    ValueError
        When the kernel is even.

    Example
    -------
    >>> pool = ResDAVEnet(8, channels=(4, 6), kernel=3)
    >>> x, lens = pool(torch.randn(2, 9, 8), torch.tensor([9, 4]))
    >>> x.shape, lens
    (torch.Size([2, 3, 6]), tensor([3, 1]))
    """

    def __init__(
        self,
        input_size: int,
        channels: Sequence[int] = (128, 256, 512, 768),
        kernel: int = 9,
        blocks: int = 2,
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"kernel {kernel}: give an odd number of frames")
        self.project = nn.Linear(input_size, channels[0])
        self.norm = ValidBatchNorm(channels[0])
        self.blocks = nn.ModuleList()
        size = channels[0]
        for width in channels:
            for number in range(blocks):
                stride = 2 if number == 0 else 1
                self.blocks.append(ResidualBlock(size, width, kernel, stride))
                size = width
        self.size = size

    def forward(
        self, x: torch.Tensor, lens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pool.

        Arguments
        ---------
        x : torch.Tensor
            [B, F, D].
        lens : torch.Tensor
            Valid frames, absolute, [B].

        Returns
        -------
        x : torch.Tensor
            [B, F', size], 0 in padding.
        lens : torch.Tensor
            Valid pooled frames, [B].
        """
        valid = frame_mask(lens, x.shape[1])[:, None]
        x = self.norm(self.project(x).mT, valid).relu()
        for block in self.blocks:
            x, valid = block(x, valid)
        return x.mT, valid.sum(dim=(1, 2))


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut.

    Arguments
    ---------
    input_size, output_size : int
        Channels.
    kernel : int
        Frames a convolution sees.
    stride : int
        Frames that become one.
    """

    def __init__(
        self, input_size: int, output_size: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        self.stride = stride
        more = {"padding": kernel // 2, "bias": False}
        self.first = nn.Conv1d(input_size, output_size, kernel, stride, **more)
        self.first_norm = ValidBatchNorm(output_size)
        self.second = nn.Conv1d(output_size, output_size, kernel, **more)
        self.second_norm = ValidBatchNorm(output_size)
        self.shortcut = None
        if stride > 1 or input_size != output_size:
            self.shortcut = nn.Conv1d(
                input_size, output_size, 1, stride, bias=False
            )
            self.shortcut_norm = ValidBatchNorm(output_size)

    def forward(
        self, x: torch.Tensor, valid: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Convolve [B, C, F], 0 in padding, with `valid` [B, 1, F]."""
        valid = valid[..., :: self.stride]
        y = self.first_norm(self.first(x), valid).relu()
        y = self.second_norm(self.second(y), valid)
        if self.shortcut is not None:
            x = self.shortcut_norm(self.shortcut(x), valid)
        return (x + y).relu(), valid
