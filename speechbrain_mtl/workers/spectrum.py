"""The power spectrum and mel bands that spectral workers share."""

import functools
from collections.abc import Iterator

import torch
from torchaudio.functional import melscale_fbanks

from speechbrain_mtl.workers.analysis import (
    HOP,
    SAMPLE_RATE,
    Analysis,
    blocks,
    shared,
)

WINDOW = 2 * HOP
N_FFT = 512
FLOOR = 1e-10  # of a mel band's power; far below 16-bit rounding noise


@functools.lru_cache
def hamming(window: int, device: torch.device) -> torch.Tensor:
    """Give the symmetric Hamming window, made once for each device."""
    return torch.hamming_window(window, periodic=False).to(device)


@functools.lru_cache
def mel_filters(
    bands: int, low: float, scale: str, device: torch.device
) -> torch.Tensor:
    """Triangles from `low` Hz to 8 kHz, [N_FFT // 2 + 1, bands]."""
    return melscale_fbanks(
        N_FFT // 2 + 1, low, SAMPLE_RATE / 2, bands, SAMPLE_RATE, None, scale
    ).to(device)


def windowed_blocks(
    frames: torch.Tensor,
    window: torch.Tensor,
    n_fft: int,
    centre: torch.Tensor | None = None,
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Weight frames, a block of them at a time.

    Arguments
    ---------
    frames : torch.Tensor
        Overlapping frames, [N, width].
    window : torch.Tensor
        Weights, [width].
    n_fft : int
        Frames are followed by zeros up to this size.
    centre : torch.Tensor
        What to subtract from each frame before, [N, 1].

    Yields
    ------
    part : slice
        Which frames.
    padded : torch.Tensor
        [frames of the part, n_fft]; the next part overwrites it.
    """
    parts = list(blocks(len(frames), frames.device))
    buffer = frames.new_zeros((parts[0].stop, n_fft))
    for part in parts:
        padded = buffer[: part.stop - part.start]
        inner = padded[:, : len(window)]
        if centre is None:
            torch.mul(frames[part], window, out=inner)
        else:
            torch.sub(frames[part], centre[part], out=inner).mul_(window)
        yield part, padded


def squared_spectrum(
    padded: torch.Tensor, bins: int, out: torch.Tensor | None = None
) -> torch.Tensor:
    """Give |X|^2 of the first bins of frames [n, n_fft]."""
    spectrum = torch.view_as_real(torch.fft.rfft(padded)[:, :bins]).square_()
    return torch.add(spectrum[..., 0], spectrum[..., 1], out=out)


@shared
def power_spectrum(
    analysis: Analysis, window: int = WINDOW, n_fft: int = N_FFT
) -> torch.Tensor:
    """Give |X|^2 of Hamming-windowed frames, [B, rows, n_fft // 2 + 1]."""
    frames = analysis.frames(window)
    weights = hamming(window, analysis.device)
    bins = n_fft // 2 + 1
    power = frames.new_empty((analysis.batch * analysis.rows, bins))
    power[len(frames) :] = 0.0
    for part, padded in windowed_blocks(frames, weights, n_fft):
        squared_spectrum(padded, bins, out=power[part])
    return power.view(analysis.batch, analysis.rows, bins)


@shared
def mel_power(
    analysis: Analysis, bands: int, low: float, scale: str
) -> torch.Tensor:
    """Give the power in mel bands, [B, rows, bands]."""
    filters = mel_filters(bands, low, scale, analysis.device)
    return (power_spectrum(analysis) @ filters).clamp_(min=FLOOR)
