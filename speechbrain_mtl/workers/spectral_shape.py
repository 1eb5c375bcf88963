"""The shape of the power spectrum, one number a frame.

Definitions are those of openSMILE's ComParE set: of power, not of magnitude,
and without the bin at 0 Hz, since the offset of a recording is no sound.
"""

import functools

import torch

from speechbrain_mtl.workers.analysis import SAMPLE_RATE, Analysis, blocks
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.spectrum import N_FFT, WINDOW, power_spectrum

BINS = N_FFT // 2
SILENCE = 1e-12  # power of a frame, far below 16-bit rounding noise
TINY = 1e-30  # share of a bin; what its logarithm needs


@functools.lru_cache
def frequencies(device: torch.device) -> torch.Tensor:
    """Give the centre of each bin but the first in kHz, [BINS]."""
    bins = torch.arange(1, BINS + 1, device=device)
    return bins * (SAMPLE_RATE / 1000 / N_FFT)


def centroid(power: torch.Tensor) -> torch.Tensor:
    """Mean frequency in kHz of power spectra [n, BINS], 0 for silence."""
    return (power @ frequencies(power.device)) / (power.sum(-1) + SILENCE)


class SpectralShape(Worker):
    """A worker that reads each frame's power spectrum on its own.

    A subclass writes `measure`.
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def measure(self, power: torch.Tensor) -> torch.Tensor:
        """Turn power spectra [n, BINS] into labels [n]."""
        raise NotImplementedError

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Measure a block of frames at a time."""
        power = power_spectrum(analysis).flatten(0, 1)
        labels = power.new_empty((len(power), 1))
        for part in blocks(len(power), power.device):
            labels[part, 0] = self.measure(power[part, 1:])
        return labels.view(analysis.batch, analysis.rows, 1)


class SpectralCentroid(SpectralShape):
    """Mean frequency in Hz of a frame's power: its brightness.

    Example
    -------
    >>> wavs = torch.sin(torch.arange(16000) * torch.pi / 4)[None]
    >>> round(SpectralCentroid()(wavs, torch.ones(1)).mean().item(), -1)
    2000.0
    """

    def measure(self, power: torch.Tensor) -> torch.Tensor:
        """Weigh frequencies by their power."""
        return 1000 * centroid(power)


class SpectralEntropy(SpectralShape):
    """Entropy in bits of a frame's power over frequency.

    From 0, all in one bin, to 8, the same in each of 256: low for vowels,
    high for noise.

    Example
    -------
    >>> click = torch.zeros(1, 320)
    >>> click[0, 160] = 1.0
    >>> round(SpectralEntropy()(click, torch.ones(1)).item(), 3)
    8.0
    """

    def measure(self, power: torch.Tensor) -> torch.Tensor:
        """Take each bin's share of the power as its probability."""
        share = power / (power.sum(-1, keepdim=True) + SILENCE)
        return -(share * share.clamp(min=TINY).log2()).sum(-1)


class SpectralKurtosis(SpectralShape):
    """How peaked a frame's power is around its centroid.

    The fourth central moment over the square of the second: 3 for a normal
    distribution, 1.8 for white noise, tens or hundreds for vowels, whose
    power is in one place with a thin tail.

    Example
    -------
    >>> click = torch.zeros(1, 320)
    >>> click[0, 160] = 1.0
    >>> round(SpectralKurtosis()(click, torch.ones(1)).item(), 2)
    1.8
    """

    def measure(self, power: torch.Tensor) -> torch.Tensor:
        """Take moments around the centroid, as float32 cannot around 0."""
        distance = frequencies(power.device) - centroid(power)[:, None]
        squared = distance.square_()
        total = power.sum(-1) + SILENCE
        spread = power * squared
        second = spread.sum(-1) / total
        fourth = spread.mul_(squared).sum(-1) / total
        return fourth / (second.square() + SILENCE)


class SpectralSlope(SpectralShape):
    """Slope of the line through a frame's power spectrum, power per kHz.

    By least squares and of power itself, so it grows with the level of the
    recording; `AlphaRatio` is the balance of low and high that does not.

    Example
    -------
    >>> wavs = torch.sin(torch.arange(16000) * 0.1)[None]
    >>> SpectralSlope()(wavs, torch.ones(1)).max() < 0
    tensor(True)
    """

    def measure(self, power: torch.Tensor) -> torch.Tensor:
        """Regress power on frequency."""
        hertz = frequencies(power.device)
        centred = hertz - hertz.mean()
        return power @ (centred / centred.square().sum())


class SpectralRolloff(SpectralShape):
    """Frequency in Hz that a share of a frame's power lies at or below.

    Arguments
    ---------
    percent : float
        The share, in (0, 1).

    Raises
    ------
    ValueError
        When the share is not between 0 and 1.

    Example
    -------
    >>> time = torch.arange(16000) / 16000
    >>> low = torch.sin(2 * torch.pi * 500 * time)
    >>> high = torch.sin(2 * torch.pi * 3000 * time)
    >>> wavs = torch.stack([low + 0.1 * high, high + 0.1 * low])
    >>> labels = SpectralRolloff()(wavs, torch.ones(2))
    >>> [round(x, -2) for x in labels.mean((1, 2)).tolist()]
    [500.0, 3000.0]
    """

    def __init__(self, percent: float = 0.85) -> None:
        super().__init__()
        if not 0 < percent < 1:
            raise ValueError(
                f"percent must be a share between 0 and 1, got {percent}"
            )
        self.percent = percent

    def measure(self, power: torch.Tensor) -> torch.Tensor:
        """Count the bins that together do not reach the share."""
        heard = power.cumsum(-1)
        bins = (heard < self.percent * heard[:, -1:]).sum(-1)
        return 1000 * frequencies(power.device)[bins]
