"""Normalise channels over time, as if padding were not there."""

import torch
from torch import nn


class ValidGroupNorm(nn.GroupNorm):
    """Group norm of one channel a group, over valid frames only.

    The first convolution of wav2vec 2.0 Base and HuBERT Base is normalised
    over time; with `nn.GroupNorm` an utterance would have other features in
    longer company. Parameters have the names of `nn.GroupNorm`. Set
    ``lens`` before the call; without it every frame is valid.

    Arguments
    ---------
    channels : int
        Channels, each a group of its own.
    eps : float
        Added to the variance.

    Example
    -------
    >>> norm = ValidGroupNorm(2)
    >>> norm.lens = torch.tensor([2])
    >>> norm(torch.tensor([[[1.0, 3.0, 99.0], [0.0, 4.0, 99.0]]]))[0, :, :2]
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]], grad_fn=<SliceBackward0>)
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__(channels, channels, eps)
        self.lens: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise [B, C, F]; frames beyond ``lens`` become 0.

        Arguments
        ---------
        x : torch.Tensor
            [B, C, F].

        Returns
        -------
        normalised : torch.Tensor
            [B, C, F].
        """
        if self.lens is None:
            return super().forward(x)
        valid = torch.arange(x.shape[2], device=x.device) < self.lens[:, None]
        valid = valid[:, None].float()
        count = valid.sum(dim=2, keepdim=True)
        # In float32, as group norm under autocast is.
        y = x.float()
        mean = (y * valid).sum(dim=2, keepdim=True) / count
        y = (y - mean) * valid
        variance = y.square().sum(dim=2, keepdim=True) / count
        scale = self.weight[:, None] / (variance + self.eps).sqrt()
        return (y * scale + self.bias[:, None]) * valid
