"""How much successive periods of the voice differ."""

import torch

from speechbrain_mtl.workers.analysis import Analysis
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.periodicity import WINDOW
from speechbrain_mtl.workers.pulses import pulses

# Beyond these ratios neighbours are not taken to be of one voice, as in Praat.
PERIOD_FACTOR, AMPLITUDE_FACTOR = 1.3, 1.6


def perturbation(
    values: torch.Tensor, usable: torch.Tensor, factor: float
) -> torch.Tensor:
    """Mean absolute difference of neighbours over their mean.

    Arguments
    ---------
    values : torch.Tensor
        Positive values in order of time, [..., n].
    usable : torch.Tensor
        bool: which neighbours to compare, [..., n - 1].
    factor : float
        Neighbours whose ratio is larger are not compared.

    Returns
    -------
    perturbation : torch.Tensor
        [...], 0 where there is nothing to compare.

    Example
    -------
    >>> perturbation(
    ...     torch.tensor([90.0, 110.0, 90.0]), torch.tensor([True, True]), 1.3
    ... )
    tensor(0.2000)
    """
    before, after = values[..., :-1], values[..., 1:]
    low, high = before.minimum(after), before.maximum(after)
    usable = usable & (high <= factor * low)
    change = torch.where(usable, high - low, 0.0).sum(-1)
    total = torch.where(usable, (high + low) / 2, 0.0).sum(-1)
    return change / torch.where(total > 0, total, 1.0)


class Jitter(Worker):
    """How much successive periods differ in length, relative to their mean.

    Praat's local jitter, taken within each voiced frame of the pitch track
    instead of over a whole recording: of up to five pulses around its
    middle, the mean absolute difference of neighbouring periods over their
    mean; 0 where unvoiced or where fewer than two periods follow each
    other. At low pitch they reach 10 ms beyond the frame. Three differences
    estimate coarsely what Praat takes from hundreds: means over a voiced
    stretch compare, single frames are noisy.

    Example
    -------
    >>> wavs = torch.zeros(1, 16000)
    >>> wavs[0, torch.tensor([118, 122]).repeat(66).cumsum(0)] = 1.0
    >>> pulse = torch.hann_window(41).diff()[None, None]
    >>> wavs = torch.nn.functional.conv1d(wavs, pulse, padding=20)
    >>> labels = Jitter()(wavs, torch.ones(1))
    >>> round(labels[0, 10:-10].mean().item(), 4)
    0.0333
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Compare neighbouring periods."""
        period, found, _ = pulses(analysis)
        both = found[..., :-1] & found[..., 1:]
        return perturbation(period, both, PERIOD_FACTOR)[..., None]


class Shimmer(Worker):
    """How much successive periods differ in amplitude, relative to the mean.

    Praat's local shimmer, by frame as in `Jitter`: of up to five pulses, the
    mean absolute difference of neighbouring amplitudes over their mean; 0
    where unvoiced. An amplitude is the root-mean-square of the two fifths of
    a period around the pulse, as Praat's, but without its Hann window.

    Example
    -------
    >>> wavs = torch.zeros(1, 16000)
    >>> wavs[0, 120:15960:120] = torch.tensor([0.95, 1.05]).repeat(66)
    >>> pulse = torch.hann_window(41).diff()[None, None]
    >>> wavs = torch.nn.functional.conv1d(wavs, pulse, padding=20)
    >>> labels = Shimmer()(wavs, torch.ones(1))
    >>> round(labels[0, 10:-10].mean().item(), 4)
    0.1
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Compare neighbouring amplitudes."""
        _, found, energy = pulses(analysis)
        shimmer = perturbation(energy.sqrt(), found, AMPLITUDE_FACTOR)
        return shimmer[..., None]
