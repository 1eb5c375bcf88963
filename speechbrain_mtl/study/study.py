"""Pretrain on every label alone, then ask who had foretold the outcome.

The experiment behind any selection of pretext tasks: encoders pretrained on
one label each, the same hours of audio, several seeds; the error of a frozen
probe on every downstream task; and, made before any training, the scores that
promised to predict those errors. Then groups of labels, weighed by every
strategy, in the same way.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from speechbrain_mtl.experiment import PretextExperiment
from speechbrain_mtl.selection import Selection, Selector
from speechbrain_mtl.training.stages import stage

logger = logging.getLogger(__name__)

UNTRAINED = "random_init"


@dataclass(frozen=True)
class Downstream:
    """One downstream task: what the estimator sees, and how errors arise.

    Arguments
    ---------
    field : str
        Manifest field with the classes that scores are made for.
    labelled : dict
        Training entries, all that a score may see.
    entries : dict
        All labelled entries that the probes read.
    suite : str
        Key of the YAML with the `ProbeSuite` to run on them. Tasks of equal
        suite share one extraction; its probes named `<task>` or
        `<task>.<fold>` count for the task, alike.
    data : str
        Digest of the entries' manifest.
    """

    field: str
    labelled: dict[str, dict]
    entries: dict[str, dict]
    suite: str
    data: str


class SelectionStudy:
    """The runs of a study, each made once and found again later.

    Arguments
    ---------
    downstreams : dict
        `Downstream` by name.
    train, valid : dict
        Manifest entries to pretrain on and to watch.
    data : str
        Digest of their manifest.
    folder : path-like
        Gets a folder of runs for every seed.

    Example
    -------
    >>> study = SelectionStudy({}, {}, {}, "", "results/study")
    >>> study.run_folder(0, "f0").as_posix()
    'results/study/0/f0'
    """

    def __init__(
        self,
        downstreams: Mapping[str, Downstream],
        train: dict[str, dict],
        valid: dict[str, dict],
        data: str,
        folder: str | Path,
    ) -> None:
        self.downstreams = downstreams
        self.train = train
        self.valid = valid
        self.data = data
        self.folder = Path(folder)

    def run_folder(self, seed: int, run: str) -> Path:
        """Say where one run of one seed is kept."""
        return self.folder / str(seed) / run

    def score(
        self,
        selector: Selector,
        workers: Mapping,
        settings: dict,
    ) -> dict[str, Selection]:
        """Score every label for every downstream task, before any training.

        Arguments
        ---------
        selector : Selector
            How to score.
        workers : dict
            Worker by name.
        settings : dict
            What the two were made from, as plain data.

        Returns
        -------
        selections : dict
            By downstream task.
        """
        selections = {}
        for name, task in self.downstreams.items():
            path = self.folder / "scores" / f"{name}.json"

            def make(task: Downstream = task, path: Path = path) -> None:
                path.parent.mkdir(parents=True, exist_ok=True)
                selector.fit(task.labelled, task.field, workers).save(path)

            asked = {**settings, "data": task.data, "field": task.field}
            stage(f"scores_{name}", self.folder, asked, make)
            selections[name] = Selection.load(path)
        return selections

    def errors(
        self,
        experiment: PretextExperiment,
        seed: int,
        runs: Mapping[str, dict[str, float]],
    ) -> dict[str, dict[str, float]]:
        """Pretrain and probe all runs of one seed.

        Arguments
        ---------
        experiment : PretextExperiment
            Of this seed; its YAML says how to pretrain.
        seed : int
            Names the folder.
        runs : dict
            Weights of all tasks, by run.

        Returns
        -------
        errors : dict
            ``{downstream: {run: error}}``, fractions; the run
            "random_init" is the encoder before its first step.
        """
        began = time.perf_counter()
        folders = {self.run_folder(seed, run): w for run, w in runs.items()}
        experiment.pretrain(folders, self.train, self.valid, self.data)
        rows = {run: self.run_folder(seed, run) for run in runs}
        # Every run of a seed starts from the same values.
        rows[UNTRAINED] = next(iter(rows.values()))
        errors = {name: {} for name in self.downstreams}
        by_suite = {task.suite: task for task in self.downstreams.values()}
        for suite, task in by_suite.items():
            found = experiment.probe(rows, task.entries, task.data, suite)
            for run, results in found.items():
                for name, other in self.downstreams.items():
                    if other.suite == suite:
                        errors[name][run] = mean_error(results, name)
        minutes = (time.perf_counter() - began) / 60
        logger.info(f"seed {seed}: {len(runs)} runs, {minutes:.1f} minutes")
        return errors


def mean_error(results: Mapping[str, dict], name: str) -> float:
    """Average the error of a task's probes, folds and heads alike.

    Arguments
    ---------
    results : dict
        Probe results by ``<task>/<head>`` or ``<task>.<fold>/<head>``.
    name : str
        The task.

    Returns
    -------
    error : float
        A fraction; one minus the value where higher is better.

    Raises
    ------
    KeyError
        When no probe belongs to the task.

    Example
    -------
    >>> probe = {"value": 0.75, "higher_is_better": True}
    >>> mean_error({"digit.a/linear": probe, "digits/linear": {}}, "digit")
    0.25
    """
    chosen = [
        1 - result["value"] if result["higher_is_better"] else result["value"]
        for probe, result in results.items()
        if probe.split("/")[0].split(".")[0] == name
    ]
    if not chosen:
        raise KeyError(f"no probe of '{name}' among {sorted(results)}")
    return sum(chosen) / len(chosen)
