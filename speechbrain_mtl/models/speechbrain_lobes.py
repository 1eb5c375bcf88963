"""wav2vec 2.0 of SpeechBrain's own modules, safe against padding."""

import os
from pathlib import Path

import torch
from speechbrain.lobes.models.transformer.Conformer import ConformerEncoder
from speechbrain.lobes.models.transformer.Transformer import (
    PositionalEncoding,
    TransformerEncoder,
)
from speechbrain.lobes.models.wav2vec import EncoderWrapper, W2VLatentExtractor
from speechbrain.nnet.attention import (
    PositionalwiseFeedForward,
    RelPosEncXL,
    RelPosMHAXL,
)
from torch import nn

from speechbrain_mtl.models.encoder import Encoded, Encoder, frame_mask
from speechbrain_mtl.models.masking import hidden_frames
from speechbrain_mtl.models.waveform import (
    check_depth,
    prepared,
    whole_windows,
    window_and_step,
)
from speechbrain_mtl.workers.analysis import SAMPLE_RATE

#: What the modules are called in a checkpoint of SpeechBrain's recipe.
FILES = {"extractor": "latent_extractor", "wrapper": "latent_encoder"}


class SpeechBrainEncoder(Encoder):
    """Convolutions over the waveform, then a transformer, of SpeechBrain's.

    The modules are those of SpeechBrain's wav2vec 2.0 recipe; one utterance
    alone has the same last layer there. In a batch theirs depends on the
    company, ours does not: waveforms are normalised over their own samples,
    frames are the whole windows of an utterance, and the convolutions of a
    Conformer see zeros beyond it.

    Layers, lowest first: the transformer's input, then every layer's output,
    the last one after the final normalisation.

    Arguments
    ---------
    extractor : W2VLatentExtractor
        Of frames from the waveform.
    wrapper : EncoderWrapper
        Its ``latent_encoder`` is a `TransformerEncoder` or a
        `ConformerEncoder`; where that one's attention is RelPosMHAXL, its
        ``positional_encoding`` must be `RelPosEncXL`.
    checkpoint : str or path-like, optional
        Folder with ``latent_extractor.ckpt`` and ``latent_encoder.ckpt``, one
        of the checkpoints of SpeechBrain's recipe. It is read at once.
    normalize : bool
        Give waveforms mean 0 and variance 1, as the recipe does.
    mask_prob, mask_span, mask_least, mask_share
        See `span_mask`, in frames, and `hidden_frames`; applied while
        training, and when asked.

    Raises
    ------
    ValueError
        When the modules do not fit together, a layer cannot be kept from
        padding, or the checkpoint is of other modules.

    Example
    -------
    >>> extractor = W2VLatentExtractor([16] * 7)
    >>> layers = TransformerEncoder(2, 2, 64, d_model=32)
    >>> encoder = SpeechBrainEncoder(extractor, EncoderWrapper(16, 32, layers))
    >>> encoded = encoder.eval()(torch.randn(2, 16000), torch.ones(2))
    >>> len(encoded.layers), encoded.layers[0].shape, encoded.hop
    (3, torch.Size([2, 48, 32]), 0.02)
    """

    can_hide = True
    can_stop = True

    def __init__(
        self,
        extractor: W2VLatentExtractor,
        wrapper: EncoderWrapper,
        checkpoint: str | os.PathLike | None = None,
        normalize: bool = True,
        mask_prob: float = 0.65,
        mask_span: int = 10,
        mask_least: int = 2,
        mask_share: float = 1.0,
    ) -> None:
        super().__init__()
        check_modules(extractor, wrapper)
        self.extractor, self.wrapper = extractor, wrapper
        if checkpoint is not None:
            self._load(Path(checkpoint))
        self.normalize = normalize
        self.mask_prob, self.mask_span = mask_prob, mask_span
        self.mask_least, self.mask_share = mask_least, mask_share
        self.window, self.step = window_and_step(
            extractor.kernel_sizes, extractor.strides
        )
        self.hop = self.step / SAMPLE_RATE
        self.offset = self.window / 2 / SAMPLE_RATE
        self.latent_size = extractor.out_dim
        layers = wrapper.latent_encoder.layers
        width = wrapper.input_projector.out_features
        self.dims = (width,) * (len(layers) + 1)
        # Their mask is over what the convolution gives, not over what it sees.
        self.silence = ZeroPadding()
        if isinstance(wrapper.latent_encoder, ConformerEncoder):
            for layer in layers:
                layer.convolution_module.bottleneck.append(self.silence)

    def _load(self, folder: Path) -> None:
        """Read the states of both modules."""
        for name, stem in FILES.items():
            path = folder / f"{stem}.ckpt"
            if not path.is_file():
                raise ValueError(
                    f"{path}: no such file. Give a CKPT+... folder that "
                    "SpeechBrain's wav2vec 2.0 recipe saved"
                )
            state = torch.load(path, map_location="cpu")
            try:
                getattr(self, name).load_state_dict(state)
            except RuntimeError as error:
                raise ValueError(
                    f"{path} is of another {name}. Take its settings from "
                    f"the hyperparams.yaml of that training. {error}"
                ) from error

    def frame_lens(self, samples: torch.Tensor) -> torch.Tensor:
        """Count the whole windows in recordings of so many samples, or 1."""
        return whole_windows(samples, self.window, self.step)

    def forward(
        self,
        wavs: torch.Tensor,
        lens: torch.Tensor,
        hide: bool | torch.Tensor | None = None,
        depth: int | None = None,
    ) -> Encoded:
        """Encode.

        Arguments
        ---------
        wavs : torch.Tensor
            [B, T], 16 kHz.
        lens : torch.Tensor
            Relative lengths, [B].
        hide : bool or torch.Tensor, optional
            Hide random spans of frames, or these, [B, F] bool. By default
            they are hidden while training.
        depth : int, optional
            How many of the transformer's layers to run; all by default.

        Returns
        -------
        encoded : Encoded
            All layers that were run, and the transformer's input, [B, F, D];
            with ``latents``; and ``hidden`` if any.

        Raises
        ------
        ValueError
            When there are not so many layers, or a recording is longer than
            the positional encoding.
        """
        highest = len(self.dims) - 1
        check_depth(depth, highest)
        # The recipe normalises by torch's layer_norm, whose eps this is.
        eps = 1e-5 if self.normalize else None
        wavs, samples = prepared(wavs, lens, self.window, eps)
        frames = self.frame_lens(samples)
        latents = self.extractor(wavs, normalize_signal=False)
        valid = frame_mask(frames, latents.shape[1])
        wrapper = self.wrapper
        x = wrapper.dropout_encoder_input(wrapper.input_projector(latents))
        hidden = hidden_frames(
            hide,
            self.training,
            frames,
            valid,
            self.mask_prob,
            self.mask_span,
            self.mask_least,
            self.mask_share,
        )
        if hidden is not None:
            vector = wrapper.mask_emb.to(x.dtype)
            x = torch.where(hidden[..., None], vector, x)
        states = self._layers(x * valid[..., None], valid, depth)
        layers = tuple(state * valid[..., None] for state in states)
        return Encoded(layers, frames, self.hop, self.offset, hidden, latents)

    def _layers(
        self, x: torch.Tensor, valid: torch.Tensor, depth: int | None
    ) -> list[torch.Tensor]:
        """The transformer's input, then every layer's output."""
        encoding = self.wrapper.positional_encoding
        network = self.wrapper.latent_encoder
        relative = None
        if isinstance(encoding, RelPosEncXL):
            relative = encoding(x).to(x.dtype)
        else:
            longest = getattr(encoding, "max_len", x.shape[1])
            if x.shape[1] > longest:
                raise ValueError(
                    f"a recording has {x.shape[1]} frames, the positional "
                    f"encoding {longest} ({longest * self.hop:g} s). Cut "
                    "recordings, or give EncoderWrapper a "
                    "positional_encoding with a larger max_len"
                )
            x = x + encoding(x)
        states = [x]
        self.silence.valid = valid
        for layer in network.layers[:depth]:
            x, _ = layer(x, src_key_padding_mask=~valid, pos_embs=relative)
            states.append(x)
        self.silence.valid = None
        if len(states) == len(self.dims):
            states[-1] = network.norm(x)
        return states


class ZeroPadding(nn.Module):
    """Set [B, D, F] to zero beyond the ``valid`` frames, [B, F] if known."""

    valid: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Clear the padding."""
        return x if self.valid is None else x * self.valid[:, None]


def check_modules(
    extractor: W2VLatentExtractor, wrapper: EncoderWrapper
) -> None:
    """Refuse what does not fit together, or cannot be kept from padding.

    Arguments
    ---------
    extractor : W2VLatentExtractor
    wrapper : EncoderWrapper

    Raises
    ------
    ValueError
    """
    network = wrapper.latent_encoder
    if not isinstance(network, TransformerEncoder | ConformerEncoder):
        raise ValueError(
            f"latent_encoder is a {type(network).__name__}: give a "
            "TransformerEncoder or a ConformerEncoder"
        )
    if network.layerdrop_prob > 0:
        raise ValueError(
            f"layerdrop_prob is {network.layerdrop_prob}: a dropped layer "
            "would leave the tasks that read it without input; set it to 0"
        )
    made, read = extractor.out_dim, wrapper.input_projector.in_features
    if made != read:
        raise ValueError(
            f"the extractor makes {made} values a frame, EncoderWrapper "
            f"reads {read} (in_dim): make them equal"
        )
    feedforward = getattr(network.layers[0], "pos_ffn", None)
    if not isinstance(feedforward, PositionalwiseFeedForward | type(None)):
        raise ValueError(
            "ffn_type 1dcnn convolves over padding; take regularFFN"
        )
    encoding = wrapper.positional_encoding
    relative = any(isinstance(m, RelPosMHAXL) for m in network.modules())
    if relative != isinstance(encoding, RelPosEncXL):
        raise ValueError(
            f"positional_encoding is {type(encoding).__name__}, which this "
            f"attention cannot take: RelPosMHAXL wants RelPosEncXL, others "
            f"{PositionalEncoding.__name__}"
        )
