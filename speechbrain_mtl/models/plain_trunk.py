"""The transcribing heads of SUPERB, up to their output layer."""

from collections.abc import Callable

import torch
from torch import nn

from speechbrain_mtl.models.recurrent import BiLSTM


class PlainTrunk(nn.Module):
    """Project frames linearly, run BiLSTMs over them.

    Nothing is normalised, and nothing follows the projection: SUPERB's heads
    (Yang et al., Interspeech 2021). For others, see `RecurrentTrunk`.

    Arguments
    ---------
    input_size : int
        Width of the input.
    projection : int
        Width of the linear layer.
    hidden_size : int
        Units of an LSTM, in each direction.
    layers : int
        LSTMs on top of each other; may be 0.
    dropout : float
        After each LSTM.
    augment : callable, optional
        Makes, for the width of the input, what hides parts of it while
        training, such as `SpecAugment`.

    Example
    -------
    >>> trunk = PlainTrunk(8, projection=6, hidden_size=4, layers=2)
    >>> x, lens = trunk(torch.randn(2, 5, 8), torch.tensor([5, 2]))
    >>> x.shape, lens
    (torch.Size([2, 5, 8]), tensor([5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        projection: int = 1024,
        hidden_size: int = 1024,
        layers: int = 2,
        dropout: float = 0.2,
        augment: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.augment = augment(input_size) if augment is not None else None
        self.projector = nn.Linear(input_size, projection)
        width = projection
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
            [B, F, size].
        lens : torch.Tensor
            The same lengths, [B].
        """
        if self.augment is not None:
            x = self.augment(x, lens)
        x = self.projector(x)
        for layer in self.layers:
            x = self.dropout(layer(x, lens))
        return x, lens
