"""Layers of frozen networks as labels, or as what units are made of."""

import copy
from typing import TYPE_CHECKING

import torch
from torch import nn

from speechbrain_mtl.workers.analysis import SAMPLE_RATE, Analysis
from speechbrain_mtl.workers.base import Worker

if TYPE_CHECKING:  # encoders are built on workers
    from speechbrain_mtl.models import Encoder


class FrozenLayer(Worker):
    """What a network that is never trained says of each frame.

    Arguments
    ---------
    network : nn.Module
        Frozen here, and held in evaluation: without dropout and masks,
        whatever mode the experiment around it is in.
    dim, window, step : int
        See `Worker`.
    """

    def __init__(
        self, network: nn.Module, dim: int, window: int, step: int
    ) -> None:
        super().__init__(dim, window, step)
        self.network = network.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "FrozenLayer":
        """Stay in evaluation."""
        return super().train(False)

    def filled(self, analysis: Analysis) -> tuple[torch.Tensor, torch.Tensor]:
        """Continue what is shorter than a frame with zeros.

        Returns
        -------
        wavs, samples : torch.Tensor
            Waveforms [B, T] and their lengths [B], a window at least.
        """
        missing = max(self.window - analysis.wavs.shape[1], 0)
        wavs = torch.nn.functional.pad(analysis.wavs, (0, missing))
        return wavs, analysis.samples.clamp(min=self.window)


class EncoderLayer(FrozenLayer):
    """One layer of an encoder of ours.

    Arguments
    ---------
    encoder : Encoder
        Trained or at least calibrated; a copy is kept, so that training the
        original does not move the labels.
    layer : int
        Which, counted as in a list (-1 is the last).

    Raises
    ------
    ValueError
        When the encoder has no such layer, or its frames do not lie on whole
        samples.

    Example
    -------
    >>> from speechbrain_mtl.models import CRDNN
    >>> encoder = CRDNN(cnn_channels=[4], rnn_layers=1, dnn_blocks=1)
    >>> wavs = torch.randn(2, 16000)
    >>> encoder.calibrate(wavs, torch.ones(2))
    >>> worker = EncoderLayer(encoder, layer=1)
    >>> worker(wavs, torch.ones(2)).shape, worker.hop, worker.offset
    (torch.Size([2, 49, 256]), 0.02, 0.015)
    """

    def __init__(self, encoder: "Encoder", layer: int = -1) -> None:
        count = len(encoder.dims)
        if not -count <= layer < count:
            raise ValueError(
                f"layer {layer}: {type(encoder).__name__} has {count} layers, "
                f"0 to {count - 1}."
            )
        step = encoder.hop * SAMPLE_RATE
        window = 2 * encoder.offset * SAMPLE_RATE
        if abs(step - round(step)) + abs(window - round(window)) > 1e-3:
            raise ValueError(
                f"{type(encoder).__name__}: frames {encoder.hop} s apart from "
                f"{encoder.offset} s on are not on samples of {SAMPLE_RATE} Hz."
            )
        super().__init__(
            copy.deepcopy(encoder),
            encoder.dims[layer],
            round(window),
            round(step),
        )
        self.layer = layer % count

    def extra_repr(self) -> str:
        """Name the layer."""
        return f"layer={self.layer}"

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Encode the batch and take the layer."""
        wavs, samples = self.filled(analysis)
        encoded = self.network(wavs, samples / wavs.shape[1])
        frames = encoded.layers[self.layer]
        wanted = max((analysis.time - self.window) // self.step + 1, 1)
        if frames.shape[1] < wanted:
            raise ValueError(
                f"{type(self.network).__name__} gives {frames.shape[1]} frames "
                f"of {analysis.time} samples; by its hop and offset there "
                f"should be {wanted}. Correct the encoder's hop and offset."
            )
        return frames.float()
