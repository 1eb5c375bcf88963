"""wav2vec 2.0 from nothing but its sizes, or from a checkpoint."""

from collections.abc import Sequence

from speechbrain_mtl.models.transformer import TransformerEncoder
from speechbrain_mtl.workers.huggingface import (
    import_transformers,
    read_speech_model,
)


class Wav2Vec2Encoder(TransformerEncoder):
    """wav2vec 2.0 (Baevski et al., NeurIPS 2020) at random weights.

    The defaults are Base; 94 million parameters.

    Arguments
    ---------
    hidden_size, layers, heads, feedforward_size : int
        Of the transformer.
    conv_channels : int
        Of every convolution.
    conv_kernels, conv_strides : sequence of int
        Of the convolutions; strides multiply to the samples a frame.
        ``(400, 3)`` and ``(160, 2)`` go with `log_mel`.
    position_kernel, position_groups : int
        Of the positional convolution.
    dropout : float
        In the transformer.
    layer_norm : bool
        Normalise every convolution's frames and the input of every
        transformer layer, as Large does; else the first convolution over time
        and the output of layers, as Base does.
    normalize, mask_prob, mask_span, mask_least, mask_share
        See `TransformerEncoder`.
    checkpointing, cls_token
        See `TransformerEncoder`.
    log_mel : bool
        See `TransformerEncoder`: for hours of audio on a laptop, where
        filters over waveforms do not come to hear words.

    Raises
    ------
    ImportError
        When transformers is not installed.

    Example
    -------
    >>> import torch
    >>> encoder = Wav2Vec2Encoder(32, 2, 2, 64, conv_channels=16)
    >>> encoded = encoder.eval()(torch.randn(2, 16000), torch.ones(2))
    >>> len(encoded.layers), encoded.layers[0].shape, encoded.hop
    (3, torch.Size([2, 49, 32]), 0.02)
    """

    def __init__(
        self,
        hidden_size: int = 768,
        layers: int = 12,
        heads: int = 12,
        feedforward_size: int = 3072,
        conv_channels: int = 512,
        conv_kernels: Sequence[int] = (10, 3, 3, 3, 3, 2, 2),
        conv_strides: Sequence[int] = (5, 2, 2, 2, 2, 2, 2),
        position_kernel: int = 128,
        position_groups: int = 16,
        dropout: float = 0.1,
        layer_norm: bool = False,
        normalize: bool = True,
        mask_prob: float = 0.65,
        mask_span: int = 10,
        mask_least: int = 2,
        mask_share: float = 1.0,
        checkpointing: bool = False,
        cls_token: bool = False,
        log_mel: bool = False,
    ) -> None:
        transformers = import_transformers()
        config = transformers.Wav2Vec2Config(
            hidden_size=hidden_size,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=feedforward_size,
            conv_dim=[conv_channels] * len(conv_kernels),
            conv_kernel=list(conv_kernels),
            conv_stride=list(conv_strides),
            num_feat_extract_layers=len(conv_kernels),
            num_conv_pos_embeddings=position_kernel,
            num_conv_pos_embedding_groups=position_groups,
            hidden_dropout=dropout,
            attention_dropout=dropout,
            activation_dropout=0.0,
            feat_proj_dropout=dropout,
            layerdrop=0.0,
            feat_extract_norm="layer" if layer_norm else "group",
            do_stable_layer_norm=layer_norm,
            conv_bias=layer_norm,
        )
        super().__init__(
            transformers.Wav2Vec2Model(config),
            normalize,
            mask_prob,
            mask_span,
            mask_least,
            mask_share,
            checkpointing,
            cls_token,
            log_mel,
        )


class HuggingFaceEncoder(TransformerEncoder):
    """A checkpoint of wav2vec 2.0, HuBERT, WavLM or their like, to train on.

    Arguments
    ---------
    source : str
        Name on the hub, or a folder. It is read at once.
    mask_prob, mask_span, mask_least, mask_share, checkpointing, cls_token
        See `TransformerEncoder`.

    Raises
    ------
    ImportError
        When transformers is not installed.
    ValueError
        When the model does not take 16 kHz, or has no convolutions over the
        waveform.

    Example
    -------
    >>> HuggingFaceEncoder("microsoft/wavlm-base")  # doctest: +SKIP
    """

    def __init__(
        self,
        source: str,
        mask_prob: float = 0.65,
        mask_span: int = 10,
        mask_least: int = 2,
        mask_share: float = 1.0,
        checkpointing: bool = False,
        cls_token: bool = False,
    ) -> None:
        network, extractor = read_speech_model(source)
        super().__init__(
            network,
            bool(extractor.do_normalize),
            mask_prob,
            mask_span,
            mask_least,
            mask_share,
            checkpointing,
            cls_token,
        )
