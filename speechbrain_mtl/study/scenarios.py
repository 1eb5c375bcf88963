"""Alone, all together, all but one, transferred: what tasks do to each other.

Four scenarios as in "Speech Representation Learning Through Self-supervised
Pretraining and Multi-task Finetuning", https://arxiv.org/abs/2110.09930, and
``single``, without which nobody could tell joint training from training the
encoder at all:

* ``alone``: heads on the frozen encoder;
* ``single``: encoder and head of one task, each in turn, the head from
  ``alone``;
* ``all``: encoder and heads of all tasks, the heads from ``alone``;
* ``without``: as ``all``, but for one task, each in turn;
* ``transfer``: a new head for the task that was left out, on the frozen
  encoder that never saw it; validation chooses the head's learning rate.

``single`` has the settings of ``all``: as many steps, learning rates, seconds
of a task in a step it is drawn for, rules of choice. With ``sampling: all`` a
task hears as much; drawn by turns or chance it would hear less in ``all``. The
encoder hears the other tasks' audio besides. Equal weights add losses, so that
a task weighs 1 in both, but the encoder's gradient is a sum over tasks in
``all`` and clipped more often; AdamW, which divides by its size, hides most of
that, and every task gets but a part of each step.
"""

import copy
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from speechbrain_mtl.experiment import PretextExperiment
from speechbrain_mtl.inference import MTLEncoder
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.training.joint_data import TaskParts
from speechbrain_mtl.training.pretrain import load_encoder
from speechbrain_mtl.training.stages import (
    discard_training,
    fingerprint,
    stage,
    stage_seconds,
)

logger = logging.getLogger(__name__)

SCENARIOS = ("alone", "single", "all", "without", "transfer")
# What each takes its heads or its encoder from.
NEEDS = {
    "single": "alone",
    "all": "alone",
    "without": "alone",
    "transfer": "without",
}
# Settings of `train_jointly` that may differ from task to task.
BY_TASK = ("batch_seconds", "chunk_seconds", "lr_scales")


class ScenarioExperiment(PretextExperiment):
    """All scenarios of one set of tasks; what is there is not made again.

    Arguments
    ---------
    hparams : dict
        The loaded YAML, with ``tasks`` (by name), ``scenarios`` (those to
        run, of `SCENARIOS`), ``left_out`` (tasks to leave out in turn; null
        for each), ``seeds`` and ``left_out_seeds`` (how many of ``without``
        and ``transfer``), ``alone``, ``together`` (of ``single``, ``all`` and
        ``without``) and ``transfer`` (`train_jointly` with its settings),
        ``head_lr_scales`` (to choose from in ``transfer``), and what
        `PretextExperiment` needs. The
        encoder is that of the folder ``pretrained``; else, with
        ``pretrain``, ``encoder`` pretrained by ``weights``; else ``encoder``
        as it comes.
    settings : dict
        The same YAML as plain data.
    run_opts : RunOptions
        SpeechBrain's run options.

    Raises
    ------
    ValueError
        When there is no such scenario or task, or one lacks the scenario it
        builds on.
    """

    def __init__(self, hparams: dict, settings: dict, run_opts: object) -> None:
        hparams = {"pretext": {"tasks": {}}, **hparams}
        super().__init__(hparams, settings, run_opts)
        wanted = list(hparams["scenarios"])
        unknown = [name for name in wanted if name not in SCENARIOS]
        if unknown or "alone" not in wanted:
            raise ValueError(
                f"scenarios {wanted}: give 'alone', and what you want of "
                f"{list(SCENARIOS[1:])}"
            )
        for name in wanted:
            if NEEDS.get(name, "alone") not in wanted:
                raise ValueError(
                    f"scenarios {wanted}: '{name}' builds on '{NEEDS[name]}'; "
                    "give both"
                )
        tasks = hparams["tasks"]
        left_out = hparams["left_out"]
        self.left_out = list(tasks) if left_out is None else list(left_out)
        unknown = sorted(set(self.left_out) - set(tasks))
        if unknown:
            raise ValueError(f"left_out {unknown}: tasks are {sorted(tasks)}")
        if len(tasks) < 2 and "without" in wanted:
            raise ValueError("one task alone: there is nothing to leave out")
        self.wanted = [name for name in SCENARIOS if name in wanted]
        #: Summary of the encoder's pretraining, where it was trained here.
        self.pretraining: dict | None = None

    @property
    def title(self) -> str:
        """What the run is called in its report."""
        return f"{len(self.hparams['tasks'])} tasks together"

    def run(
        self,
        parts: TaskParts,
        data: str,
        unlabelled: tuple[dict[str, dict], dict[str, dict]] | None = None,
    ) -> dict[str, dict[int, Any]]:
        """Make every run that is not there yet.

        Arguments
        ---------
        parts : dict
            Entries by task and part.
        data : str
            Digest of them: a change redoes what depends on it.
        unlabelled : tuple of dict, optional
            What to pretrain on, and to watch.

        Returns
        -------
        results : dict
            By scenario and seed what `train_jointly` gave; of ``single``,
            ``without`` and ``transfer`` by task.
        """
        self.parts, self.data = parts, data
        tasks = list(self.hparams["tasks"])
        encoder, made = self._start(unlabelled)
        seeds = list(range(self.hparams["seeds"]))
        fewer = seeds[: self.hparams["left_out_seeds"]]
        # What trains in the runs of a scenario, by the task they are named by.
        every = [(seed, None) for seed in seeds]
        each = [(seed, task) for seed in seeds for task in tasks]
        left = [(seed, task) for seed in fewer for task in self.left_out]

        def alone(seed: int, _: None) -> dict:
            return self._train(seed, "alone", "alone", tasks, encoder, made)

        def together(
            seed: int, name: str, kept: Sequence[str], **more: Any
        ) -> dict:
            folder = self._folder(seed, "alone")
            reference = results["alone"][seed]["errors"]
            return self._train(
                seed,
                "together",
                name,
                kept,
                encoder,
                made,
                heads=folder / "heads.ckpt",
                reference={name: reference[name] for name in kept},
                **more,
            )

        def single(seed: int, task: str) -> dict:
            # A step can draw no more tasks than there are.
            more = {"affinity_every": 0, "tasks_per_step": 1}
            return together(seed, f"single_{task}", [task], **more)

        def joint(seed: int, _: None) -> dict:
            return together(seed, "all", tasks)

        def without(seed: int, task: str) -> dict:
            kept = [name for name in tasks if name != task]
            # Affinities are asked of all tasks, and cost as much as steps.
            return together(seed, f"without_{task}", kept, affinity_every=0)

        def transfer(seed: int, task: str) -> dict:
            path = self._folder(seed, f"without_{task}") / "encoder.ckpt"
            return self._train(
                seed,
                "transfer",
                f"transfer_{task}",
                [task],
                load_encoder(encoder, path),
                weights_digest(path),
            )

        jobs = {
            "alone": (alone, every),
            "single": (single, each),
            "all": (joint, every),
            "without": (without, left),
            "transfer": (transfer, left),
        }
        runs = sum(len(jobs[name][1]) for name in self.wanted)
        logger.info(f"{runs} runs of {len(tasks)} tasks, or fewer")
        results: dict[str, dict[int, Any]] = {}
        for scenario in self.wanted:
            train, asked = jobs[scenario]
            found = self.pool.map(lambda job, train=train: train(*job), asked)
            by_seed = results.setdefault(scenario, {})
            for (seed, task), result in zip(asked, found):
                if task is None:
                    by_seed[seed] = result
                else:
                    by_seed.setdefault(seed, {})[task] = result
        return results

    def _start(
        self, unlabelled: tuple[dict[str, dict], dict[str, dict]] | None
    ) -> tuple[Encoder, str]:
        """Find or make the encoder that all scenarios begin with."""
        hparams = self.hparams
        if hparams.get("pretrained"):
            source = Path(hparams["pretrained"])
            encoder = MTLEncoder.from_hparams(str(source)).mods.encoder
            return encoder, weights_digest(source / "encoder.ckpt")
        if hparams.get("pretrain") is None:
            return self.encoder, fingerprint(self.settings["encoder"])
        folder = self.folder / "pretraining"
        digest = fingerprint([self.data, [list(p) for p in unlabelled]])
        runs = {folder: hparams["weights"]}
        self.pretraining = self.pretrain(runs, *unlabelled, digest)[folder]
        path = folder / "encoder.ckpt"
        return load_encoder(self.encoder, path), weights_digest(path)

    def _folder(self, seed: int, name: str) -> Path:
        return self.folder / f"seed_{seed}" / name

    def _train(
        self,
        seed: int,
        recipe: str,
        name: str,
        tasks: Sequence[str],
        encoder: Encoder,
        made: str,
        heads: Path | None = None,
        **more: Any,
    ) -> dict:
        """Run one training unless it is done."""
        folder = self._folder(seed, name)
        settings = {
            "data": self.data,
            "encoder": made,
            "heads": None if heads is None else weights_digest(heads),
            "tasks": {n: self.settings["tasks"][n] for n in tasks},
            "training": self.settings[recipe],
            "head_lr_scales": self.settings["head_lr_scales"],
            "seed": seed,
        }
        train = self.hparams[recipe]
        origin = dict(zip(tasks, tasks))
        if recipe == "transfer":
            [task] = tasks
            scales = {
                rate_name(task, scale): scale
                for scale in self.hparams["head_lr_scales"]
            }
            origin = dict.fromkeys(scales, task)
            own = (train.keywords.get("lr_scales") or {}).get(task, 1.0)
            more["lr_scales"] = {n: scale * own for n, scale in scales.items()}
        more = {**by_task(train.keywords, origin), **more}
        chosen = {n: self.hparams["tasks"][task] for n, task in origin.items()}
        parts = {n: self.parts[task] for n, task in origin.items()}

        def make() -> dict:
            arguments = {
                "encoder": encoder,
                "tasks": chosen,
                "parts": parts,
                "folder": folder,
                "run_opts": self.run_opts,
                "seed": seed,
                # Bars of runs side by side would overwrite each other.
                "progressbar": None if self.pool.processes == 1 else False,
                **more,
            }
            return self.pool.run(run_joint, train, arguments, heads)

        clear = partial(discard_training, folder)
        result = stage("training", folder, settings, make, clear)
        self.wall[f"seed {seed}, {name}"] = stage_seconds("training", folder)
        logger.info(f"seed {seed}, {name}: {summary(result)}")
        return result


def run_joint(train: Callable, arguments: dict, heads: Path | None) -> dict:
    """Train jointly: what a worker process does."""
    if heads is not None:
        arguments["heads"] = torch.load(heads, map_location="cpu")
    return train(**copy.deepcopy(arguments))


def by_task(
    settings: Mapping[str, Any], origin: Mapping[str, str]
) -> dict[str, dict]:
    """Keep of settings that differ by task those of the tasks at hand.

    Example
    -------
    >>> settings = {"chunk_seconds": {"sid": 8.0, "asv": 8.0}, "epochs": 2}
    >>> by_task(settings, {"ks": "ks", "sid at 30 %": "sid"})
    {'chunk_seconds': {'sid at 30 %': 8.0}}
    """
    return {
        key: {n: found[task] for n, task in origin.items() if task in found}
        for key, found in settings.items()
        if key in BY_TASK and isinstance(found, Mapping)
    }


def weights_digest(path: Path) -> str:
    """Give a short name to weights, whatever file they lie in.

    Two files of the same weights differ: each holds its own name.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.ckpt"
    >>> torch.save({"asr": {"w": torch.ones(1)}}, path)
    >>> weights_digest(path)
    '76bbafedd04a2792'
    """
    digest = hashlib.sha256()

    def add(name: str, value: Any) -> None:
        digest.update(name.encode())
        if isinstance(value, Mapping):
            for key in sorted(value):
                add(key, value[key])
        elif isinstance(value, torch.Tensor):
            raw = value.cpu().flatten().view(torch.uint8)
            digest.update(raw.numpy().tobytes())
        else:
            digest.update(repr(value).encode())

    add("", torch.load(path, map_location="cpu", weights_only=True))
    return digest.hexdigest()[:16]


def rate_name(task: str, scale: float) -> str:
    """Name a head by its learning rate; PyTorch takes no point in names.

    Example
    -------
    >>> rate_name("er", 0.3), rate_name("er", 0.001)
    ('er at 30 %', 'er at 0,1 %')
    """
    return f"{task} at {100 * scale:g} %".replace(".", ",")


def summary(result: Mapping) -> str:
    """Tell in a line the validation errors of each task's best.

    Example
    -------
    >>> summary({"errors": {"pr": 0.25, "ks": 0.101}})
    'pr 25.0, ks 10.1 % of errors on validation'
    """
    parts = [f"{n} {100 * e:.1f}" for n, e in result["errors"].items()]
    return ", ".join(parts) + " % of errors on validation"
