"""Zero-crossing rate."""

import torch

from speechbrain_mtl.workers.analysis import HOP, Analysis
from speechbrain_mtl.workers.base import Worker

SPAN = 6  # hops in a window


class ZeroCrossingRate(Worker):
    """Share of neighbouring samples between which the sign changes, 60 ms.

    The textbook's mean of ``|sgn x[i] - sgn x[i - 1]| / 2``: stopping at
    zero is half a crossing and digital silence has none. A sine of f Hz
    crosses 2 f / 16000 times a sample.

    Example
    -------
    >>> time = torch.arange(16000) / 16000
    >>> wavs = torch.sin(2 * torch.pi * 1000 * time + 0.1)[None]
    >>> round(ZeroCrossingRate()(wavs, torch.ones(1)).mean().item(), 2)
    0.12
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=SPAN * HOP)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Count crossings hop by hop, then add up the hops of a window."""
        sign = analysis.wavs.sign()
        change = torch.zeros_like(sign)
        torch.sub(sign[:, 1:], sign[:, :-1], out=change[:, 1:]).abs_()
        hops = change.view(analysis.batch, -1, HOP)
        count = hops.sum(-1)
        count = torch.nn.functional.pad(count, (0, SPAN - 1))
        count = count.unfold(1, SPAN, 1).sum(-1)
        # The change into a window's first sample lies outside of it.
        count -= hops[..., 0]
        return count[..., None] / (2 * (SPAN * HOP - 1))
