"""Normalise channels over a batch, as if padding were not there."""

import torch
from torch import nn

from speechbrain_mtl.collectives import sum_over_processes


class ValidBatchNorm(nn.Module):
    """Batch norm over valid frames only, of all processes.

    Parameters have the names of `nn.BatchNorm1d`, and so has what is learned:
    with no padding both give the same. A batch with a single valid frame has
    no variance; running statistics normalise it then. It is no subclass of
    theirs: SpeechBrain would put `nn.SyncBatchNorm`, which knows no padding,
    in its place.

    Arguments
    ---------
    channels : int
        Channels.
    eps : float
        Added to variances.
    momentum : float
        Share of a batch in the running statistics.

    Example
    -------
    >>> norm = ValidBatchNorm(1)
    >>> x = torch.tensor([[[1.0, 3.0]], [[2.0, 99.0]]])
    >>> valid = torch.tensor([[[True, True]], [[True, False]]])
    >>> norm(x, valid)[0]
    tensor([[-1.2247,  1.2247]], grad_fn=<SelectBackward0>)
    """

    def __init__(
        self, channels: int, eps: float = 1e-5, momentum: float = 0.1
    ) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(
        self, x: torch.Tensor, valid: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Normalise; padding becomes 0.

        Arguments
        ---------
        x : torch.Tensor
            [B, C, F].
        valid : torch.Tensor, optional
            [B, 1, F] bool; all frames by default.

        Returns
        -------
        normalised : torch.Tensor
            [B, C, F], float32.
        """
        # Sums over many frames: bf16 would lose them.
        x = x.float()
        if valid is None:
            valid = torch.ones_like(x[:, :1], dtype=torch.bool)
        x = x.masked_fill(~valid, 0.0)
        mean, variance = self.running_mean, self.running_var
        if self.training:
            sums = [valid.sum()[None], x.sum(dim=(0, 2))]
            sums = sum_over_processes(torch.cat(sums))
            count = sums[0].detach()
            several = count > 1
            mean = sums[1:] / count.clamp(min=1)
            centred = (x - mean[:, None]).masked_fill(~valid, 0.0)
            squares = sum_over_processes(centred.square().sum(dim=(0, 2)))
            variance = squares / count.clamp(min=1)
            with torch.no_grad():
                unbiased = squares / (count - 1).clamp(min=1)
                step = self.momentum * several
                self.running_mean.lerp_(mean, step)
                self.running_var.lerp_(unbiased, step)
                self.num_batches_tracked += 1
            mean = torch.where(several, mean, self.running_mean)
            variance = torch.where(several, variance, self.running_var)
        scale = self.weight * (variance + self.eps).rsqrt()
        y = (x - mean[:, None]) * scale[:, None] + self.bias[:, None]
        return y.masked_fill(~valid, 0.0)
