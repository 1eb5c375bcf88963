"""Few answers and much speech: what does unlabelled speech add?"""

import logging
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.evaluation.intervals import seed_interval
from speechbrain_mtl.experiment import PretextExperiment
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.provenance import git_commit, versions
from speechbrain_mtl.report.semi_supervised_page import (
    write_semi_supervised_page,
)
from speechbrain_mtl.study.scenarios import (
    by_task,
    run_joint,
    weights_digest,
)
from speechbrain_mtl.training.joint_data import TaskParts
from speechbrain_mtl.training.pretrain import load_encoder
from speechbrain_mtl.training.progress import JsonLinesLog
from speechbrain_mtl.training.stages import (
    discard_training,
    fingerprint,
    stage,
    stage_seconds,
)
from speechbrain_mtl.training.start import Start

logger = logging.getLogger(__name__)

Speech = tuple[dict[str, dict], dict[str, dict]]


class SemiSupervisedExperiment(PretextExperiment):
    """Train tasks with answers alone, and beside tasks that need none.

    All runs begin with one encoder, hear as many answers in as many steps,
    and differ in what else is learnt in each step, from unlabelled speech.

    Arguments
    ---------
    hparams : dict
        The loaded YAML, with ``tasks`` (those with answers), ``unlabelled``
        (those without), both by name; ``runs``, each a list of names of the
        latter, empty for answers alone; ``seeds`` (trainings of each run);
        ``train`` (`train_jointly` with its settings); and what
        `PretextExperiment` needs. With ``pretrain``, ``encoder`` is first
        pretrained on the unlabelled speech by ``weights``.
    settings : dict
        The same YAML as plain data.
    run_opts : RunOptions
        SpeechBrain's run options.

    Raises
    ------
    ValueError
        When a run names a task that is not there, or is asked for twice.
    """

    title = "few answers, much speech"

    def __init__(self, hparams: dict, settings: dict, run_opts: object) -> None:
        hparams = {"pretext": {"tasks": {}}, **hparams}
        super().__init__(hparams, settings, run_opts)
        known = set(hparams["unlabelled"])
        self.runs = {run_name(run): list(run) for run in hparams["runs"]}
        unknown = {name for run in hparams["runs"] for name in run} - known
        if unknown or not self.runs or len(self.runs) < len(hparams["runs"]):
            raise ValueError(
                f"runs {hparams['runs']}: give one or more lists, each once, "
                f"of tasks of unlabelled, which are {sorted(known)}"
            )
        #: Summary of the encoder's pretraining, where there was one.
        self.pretraining: dict | None = None

    def run(
        self, parts: TaskParts, speech: Speech, data: str
    ) -> dict[str, dict[int, dict]]:
        """Make every run that is not there yet.

        Arguments
        ---------
        parts : dict
            Entries by task and part, of the tasks with answers.
        speech : tuple of dict
            Recordings to learn from without answers, and to validate on.
        data : str
            Digest of all of them.

        Returns
        -------
        results : dict
            What `train_jointly` gave, by run and seed.
        """
        train, valid = speech
        more = dict.fromkeys(
            self.hparams["unlabelled"], {"train": train, "valid": valid}
        )
        encoder, made = self._start(speech, data)
        jobs = [
            (run, seed)
            for seed in range(self.hparams["seeds"])
            for run in self.runs
        ]

        def work(job: tuple[str, int]) -> dict:
            return self._train(*job, {**parts, **more}, encoder, made, data)

        results: dict[str, dict[int, dict]] = {run: {} for run in self.runs}
        for (run, seed), found in zip(jobs, self.pool.map(work, jobs)):
            results[run][seed] = found
        return results

    def _start(self, speech: Speech, data: str) -> tuple[Encoder, str]:
        """Pretrain the encoder that all runs begin with, or take it as is."""
        if self.hparams.get("pretrain") is None:
            return self.encoder, fingerprint(self.settings["encoder"])
        folder = self.folder / "pretraining"
        runs = {folder: self.hparams["weights"]}
        self.pretraining = self.pretrain(runs, *speech, data)[folder]
        path = folder / "encoder.ckpt"
        return load_encoder(self.encoder, path), weights_digest(path)

    def run_folder(self, run: str, seed: int) -> Path:
        """Say where the training of a run and seed lies."""
        return self.folder / f"seed_{seed}" / run.replace(" + ", "_")

    def _train(
        self,
        run: str,
        seed: int,
        parts: TaskParts,
        encoder: Encoder,
        made: str,
        data: str,
    ) -> dict:
        """Run one training unless it is done."""
        hparams, folder = self.hparams, self.run_folder(run, seed)
        tasks = {
            **hparams["tasks"],
            **{name: hparams["unlabelled"][name] for name in self.runs[run]},
        }
        plain = {**self.settings["tasks"], **self.settings["unlabelled"]}
        train = hparams["train"]
        settings = {
            "data": data,
            "encoder": made,
            "tasks": {name: plain[name] for name in tasks},
            "training": self.settings["train"],
            "seed": seed,
        }

        def make() -> dict:
            arguments = {
                "encoder": encoder,
                "tasks": tasks,
                "parts": {name: parts[name] for name in tasks},
                "folder": folder,
                "run_opts": self.run_opts,
                "seed": seed,
                # Bars of runs side by side would overwrite each other.
                "progressbar": None if self.pool.processes == 1 else False,
                **by_task(train.keywords, dict(zip(tasks, tasks))),
            }
            return self.pool.run(run_joint, train, arguments, None)

        clear = partial(discard_training, folder)
        result = stage("training", folder, settings, make, clear)
        self.wall[f"seed {seed}, {run}"] = stage_seconds("training", folder)
        return result


def run_semi_supervised(
    started: Start, parts: TaskParts, speech: Speech, about: Mapping
) -> Path:
    """Make every run that is not there yet; print and write what they found.

    Arguments
    ---------
    started : Start
        The YAML; see `SemiSupervisedExperiment`. ``train`` names the rules by
        which checkpoints are chosen; the first one's scores are told.
    parts, speech
        See `SemiSupervisedExperiment.run`.
    about : dict
        What the data are, for the record.

    Returns
    -------
    path : Path
        Of ``semi_supervised.json``: by run the test scores, one a seed, and
        what the last validation measured of the unlabelled tasks. Beside it
        lie ``metrics.json`` and ``report.html`` of the first seed.
    """
    experiment = SemiSupervisedExperiment(
        started.hparams, started.settings, started.run_opts
    )
    data = fingerprint([parts, speech])
    results = experiment.run(parts, speech, data)
    rule = started.hparams["train"].keywords["rules"][0]
    scores = {
        run: [found["rules"][rule]["scores"] for found in by_seed.values()]
        for run, by_seed in results.items()
    }
    path = experiment.folder / "semi_supervised.json"
    card = {
        "experiment": experiment.title,
        "command": "python " + " ".join(sys.argv),
        "git": git_commit(),
        "versions": versions(),
        "data": {**about, "digest": data},
        "rule": rule,
        "runs": {
            run: {
                "tasks": experiment.runs[run],
                "hours_of_audio": by_seed[0]["hours"],
                "scores": {
                    name: [found[name]["value"] for found in scores[run]]
                    for name in scores[run][0]
                },
                "measured": [
                    last_measured(experiment.run_folder(run, seed))
                    for seed in by_seed
                ],
            }
            for run, by_seed in results.items()
        },
        "wall_s": experiment.wall,
    }
    write_json(path, card)
    first, *others = scores
    rows = {"this": scores[first][0]} | {run: scores[run][0] for run in others}
    experiment.write_metrics(None, experiment.pretraining, rows, about)
    page = write_semi_supervised_page(card, experiment.folder)
    print(seed_table(card["runs"]))
    print(f"runs: {path}\nreport: {page}")
    return path


def run_name(tasks: Sequence[str]) -> str:
    """Name a run by what it learns from.

    Example
    -------
    >>> run_name([]), run_name(["wav2vec2", "own"])
    ('answers', 'answers + wav2vec2 + own')
    """
    return " + ".join(["answers", *tasks])


def last_measured(folder: Path) -> dict[str, dict[str, float]]:
    """Give what the last validation of a run measured, by task."""
    log = JsonLinesLog(folder / "train_log.jsonl").entries()
    return [entry for entry in log if entry["split"] == "valid"][-1]["tasks"]


def seed_table(runs: Mapping[str, Mapping]) -> str:
    """Lay scores of all runs out as text, a line a run and metric.

    Example
    -------
    >>> runs = {"answers": {"scores": {"pr/PER": [0.50, 0.54]}}}
    >>> print(seed_table(runs))
    answers: pr/PER 52.0 % [26.6, 77.4] of 2 seeds
    """
    lines = []
    for run, found in runs.items():
        for name, values in found["scores"].items():
            text = f"{run}: {name} {100 * sum(values) / len(values):.1f} %"
            if len(values) > 1:
                low, high = seed_interval(values)
                text += f" [{100 * low:.1f}, {100 * high:.1f}]"
            lines.append(
                f"{text} of {len(values)} seed{'s'[: len(values) - 1]}"
            )
    return "\n".join(lines)
