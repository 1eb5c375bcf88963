"""What a worker is: waveforms in, frame-level pretext labels out."""

import torch
from torch import nn

from speechbrain_mtl.workers.analysis import HOP, SAMPLE_RATE, Analysis


class Worker(nn.Module):
    """A source of pretext labels, one vector a frame.

    A worker knows nothing of heads, losses or training. Frame ``i`` of a
    worker is centred at ``offset + i * hop`` seconds; it covers
    ``[i * hop, i * hop + 2 * offset)``, so a recording has as many frames as
    whole windows fit into it (never fewer than one: a shorter recording is
    continued with zeros).

    A new worker is a subclass that writes `label`, from the waveforms of an
    `Analysis` or from anything it shares between workers.

    Arguments
    ---------
    dim : int
        Values a frame.
    window : int
        Samples a frame looks at.
    step : int
        Samples between frames.
    """

    units: int | None = None  # of discrete labels: how many there are

    def __init__(self, dim: int, window: int, step: int = HOP) -> None:
        super().__init__()
        self.dim = dim
        self.window = window
        self.step = step
        self.hop = step / SAMPLE_RATE
        self.offset = window / 2 / SAMPLE_RATE

    def frame_lens(self, samples: torch.Tensor) -> torch.Tensor:
        """Count the whole windows in recordings of so many samples."""
        return ((samples - self.window) // self.step + 1).clamp(min=1)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Compute labels [B, analysis.rows, dim]; masking is not its care."""
        raise NotImplementedError

    def labels_of(self, analysis: Analysis) -> torch.Tensor:
        """Give the labels [B, F, dim] of an analysis others may share."""
        frames = max((analysis.time - self.window) // self.step + 1, 1)
        device = analysis.device
        # Labels are targets: their precision must not follow the training's.
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            labels = self.label(analysis)[:, :frames]
            valid = self.frame_lens(analysis.samples)[:, None]
            inside = torch.arange(frames, device=device) < valid
            return torch.where(inside[..., None], labels, 0.0)

    def forward(self, wavs: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Label a batch.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms at 16 kHz, [B, T].
        lens : torch.Tensor
            Relative lengths in (0, 1], [B].

        Returns
        -------
        labels : torch.Tensor
            float32 [B, F, dim], zeros beyond each utterance's `frame_lens`.
        """
        return self.labels_of(Analysis(wavs, lens))
