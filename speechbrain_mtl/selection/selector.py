"""The whole selection: a labelled manifest in, weights and evidence out."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from speechbrain_mtl.selection.candidates import Candidates, choose_workers
from speechbrain_mtl.selection.comparison import BANDWIDTHS, Comparison
from speechbrain_mtl.selection.cost import peak_memory_mb
from speechbrain_mtl.selection.description import (
    describe_data,
    describe_kernel,
)
from speechbrain_mtl.selection.estimate import Estimate, estimate
from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.features import measure
from speechbrain_mtl.selection.hsic import CENTERINGS
from speechbrain_mtl.selection.measured import (
    Manifest,
    Measured,
    load_entries,
)
from speechbrain_mtl.selection.published import PUBLISHED_MAPS
from speechbrain_mtl.selection.ranking import rank
from speechbrain_mtl.selection.selection import Selection
from speechbrain_mtl.selection.simplex import MAPPINGS
from speechbrain_mtl.selection.solver import SOLVERS
from speechbrain_mtl.selection.strata import PAUSES, Segments, stratify
from speechbrain_mtl.selection.weighing import weigh

# Of softmax: a label of twice the score gets half the weight. Of sparsemax and
# entmax: one of two labels is left out once its score is exp(2), seven times,
# worse.
TEMPERATURES = {
    "softmax": 1.0,
    "entmax": 1.0,
    "sparsemax": 2.0,
    "simplex": 0.0,
}
# Rows of an embedding: of a part of a recording, of a whole one.
N_SAMPLES = (10, 30)


@dataclass(frozen=True)
class Selector:
    """Weigh pretext tasks for a downstream task, without any training.

    Speech and labels of segments are compared within every downstream class
    (Zaiem et al., arXiv 2104.07388 and 2107.00594); `criterion` says which
    labels are good and why.

    Arguments
    ---------
    mapping : str
        "sparsemax" leaves tasks out, "softmax" keeps all, "entmax" is between
        the two, "simplex" takes the bare minimum, often a single task.
    centering : str
        "centered", or "reference" for the published estimator in full: its
        centring, kernels and clamp, no temperature, no test of relevance.
    temperature : float, optional
        How evenly weights are spread: of the regulariser that belongs to the
        mapping, against the logarithm of the score. 1 for softmax and entmax,
        2 for sparsemax, 0 for simplex and for the published estimator by
        default.
    max_per_class, min_per_class, ignore
        See `stratify`.
    n_samples : int, optional
        Rows of a segment's embedding; 10 for segments and 30 for whole
        recordings by default.
    max_pairs, bandwidth
        See `Comparison`.
    exact : bool
        Where classes were cut into blocks (`max_pairs`), end on all of their
        pairs: little memory, and time by the square of a class.
    trajectory : bool
        Compare the course of a label over a segment, not its mean.
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
    trajectory: bool = False
    bandwidth: str = "median"
    exact: bool = False

    def __post_init__(self) -> None:
        for name, choices in (
            ("mapping", MAPPINGS),
            ("centering", CENTERINGS),
            ("solver", SOLVERS),
            ("bandwidth", BANDWIDTHS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} {getattr(self, name)!r}: choose from {choices}."
                )
        published = self.centering == "reference"
        if self.exact and self.solver == "reference":
            raise ValueError(
                "exact=True ends in a minimum, and solver='reference' after "
                "1,000 steps; leave one of them out."
            )
        if self.solver == "reference" and not published:
            raise ValueError(
                "solver='reference' is the published procedure; use it with "
                "centering='reference'."
            )
        if self.solver == "reference" and self.mapping not in PUBLISHED_MAPS:
            raise ValueError(
                f"mapping {self.mapping!r}: the published procedure knows "
                f"{PUBLISHED_MAPS}."
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
        return self.weigh(
            self.measure(manifest, label_field, workers, data_root)
        )

    def measure(
        self,
        manifest: Manifest,
        label_field: str,
        workers: Candidates = "scalar",
        data_root: str | os.PathLike | None = None,
    ) -> Measured:
        """Read the audio; the first half of `fit`, and most of its time.

        Arguments
        ---------
        manifest, label_field, workers, data_root
            See `fit`.

        Returns
        -------
        measured : Measured
            For `weigh`, with several settings if need be, and for the
            baselines `mrmr` and `rfe`.

        Raises
        ------
        ValueError
            See `fit`.
        """
        began = time.perf_counter()
        bank = choose_workers(workers)
        entries, source = load_entries(manifest, data_root)
        segments, n_samples = self._draw(entries, label_field)
        measurements = measure(
            entries,
            segments,
            bank,
            n_samples,
            self.batch_seconds,
            self.device,
            self.progress,
            self.trajectory,
        )
        wall_s = time.perf_counter() - began
        return Measured(
            label_field, source, segments, measurements, n_samples, wall_s
        )

    def weigh(self, measured: Measured) -> Selection:
        """Weigh labels; the second half of `fit`.

        Arguments
        ---------
        measured : Measured
            From `measure`, with the same `trajectory`.

        Returns
        -------
        selection : Selection

        Raises
        ------
        ValueError
            When no label depends on the class.
        """
        began = time.perf_counter()
        classes, clusters = measured.classes, measured.clusters
        comparison = Comparison(
            measured.measurements,
            classes,
            self.max_pairs,
            self.seed,
            self.bandwidth,
        )
        evidence = gather(comparison, classes, clusters, self.draws, self.seed)
        ranking = rank(evidence, comparison.names, self.centering)
        weighed = weigh(
            comparison,
            classes,
            clusters,
            ranking,
            mapping=self.mapping,
            temperature=self.temperature_used,
            centering=self.centering,
            solver=self.solver,
            exact=self.exact,
            draws=self.draws,
            seed=self.seed,
        )
        tasks = {
            name: {**task, **ranking.row(index)}
            for index, (name, task) in enumerate(weighed.tasks.items())
        }
        return Selection(
            label_field=measured.label_field,
            method=self.mapping,
            weights={name: task["weight"] for name, task in tasks.items()},
            tasks=tasks,
            data={
                **describe_data(measured),
                "min_per_class": self.min_per_class,
                "max_per_class": self.max_per_class,
                "split_half_agreement": ranking.agreement,
            },
            kernel=describe_kernel(
                comparison,
                measured.n_samples,
                self.centering,
                self.trajectory,
                evidence.rounding,
            ),
            solver=weighed.solver,
            seed=self.seed,
            cost={
                "wall_s": measured.wall_s + time.perf_counter() - began,
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
        bank = choose_workers(workers)
        entries, _ = load_entries(manifest, data_root)
        segments, n_samples = self._draw(entries, label_field)
        return estimate(
            entries, segments, bank, n_samples, self.max_pairs, self.device
        )

    def _draw(
        self, entries: Mapping[str, Mapping[str, Any]], label_field: str
    ) -> tuple[Segments, int]:
        """Draw the segments that are compared; rows of their embeddings."""
        segments = stratify(
            entries,
            label_field,
            self.max_per_class,
            self.min_per_class,
            self.seed,
            self.ignore,
        )
        return segments, self.n_samples or N_SAMPLES[segments.whole]
