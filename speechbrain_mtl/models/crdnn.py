"""CRDNN: convolutions, bidirectional LSTMs, dense layers, over log-mels.

The geometry of the published pretext-selection encoders, with lengths
respected everywhere: SpeechBrain's own CRDNN is a plain sequence whose
recurrent layers read padding.
"""

import torch
from torch import nn

from speechbrain_mtl.models.encoder import Encoded, Encoder, frame_mask
from speechbrain_mtl.models.features import LogMel
from speechbrain_mtl.models.masking import SpanMask
from speechbrain_mtl.models.recurrent import BiLSTM


class ConvBlock(nn.Module):
    """Convolve 3 x 3, pool, normalise each frame; padding stays 0.

    Arguments
    ---------
    channels_in, channels_out : int
        Channels before and after.
    bands_in : int
        Frequency bands before; half of them (rounded down) come out.
    time_pooling : int
        Frames merged into one; a rest too short for a frame is left out.
    dropout : float
        Share of channels dropped.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        bands_in: int,
        time_pooling: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.time_pooling = time_pooling
        self.bands = bands_in // 2
        # Channels last: pooling is twice as fast, and a frame's values lie
        # side by side for the normalisation.
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1).to(
            memory_format=torch.channels_last
        )
        self.pool = nn.MaxPool2d((time_pooling, 2))
        self.norm = nn.LayerNorm(channels_out * self.bands)
        self.activation = nn.LeakyReLU()
        self.dropout = nn.Dropout2d(dropout)

    def forward(
        self, x: torch.Tensor, lens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Map [B, C, F, bands] to [B, C', F // time_pooling, bands // 2]."""
        # LeakyReLU is monotonic, so it commutes with max-pooling and is
        # cheaper after it.
        x = self.activation(self.pool(self.conv(x)))
        lens = lens // self.time_pooling
        frames = x.permute(0, 2, 3, 1)
        x = self.norm(frames.flatten(2))
        x = x * frame_mask(lens, x.shape[1])[..., None]
        x = x.view(frames.shape).permute(0, 3, 1, 2)
        return self.dropout(x), lens


class DenseBlock(nn.Sequential):
    """Linear, LayerNorm, LeakyReLU, dropout."""

    def __init__(self, dim_in: int, dim_out: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(dim_in, dim_out),
            nn.LayerNorm(dim_out),
            nn.LeakyReLU(),
            nn.Dropout(dropout),
        )


class CRDNN(Encoder):
    """Encode waveforms by a convolutional, recurrent, dense network.

    Layers, lowest first: the convolutions' projection, every BiLSTM layer,
    every dense block.

    Arguments
    ---------
    n_mels : int
        Log-mel bands of the input.
    cnn_channels : list of int
        Channels of each convolution block.
    time_pooling : int
        Frames the first block merges: 1 keeps 100 frames a second, 2 gives 50.
    projection : int
        Width after the convolutions.
    rnn_layers, rnn_size : int
        Number of BiLSTM layers and units a direction.
    dnn_blocks, dnn_size : int
        Number and width of dense blocks.
    dropout : float
        Share dropped in every block.
    mask_prob : float
        Share of input frames hidden while training.
    mask_span : int
        Input frames (10 ms) a hidden span.

    Example
    -------
    >>> encoder = CRDNN(cnn_channels=[4], rnn_layers=1, dnn_blocks=1)
    >>> wavs = torch.randn(2, 16000)
    >>> encoder.calibrate(wavs, torch.ones(2))
    >>> encoded = encoder(wavs, torch.ones(2))
    >>> [tuple(layer.shape) for layer in encoded.layers]
    [(2, 49, 256), (2, 49, 256), (2, 49, 256)]
    """

    def __init__(
        self,
        n_mels: int = 80,
        cnn_channels: list[int] = (16, 32),
        time_pooling: int = 2,
        projection: int = 256,
        rnn_layers: int = 2,
        rnn_size: int = 128,
        dnn_blocks: int = 2,
        dnn_size: int = 256,
        dropout: float = 0.0,
        mask_prob: float = 0.2,
        mask_span: int = 16,
    ) -> None:
        super().__init__()
        if n_mels >> len(cnn_channels) < 1:
            raise ValueError(
                f"{len(cnn_channels)} convolution blocks halve {n_mels} mel "
                "bands away: use fewer blocks or more bands"
            )
        self.features = LogMel(n_mels)
        self.mask = SpanMask(n_mels, mask_prob, mask_span)
        self.cnn = nn.ModuleList()
        channels, bands = 1, n_mels
        for index, width in enumerate(cnn_channels):
            pooling = time_pooling if index == 0 else 1
            block = ConvBlock(channels, width, bands, pooling, dropout)
            self.cnn.append(block)
            channels, bands = width, block.bands
        self.projection = nn.Linear(channels * bands, projection)
        self.rnn = nn.ModuleList()
        width = projection
        for _ in range(rnn_layers):
            self.rnn.append(BiLSTM(width, rnn_size))
            width = 2 * rnn_size
        self.dnn = nn.ModuleList()
        for index in range(dnn_blocks):
            # The published encoder drops nothing from its last block.
            last = index == dnn_blocks - 1
            self.dnn.append(
                DenseBlock(width, dnn_size, 0.0 if last else dropout)
            )
            width = dnn_size
        self.between = nn.Dropout(dropout)
        self.dims = (
            projection,
            *[2 * rnn_size] * rnn_layers,
            *[dnn_size] * dnn_blocks,
        )
        self.hop = self.features.hop * time_pooling
        self.offset = (
            self.features.offset + (time_pooling - 1) / 2 * self.features.hop
        )

    def calibrate(self, wavs: torch.Tensor, lens: torch.Tensor) -> None:
        """Add one batch to the statistics of the log-mel scale."""
        self.features.calibrate(wavs, lens)

    def forward(self, wavs: torch.Tensor, lens: torch.Tensor) -> Encoded:
        """Encode.

        Arguments
        ---------
        wavs : torch.Tensor
            [B, T], 16 kHz.
        lens : torch.Tensor
            Relative lengths, [B].

        Returns
        -------
        encoded : Encoded
            All layers, [B, F, D_l].
        """
        mels, frame_lens = self.features(wavs, lens)
        x = self.mask(mels, frame_lens)[:, None]
        for block in self.cnn:
            x, frame_lens = block(x, frame_lens)
        mask = frame_mask(frame_lens, x.shape[2])[..., None]
        x = self.projection(x.permute(0, 2, 3, 1).flatten(2)) * mask
        layers = [x]
        for layer in self.rnn:
            x = layer(self.between(x), frame_lens) * mask
            layers.append(x)
        for block in self.dnn:
            x = block(x) * mask
            layers.append(x)
        return Encoded(tuple(layers), frame_lens, self.hop, self.offset)
