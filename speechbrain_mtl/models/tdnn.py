"""Time-delay layers: convolutions over frames that never see padding."""

import torch
from torch import nn

from speechbrain_mtl.models.batch_norm import ValidBatchNorm


class TDNNLayer(nn.Module):
    """Convolution over time, activation, batch norm.

    As SpeechBrain's blocks of x-vectors and ECAPA-TDNN, except at the ends:
    theirs mirror the padded batch there, so that an utterance depends on its
    company. Here what lies beyond an utterance is silent, padding or not.

    Arguments
    ---------
    input_size, output_size : int
        Channels.
    kernel_size : int
        Frames, odd.
    dilation : int
        Frames between those looked at.
    activation : callable
        Makes the activation.

    Raises
    ------
    ValueError
        When the kernel is even: frames would move in time.

    Example
    -------
    >>> layer = TDNNLayer(4, 8, kernel_size=3, dilation=2)
    >>> valid = torch.ones(2, 1, 50, dtype=torch.bool)
    >>> layer(torch.randn(2, 4, 50), valid).shape
    torch.Size([2, 8, 50])
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        kernel_size: int = 1,
        dilation: int = 1,
        activation: type[nn.Module] = nn.LeakyReLU,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size is {kernel_size}; give an odd one, which has a "
                "middle"
            )
        self.conv = nn.Conv1d(
            input_size,
            output_size,
            kernel_size,
            dilation=dilation,
            padding=dilation * (kernel_size - 1) // 2,
        )
        self.activation = activation()
        self.norm = ValidBatchNorm(output_size)

    def forward(self, x: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Give [B, output_size, F]; 0 in padding.

        Arguments
        ---------
        x : torch.Tensor
            [B, input_size, F].
        valid : torch.Tensor
            [B, 1, F] bool.
        """
        x = self.conv(x.masked_fill(~valid, 0.0))
        return self.norm(self.activation(x), valid)
