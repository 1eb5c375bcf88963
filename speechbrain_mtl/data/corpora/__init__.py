"""Manifests of public corpora, one file a corpus."""

from speechbrain_mtl.data.corpora.audio_snips import prepare_audio_snips
from speechbrain_mtl.data.corpora.audioset import prepare_audioset
from speechbrain_mtl.data.corpora.commonvoice import prepare_commonvoice
from speechbrain_mtl.data.corpora.esc50 import prepare_esc50
from speechbrain_mtl.data.corpora.flickr8k_audio import prepare_flickr8k_audio
from speechbrain_mtl.data.corpora.fluent_speech_commands import (
    prepare_fluent_speech_commands,
)
from speechbrain_mtl.data.corpora.folder import prepare_folder
from speechbrain_mtl.data.corpora.fsdd import prepare_fsdd
from speechbrain_mtl.data.corpora.iemocap import prepare_iemocap
from speechbrain_mtl.data.corpora.libri2mix import prepare_libri2mix
from speechbrain_mtl.data.corpora.librispeech import prepare_librispeech
from speechbrain_mtl.data.corpora.medley_solos import prepare_medley_solos
from speechbrain_mtl.data.corpora.openmic import prepare_openmic
from speechbrain_mtl.data.corpora.speech_commands import prepare_speech_commands
from speechbrain_mtl.data.corpora.spokencoco import prepare_spokencoco
from speechbrain_mtl.data.corpora.timit import prepare_timit
from speechbrain_mtl.data.corpora.voxceleb1 import prepare_voxceleb1

__all__ = [
    "prepare_audio_snips",
    "prepare_audioset",
    "prepare_commonvoice",
    "prepare_esc50",
    "prepare_fluent_speech_commands",
    "prepare_flickr8k_audio",
    "prepare_folder",
    "prepare_fsdd",
    "prepare_iemocap",
    "prepare_libri2mix",
    "prepare_librispeech",
    "prepare_medley_solos",
    "prepare_openmic",
    "prepare_speech_commands",
    "prepare_spokencoco",
    "prepare_timit",
    "prepare_voxceleb1",
]
