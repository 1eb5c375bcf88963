"""Sources of pretext labels: waveforms in, one vector a frame out."""

from speechbrain_mtl.workers.alignment import align
from speechbrain_mtl.workers.auditory import Loudness, RastaL1
from speechbrain_mtl.workers.bank import WorkerBank, default_bank, every_worker
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.cepstral import MFCC, Fbank
from speechbrain_mtl.workers.chroma import Chroma
from speechbrain_mtl.workers.crossings import ZeroCrossingRate
from speechbrain_mtl.workers.energy import RMSEnergy
from speechbrain_mtl.workers.flux import SpectralFlux
from speechbrain_mtl.workers.gammatone import Gammatone
from speechbrain_mtl.workers.harmonicity import LogHNR
from speechbrain_mtl.workers.huggingface import HuggingFaceLayer
from speechbrain_mtl.workers.kmeans_units import KMeansUnits
from speechbrain_mtl.workers.layers import EncoderLayer
from speechbrain_mtl.workers.log_spectrum import LogSpectrum
from speechbrain_mtl.workers.normalizer import LabelNormalizer
from speechbrain_mtl.workers.pitch import F0, Voicing
from speechbrain_mtl.workers.prosody_clusters import Prosody, ProsodyClusters
from speechbrain_mtl.workers.random_projection import RandomProjectionUnits
from speechbrain_mtl.workers.spectral import AlphaRatio
from speechbrain_mtl.workers.spectral_shape import (
    SpectralCentroid,
    SpectralEntropy,
    SpectralKurtosis,
    SpectralRolloff,
    SpectralSlope,
)
from speechbrain_mtl.workers.voice_quality import Jitter, Shimmer

__all__ = [
    "F0",
    "MFCC",
    "AlphaRatio",
    "Chroma",
    "EncoderLayer",
    "Fbank",
    "Gammatone",
    "HuggingFaceLayer",
    "Jitter",
    "KMeansUnits",
    "LabelNormalizer",
    "LogHNR",
    "LogSpectrum",
    "Loudness",
    "Prosody",
    "ProsodyClusters",
    "RMSEnergy",
    "RandomProjectionUnits",
    "RastaL1",
    "Shimmer",
    "SpectralCentroid",
    "SpectralEntropy",
    "SpectralFlux",
    "SpectralKurtosis",
    "SpectralRolloff",
    "SpectralSlope",
    "Voicing",
    "Worker",
    "WorkerBank",
    "ZeroCrossingRate",
    "align",
    "default_bank",
    "every_worker",
]
