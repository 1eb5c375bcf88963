"""Encoders: waveforms in, all hidden layers with their times out."""

from speechbrain_mtl.models.audio_head import AudioHead
from speechbrain_mtl.models.context import ContextFbank
from speechbrain_mtl.models.crdnn import CRDNN
from speechbrain_mtl.models.ecapa import ECAPA
from speechbrain_mtl.models.encoder import Encoded, Encoder, frame_mask
from speechbrain_mtl.models.images import RegionEncoder, SceneEncoder
from speechbrain_mtl.models.layer_mix import LayerMix
from speechbrain_mtl.models.mixed import SharedMix
from speechbrain_mtl.models.speechbrain_lobes import SpeechBrainEncoder
from speechbrain_mtl.models.stored import StoredEncoder
from speechbrain_mtl.models.transformer import TransformerEncoder
from speechbrain_mtl.models.wav2vec2 import HuggingFaceEncoder, Wav2Vec2Encoder
from speechbrain_mtl.models.xvector import XVector

__all__ = [
    "CRDNN",
    "ECAPA",
    "AudioHead",
    "ContextFbank",
    "Encoded",
    "Encoder",
    "HuggingFaceEncoder",
    "LayerMix",
    "RegionEncoder",
    "SceneEncoder",
    "SharedMix",
    "SpeechBrainEncoder",
    "StoredEncoder",
    "TransformerEncoder",
    "Wav2Vec2Encoder",
    "XVector",
    "frame_mask",
]
