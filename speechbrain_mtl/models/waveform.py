"""What encoders of waveforms share: windows, steps, a clean input."""

from collections.abc import Iterable

import torch
from torch import nn

from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.workers.analysis import valid_samples


def window_and_step(
    kernels: Iterable[int], strides: Iterable[int]
) -> tuple[int, int]:
    """Count the samples that a frame of stacked convolutions sees.

    Arguments
    ---------
    kernels, strides : iterable of int
        Of the convolutions, first one first; none of them pads.

    Returns
    -------
    window : int
        Samples a frame sees.
    step : int
        Samples between frames.

    Example
    -------
    >>> window_and_step((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))
    (400, 320)
    """
    window = step = 1
    for kernel, stride in zip(kernels, strides):
        window += (kernel - 1) * step
        step *= stride
    return window, step


def whole_windows(
    samples: torch.Tensor, window: int, step: int
) -> torch.Tensor:
    """Count the frames of recordings: windows that fit, but at least one.

    Example
    -------
    >>> whole_windows(torch.tensor([100, 400, 719, 720]), 400, 320)
    tensor([1, 1, 1, 2])
    """
    return ((samples - window) // step + 1).clamp(min=1)


def check_depth(depth: int | None, highest: int) -> None:
    """Refuse a layer that an encoder does not have.

    Example
    -------
    >>> check_depth(13, highest=12)
    Traceback (most recent call last):
    ValueError: depth is 13; this encoder has layers 1 to 12
    """
    if depth is not None and not 1 <= depth <= highest:
        raise ValueError(
            f"depth is {depth}; this encoder has layers 1 to {highest}"
        )


def prepared(
    wavs: torch.Tensor,
    lens: torch.Tensor,
    window: int,
    eps: float | None = 1e-7,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Clear the padding, normalise each waveform over its own samples.

    Arguments
    ---------
    wavs : torch.Tensor
        [B, T], 16 kHz.
    lens : torch.Tensor
        Relative lengths, [B].
    window : int
        Samples of a frame: shorter waveforms are padded to one.
    eps : float, optional
        Added to the variance, which becomes 1; None leaves waveforms as loud
        as they are.

    Returns
    -------
    wavs : torch.Tensor
        [B, T] or [B, window], padding zero.
    samples : torch.Tensor
        Integer lengths, a window at least, [B].

    Example
    -------
    >>> wavs, samples = prepared(torch.ones(1, 4), torch.ones(1), 5, None)
    >>> wavs, samples
    (tensor([[1., 1., 1., 1., 0.]]), tensor([5]))
    """
    samples = valid_samples(wavs, lens)
    valid = frame_mask(samples, wavs.shape[1])
    wavs = wavs.float() * valid
    if eps is not None:
        mean = wavs.sum(dim=1) / samples
        wavs = (wavs - mean[:, None]) * valid
        variance = wavs.square().sum(dim=1) / samples
        wavs = wavs / (variance[:, None] + eps).sqrt()
    missing = max(window - wavs.shape[1], 0)
    wavs = nn.functional.pad(wavs, (0, missing))
    return wavs, samples.clamp(min=window)
