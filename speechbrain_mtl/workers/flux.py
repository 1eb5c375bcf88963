"""How fast the spectrum changes."""

import torch

from speechbrain_mtl.workers.analysis import Analysis, blocks
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.spectrum import N_FFT, WINDOW, power_spectrum


class SpectralFlux(Worker):
    """Distance of a frame's magnitude spectrum from that of the frame before.

    The root of the mean square over all bins but the one at 0 Hz, as in
    openSMILE's ComParE set: neither spectrum is normalised, so flux grows
    with the level. The first frame of an utterance has none before it: 0.

    Example
    -------
    >>> wavs = torch.sin(torch.arange(16000) * torch.pi / 40)[None]
    >>> wavs[:, 8000:] = 0
    >>> int(SpectralFlux()(wavs, torch.ones(1)).argmax())
    50
    """

    def __init__(self) -> None:
        super().__init__(dim=1, window=WINDOW)

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Compare each frame with its predecessor, a block at a time."""
        power = power_spectrum(analysis).flatten(0, 1)
        flux = power.new_zeros(len(power))
        for part in blocks(len(power) - 1, power.device):
            magnitude = power[part.start : part.stop + 1, 1:].sqrt()
            change = torch.linalg.vector_norm(magnitude.diff(dim=0), dim=1)
            flux[part.start + 1 : part.stop + 1] = change
        flux = flux.view(analysis.batch, analysis.rows, 1)
        flux[:, 0] = 0.0
        return flux / (N_FFT // 2) ** 0.5
