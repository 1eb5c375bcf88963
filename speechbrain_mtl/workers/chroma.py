"""Power by pitch class."""

import functools

import torch

from speechbrain_mtl.workers.analysis import HOP, SAMPLE_RATE, Analysis
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.spectrum import (
    hamming,
    squared_spectrum,
    windowed_blocks,
)

WINDOW = 10 * HOP  # harmonics of speech must be apart
BINS = WINDOW // 2 + 1
CLASSES = 12
C0 = 440 * 2 ** (-57 / 12)  # Hz
CENTRE, SPREAD = 5.75, 2.0  # octaves above C0 that count most: around A5
SILENCE = 1e-12  # power of a pitch class


@functools.lru_cache
def chroma_filters(device: torch.device) -> torch.Tensor:
    """Share out each bin's power among pitch classes, [BINS, CLASSES].

    A bin goes to the classes around its pitch by a Gaussian, wider where
    bins are more than a semitone apart, as librosa's do (Ellis 2007).
    """
    hertz = torch.arange(1, BINS + 1, dtype=torch.float64)
    pitch = CLASSES * (hertz * (SAMPLE_RATE / WINDOW) / C0).log2()
    width = pitch.diff().clamp(min=1)
    pitch = pitch[:-1, None]
    apart = (pitch - torch.arange(CLASSES) + 6).remainder(CLASSES) - 6
    share = (-2 * (apart / width[:, None]) ** 2).exp()
    share /= torch.linalg.vector_norm(share, dim=1, keepdim=True)
    octave = (pitch / CLASSES - CENTRE) / SPREAD
    share *= (-0.5 * octave**2).exp()
    silent_bin = share.new_zeros(1, CLASSES)  # 0 Hz has no pitch
    return torch.cat([silent_bin, share]).float().to(device)


class Chroma(Worker):
    """Power in the twelve pitch classes from C to B, the strongest being 1.

    A melody without its octave: what it says of speech is mostly the pitch
    of its harmonics, so frames are 100 ms long to hold them apart. It does
    not depend on the level; digital silence gives zeros.

    Example
    -------
    >>> a4 = torch.sin(2 * torch.pi * 440 * torch.arange(16000) / 16000)
    >>> labels = Chroma()(a4[None], torch.ones(1))
    >>> labels.shape, labels[0, 50].argmax()
    (torch.Size([1, 91, 12]), tensor(9))
    """

    def __init__(self) -> None:
        super().__init__(dim=CLASSES, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Sum each block's spectrum by class; none of it is kept."""
        frames = analysis.frames(WINDOW)
        filters = chroma_filters(analysis.device)
        weights = hamming(WINDOW, analysis.device)
        chroma = frames.new_zeros((len(frames), CLASSES))
        for part, padded in windowed_blocks(frames, weights, WINDOW):
            chroma[part] = squared_spectrum(padded, BINS) @ filters
        chroma /= chroma.amax(-1, keepdim=True) + SILENCE
        return analysis.per_row(chroma)
