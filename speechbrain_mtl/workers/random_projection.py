"""Units that need no training: the quantiser of BEST-RQ."""

import torch

from speechbrain_mtl.workers.analysis import HOP, Analysis
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.cepstral import N_MELS, log_mel
from speechbrain_mtl.workers.codebook import nearest
from speechbrain_mtl.workers.spectrum import WINDOW


class RandomProjectionUnits(Worker):
    """Number of the random code that is nearest to a random projection.

    The targets of BEST-RQ (Chiu et al., "Self-supervised learning with
    random-projection quantizer for speech recognition", ICML 2022): some
    neighbouring log-mel frames, each band normalised to mean 0 and deviation
    1, are projected at random; the label is the nearest of random codes,
    projection and codes both of length 1. Nothing is learnt, so the units
    cost no fitting and favour no corpus.

    Bands are normalised over the valid frames of the recording itself. The
    paper's 8,192 codes suit large encoders; segments of a few frames share
    hardly any of so many, and a selection tells them apart less well.

    Arguments
    ---------
    units : int
        Codes of a codebook.
    codebooks : int
        Independent projections and codebooks; labels have one column each.
    code_dim : int
        Length of codes and projections.
    stack : int
        Log-mel frames a label sees; there is one label for as many frames,
        40 ms by default.
    n_mels : int
        Mel bands, shared with an `Fbank` of as many.
    seed : int
        Of projections and codes; both are saved with the module's state.

    Raises
    ------
    ValueError
        For sizes below 1, or fewer than two units.

    Example
    -------
    >>> worker = RandomProjectionUnits(units=512)
    >>> labels = worker(torch.randn(2, 16000), torch.ones(2))
    >>> labels.shape, worker.units, worker.hop, worker.offset
    (torch.Size([2, 24, 1]), 512, 0.04, 0.025)
    """

    def __init__(
        self,
        units: int = 512,
        codebooks: int = 1,
        code_dim: int = 16,
        stack: int = 4,
        n_mels: int = N_MELS,
        seed: int = 0,
    ) -> None:
        if units < 2 or min(codebooks, code_dim, stack, n_mels) < 1:
            raise ValueError(
                f"units={units}, codebooks={codebooks}, code_dim={code_dim}, "
                f"stack={stack}, n_mels={n_mels}: give at least two units and "
                "one of everything else."
            )
        super().__init__(codebooks, WINDOW + (stack - 1) * HOP, stack * HOP)
        self.units = units
        self.stack = stack
        self.n_mels = n_mels
        generator = torch.Generator().manual_seed(seed)
        projections, codes = [], []
        # In turn, so that the first codebook is the same however many follow.
        for _ in range(codebooks):
            shape = (stack * n_mels, code_dim)
            bound = (6 / sum(shape)) ** 0.5  # of Xavier's initialisation
            uniform = torch.rand(shape, generator=generator)
            projections.append((2 * uniform - 1) * bound)
            normal = torch.randn(units, code_dim, generator=generator)
            codes.append(torch.nn.functional.normalize(normal, dim=1))
        self.register_buffer("projections", torch.stack(projections))
        self.register_buffer("codes", torch.stack(codes))

    def label(self, analysis: Analysis) -> torch.Tensor:
        """Normalise, stack, project, and find the nearest code."""
        mels = log_mel(analysis, self.n_mels)
        lens = ((analysis.samples - WINDOW) // HOP + 1).clamp(min=1)
        stacked = stack_frames(normalize_bands(mels, lens), self.stack)
        normalize = torch.nn.functional.normalize
        columns = [
            nearest(normalize(stacked @ projection, dim=-1), codes)
            for projection, codes in zip(self.projections, self.codes)
        ]
        return torch.stack(columns, dim=-1).float()


def normalize_bands(mels: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
    """Give each band of an utterance mean 0 and deviation 1; padding is 0.

    Example
    -------
    >>> mels = torch.tensor([[[1.0], [3.0], [9.0]]])
    >>> normalize_bands(mels, torch.tensor([2])).flatten()
    tensor([-1.,  1.,  0.])
    """
    count = lens[:, None, None]
    index = torch.arange(mels.shape[1], device=mels.device)[:, None]
    inside = index < count
    mean = torch.where(inside, mels, 0.0).sum(1, keepdim=True) / count
    centred = torch.where(inside, mels - mean, 0.0)
    variance = centred.square().sum(1, keepdim=True) / count
    return centred / variance.sqrt().clamp(min=1e-5)


def stack_frames(frames: torch.Tensor, stack: int) -> torch.Tensor:
    """Join every `stack` frames, the last ones filled up with zeros.

    Example
    -------
    >>> stack_frames(torch.arange(6.0).view(1, 3, 2), 2)
    tensor([[[0., 1., 2., 3.],
             [4., 5., 0., 0.]]])
    """
    batch, count, dim = frames.shape
    frames = torch.nn.functional.pad(frames, (0, 0, 0, -count % stack))
    return frames.view(batch, -1, stack * dim)
