"""Log mel energies and cepstral coefficients."""

import functools

import torch
from torchaudio.functional import create_dct

from speechbrain_mtl.workers.analysis import Analysis, shared
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.spectrum import WINDOW, mel_power

N_MELS = 80


@functools.lru_cache
def cosines(n_mfcc: int, n_mels: int, device: torch.device) -> torch.Tensor:
    """Give the orthonormal DCT-II, [n_mels, n_mfcc]."""
    return create_dct(n_mfcc, n_mels, "ortho").to(device)


@shared
def log_mel(analysis: Analysis, n_mels: int) -> torch.Tensor:
    """Natural log of mel-band power, [B, rows, n_mels]."""
    # Slaney's scale: on HTK's, 80 bands leave some without a single bin.
    return mel_power(analysis, n_mels, 0.0, "slaney").log()


def deltas(values: torch.Tensor, frame_lens: torch.Tensor) -> torch.Tensor:
    """Slope by least squares over five frames, the ends repeated.

    Arguments
    ---------
    values : torch.Tensor
        Features, [B, F, D].
    frame_lens : torch.Tensor
        Valid frames, [B]; an utterance's own last frame is repeated.

    Returns
    -------
    slopes : torch.Tensor
        Change a frame, [B, F, D].

    Example
    -------
    >>> ramp = torch.arange(6.0)[None, :, None]
    >>> deltas(ramp, torch.tensor([6])).flatten()
    tensor([0.5000, 0.8000, 1.0000, 1.0000, 0.8000, 0.5000])
    """
    batch, frames, dim = values.shape
    index = torch.arange(-2, frames + 2, device=values.device)
    index = index.clamp(min=0).minimum(frame_lens[:, None] - 1)
    padded = values.gather(1, index[..., None].expand(-1, -1, dim))
    slopes = 0.2 * (padded[:, 4:] - padded[:, :-4])
    return slopes + 0.1 * (padded[:, 3:-1] - padded[:, 1:-3])


class Fbank(Worker):
    """Natural log of the power in mel bands of 20 ms frames.

    Arguments
    ---------
    n_mels : int
        Bands on Slaney's mel scale from 0 to 8 kHz.

    Example
    -------
    >>> Fbank()(torch.zeros(2, 16000), torch.ones(2)).shape
    torch.Size([2, 99, 80])
    """

    def __init__(self, n_mels: int = N_MELS) -> None:
        super().__init__(dim=n_mels, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Hand on the shared log mel energies."""
        return log_mel(analysis, self.dim)


class MFCC(Worker):
    """Mel-frequency cepstral coefficients, their deltas and double deltas.

    Arguments
    ---------
    n_mfcc : int
        Coefficients, the zeroth included; labels have three times as many
        values.
    n_mels : int
        Mel bands they are made of, shared with an `Fbank` of as many.

    Example
    -------
    >>> MFCC()(torch.zeros(2, 16000), torch.ones(2)).shape
    torch.Size([2, 99, 60])
    """

    def __init__(self, n_mfcc: int = 20, n_mels: int = N_MELS) -> None:
        super().__init__(dim=3 * n_mfcc, window=WINDOW)
        self.n_mfcc = n_mfcc
        self.n_mels = n_mels

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Take the DCT of the log mel energies, then slopes twice."""
        dct = cosines(self.n_mfcc, self.n_mels, analysis.device)
        static = log_mel(analysis, self.n_mels) @ dct
        frame_lens = self.frame_lens(analysis.samples)
        first = deltas(static, frame_lens)
        return torch.cat([static, first, deltas(first, frame_lens)], dim=-1)
