"""Encoders: waveforms in, all hidden layers with their times out."""

from speechbrain_mtl.models.context import ContextFbank
from speechbrain_mtl.models.crdnn import CRDNN
from speechbrain_mtl.models.encoder import Encoded, Encoder, frame_mask

__all__ = ["CRDNN", "ContextFbank", "Encoded", "Encoder", "frame_mask"]
