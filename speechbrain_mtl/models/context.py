"""The strongest cheap baseline: log-mel frames with their neighbours."""

import torch
from torch.nn import functional

from speechbrain_mtl.models.encoder import Encoded, Encoder, frame_mask
from speechbrain_mtl.models.features import LogMel


class ContextFbank(Encoder):
    """Splice each log-mel frame with its neighbours; nothing to train.

    Arguments
    ---------
    n_mels : int
        Bands.
    context : int
        Frames on either side, at the encoder's frame step.
    stride : int
        Take every `stride`-th 10 ms frame, to match an encoder's rate.

    Example
    -------
    >>> encoder = ContextFbank(n_mels=8, context=5)
    >>> wavs = torch.randn(1, 16000)
    >>> encoder.calibrate(wavs, torch.ones(1))
    >>> encoder(wavs, torch.ones(1)).layers[0].shape
    torch.Size([1, 49, 88])
    """

    def __init__(
        self, n_mels: int = 80, context: int = 5, stride: int = 2
    ) -> None:
        super().__init__()
        self.features = LogMel(n_mels)
        self.context = context
        self.stride = stride
        self.dims = (n_mels * (2 * context + 1),)
        self.hop = self.features.hop * stride
        self.offset = self.features.offset

    def calibrate(self, wavs: torch.Tensor, lens: torch.Tensor) -> None:
        """Add one batch to the statistics of the log-mel scale."""
        self.features.calibrate(wavs, lens)

    def forward(self, wavs: torch.Tensor, lens: torch.Tensor) -> Encoded:
        """Splice; neighbours beyond either end count as zeros."""
        mels, frame_lens = self.features(wavs, lens)
        width = 2 * self.context + 1
        padded = functional.pad(mels, (0, 0, self.context, self.context))
        # As many frames as a network that pools `stride` frames into one.
        lens = frame_lens // self.stride
        spliced = padded.unfold(1, width, 1)[:, :: self.stride]
        spliced = spliced[:, : mels.shape[1] // self.stride]
        spliced = spliced.transpose(2, 3).flatten(2)
        mask = frame_mask(lens, spliced.shape[1])[..., None]
        return Encoded((spliced * mask,), lens, self.hop, self.offset)
