"""The tasks of SUPERB, each with the head it has there."""

from speechbrain_mtl.tasks.superb.sd import SpeakerDiarization

__all__ = ["SpeakerDiarization"]
