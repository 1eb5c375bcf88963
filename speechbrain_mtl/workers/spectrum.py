"""The power spectrum and mel bands that spectral workers share."""

import functools
from collections.abc import Iterator

import torch
from torchaudio.functional import melscale_fbanks

from speechbrain_mtl.workers.analysis import (
    HOP,
    SAMPLE_RATE,
    Analysis,
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


def power_blocks(
    frames: torch.Tensor, window: torch.Tensor, n_fft: int, bins: int
) -> Iterator[torch.Tensor]:
    """Yield the power spectra of a few hundred frames at a time.

    Blocks that stay in a core's cache are twice as fast as whole batches;
    a GPU wants few large ones.
    """
    block = 250 if frames.device.type == "cpu" else 1 << 16
    block = min(block, len(frames))
    padded = frames.new_zeros((block, n_fft))
    for start in range(0, len(frames), block):
        part = frames[start : start + block]
        buffer = padded[: len(part)]
        torch.mul(part, window, out=buffer[:, : window.numel()])
        spectrum = torch.fft.rfft(buffer)[:, :bins]
        power = spectrum.real.square()
        power.addcmul_(spectrum.imag, spectrum.imag)
        yield power


@shared
def power_spectrum(
    analysis: Analysis, window: int = WINDOW, n_fft: int = N_FFT
) -> torch.Tensor:
    """Give |X|^2 of Hamming-windowed frames, [B, rows, n_fft // 2 + 1]."""
    blocks = power_blocks(
        analysis.frames(window),
        hamming(window, analysis.device),
        n_fft,
        n_fft // 2 + 1,
    )
    return analysis.per_row(torch.cat(list(blocks)))


@shared
def mel_power(
    analysis: Analysis, bands: int, low: float, scale: str
) -> torch.Tensor:
    """Give the power in mel bands, [B, rows, bands]."""
    filters = mel_filters(bands, low, scale, analysis.device)
    return (power_spectrum(analysis) @ filters).clamp(min=FLOOR)
