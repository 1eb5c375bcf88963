"""The tasks of SUPERB, each with the head it has there."""

from speechbrain_mtl.tasks.superb.er import EmotionRecognition
from speechbrain_mtl.tasks.superb.ic import IntentClassification
from speechbrain_mtl.tasks.superb.ks import KeywordSpotting
from speechbrain_mtl.tasks.superb.sd import SpeakerDiarization
from speechbrain_mtl.tasks.superb.sid import SpeakerIdentification

__all__ = [
    "EmotionRecognition",
    "IntentClassification",
    "KeywordSpotting",
    "SpeakerDiarization",
    "SpeakerIdentification",
]
