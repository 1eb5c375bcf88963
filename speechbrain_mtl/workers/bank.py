"""Several workers over one batch, sharing what they have in common."""

import torch
from torch import nn

from speechbrain_mtl.workers.analysis import Analysis
from speechbrain_mtl.workers.auditory import Loudness, RastaL1
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.cepstral import MFCC, Fbank
from speechbrain_mtl.workers.chroma import Chroma
from speechbrain_mtl.workers.crossings import ZeroCrossingRate
from speechbrain_mtl.workers.energy import RMSEnergy
from speechbrain_mtl.workers.flux import SpectralFlux
from speechbrain_mtl.workers.gammatone import Gammatone
from speechbrain_mtl.workers.harmonicity import LogHNR
from speechbrain_mtl.workers.log_spectrum import LogSpectrum
from speechbrain_mtl.workers.pitch import F0, Voicing
from speechbrain_mtl.workers.spectral import AlphaRatio
from speechbrain_mtl.workers.spectral_shape import (
    SpectralCentroid,
    SpectralEntropy,
    SpectralKurtosis,
    SpectralRolloff,
    SpectralSlope,
)
from speechbrain_mtl.workers.voice_quality import Jitter, Shimmer


class WorkerBank(nn.ModuleDict):
    """Label a batch with several workers that share one analysis.

    A worker gives the same labels here as alone; one power spectrum and one
    pitch track serve all that need them.

    Arguments
    ---------
    workers : dict
        Worker by name; `bank[name]` gives it back.

    Example
    -------
    >>> bank = WorkerBank({"f0": F0(), "mfcc": MFCC()})
    >>> bank.dims
    {'f0': 1, 'mfcc': 60}
    >>> labels = bank(torch.rand(2, 16000), torch.ones(2))
    >>> labels["f0"].shape, labels["mfcc"].shape
    (torch.Size([2, 97, 1]), torch.Size([2, 99, 60]))
    """

    def __init__(self, workers: dict[str, Worker]) -> None:
        super().__init__(workers)

    @property
    def dims(self) -> dict[str, int]:
        """Values a frame, by name."""
        return {name: worker.dim for name, worker in self.items()}

    def forward(
        self, wavs: torch.Tensor, lens: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Label a batch.

        Arguments
        ---------
        wavs : torch.Tensor
            Waveforms at 16 kHz, [B, T].
        lens : torch.Tensor
            Relative lengths in (0, 1], [B].

        Returns
        -------
        labels : dict
            [B, F, dim] by name; F differs with the worker's window.
        """
        analysis = Analysis(wavs, lens)
        return {
            name: worker.labels_of(analysis) for name, worker in self.items()
        }


def default_bank() -> WorkerBank:
    """Make the ten standard workers under their standard names.

    Example
    -------
    >>> sum(default_bank().dims.values())
    148
    """
    return WorkerBank(
        {
            "f0": F0(),
            "voicing": Voicing(),
            "log_hnr": LogHNR(),
            "alpha_ratio": AlphaRatio(),
            "zcr": ZeroCrossingRate(),
            "rms": RMSEnergy(),
            "loudness": Loudness(),
            "rasta_l1": RastaL1(),
            "fbank": Fbank(),
            "mfcc": MFCC(),
        }
    )


def every_worker() -> WorkerBank:
    """Make every worker that needs no parameters, under its standard name.

    The ten of `default_bank` come first.

    Example
    -------
    >>> every_worker()["chroma"].dim
    12
    """
    return WorkerBank(
        {
            **default_bank(),
            "jitter": Jitter(),
            "shimmer": Shimmer(),
            "flux": SpectralFlux(),
            "entropy": SpectralEntropy(),
            "centroid": SpectralCentroid(),
            "rolloff": SpectralRolloff(),
            "slope": SpectralSlope(),
            "kurtosis": SpectralKurtosis(),
            "log_spectrum": LogSpectrum(),
            "gammatone": Gammatone(),
            "chroma": Chroma(),
        }
    )
