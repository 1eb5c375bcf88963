"""Units of prosody: clusters of pitch, voicing and level."""

import torch
from torch import nn

from speechbrain_mtl.workers.analysis import Analysis
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.cepstral import deltas
from speechbrain_mtl.workers.energy import RMSEnergy
from speechbrain_mtl.workers.kmeans_units import KMeansUnits
from speechbrain_mtl.workers.periodicity import WINDOW
from speechbrain_mtl.workers.pitch import F0, Voicing

QUIET = 1e-4  # amplitude below which levels are not told apart: -80 dB


class Prosody(Worker):
    """F0 in Hz (0 unvoiced), voicing, level in dB, and the slopes of all.

    Example
    -------
    >>> Prosody()(torch.zeros(2, 16000), torch.ones(2)).shape
    torch.Size([2, 97, 6])
    """

    def __init__(self) -> None:
        super().__init__(dim=6, window=WINDOW)
        self.pitch = nn.ModuleList([F0(), Voicing()])
        self.energy = RMSEnergy()

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Join the contours at the times of the pitch frames."""
        contours = [worker.label(analysis) for worker in self.pitch]
        energy = self.energy.label(analysis)
        # The energy frame of the same centre is half a window's rest later.
        later = round((self.offset - self.energy.offset) / self.hop)
        energy = torch.nn.functional.pad(energy[:, later:], (0, 0, 0, later))
        contours.append(20 * energy.clamp(min=QUIET).log10())
        static = torch.cat(contours, dim=-1)
        slopes = deltas(static, self.frame_lens(analysis.samples))
        return torch.cat([static, slopes], dim=-1)


class ProsodyClusters(KMeansUnits):
    """Number of the cluster of a frame's z-scored `Prosody`.

    A discrete summary of how something is said, beside what is said in
    clusters of MFCC. Fitted, saved and loaded as `KMeansUnits`.

    Arguments
    ---------
    units : int
        Clusters.

    Example
    -------
    >>> time = torch.arange(16000) / 16000
    >>> wavs = [torch.sin(900 * t * t) for t in (time, time + 1)]
    >>> worker = ProsodyClusters(units=4).fit(wavs)
    >>> worker(wavs[0][None], torch.ones(1)).shape
    torch.Size([1, 97, 1])
    """

    def __init__(self, units: int = 50) -> None:
        super().__init__(units, Prosody(), standardize=True)
