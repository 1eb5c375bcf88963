"""Tasks: head + target + loss on top of an encoded batch."""

from speechbrain_mtl.tasks.base import FrameLabels, Inputs, Task
from speechbrain_mtl.tasks.classification import UtteranceClassification
from speechbrain_mtl.tasks.ctc import CTCTask
from speechbrain_mtl.tasks.grounding import GroundingTask
from speechbrain_mtl.tasks.layer_mix import LayerMix, LayerReader
from speechbrain_mtl.tasks.matching import CosineMatching, MarginMatching
from speechbrain_mtl.tasks.multilabel import MultiLabelClassification
from speechbrain_mtl.tasks.pretext import PretextTask
from speechbrain_mtl.tasks.self_training import SelfTraining
from speechbrain_mtl.tasks.seq2seq import Seq2SeqTask
from speechbrain_mtl.tasks.supervised import SupervisedTask
from speechbrain_mtl.tasks.units import UnitTask
from speechbrain_mtl.tasks.verification import SpeakerVerification
from speechbrain_mtl.tasks.wav2vec2 import Wav2Vec2Task

__all__ = [
    "CTCTask",
    "CosineMatching",
    "FrameLabels",
    "GroundingTask",
    "Inputs",
    "LayerMix",
    "LayerReader",
    "MarginMatching",
    "MultiLabelClassification",
    "PretextTask",
    "SelfTraining",
    "Seq2SeqTask",
    "SpeakerVerification",
    "SupervisedTask",
    "Task",
    "UnitTask",
    "UtteranceClassification",
    "Wav2Vec2Task",
]
