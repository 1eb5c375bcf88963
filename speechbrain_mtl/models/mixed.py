"""One learned mix of an encoder's layers, shared by all tasks that read it."""

from dataclasses import replace

import torch

from speechbrain_mtl.models.encoder import Encoded, Encoder
from speechbrain_mtl.models.layer_mix import LayerMix


class SharedMix(Encoder):
    """Put a learned mix of all layers above an encoder, as its last layer.

    Tasks with ``layer: "mix"`` learn a mix each; around the same encoder,
    tasks with ``layer: -1`` share this one, as in "Speech Representation
    Learning Through Self-supervised Pretraining and Multi-task Finetuning",
    https://arxiv.org/abs/2110.09930. In YAML::

        encoder: !new:speechbrain_mtl.models.SharedMix
            encoder: !new:speechbrain_mtl.models.HuggingFaceEncoder
                source: microsoft/wavlm-base

    The mix belongs to the encoder: it has the encoder's learning rate, and
    where that is frozen, it is too. To train the mix above frozen layers, as
    heads with mixes of their own do, leave ``frozen`` out and freeze what is
    inside: ``frozen_modules: [encoder.encoder]``.

    Tasks that predict hidden frames from the last layer read the mix as well;
    let them read the layer below it, number -2, to train as without.

    Arguments
    ---------
    encoder : Encoder
        All of its layers are of one width.

    Raises
    ------
    ValueError
        When layers differ in width.

    Example
    -------
    >>> from speechbrain_mtl.models import CRDNN
    >>> encoder = SharedMix(CRDNN(cnn_channels=[4], projection=256))
    >>> encoder.dims, encoder.mix.logits.shape
    ((256, 256, 256, 256, 256, 256), torch.Size([5]))
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        if len(set(encoder.dims)) > 1:
            raise ValueError(
                f"layers of widths {list(encoder.dims)} cannot be mixed; give "
                f"{type(encoder).__name__} layers of one width, or tasks "
                'layer: "all"'
            )
        self.encoder = encoder
        self.mix = LayerMix(len(encoder.dims))
        self.dims = (*encoder.dims, encoder.dims[-1])
        self.hop, self.offset = encoder.hop, encoder.offset
        self.can_hide, self.can_stop = encoder.can_hide, encoder.can_stop

    @property
    def learnt(self) -> bool:
        """Whether the weights of the mix are no longer equal."""
        logits = self.mix.logits
        return bool((logits != logits[0]).any())

    def calibrate(self, wavs: torch.Tensor, lens: torch.Tensor) -> None:
        """Collect the statistics that the encoder inside needs."""
        self.encoder.calibrate(wavs, lens)

    def forward(
        self,
        wavs: torch.Tensor,
        lens: torch.Tensor,
        hide: bool | torch.Tensor | None = None,
        depth: int | None = None,
    ) -> Encoded:
        """Encode, and mix.

        Arguments
        ---------
        wavs : torch.Tensor
            [B, T], 16 kHz.
        lens : torch.Tensor
            Relative lengths, [B].
        hide : bool or torch.Tensor, optional
            For the encoder inside, where it `can_hide`.
        depth : int, optional
            The highest layer that is read; below the mix there is none.

        Returns
        -------
        encoded : Encoded
            Layers of the encoder inside and, where it is read, their mix; CLS
            states, if any, are mixed by the same weights.
        """
        asked: dict = {} if hide is None else {"hide": hide}
        whole = depth is None or depth == len(self.dims) - 1
        if not whole:
            return self.encoder(wavs, lens, **asked, depth=depth)
        encoded = self.encoder(wavs, lens, **asked)
        states = encoded.cls_states
        if states is not None:
            states = (*states, self.mix(states))
        layers = (*encoded.layers, self.mix(encoded.layers))
        return replace(encoded, layers=layers, cls_states=states)


def inside(encoder: Encoder) -> Encoder:
    """Give the encoder without a mix above it.

    Arguments
    ---------
    encoder : Encoder
        A `SharedMix`, or any other.

    Returns
    -------
    encoder : Encoder
    """
    return encoder.encoder if isinstance(encoder, SharedMix) else encoder
