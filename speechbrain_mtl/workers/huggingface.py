"""Layers of pretrained speech models of the HuggingFace hub."""

from types import ModuleType
from typing import Any

import torch
from torch import nn

from speechbrain_mtl.workers.analysis import SAMPLE_RATE, Analysis
from speechbrain_mtl.workers.layers import FrozenLayer


class HuggingFaceLayer(FrozenLayer):
    """One layer of wav2vec 2.0, HuBERT, WavLM, data2vec or their like.

    Recordings of one length are encoded together, others apart: many of
    these models normalise over time, padding included, and would give an
    utterance other labels in other company.

    Arguments
    ---------
    name : str
        Of the model on the hub, or a folder. It is read at once.
    layer : int
        Hidden layer, 0 being what the convolutions give (-1 is the last).

    Raises
    ------
    ImportError
        When transformers is not installed.
    ValueError
        When the model has no such layer, does not take 16 kHz, or is of a
        kind whose frames cannot be told.

    Example
    -------
    >>> name = "facebook/hubert-base-ls960"
    >>> HuggingFaceLayer(name, layer=6)  # doctest: +SKIP
    """

    def __init__(self, name: str, layer: int = -1) -> None:
        model, extractor = read_speech_model(name)
        config = model.config
        count = config.num_hidden_layers + 1
        if not -count <= layer < count:
            raise ValueError(
                f"layer {layer}: {name} has {count} layers, 0 to {count - 1}."
            )
        window = step = 1
        for kernel, stride in zip(config.conv_kernel, config.conv_stride):
            window += (kernel - 1) * step
            step *= stride
        super().__init__(model, config.hidden_size, window, step)
        self.name = name
        self.layer = layer % count
        self.normalize = bool(extractor.do_normalize)

    def extra_repr(self) -> str:
        """Name the model and the layer."""
        return f"{self.name!r}, layer={self.layer}"

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Run the model on every length that there is."""
        wavs, samples = self.filled(analysis)
        frames = int(self.frame_lens(samples).max())
        labels = wavs.new_zeros(len(wavs), frames, self.dim)
        for length in samples.unique().tolist():
            rows = samples == length
            part = wavs[rows, :length]
            if self.normalize:
                part = torch.nn.functional.layer_norm(part, (length,), eps=1e-7)
            hidden = self.network(part, output_hidden_states=True)
            values = hidden.hidden_states[self.layer]
            labels[rows, : values.shape[1]] = values
        return labels


def read_speech_model(name: str) -> tuple[nn.Module, Any]:
    """Read a speech model and what it says of its input.

    Arguments
    ---------
    name : str
        Of the model on the hub, or a folder.

    Returns
    -------
    model : nn.Module
        In float32.
    extractor : transformers.FeatureExtractionMixin
        With ``do_normalize``.

    Raises
    ------
    ValueError
        When it does not take 16 kHz, or has no convolutions over the
        waveform.
    """
    transformers = import_transformers()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(name)
    if extractor.sampling_rate != SAMPLE_RATE:
        raise ValueError(
            f"{name}: takes {extractor.sampling_rate} Hz, not "
            f"{SAMPLE_RATE} Hz. Choose another model."
        )
    model = transformers.AutoModel.from_pretrained(name).float()
    if not hasattr(model.config, "conv_kernel"):
        raise ValueError(
            f"{name}: {type(model).__name__} has no convolutions over the "
            "waveform to tell its frames by. Choose a model like wav2vec "
            "2.0, HuBERT or WavLM."
        )
    return model, extractor


def import_transformers() -> ModuleType:
    """Import the library, or say how to get it."""
    try:
        import transformers
    except ImportError as error:
        raise ImportError(
            "models of HuggingFace need the package transformers: "
            "pip install 'speechbrain_mtl[hf]'"
        ) from error
    return transformers
