"""Choose, weigh, pretrain, probe, report: the stages every recipe shares.

A recipe prepares its data and then calls these stages in order. Each stage
is skipped when its result is there and was made with the same settings.
"""

import copy
import logging
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import speechbrain as sb
import torch
from speechbrain.utils.run_opts import RunOptions

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.data.manifest import subset
from speechbrain_mtl.evaluation.suite import ProbeSuite
from speechbrain_mtl.inference import write_inference
from speechbrain_mtl.models import ContextFbank, Encoder
from speechbrain_mtl.provenance import git_commit, versions
from speechbrain_mtl.report import write_report
from speechbrain_mtl.selection import Selection
from speechbrain_mtl.training.pool import Pool
from speechbrain_mtl.training.pretrain import load_encoder
from speechbrain_mtl.training.stages import (
    discard_training,
    fingerprint,
    stage,
    stage_seconds,
)

logger = logging.getLogger(__name__)

ROWS = {
    "fbank_context": "log-mel, 5 frames either side",
    "random_init": "same encoder, not trained",
    "uniform": "same encoder, uniform weights",
    "this": "this run",
}


class PretextExperiment:
    """One run of the main job.

    Arguments
    ---------
    hparams : dict
        The loaded YAML, with ``encoder``, ``pretext``, ``selector``,
        ``reweigh``, ``pretrain``, ``probes``, ``base_weights``, ``output_folder``,
        ``uniform_folder``, ``strategy``, ``label_field``,
        ``processes``, ``threads`` and ``seed``.
    settings : dict
        The same YAML as plain data (`read_settings`): what stages compare.
    run_opts : RunOptions
        SpeechBrain's run options.
    """

    def __init__(
        self, hparams: dict, settings: dict, run_opts: RunOptions
    ) -> None:
        self.hparams = hparams
        self.settings = settings
        self.run_opts = run_opts
        self.folder = Path(hparams["output_folder"])
        self.wall: dict[str, float] = {}
        self.pool = Pool(hparams["processes"], hparams["threads"])
        # Every encoder of the experiment starts from these very values.
        self.encoder = hparams["encoder"]
        self.tasks = hparams["pretext"]["tasks"]

    @property
    def title(self) -> str:
        """What the run is called in its report."""
        hparams = self.hparams
        return f"{hparams['strategy']} weights for {hparams['label_field']}"

    def select(self, entries: dict[str, dict], data: str) -> Selection:
        """Choose and weigh the candidate tasks without any training.

        Arguments
        ---------
        entries : dict
            The labelled training part, all that the selection may see.
        data : str
            Digest of the manifest: a change redoes this and later stages.
        """
        hparams = self.hparams
        path = self.folder / "selection.json"
        candidates = [
            name for name in self.tasks if name not in hparams["base_weights"]
        ]

        def make() -> str:
            workers = hparams["pretext"]["workers"]
            selection = hparams["selector"].fit(
                entries,
                hparams["label_field"],
                {name: workers[name] for name in candidates},
            )
            if hparams["reweigh"] is not None:
                selection = hparams["reweigh"](selection)
            selection.save(path)
            return fingerprint(selection.weights)

        self._stage(
            "selection",
            self.folder,
            {
                "data": data,
                "selector": self.settings["selector"],
                "reweigh": self.settings["reweigh"],
                "workers": self.settings["pretext"]["workers"],
                "label_field": hparams["label_field"],
                "seed": hparams["seed"],
            },
            make,
        )
        return Selection.load(path)

    def pretrain(
        self,
        runs: dict[str | Path, dict[str, float]],
        train: dict[str, dict],
        valid: dict[str, dict],
        data: str,
    ) -> dict[str | Path, dict]:
        """Pretrain fresh copies of the encoder, or find them already done.

        Arguments
        ---------
        runs : dict
            Weights of the selected tasks by the folder of each run; the base
            tasks' weights are added.
        train, valid : dict
            Manifest entries to pretrain on and to watch.
        data : str
            Digest of their manifest.

        Returns
        -------
        summaries : dict
            Summary of each run, by folder.
        """

        def job(run: tuple[str | Path, dict[str, float]]) -> dict:
            folder, weights = run
            weights = {**self.hparams["base_weights"], **weights}
            # Weights that differ in the 6th digit are the same experiment.
            weights = {n: round(w, 6) for n, w in weights.items() if w > 0}
            settings = {
                "data": data,
                "weights": weights,
                "encoder": self.settings["encoder"],
                "pretext": self.settings["pretext"],
                "pretrain": self.settings["pretrain"],
                "seed": self.hparams["seed"],
            }

            def make() -> dict:
                arguments = {
                    "encoder": self.encoder,
                    "tasks": self.tasks,
                    "bank": self.hparams["pretext"]["bank"],
                    "weights": weights,
                    "train": train,
                    "valid": valid,
                    "folder": Path(folder),
                    "run_opts": self.run_opts,
                    # Bars of runs side by side would overwrite each other.
                    "progressbar": None
                    if folder == next(iter(runs))
                    else False,
                }
                return self.pool.run(
                    run_pretraining,
                    self.hparams["pretrain"],
                    arguments,
                    self.hparams["seed"],
                )

            clear = partial(discard_training, folder)
            summary = self._stage("pretraining", folder, settings, make, clear)
            write_inference(folder, self.settings["encoder"])
            return summary

        return dict(zip(runs, self.pool.map(job, runs.items())))

    def probe(
        self,
        folders: dict[str, str | Path],
        entries: dict[str, dict],
        data: str,
        suite: str = "probes",
    ) -> dict[str, dict]:
        """Probe every row of the table: what each frozen encoder holds.

        Arguments
        ---------
        folders : dict
            Folder of the pretraining that made the row's encoder, by row.
            The baselines "fbank_context" and "random_init" take from it only
            what precedes the first step.
        entries : dict
            Labelled manifest entries, all splits.
        data : str
            Digest of their manifest.
        suite : str
            Key of the YAML that holds the probes to run.
        """
        device = self.run_opts.device or sb.utils.distributed.infer_device()

        def job(row: tuple[str, str | Path]) -> dict:
            name, folder = row

            def make() -> dict:
                return self.pool.run(
                    run_probes,
                    self.hparams[suite],
                    self._row_encoder(name, Path(folder)),
                    entries,
                    device,
                    ROWS.get(name, name),
                )

            made = Path(folder) / "pretraining.stage.json"
            settings = {
                "data": data,
                "pretraining": fingerprint(made.read_text()),
                "probes": self.settings[suite],
            }
            return self._stage(f"{suite}_{name}", folder, settings, make)

        return dict(zip(folders, self.pool.map(job, folders.items())))

    def _row_encoder(self, row: str, folder: Path) -> Encoder:
        if row not in ("random_init", "fbank_context"):
            return load_encoder(self.encoder, folder / "encoder.ckpt")
        twin = load_encoder(self.encoder, folder / "initial.ckpt")
        if row == "random_init":
            return twin
        mels = ContextFbank(n_mels=twin.features.dim)
        mels.features.load_state_dict(twin.features.state_dict())
        return mels

    def _stage(self, name: str, folder: str | Path, *args) -> object:
        result = stage(name, folder, *args)
        own = Path(folder).is_relative_to(self.folder)
        key = name if own else f"{name} (uniform)"
        self.wall[key] = stage_seconds(name, folder)
        return result

    def finish(
        self,
        selection: Selection | None,
        pretraining: dict | None,
        probes: dict[str, dict],
        data: dict,
        weights: dict[str, float] | None = None,
    ) -> Path:
        """Write ``metrics.json`` and the report; see `write_metrics`.

        Returns
        -------
        page : Path
            The report.
        """
        self.write_metrics(selection, pretraining, probes, data, weights)
        return write_report(self.folder)

    def write_metrics(
        self,
        selection: Selection | None,
        pretraining: dict | None,
        probes: dict[str, dict],
        data: dict,
        weights: dict[str, float] | None = None,
    ) -> None:
        """Write ``metrics.json``.

        Arguments
        ---------
        selection : Selection, optional
            What was chosen.
        pretraining : dict, optional
            Summary of this run's pretraining.
        probes : dict
            Probe results by row of `ROWS`.
        data : dict
            What the run was made on, for the record.
        weights : dict, optional
            Those used, where they are not the selection's own.
        """
        if weights is None:
            weights = selection.weights if selection else {}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        gpu = speed = None
        if torch.cuda.is_available():
            gpu = torch.cuda.max_memory_allocated() / 2**20
        if pretraining:
            hours = pretraining["hours_of_audio"]
            speed = round(hours / self.wall["pretraining"] * 3600, 1)
        pretraining = pretraining or {}
        metrics = {
            "experiment": self.title,
            "seed": self.hparams["seed"],
            "git": git_commit(),
            "versions": versions(),
            "command": "python " + " ".join(sys.argv),
            "data": data,
            "weights": weights,
            "train": {
                key: pretraining[key]
                for key in ("hours_of_audio", "steps", "final")
                if key in pretraining
            },
            "valid": pretraining.get("valid", {}),
            "probes": probes["this"],
            "baselines": {
                row: results for row, results in probes.items() if row != "this"
            },
            "cost": {
                "wall_s": self.wall,
                "audio_hours_per_hour": speed,
                "peak_rss_mb": round(peak, 1),
                "peak_gpu_mb": gpu,
            },
        }
        write_json(self.folder / "metrics.json", metrics)


def run_pretraining(
    pretrain: Callable,
    arguments: dict,
    seed: int,
) -> dict:
    """Pretrain a copy of an encoder: what a worker process does."""
    torch.manual_seed(seed)
    return pretrain(**copy.deepcopy(arguments))


def run_probes(
    suite: ProbeSuite,
    encoder: Encoder,
    entries: dict[str, dict],
    device: str,
    title: str,
) -> dict[str, dict]:
    """Run a suite: what a worker process does."""
    results = suite.run(encoder, entries, device, title)
    return {name: result.as_dict() for name, result in results.items()}


def splits(
    entries: dict[str, dict], field: str = "split"
) -> dict[str, dict[str, dict]]:
    """Part a manifest into train, valid and test by a field."""
    return {
        part: subset(entries, **{field: part})
        for part in ("train", "valid", "test")
    }
