"""What a probe trains: a mix of frozen layers and a small head."""

import torch
from torch import nn

from speechbrain_mtl.models.recurrent import BiLSTM


class LayerMix(nn.Module):
    """Learned convex combination of standardised layers.

    The mix starts with most of its weight on one layer, chosen on validation
    data, and its logits learn at a tenth of the head's rate: from a uniform
    start at the full rate, the softmax locks onto whichever layer is ahead
    after a few steps and hides what the best layer holds.

    Arguments
    ---------
    mean, std : torch.Tensor
        Statistics of the training frames, [L, D].
    start : int
        The layer to start from.
    """

    rate = 0.1

    def __init__(
        self, mean: torch.Tensor, std: torch.Tensor, start: int
    ) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", 1 / std.clamp(min=1e-5))
        self.logits = nn.Parameter(torch.zeros(len(mean)))
        with torch.no_grad():
            self.logits[start] = 4.0

    def weights(self) -> torch.Tensor:
        """Give each layer's share, [L], sum 1."""
        return self.logits.softmax(0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mix [..., L, D] into [..., D]."""
        # Scale and share are one factor: a single pass over the frames.
        factor = self.scale * self.weights()[:, None]
        centre = (self.mean * factor).sum(0)
        return torch.einsum("...ld,ld->...d", x.float(), factor) - centre


class LinearHead(nn.Module):
    """One linear map."""

    def __init__(self, input_size: int, classes: int) -> None:
        super().__init__()
        self.out = nn.Linear(input_size, classes)

    def forward(self, x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
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
            nn.Dropout(0.2),
            nn.Linear(hidden_size, classes),
        )

    def forward(self, x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
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
