"""Workers whose frames are not 10 ms apart."""

import torch

from speechbrain_mtl.workers.analysis import SAMPLE_RATE, Analysis
from speechbrain_mtl.workers.base import Worker


class SteppedWorker(Worker):
    """A worker with a frame rate of its own; else like any other.

    Arguments
    ---------
    dim : int
        Values a frame.
    window : int
        Samples a frame looks at.
    step : int
        Samples between frames.
    """

    def __init__(self, dim: int, window: int, step: int) -> None:
        super().__init__(dim, window)
        self.step = step
        self.hop = step / SAMPLE_RATE

    def frame_lens(self, samples: torch.Tensor) -> torch.Tensor:
        """Count the whole windows in recordings of so many samples."""
        return ((samples - self.window) // self.step + 1).clamp(min=1)

    def labels_of(self, analysis: Analysis) -> torch.Tensor:
        """Give the labels [B, F, dim] of an analysis others may share."""
        frames = max((analysis.time - self.window) // self.step + 1, 1)
        device = analysis.device
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            labels = self.label(analysis)[:, :frames]
            valid = self.frame_lens(analysis.samples)[:, None]
            inside = torch.arange(frames, device=device) < valid
            return torch.where(inside[..., None], labels, 0.0)
