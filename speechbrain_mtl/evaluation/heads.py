"""What a probe trains: a small head over mixed frozen layers."""

import torch
from torch import nn

from speechbrain_mtl.models.recurrent import BiLSTM


class LinearHead(nn.Module):
    """One linear map."""

    def __init__(self, input_size: int, classes: int) -> None:
        super().__init__()
        self.out = nn.Linear(input_size, classes)

    def forward(
        self, x: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Score [..., D] as [..., classes]; lengths do not matter."""
        return self.out(x)


class MLPHead(nn.Module):
    """One hidden layer."""

    def __init__(
        self, input_size: int, classes: int, hidden_size: int = 256
    ) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, classes),
        )

    def forward(
        self, x: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Score [..., D] as [..., classes]; lengths do not matter."""
        return self.net(x)


class RNNHead(nn.Module):
    """One small bidirectional LSTM and a linear map."""

    def __init__(
        self, input_size: int, classes: int, hidden_size: int = 64
    ) -> None:
        super().__init__()
        self.rnn = BiLSTM(input_size, hidden_size)
        self.out = nn.Linear(2 * hidden_size, classes)

    def forward(self, x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Score [B, F, D] with absolute lengths as [B, F, classes]."""
        return self.out(self.rnn(x, lens))
