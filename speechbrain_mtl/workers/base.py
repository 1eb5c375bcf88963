"""What a worker is: waveforms in, frame-level pretext labels out."""

import torch
from torch import nn

SAMPLE_RATE = 16000
HOP = 160  # samples; every frame-level worker labels 100 frames a second


def valid_samples(wavs: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
    """Turn SpeechBrain's relative lengths into counts of samples.

    Arguments
    ---------
    wavs : torch.Tensor
        Padded waveforms, [B, T].
    lens : torch.Tensor
        Relative lengths in (0, 1], [B].

    Returns
    -------
    samples : torch.Tensor
        Integer lengths, [B].

    Example
    -------
    >>> valid_samples(torch.zeros(2, 10), torch.tensor([1.0, 0.5]))
    tensor([10,  5])
    """
    return (lens * wavs.shape[1]).round().long()


class Worker(nn.Module):
    """A source of pretext labels, one vector a frame.

    A worker knows nothing of heads, losses or training. Frame ``i`` of a
    worker is centred at ``offset + i * hop`` seconds; it covers
    ``[i * hop, i * hop + 2 * offset)``, so a recording has as many frames as
    whole windows fit into it (never fewer than one).

    Arguments
    ---------
    dim : int
        Values a frame.
    window : int
        Samples a frame looks at.
    """

    hop = HOP / SAMPLE_RATE

    def __init__(self, dim: int, window: int) -> None:
        super().__init__()
        self.dim = dim
        self.window = window
        self.offset = window / 2 / SAMPLE_RATE

    def frame_lens(self, samples: torch.Tensor) -> torch.Tensor:
        """Count the whole windows in recordings of so many samples."""
        return ((samples - self.window) // HOP + 1).clamp(min=1)
