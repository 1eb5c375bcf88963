"""Use a pretrained encoder elsewhere: in SpeechBrain, or as HuggingFace's."""

import os
from pathlib import Path
from typing import Any

import torch
from speechbrain.inference.interfaces import Pretrained

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.data.audio import read_audio
from speechbrain_mtl.models import Encoded, TransformerEncoder
from speechbrain_mtl.models.mixed import inside
from speechbrain_mtl.training.settings import to_yaml
from speechbrain_mtl.workers.huggingface import import_transformers

INFERENCE = """\
# The encoder of this folder, for speechbrain_mtl.inference.MTLEncoder.
encoder: {encoder}
modules:
    encoder: !ref <encoder>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        encoder: !ref <encoder>
"""


class MTLEncoder(Pretrained):
    """A pretrained encoder, by the folder of its training.

    Example
    -------
    >>> encoder = MTLEncoder.from_hparams(
    ...     "results/sparsemax_word/0"
    ... )  # doctest: +SKIP
    >>> encoder.encode_batch(wavs, lens).layers[-1].shape  # doctest: +SKIP
    torch.Size([2, 49, 256])
    """

    MODULES_NEEDED = ["encoder"]

    @classmethod
    def from_hparams(
        cls,
        source: str | os.PathLike,
        hparams_file: str = "inference.yaml",
        **more: Any,
    ) -> "MTLEncoder":
        """Build the encoder and load its weights.

        Arguments
        ---------
        source : str or path-like
            Output folder of a training, or a repository of the hub.
        hparams_file : str
            Name of the YAML in it.
        **more
            See `Pretrained.from_hparams`.

        Returns
        -------
        encoder : MTLEncoder

        Raises
        ------
        ValueError
            When the folder has no such YAML.
        """
        source = str(source)
        if Path(source).is_dir() and not Path(source, hparams_file).is_file():
            raise ValueError(
                f"{source}: no {hparams_file} in it. Give the output folder of "
                "a training that has ended."
            )
        return super().from_hparams(source, hparams_file, **more)

    @torch.no_grad()
    def encode_batch(
        self, wavs: torch.Tensor, wav_lens: torch.Tensor | None = None
    ) -> Encoded:
        """Encode waveforms, with nothing hidden and nothing dropped.

        Arguments
        ---------
        wavs : torch.Tensor
            [B, T], 16 kHz.
        wav_lens : torch.Tensor, optional
            Relative lengths, [B]; all whole by default.

        Returns
        -------
        encoded : Encoded
            All layers.
        """
        if wav_lens is None:
            wav_lens = torch.ones(len(wavs))
        encoder = self.mods.encoder.eval()
        return encoder(wavs.to(self.device), wav_lens.to(self.device))

    def encode_file(self, path: str | os.PathLike) -> Encoded:
        """Encode a recording of any rate and format, as a batch of one."""
        return self.encode_batch(read_audio(path)[None])


def write_inference(folder: str | os.PathLike, encoder: dict) -> Path:
    """Write the YAML that `MTLEncoder` reads, beside ``encoder.ckpt``.

    Arguments
    ---------
    folder : str or path-like
        Of the training.
    encoder : dict
        How to make the encoder: its part of `read_settings`.

    Returns
    -------
    path : pathlib.Path
    """
    path = Path(folder) / "inference.yaml"
    text = INFERENCE.format(encoder=to_yaml(encoder, indent=4))
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def export_huggingface(
    source: str | os.PathLike, folder: str | os.PathLike
) -> Path:
    """Write a pretrained transformer as a checkpoint of HuggingFace's.

    Load it by ``transformers.AutoModel.from_pretrained(folder)``; single
    utterances have the same layers there. (In padded batches theirs may
    differ: group norm over time sees padding.) Heads are left behind, and so is
    a `SharedMix`.

    Arguments
    ---------
    source : str or path-like
        Output folder of a training, as for `MTLEncoder`.
    folder : str or path-like
        Gets configuration, weights and the feature extractor.

    Returns
    -------
    folder : pathlib.Path
        The same.

    Raises
    ------
    ValueError
        When the encoder is none of HuggingFace's, or hears log-mel bands,
        which none of theirs does.
    """
    encoder = inside(MTLEncoder.from_hparams(source).mods.encoder)
    if not isinstance(encoder, TransformerEncoder):
        raise ValueError(
            f"{source}: {type(encoder).__name__} has no counterpart in "
            "HuggingFace's transformers; wav2vec 2.0, HuBERT and WavLM do."
        )
    if encoder.log_mel:
        raise ValueError(
            f"{source}: the encoder hears log-mel bands (log_mel: True), and "
            "HuggingFace's only waveforms. Use it by MTLEncoder.from_hparams."
        )
    network = encoder.network
    network.save_pretrained(folder)
    transformers = import_transformers()
    transformers.Wav2Vec2FeatureExtractor(
        do_normalize=encoder.normalize,
        return_attention_mask=encoder.norm is None,
    ).save_pretrained(folder)
    return Path(folder)
