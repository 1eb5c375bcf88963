"""What transcribing heads share: from a layer's frames to recurrent frames."""

import torch
from torch import nn
from torch.nn import functional

from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.models.recurrent import BiLSTM


def average_groups(
    x: torch.Tensor, lens: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Replace each group of neighbouring frames by the mean of its valid ones.

    Arguments
    ---------
    x : torch.Tensor
        [B, F, D].
    lens : torch.Tensor
        Valid frames, absolute, [B].
    size : int
        Frames a group; the last group of an item may have fewer.

    Returns
    -------
    x : torch.Tensor
        [B, ceil(F / size), D], 0 in padding.
    lens : torch.Tensor
        Valid groups, [B].

    Example
    -------
    >>> x = torch.tensor([[[1.0], [3.0], [5.0], [9.0]]])
    >>> x, lens = average_groups(x, torch.tensor([3]), 2)
    >>> x.flatten(), lens
    (tensor([2., 5.]), tensor([2]))
    """
    mask = frame_mask(lens, x.shape[1])[..., None]
    more = -x.shape[1] % size
    x = functional.pad(x.masked_fill(~mask, 0.0), (0, 0, 0, more))
    mask = functional.pad(mask, (0, 0, 0, more))
    count = mask.unflatten(1, (-1, size)).sum(dim=2).clamp(min=1)
    return x.unflatten(1, (-1, size)).sum(dim=2) / count, -(-lens // size)


class RecurrentTrunk(nn.Module):
    """Normalise frames, project them, pool in time, run a BiLSTM over them.

    Each frame is normalised by itself: a norm over time would see padding.

    Arguments
    ---------
    input_size : int
        Width of the input.
    projection : int
        Width of a linear layer with LeakyReLU before the LSTMs; 0 for none.
    hidden_size : int
        Units of an LSTM, in each direction.
    layers : int
        LSTMs on top of each other; may be 0.
    dropout : float
        Before each LSTM and after the last.
    pooling : int
        Frames that are averaged into one before the LSTMs.

    Example
    -------
    >>> trunk = RecurrentTrunk(8, hidden_size=4, layers=2, pooling=2)
    >>> x, lens = trunk(torch.randn(2, 5, 8), torch.tensor([5, 2]))
    >>> x.shape, lens
    (torch.Size([2, 3, 8]), tensor([3, 1]))
    """

    def __init__(
        self,
        input_size: int,
        projection: int = 0,
        hidden_size: int = 128,
        layers: int = 1,
        dropout: float = 0.1,
        pooling: int = 1,
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.norm = nn.LayerNorm(input_size)
        self.project = nn.Identity()
        if projection:
            linear = nn.Linear(input_size, projection)
            self.project = nn.Sequential(linear, nn.LeakyReLU())
        width = projection or input_size
        self.layers = nn.ModuleList()
        for _ in range(layers):
            self.layers.append(BiLSTM(width, hidden_size))
            width = 2 * hidden_size
        self.dropout = nn.Dropout(dropout)
        self.size = width

    def forward(
        self, x: torch.Tensor, lens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode [B, F, D] with absolute lengths.

        Returns
        -------
        x : torch.Tensor
            [B, ceil(F / pooling), size].
        lens : torch.Tensor
            Absolute lengths, [B].
        """
        x = self.project(self.norm(x))
        if self.pooling > 1:
            x, lens = average_groups(x, lens, self.pooling)
        for layer in self.layers:
            x = layer(self.dropout(x), lens)
        return self.dropout(x), lens
