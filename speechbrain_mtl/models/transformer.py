"""wav2vec 2.0, HuBERT and WavLM as encoders of ours, safe against padding."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import nn

from speechbrain_mtl.models.encoder import Encoded, Encoder, frame_mask
from speechbrain_mtl.models.group_norm import ValidGroupNorm
from speechbrain_mtl.models.log_mel import LogMelConvolution
from speechbrain_mtl.models.masking import hidden_frames
from speechbrain_mtl.models.waveform import (
    check_depth,
    prepared,
    whole_windows,
    window_and_step,
)
from speechbrain_mtl.workers.analysis import SAMPLE_RATE


class TransformerEncoder(Encoder):
    """Convolutions over the waveform, then a transformer, of HuggingFace's.

    Waveforms are normalised over their own samples, the first convolution's
    group norm is over valid frames, and padding is zero before the positional
    convolution: an utterance has the same layers in any company. Parameters
    keep their names, so that checkpoints travel both ways.

    Layers, lowest first: the transformer's input, then every layer's output,
    the last one after the final normalisation where the model has one.

    Arguments
    ---------
    network : nn.Module
        A `Wav2Vec2Model`, `HubertModel`, `WavLMModel` or one like them. Its
        dropping of whole layers in training is turned off.
    normalize : bool
        Give waveforms mean 0 and variance 1.
    mask_prob, mask_span, mask_least, mask_share
        See `span_mask`, in frames, and `hidden_frames`; applied while
        training, and when asked.
    checkpointing : bool
        Recompute layers in the backward pass: less memory, more time.
    cls_token : bool
        Let a learnt vector go through the transformer before the first frame;
        it is never hidden, and its states are no frames of the layers.
    log_mel : bool
        The first convolution gives way to as many log-mel bands, of its
        window and step; see `LogMelConvolution`.
    """

    can_hide = True
    can_stop = True

    def __init__(
        self,
        network: nn.Module,
        normalize: bool = True,
        mask_prob: float = 0.65,
        mask_span: int = 10,
        mask_least: int = 2,
        mask_share: float = 1.0,
        checkpointing: bool = False,
        cls_token: bool = False,
        log_mel: bool = False,
    ) -> None:
        super().__init__()
        config = network.config
        self.network = network
        self.normalize = normalize
        self.mask_prob, self.mask_span = mask_prob, mask_span
        self.mask_least, self.mask_share = mask_least, mask_share
        if not hasattr(network, "masked_spec_embed"):
            vector = torch.empty(config.hidden_size).uniform_()
            network.masked_spec_embed = nn.Parameter(vector)
        self.kernel, self.stride = config.conv_kernel[0], config.conv_stride[0]
        self.window, self.step = window_and_step(
            config.conv_kernel, config.conv_stride
        )
        self.hop = self.step / SAMPLE_RATE
        self.offset = self.window / 2 / SAMPLE_RATE
        self.dims = (config.hidden_size,) * (config.num_hidden_layers + 1)
        self.latent_size = config.conv_dim[-1]
        first = network.feature_extractor.conv_layers[0]
        self.log_mel = log_mel
        if log_mel:
            first.conv = LogMelConvolution(
                config.conv_dim[0], self.kernel, self.stride
            )
            first.activation = nn.Identity()
        self.norm = None
        if isinstance(getattr(first, "layer_norm", None), nn.GroupNorm):
            old = first.layer_norm
            first.layer_norm = ValidGroupNorm(old.num_channels, old.eps)
            first.layer_norm.load_state_dict(old.state_dict())
            self.norm = first.layer_norm
        # Masks are ours; and a dropped layer would leave heads unread.
        config.apply_spec_augment = False
        config.layerdrop = 0.0
        self.checkpointing = checkpointing
        if checkpointing:
            network.gradient_checkpointing_enable(
                gradient_checkpointing_kwargs={"use_reentrant": False}
            )
        self.cls_token = None
        if cls_token:
            self.cls_token = nn.Parameter(torch.randn(config.hidden_size))
        self._states: list[torch.Tensor] | None = None
        network.encoder.layers = _Layers(network.encoder.layers)
        # Bound methods, so that a copied encoder keeps its own.
        network.encoder.layers[0].register_forward_pre_hook(self._keep_input)
        for layer in network.encoder.layers:
            layer.register_forward_hook(self._keep_output)

    def __reduce__(self) -> tuple:
        """Copy and send by configuration and state.

        The positional convolution's weight norm forbids anything else.
        """
        frozen = [n for n, p in self.named_parameters() if not p.requires_grad]
        settings = {
            "normalize": self.normalize,
            "mask_prob": self.mask_prob,
            "mask_span": self.mask_span,
            "mask_least": self.mask_least,
            "mask_share": self.mask_share,
            "checkpointing": self.checkpointing,
            "cls_token": self.cls_token is not None,
            "log_mel": self.log_mel,
        }
        network = (type(self.network), self.network.config)
        state = (self.state_dict(), frozen, self.training)
        return _rebuild, (type(self), network, settings, state)

    def _keep_input(self, layer: nn.Module, arguments: tuple) -> None:
        # Recomputed layers, in a backward pass, are nobody's output.
        if self._states is not None:
            self._states.append(arguments[0])

    def _keep_output(
        self, layer: nn.Module, arguments: tuple, output: Any
    ) -> None:
        if self._states is not None:
            state = output[0] if isinstance(output, tuple) else output
            self._states.append(state)

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
            with ``latents``; and ``hidden`` and ``cls_states`` if any.

        Raises
        ------
        ValueError
            When there are not so many layers.
        """
        highest = len(self.network.encoder.layers)
        check_depth(depth, highest)
        eps = 1e-7 if self.normalize else None
        wavs, samples = prepared(wavs, lens, self.window, eps)
        frames = self.frame_lens(samples)
        padded = bool((samples < wavs.shape[1]).any())
        if self.norm is not None:
            # torch's own norm is faster where it sees no padding.
            lens_in = (samples - self.kernel) // self.stride + 1
            self.norm.lens = lens_in if padded else None
        features = self.network.feature_extractor(wavs).transpose(1, 2)
        valid = frame_mask(frames, features.shape[1])
        x, latents = self._project(features)
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
            vector = self.network.masked_spec_embed.to(x.dtype)
            x = torch.where(hidden[..., None], vector, x)
        cls_states = None
        if self.cls_token is None:
            states = self._layers(x, valid, depth)
        else:
            first = self.cls_token.to(x.dtype).expand(len(x), 1, -1)
            x = torch.cat([first, x], dim=1)
            kept = nn.functional.pad(valid, (1, 0), value=True)
            states = self._layers(x, kept, depth)
            cls_states = tuple(state[:, 0] for state in states)
            states = [state[:, 1:] for state in states]
        layers = tuple(state * valid[..., None] for state in states)
        return Encoded(
            layers, frames, self.hop, self.offset, hidden, latents, cls_states
        )

    def _project(
        self, features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Input of the transformer, and normalised latents."""
        projection = self.network.feature_projection
        projected = projection(features)
        if isinstance(projected, tuple):
            return projected
        # HuBERT keeps the normalised features to itself.
        norm = getattr(projection, "layer_norm", None)
        return projected, features if norm is None else norm(features)

    def _layers(
        self, x: torch.Tensor, valid: torch.Tensor, depth: int | None
    ) -> list[torch.Tensor]:
        """The transformer's input, then every layer's output."""
        layers = self.network.encoder.layers
        self._states, layers.depth = [], depth
        try:
            result: Any = self.network.encoder(x, attention_mask=valid)
            states = self._states
        finally:
            self._states = layers.depth = None
        if len(states) > len(layers):
            # Of the whole, which may be normalised once more.
            states[-1] = result.last_hidden_state
        return states


class _Layers(nn.ModuleList):
    """Layers of a transformer, of which a loop may see the lowest only."""

    depth: int | None = None

    def __iter__(self) -> Iterator[nn.Module]:
        return islice(super().__iter__(), self.depth)


def _rebuild(
    kind: type[TransformerEncoder], network: tuple, settings: dict, state: tuple
) -> TransformerEncoder:
    """Make a copied or sent encoder from what `__reduce__` gave."""
    model, config = network
    encoder = kind.__new__(kind)
    TransformerEncoder.__init__(encoder, model(config), **settings)
    values, frozen, training = state
    encoder.load_state_dict(values)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_(name not in frozen)
    return encoder.train(training)
