"""Log-mel bands in the place of an encoder's first convolution."""

import torch
from torch import nn
from torchaudio.functional import melscale_fbanks

from speechbrain_mtl.workers.analysis import SAMPLE_RATE

#: Added to energies of waveforms of variance 1: 60 dB below noise.
FLOOR = 1e-4


class LogMelConvolution(nn.Module):
    """Log energies in mel bands; nothing in it is trained.

    It looks at whole windows only, as a convolution without padding does, and
    gives what that would give: channels first. Filters over a waveform take
    hours of audio to become something like it.

    Arguments
    ---------
    bands : int
        Channels.
    window, step : int
        Samples of a frame, and between frames.

    Example
    -------
    >>> LogMelConvolution(40, 400, 160)(torch.randn(2, 1, 16000)).shape
    torch.Size([2, 40, 98])
    """

    def __init__(self, bands: int, window: int, step: int) -> None:
        super().__init__()
        self.window, self.step = window, step
        filters = melscale_fbanks(
            window // 2 + 1, 0.0, SAMPLE_RATE / 2, bands, SAMPLE_RATE
        )
        self.register_buffer("taper", torch.hann_window(window), False)
        self.register_buffer("filters", filters, False)

    def forward(self, wavs: torch.Tensor) -> torch.Tensor:
        """Compute frames [B, bands, F] of waveforms [B, 1, T]."""
        # Autocast would round the spectrum to bf16 before its logarithm.
        with torch.no_grad(), torch.autocast(wavs.device.type, enabled=False):
            frames = wavs[:, 0].float().unfold(1, self.window, self.step)
            spectrum = torch.fft.rfft(frames * self.taper)
            power = spectrum.real.square() + spectrum.imag.square()
            return (power @ self.filters + FLOOR).log().transpose(1, 2)
