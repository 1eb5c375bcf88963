"""Root-mean-square energy."""

import torch

from speechbrain_mtl.workers.analysis import HOP, Analysis
from speechbrain_mtl.workers.base import Worker


class RMSEnergy(Worker):
    """Root-mean-square amplitude of each 20 ms, full scale being 1.

    Example
    -------
    >>> wavs = 0.5 * torch.ones(1, 16000)
    >>> labels = RMSEnergy()(wavs, torch.ones(1))
    >>> labels.shape, round(labels.mean().item(), 4)
    (torch.Size([1, 99, 1]), 0.5)
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=2 * HOP)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Root of the mean energy of two neighbouring hops."""
        hops = analysis.wavs.view(analysis.batch, analysis.rows, HOP)
        energy = torch.linalg.vector_norm(hops, dim=-1).square_()
        following = torch.nn.functional.pad(energy[:, 1:], (0, 1))
        return ((energy + following) / (2 * HOP)).sqrt()[..., None]
