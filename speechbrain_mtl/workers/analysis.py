"""What the workers of one batch share, computed once and when first asked."""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch

SAMPLE_RATE = 16000
HOP = 160  # samples; every frame-level worker labels 100 frames a second
BLOCK, GPU_BLOCK = 500, 1 << 16  # frames


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


class Analysis:
    """A batch of waveforms, ready to be cut into frames every 10 ms.

    Samples beyond an utterance's end are set to zero and every utterance is
    padded to a whole number of hops, so that the frames of the whole batch
    are one strided view: frame ``t`` of utterance ``b`` is row
    ``b * rows + t``. Rows that do not lie inside their utterance are finite
    but mean nothing; workers cut them off.

    Arguments
    ---------
    wavs : torch.Tensor
        Waveforms at 16 kHz, [B, T]; half precision is cast up.
    lens : torch.Tensor
        Relative lengths in (0, 1], [B].

    Raises
    ------
    ValueError
        When the shapes do not fit together.

    Example
    -------
    >>> analysis = Analysis(torch.zeros(2, 1700), torch.tensor([1.0, 0.5]))
    >>> analysis.rows, analysis.samples
    (11, tensor([1700,  850]))
    >>> analysis.frames(320).shape
    torch.Size([21, 320])
    """

    def __init__(self, wavs: torch.Tensor, lens: torch.Tensor) -> None:
        if wavs.dim() != 2 or lens.shape != wavs.shape[:1] or not wavs.numel():
            raise ValueError(
                "workers take wavs [batch, time] and lens [batch], got "
                f"{list(wavs.shape)} and {list(lens.shape)}"
            )
        self.batch, self.time = wavs.shape
        self.rows = -(-self.time // HOP)
        self.device = wavs.device
        self.samples = valid_samples(wavs, lens)
        spare = self.rows * HOP - self.time
        self.wavs = torch.nn.functional.pad(wavs.float(), (0, spare))
        index = torch.arange(self.rows * HOP, device=self.device)
        self.outside = index >= self.samples[:, None]
        self.wavs.masked_fill_(self.outside, 0.0)
        self.shared: dict[Any, Any] = {}

    def frames(self, window: int) -> torch.Tensor:
        """View the batch as overlapping frames, [about B * rows, window]."""
        if self.time >= window:
            return self.wavs.view(-1).unfold(0, window, HOP)
        padded = torch.nn.functional.pad(self.wavs, (0, window))
        frames = padded.unfold(1, window, HOP)[:, : self.rows]
        return frames.reshape(-1, window)

    def per_row(self, values: torch.Tensor) -> torch.Tensor:
        """Shape [n, ...] of `frames` as [B, rows, ...], zeros at the end."""
        missing = self.batch * self.rows - values.shape[0]
        if missing:
            zeros = values.new_zeros((missing, *values.shape[1:]))
            values = torch.cat([values, zeros])
        return values.view(self.batch, self.rows, *values.shape[1:])


def blocks(count: int, device: torch.device) -> Iterator[slice]:
    """Cut so many frames into parts that stay in a core's cache.

    That makes transforms twice as fast; a GPU wants few large parts.
    """
    size = BLOCK if device.type == "cpu" else GPU_BLOCK
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def shared(compute: Callable) -> Callable:
    """Make a function of an `Analysis` run once a batch for equal arguments.

    Example
    -------
    >>> @shared
    ... def peak(analysis, floor=0.5):
    ...     return analysis.wavs.abs().amax(1).clamp(min=floor)
    >>> analysis = Analysis(torch.ones(1, 320), torch.ones(1))
    >>> peak(analysis) is peak(analysis, floor=0.5)
    True
    """
    signature = inspect.signature(compute)

    @functools.wraps(compute)
    def once(analysis: Analysis, *args: Any, **kwargs: Any) -> Any:
        call = signature.bind(analysis, *args, **kwargs)
        call.apply_defaults()
        key = (compute, *call.args[1:])
        if key not in analysis.shared:
            analysis.shared[key] = compute(analysis, *args, **kwargs)
        return analysis.shared[key]

    return once
