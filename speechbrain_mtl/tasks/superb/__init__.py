"""The tasks of SUPERB, each with the head it has there."""

from speechbrain_mtl.tasks.superb.asr import SpeechRecognition
from speechbrain_mtl.tasks.superb.asv import XVectorVerification
from speechbrain_mtl.tasks.superb.er import EmotionRecognition
from speechbrain_mtl.tasks.superb.ic import IntentClassification
from speechbrain_mtl.tasks.superb.ks import KeywordSpotting
from speechbrain_mtl.tasks.superb.pr import PhoneRecognition
from speechbrain_mtl.tasks.superb.sd import SpeakerDiarization
from speechbrain_mtl.tasks.superb.sf import SlotFilling
from speechbrain_mtl.tasks.superb.sid import SpeakerIdentification
from speechbrain_mtl.tasks.superb.slot_tokens import SlotTokens

__all__ = [
    "EmotionRecognition",
    "IntentClassification",
    "KeywordSpotting",
    "PhoneRecognition",
    "SlotFilling",
    "SlotTokens",
    "SpeakerDiarization",
    "SpeakerIdentification",
    "SpeechRecognition",
    "XVectorVerification",
]
