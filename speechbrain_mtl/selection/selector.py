"""The whole selection: a labelled manifest in, weights and evidence out."""

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.selection.candidates import Candidates, choose_workers
from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.cost import peak_memory_mb
from speechbrain_mtl.selection.criterion import log_ratio
from speechbrain_mtl.selection.estimate import Estimate, estimate
from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.features import MELS, measure
from speechbrain_mtl.selection.group_sums import published_sums, ratio_sums
from speechbrain_mtl.selection.hsic import CENTERINGS
from speechbrain_mtl.selection.kernels import (
    PUBLISHED_FLOOR,
    PUBLISHED_VARIANCE,
)
from speechbrain_mtl.selection.published import published_descent
from speechbrain_mtl.selection.ranking import Ranking, rank
from speechbrain_mtl.selection.selection import Selection
from speechbrain_mtl.selection.simplex import MAPPINGS, Minimum
from speechbrain_mtl.selection.solver import SOLVERS, relative, solve
from speechbrain_mtl.selection.strata import PAUSES, Segments, stratify

# Of softmax: a label of twice the score gets half the weight. Of sparsemax:
# one of two labels is left out once its score is exp(2), seven times, worse.
TEMPERATURES = {"softmax": 1.0, "sparsemax": 2.0, "simplex": 0.0}
# Rows of an embedding: of a part of a recording, of a whole one.
N_SAMPLES = (10, 30)

Manifest = str | os.PathLike | Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Selector:
    """Weigh pretext tasks for a downstream task, without any training.

    Speech and labels of segments are compared within every downstream class
    (Zaiem et al., arXiv 2104.07388 and 2107.00594); `criterion` says which
    labels are good and why.

    Arguments
    ---------
    mapping : str
        "sparsemax" leaves tasks out, "softmax" keeps all, "simplex" takes the
        bare minimum, often a single task.
    centering : str
        "centered", or "reference" for the published estimator in full: its
        centring, kernels and clamp, no temperature, no test of relevance.
    temperature : float, optional
        How evenly weights are spread: of the regulariser that belongs to the
        mapping, against the logarithm of the score. 1 for softmax, 2 for
        sparsemax, 0 for simplex and for the published estimator by default.
    max_per_class, min_per_class, ignore
        See `stratify`.
    n_samples : int, optional
        Rows of a segment's embedding; 10 for segments and 30 for whole
        recordings by default.
    max_pairs : int
        See `Comparison`.
    draws : int
        Bootstrap draws for the intervals.
    seed : int
        Of everything drawn.
    solver : str
        "projected", or "reference": the published 1,000 steps, with
        centering="reference" only.
    batch_seconds, device, progress
        See `measure`.

    Raises
    ------
    ValueError
        For unknown names and impossible combinations.

    Example
    -------
    >>> Selector(mapping="softmax").temperature_used
    1.0
    """

    mapping: str = "sparsemax"
    centering: str = "centered"
    temperature: float | None = None
    max_per_class: int = 300
    min_per_class: int = 10
    ignore: Sequence[str] = PAUSES
    n_samples: int | None = None
    max_pairs: int = 3_000_000
    draws: int = 500
    seed: int = 0
    solver: str = "projected"
    batch_seconds: float = 120.0
    device: str = "cpu"
    progress: bool = False

    def __post_init__(self) -> None:
        for name, choices in (
            ("mapping", MAPPINGS),
            ("centering", CENTERINGS),
            ("solver", SOLVERS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} {getattr(self, name)!r}: choose from {choices}."
                )
        published = self.centering == "reference"
        if self.solver == "reference" and not published:
            raise ValueError(
                "solver='reference' is the published procedure; use it with "
                "centering='reference'."
            )
        if published and self.temperature:
            raise ValueError(
                "the published estimator has no temperature; leave it out, or "
                "use centering='centered'."
            )

    @property
    def temperature_used(self) -> float:
        """The temperature, its default filled in."""
        if self.temperature is not None:
            return self.temperature
        published = self.centering == "reference"
        return 0.0 if published else TEMPERATURES[self.mapping]

    def fit(
        self,
        manifest: Manifest,
        label_field: str,
        workers: Candidates = "scalar",
        data_root: str | os.PathLike | None = None,
    ) -> Selection:
        """Measure all candidate labels and weigh them.

        Arguments
        ---------
        manifest : path or dict
            A manifest file, or entries with paths resolved.
        label_field : str
            Field with the downstream classes, see `stratify`.
        workers : str, sequence of str or dict
            Candidate labels, see `choose_workers`.
        data_root : str or path-like, optional
            Folder of the recordings; the manifest's by default.

        Returns
        -------
        selection : Selection

        Raises
        ------
        ValueError
            For bad input: see `stratify`, `measure`, `choose_workers`; and
            when no label depends on the class.
        """
        began = time.perf_counter()
        bank = choose_workers(workers)
        entries, source = _load(manifest, data_root)
        segments = self._draw(entries, label_field)
        n_samples = self.n_samples or N_SAMPLES[segments.whole]
        measured = measure(
            entries,
            segments,
            bank,
            n_samples,
            self.batch_seconds,
            self.device,
            self.progress,
        )
        classes = torch.from_numpy(segments.classes).to(self.device)
        clusters = torch.from_numpy(segments.clusters).to(self.device)
        comparison = Comparison(measured, classes, self.max_pairs, self.seed)
        evidence = gather(comparison, classes, clusters, self.draws, self.seed)
        ranking = rank(evidence, comparison.names, self.centering)
        minimum, objective = self._weigh(comparison, classes, ranking)
        weights = torch.zeros(len(bank), dtype=torch.float64)
        weights[ranking.eligible] = minimum.weights.cpu()
        weights[weights < 1e-9] = 0.0
        shares = dict(zip(bank, (weights / weights.sum()).tolist()))
        return Selection(
            label_field=label_field,
            method=self.mapping,
            weights=shares,
            tasks={
                name: {"weight": shares[name], **ranking.row(index)}
                for index, name in enumerate(bank)
            },
            data={
                **source,
                "label_field": label_field,
                "strata": len(segments.names),
                "segments": len(segments),
                "hours": measured.seconds / 3600,
                "speakers": segments.speakers,
                "min_per_class": self.min_per_class,
                "max_per_class": self.max_per_class,
                "dropped_classes": list(segments.dropped),
            },
            kernel=self._kernel(n_samples, comparison),
            solver={
                "name": self.solver,
                "temperature": self.temperature_used,
                "objective": objective,
                "gap": minimum.gap,
                "evaluations": minimum.evaluations,
                "converged": minimum.converged,
            },
            seed=self.seed,
            cost={
                "wall_s": time.perf_counter() - began,
                "peak_rss_mb": peak_memory_mb(),
            },
        )

    def estimate(
        self,
        manifest: Manifest,
        label_field: str,
        workers: Candidates = "scalar",
        data_root: str | os.PathLike | None = None,
    ) -> Estimate:
        """Say what `fit` would compare and take, from 30 s of the audio.

        Arguments
        ---------
        manifest, label_field, workers, data_root
            See `fit`.

        Returns
        -------
        estimate : Estimate
            Prints as text.
        """
        entries, _ = _load(manifest, data_root)
        segments = self._draw(entries, label_field)
        n_samples = self.n_samples or N_SAMPLES[segments.whole]
        bank = choose_workers(workers)
        return estimate(entries, segments, bank, n_samples, self.max_pairs)

    def _draw(
        self, entries: Mapping[str, Mapping[str, Any]], label_field: str
    ) -> Segments:
        """Draw the segments that are compared."""
        return stratify(
            entries,
            label_field,
            self.max_per_class,
            self.min_per_class,
            self.seed,
            self.ignore,
        )

    def _kernel(self, n_samples: int, comparison: Comparison) -> dict[str, Any]:
        """Describe the kernels that ranked and weighed."""
        common = {
            "n_samples": n_samples,
            "label": "radial basis function of the z-scored mean label",
            "centering": self.centering,
        }
        speech = f"cosine of {MELS} Gaussian-downsampled log-mels"
        if self.centering == "reference":
            return {
                **common,
                "speech": speech,
                "variance": PUBLISHED_VARIANCE,
                "floor": PUBLISHED_FLOOR,
                "estimator": "biased",
            }
        return {
            **common,
            "speech": f"{speech}, standardised in every band",
            "variance": dict(zip(comparison.names, comparison.bandwidths)),
            "floor": None,
            "estimator": "unbiased",
        }

    def _weigh(
        self, comparison: Comparison, classes: torch.Tensor, ranking: Ranking
    ) -> tuple[Minimum, float]:
        """Solve for the weights of the eligible labels, and score them."""
        if self.centering == "reference":
            sums = published_sums(comparison, ranking.eligible)
            minimum = (
                published_descent(relative(sums), sums, self.mapping, self.seed)
                if self.solver == "reference"
                else solve(relative, sums, self.mapping)
            )
            return minimum, float(sums(minimum.weights)[0][0])
        sums = ratio_sums(
            comparison,
            classes,
            ranking.eligible,
            ranking.evidence.speech_scale,
            self.seed,
        )
        prepare = log_ratio(ranking.noise)
        minimum = solve(prepare, sums, self.mapping, self.temperature_used)
        return minimum, float(prepare(sums)(minimum.weights)[0].exp())


def _load(
    manifest: Manifest, data_root: str | os.PathLike | None
) -> tuple[Mapping[str, Mapping[str, Any]], dict[str, str | None]]:
    """Entries of a manifest, and what identifies it."""
    if isinstance(manifest, Mapping):
        text = json.dumps(manifest, sort_keys=True).encode()
        name = None
    else:
        text = Path(manifest).read_bytes() if Path(manifest).is_file() else b""
        name = os.fspath(manifest)
        manifest = load_manifest(manifest, data_root)
    digest = hashlib.sha256(text).hexdigest()
    return manifest, {"manifest": name, "manifest_sha256": digest}
