"""Units by clustering the frames of anything: HuBERT's kind of target."""

import hashlib
import os

import torch

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.workers.analysis import Analysis
from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.cepstral import MFCC
from speechbrain_mtl.workers.codebook import nearest
from speechbrain_mtl.workers.frame_sample import Recordings, sample_frames


def refresh(module: "KMeansUnits", _: object) -> None:
    """Look at newly loaded codes before they are used."""
    module.fitted = bool(module.codes.any())


class KMeansUnits(Worker):
    """Number of the cluster that a frame of some features belongs to.

    The targets of HuBERT (Hsu et al., TASLP 2021): first clusters of MFCC,
    then of a layer of an encoder trained on those. Features come from any
    worker: `MFCC`, an `EncoderLayer`, a `HuggingFaceLayer`. Units have the
    frames of their features.

    Arguments
    ---------
    units : int
        Clusters.
    source : Worker, optional
        What is clustered; `MFCC` by default.
    standardize : bool
        Divide each feature by its deviation before, so that features of
        different units of measurement count alike. HuBERT does not.

    Raises
    ------
    ValueError
        For fewer than two units, and where units are asked for before `fit`.

    Example
    -------
    >>> worker = KMeansUnits(units=8).fit([torch.randn(16000)])
    >>> labels = worker(torch.randn(2, 16000), torch.ones(2))
    >>> labels.shape, bool((labels < 8).all())
    (torch.Size([2, 99, 1]), True)
    """

    def __init__(
        self,
        units: int = 100,
        source: Worker | None = None,
        standardize: bool = False,
    ) -> None:
        if units < 2:
            raise ValueError(f"units is {units}; give at least two.")
        source = MFCC() if source is None else source
        super().__init__(1, source.window, source.step)
        self.offset = source.offset
        self.units = units
        self.source = source
        self.standardize = standardize
        self.fitted = False
        self.register_buffer("center", torch.zeros(source.dim))
        self.register_buffer("scale", torch.ones(source.dim))
        self.register_buffer("codes", torch.zeros(units, source.dim))
        self.register_load_state_dict_post_hook(refresh)

    def fit(
        self,
        recordings: Recordings,
        frames: int = 100_000,
        seed: int = 0,
        progress: bool = False,
    ) -> "KMeansUnits":
        """Cluster a sample of frames by mini-batch k-means.

        Arguments
        ---------
        recordings
            See `sample_frames`: entries of a manifest, or waveforms.
        frames : int
            Frames at most, drawn evenly; memory does not grow beyond.
        seed : int
            Of the draw and of the clustering.
        progress : bool
            Show a bar.

        Returns
        -------
        worker : KMeansUnits
            This one.

        Raises
        ------
        ValueError
            When there are fewer distinct frames than units.
        """
        # Here, for it takes a second that users of other workers can spare.
        from sklearn.cluster import MiniBatchKMeans

        sample = sample_frames(
            self.source, recordings, frames, seed, self.codes.device, progress
        )
        distinct = len(sample.unique(dim=0))
        if distinct < self.units:
            raise ValueError(
                f"{len(sample)} frames, {distinct} of them distinct, cannot "
                f"make {self.units} units. Give more recordings, a larger "
                "`frames`, or fewer units."
            )
        deviation, center = torch.std_mean(sample.double(), dim=0)
        scale = torch.ones_like(center)
        if self.standardize:
            scale = torch.where(deviation > 0, 1 / deviation, scale)
        clusters = MiniBatchKMeans(
            self.units,
            batch_size=4096,
            n_init=3,
            compute_labels=False,
            random_state=seed,
        )
        clusters.fit(((sample - center) * scale).numpy())
        self.center.copy_(center)
        self.scale.copy_(scale)
        self.codes.copy_(torch.from_numpy(clusters.cluster_centers_))
        self.fitted = True
        return self

    def frame_lens(self, samples: torch.Tensor) -> torch.Tensor:
        """Count the frames of the features."""
        return self.source.frame_lens(samples)

    def labels_of(self, analysis: Analysis) -> torch.Tensor:
        """Give the units [B, F, 1] of an analysis others may share."""
        if not self.fitted:
            raise ValueError(
                f"{type(self).__name__} has no clusters yet. Call fit() on "
                "training recordings, or load() a file that has them."
            )
        values = self.source.labels_of(analysis)
        values = (values - self.center) * self.scale
        with torch.autocast(analysis.device.type, enabled=False):
            units = nearest(values, self.codes).float()
        valid = self.frame_lens(analysis.samples)[:, None]
        index = torch.arange(units.shape[1], device=units.device)
        return torch.where(index < valid, units, 0.0)[..., None]

    def save(self, path: str | os.PathLike, about: dict | None = None) -> None:
        """Write the clusters, and what they are clusters of.

        Arguments
        ---------
        path : str or path-like
            File of tensors and primitives; written atomically. The weights of
            an encoder are not in it, but their digest is.
        about : dict, optional
            Primitives to keep with them.
        """
        if not self.fitted:
            raise ValueError(f"{path}: no clusters to save. Call fit() first.")
        content = {
            "center": self.center.cpu(),
            "scale": self.scale.cpu(),
            "codes": self.codes.cpu(),
            "source": describe(self.source),
            "about": about or {},
        }
        with atomic_path(path) as temporary:
            torch.save(content, temporary)

    @classmethod
    def load(
        cls, path: str | os.PathLike, source: Worker | None = None
    ) -> "KMeansUnits":
        """Read what `save` wrote.

        Arguments
        ---------
        path : str or path-like
            The file.
        source : Worker, optional
            The same features as then; the default of the class if left out.

        Returns
        -------
        worker : KMeansUnits

        Raises
        ------
        ValueError
            When the features, or the weights that make them, are others.
        """
        content = torch.load(path, map_location="cpu", weights_only=True)
        units = len(content["codes"])
        worker = cls(units) if source is None else cls(units, source)
        found = describe(worker.source)
        if found != content["source"]:
            raise ValueError(
                f"{path}: clusters of {content['source']}, not of {found}. "
                "Give the source they were made of, or fit again."
            )
        worker.center.copy_(content["center"])
        worker.scale.copy_(content["scale"])
        worker.codes.copy_(content["codes"])
        worker.fitted = True
        return worker


def describe(source: Worker) -> str:
    """Say which features a worker gives, weights included.

    Example
    -------
    >>> describe(MFCC())
    'MFCC() of 60 values'
    """
    digest = hashlib.sha256()
    state = source.state_dict()
    for name in sorted(state):
        digest.update(name.encode())
        flat = state[name].detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    text = f"{type(source).__name__}({source.extra_repr()}) of {source.dim}"
    weights = f", weights {digest.hexdigest()[:12]}" if state else ""
    return f"{text} values{weights}"
