"""A bidirectional LSTM that never reads padding and never synchronises."""

import torch
from torch import nn


def reverse_valid(x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
    """Reverse the valid frames of each item; leave padding in place.

    Arguments
    ---------
    x : torch.Tensor
        [B, F, D].
    lens : torch.Tensor
        Absolute lengths, [B].

    Returns
    -------
    reversed : torch.Tensor
        [B, F, D].

    Example
    -------
    >>> x = torch.tensor([[[1.0], [2.0], [0.0]]])
    >>> reverse_valid(x, torch.tensor([2])).flatten()
    tensor([2., 1., 0.])
    """
    frames = torch.arange(x.shape[1], device=x.device)
    index = lens[:, None] - 1 - frames
    index = torch.where(index >= 0, index, frames)
    return x.gather(1, index[..., None].expand_as(x))


class BiLSTM(nn.Module):
    """One bidirectional LSTM layer over padded batches.

    Packing would need the lengths on the host, a synchronisation a layer and
    step; reversing the valid part and running two forward LSTMs gives the
    same numbers without it.

    Arguments
    ---------
    input_size : int
        Width of the input.
    hidden_size : int
        Units a direction; the output is twice as wide.

    Example
    -------
    >>> layer = BiLSTM(8, 4)
    >>> layer(torch.randn(2, 5, 8), torch.tensor([5, 3])).shape
    torch.Size([2, 5, 8])
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.ahead = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.back = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Encode [B, F, D] with absolute lengths into [B, F, 2 * hidden]."""
        ahead, _ = self.ahead(x)
        back, _ = self.back(reverse_valid(x, lens))
        return torch.cat([ahead, reverse_valid(back, lens)], dim=-1)
