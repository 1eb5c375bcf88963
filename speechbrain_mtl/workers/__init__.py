"""Sources of pretext labels: waveforms in, one vector a frame out."""

from speechbrain_mtl.workers.alignment import align
from speechbrain_mtl.workers.auditory import Loudness, RastaL1
from speechbrain_mtl.workers.bank import WorkerBank, default_bank
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.cepstral import MFCC, Fbank
from speechbrain_mtl.workers.crossings import ZeroCrossingRate
from speechbrain_mtl.workers.energy import RMSEnergy
from speechbrain_mtl.workers.harmonicity import LogHNR
from speechbrain_mtl.workers.normalizer import LabelNormalizer
from speechbrain_mtl.workers.pitch import F0, Voicing
from speechbrain_mtl.workers.spectral import AlphaRatio

__all__ = [
    "F0",
    "MFCC",
    "AlphaRatio",
    "Fbank",
    "LabelNormalizer",
    "LogHNR",
    "Loudness",
    "RMSEnergy",
    "RastaL1",
    "Voicing",
    "Worker",
    "WorkerBank",
    "ZeroCrossingRate",
    "align",
    "default_bank",
]
