"""Zero-crossing rate."""

import torch

from speechbrain_mtl.workers.analysis import HOP, Analysis
from speechbrain_mtl.workers.base import Worker

SPAN = 6  # hops in a window


class ZeroCrossingRate(Worker):
    """Zero crossings a sample in each 60 ms.

    A crossing is a change of sign between neighbouring samples, or a sample
    that is exactly zero between samples that are not of the same sign (the
    rule of openSMILE). A sine of f Hz crosses 2 f / 16000 times a sample.

    Example
    -------
    >>> time = torch.arange(16000) / 16000
    >>> wavs = torch.sin(2 * torch.pi * 1000 * time + 0.1)[None]
    >>> ZeroCrossingRate()(wavs, torch.ones(1)).mean()
    tensor(0.1250)
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=SPAN * HOP)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Count crossings hop by hop, then add up the hops of a window."""
        wavs = analysis.wavs
        up, down = wavs > 0, wavs < 0
        change = (up[:, :-1] & down[:, 1:]) | (down[:, :-1] & up[:, 1:])
        alike = (up[:, :-2] & up[:, 2:]) | (down[:, :-2] & down[:, 2:])
        zero = ~(up | down)[:, 1:-1]
        crossing = torch.zeros_like(up)
        crossing[:, 1:] = change
        crossing[:, 1:-1] |= zero & ~alike
        hops = crossing.view(analysis.batch, analysis.rows, HOP)
        count = hops.sum(-1, dtype=torch.float32)
        # Rows near the end sum fewer hops; they are not whole windows.
        total = torch.nn.functional.pad(count, (0, SPAN - 1))
        total = total.unfold(1, SPAN, 1).sum(-1)
        return total[..., None] / (SPAN * HOP)
