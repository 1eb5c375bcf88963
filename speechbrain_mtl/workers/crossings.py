"""Zero-crossing rate."""

import torch

from speechbrain_mtl.workers.analysis import HOP, Analysis
from speechbrain_mtl.workers.base import Worker

SPAN = 6  # hops in a window


def crossings(analysis: Analysis) -> torch.Tensor:
    """Mark the samples at which the signal crosses zero.

    Returns
    -------
    marks : torch.Tensor
        int8 [B, rows * HOP], 2 at a crossing, else 0; 0 where a neighbour
        is missing.
    """
    sign = analysis.wavs.sign().to(torch.int8)
    before, here, after = sign[:, :-2], sign[:, 1:-1], sign[:, 2:]
    marks = torch.zeros_like(sign)
    # Bytes are compared by their bits, which is many times faster: -1 has
    # bit 2 set, and x - 1 has it set unless x is 1.
    is_zero = (here & 1) - 1
    crossing = before * here | is_zero & (before * after - 1)
    inside = 2 - 2 * analysis.outside[:, 2:].view(torch.int8)
    torch.bitwise_and(crossing, inside, out=marks[:, 1:-1])
    return marks


class ZeroCrossingRate(Worker):
    """Share of the samples of 60 ms at which the signal crosses zero.

    A crossing is a change of sign from the sample before, or a sample that
    is exactly zero and not between two of the same sign (openSMILE's rule;
    by it every sample of digital silence is one). A sine of f Hz crosses
    2 f / 16000 times a sample.

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
        hops = crossings(analysis).view(analysis.batch, -1, HOP)
        # Eight counters share a word; none exceeds its byte.
        words = hops.view(torch.int64).sum(-1, keepdim=True)
        count = words.view(torch.uint8).sum(-1, dtype=torch.float32)
        pad = torch.nn.functional.pad(count, (0, SPAN - 1))
        total = pad.unfold(1, SPAN, 1).sum(-1)
        # A window's first and last sample lack a neighbour in it.
        last = torch.nn.functional.pad(hops[..., -1], (0, SPAN - 1))
        total = total - hops[..., 0] - last[:, SPAN - 1 :]
        return total[..., None] / (2 * (SPAN * HOP - 2))
