"""Log-mel input of an encoder: utterance mean removed, one fixed scale."""

import torch
from torch import nn

from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.workers import Fbank, LabelNormalizer
from speechbrain_mtl.workers.analysis import valid_samples


def remove_utterance_mean(x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
    """Subtract each item's mean over its valid frames; padding becomes 0.

    Removing the mean takes channel and level away; it is worth several
    points of phone accuracy to any encoder, trained or not.

    Arguments
    ---------
    x : torch.Tensor
        [B, F, D].
    lens : torch.Tensor
        Absolute lengths, [B].

    Returns
    -------
    centred : torch.Tensor
        [B, F, D].

    Example
    -------
    >>> x = torch.tensor([[[1.0], [3.0], [9.0]]])
    >>> remove_utterance_mean(x, torch.tensor([2])).flatten()
    tensor([-1.,  1.,  0.])
    """
    mask = frame_mask(lens, x.shape[1])[..., None]
    mean = (x * mask).sum(1, keepdim=True) / lens[:, None, None].clamp(min=1)
    return (x - mean) * mask


class LogMel(nn.Module):
    """Normalised log-mel frames, 100 a second.

    Arguments
    ---------
    n_mels : int
        Bands.
    """

    def __init__(self, n_mels: int = 80) -> None:
        super().__init__()
        self.fbank = Fbank(n_mels=n_mels)
        self.normalizer = LabelNormalizer(n_mels, "log-mel input")
        self.dim = n_mels
        self.hop = self.fbank.hop
        self.offset = self.fbank.offset

    def _centred(
        self, wavs: torch.Tensor, lens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        frame_lens = self.fbank.frame_lens(valid_samples(wavs, lens))
        # Autocast would round the spectrum to bf16 before its logarithm.
        with torch.autocast(wavs.device.type, enabled=False):
            mels = self.fbank(wavs, lens)
        return remove_utterance_mean(mels, frame_lens), frame_lens

    @torch.no_grad()
    def calibrate(self, wavs: torch.Tensor, lens: torch.Tensor) -> None:
        """Add one batch to the statistics of the fixed scale."""
        self.normalizer.update(*self._centred(wavs, lens))

    @torch.no_grad()
    def forward(
        self, wavs: torch.Tensor, lens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute frames.

        Arguments
        ---------
        wavs : torch.Tensor
            [B, T], 16 kHz.
        lens : torch.Tensor
            Relative lengths, [B].

        Returns
        -------
        mels : torch.Tensor
            [B, F, n_mels]; padding frames are 0.
        frame_lens : torch.Tensor
            Absolute, [B].
        """
        mels, frame_lens = self._centred(wavs, lens)
        mask = frame_mask(frame_lens, mels.shape[1])[..., None]
        return self.normalizer(mels) * mask, frame_lens
