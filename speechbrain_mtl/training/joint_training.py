"""Train one encoder on many tasks at once, each with data of its own."""

import copy
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from speechbrain_mtl.data.audio import AudioError
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.models.stored import StoredEncoder
from speechbrain_mtl.tasks import Task
from speechbrain_mtl.tasks.supervised import SupervisedTask
from speechbrain_mtl.training.device import chosen_device
from speechbrain_mtl.training.joint import JointBrain
from speechbrain_mtl.training.joint_calibration import calibrate_jointly
from speechbrain_mtl.training.joint_data import (
    JointData,
    TaskParts,
    prepare_joint_tasks,
    stored_layers,
)
from speechbrain_mtl.training.joint_results import joint_results
from speechbrain_mtl.training.packed_model import PackedModel
from speechbrain_mtl.training.progress import JsonLinesLog
from speechbrain_mtl.training.snapshots import Snapshots
from speechbrain_mtl.training.supervised_run import (
    check_mix,
    heads_first,
    supervised_brain,
)
from speechbrain_mtl.training.task_sampling import TaskSampler
from speechbrain_mtl.training.teaching import check_teachers
from speechbrain_mtl.training.weighting import FixedWeights, Weighting
from speechbrain_mtl.workers import WorkerBank

logger = logging.getLogger(__name__)


def equal_weights(tasks: Sequence[str]) -> FixedWeights:
    """Weigh every task by 1: losses are added.

    Example
    -------
    >>> equal_weights(["asr", "sid"]).weights
    {'asr': 1.0, 'sid': 1.0}
    """
    return FixedWeights(dict.fromkeys(tasks, 1.0))


def train_jointly(
    encoder: Encoder,
    tasks: Mapping[str, Task],
    parts: TaskParts,
    folder: str | os.PathLike,
    opt_class: Callable,
    run_opts: dict | None = None,
    weighting: Callable[[Sequence[str]], Weighting] = equal_weights,
    frozen: bool = False,
    store: bool = True,
    frozen_epochs: int = 0,
    frozen_modules: Sequence[str] = (),
    heads: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
    bank: WorkerBank | None = None,
    statistics_minutes: float = 20.0,
    encoder_lr_scale: float = 1.0,
    lr_scales: Mapping[str, float] | None = None,
    sampling: str = "all",
    temperature: float = 2.0,
    tasks_per_step: int = 1,
    epochs: int = 10,
    steps_per_epoch: int = 100,
    batch_seconds: float | Mapping[str, float] = 8.0,
    pack_seconds: float = 60.0,
    chunk_seconds: Mapping[str, float] | None = None,
    warmup_share: float = 0.1,
    rules: Sequence[str] = ("mean_error", "best_of_each"),
    reference: Mapping[str, float] | None = None,
    averaged: int = 0,
    interpolated: Sequence[float] = (),
    affinity_every: int = 0,
    log_every: int = 20,
    loader_workers: int = 0,
    seed: int = 0,
    progressbar: bool | None = None,
) -> dict:
    """Train tasks together on one encoder, choose by validation, test.

    With the encoder frozen every head trains as it would alone: one run
    stands for as many as there are tasks. Killed and called again with the
    same arguments, it continues from its last checkpoint.

    Arguments
    ---------
    encoder : Encoder
        Pretrained; a copy of it is trained.
    tasks : dict
        What to learn, by name; copies are prepared and trained. Tasks
        without answers may be among them: `Wav2Vec2Task`, `UnitTask`,
        `PretextTask`, `SelfTraining`.
    parts : dict
        ``{task: {"train", "valid", "test": entries}}``; no test of tasks
        without answers.
    folder : str or path-like
        Gets ``train_log.jsonl``, ``save/`` (the last checkpoint),
        ``snapshots/`` (validated weights), ``answers.json``, ``heads.ckpt``
        (of each task, as it validated best) and ``encoder.ckpt`` (as the
        first rule chose it).
    opt_class : callable
        Makes the optimiser; its ``lr`` is the peak rate.
    run_opts : dict, optional
        SpeechBrain's run options, passed to the Brain only.
    weighting : callable
        Makes a `Weighting` of the tasks' names.
    frozen, store, frozen_epochs, frozen_modules
        See `finetune`.
    heads : dict, optional
        Weights to start tasks from, by task; see `joint_results`.
    bank : WorkerBank, optional
        Labels of the tasks that name a worker.
    statistics_minutes : float
        Audio of each of these to measure means and deviations on, before
        training.
    encoder_lr_scale : float
        The encoder's learning rate, as a share of the optimiser's.
    lr_scales : dict, optional
        Those of tasks, 1 by default.
    sampling, temperature, tasks_per_step
        See `TaskSampler`.
    epochs : int
        Validations.
    steps_per_epoch : int
        Steps before each.
    batch_seconds, pack_seconds, chunk_seconds
        See `JointData`.
    warmup_share : float
        Share of the updates in which the learning rate rises; it then falls
        to 0.
    rules : sequence of str
        How to choose what is tested: of `choose_epoch`, and
        ``"best_of_each"``, an own checkpoint for each task. The first names
        the encoder that is kept.
    reference : dict, optional
        Each task's validation error alone, for the rule ``"mean_gain"``.
    averaged : int
        Also test the mean of the last so many validated weights; 0 for none.
    interpolated : sequence of float
        Also test the first rule's choice with an encoder between the given
        one, 0, and the trained one, 1; validation chooses of these shares.
    affinity_every : int
        Steps between measurements of how tasks' gradients agree and what a
        step on one does to the others; 0 for never. See `task_affinity`.
    log_every : int
        Steps between log lines.
    loader_workers : int
        Reading processes.
    seed : int
        Fixes initial heads and the order.
    progressbar : bool, optional
        Show bars; as the run options say by default.

    Returns
    -------
    results : dict
        See `joint_results`.

    Raises
    ------
    ManifestError
        Naming all that is wrong with any task's data, before training.
    AudioError
        Naming the id of a recording that cannot be read; what was trained so
        far is saved, and the next start goes on from there.
    """
    folder = Path(folder)
    torch.manual_seed(seed)
    # One by one: a task given under two names becomes two.
    tasks = {name: copy.deepcopy(task) for name, task in tasks.items()}
    check_teachers(tasks)
    prepare_joint_tasks(tasks, encoder.dims, parts)
    parts = {name: parts[name] for name in tasks}
    for name, state in (heads or {}).items():
        if name in tasks:
            tasks[name].load_state_dict(state)
    if frozen and any(task.predicts_hidden for task in tasks.values()):
        raise ValueError("tasks that predict hidden frames train the encoder")
    check_mix(encoder, frozen or frozen_epochs >= epochs)
    features = None
    labelling = [n for n, task in tasks.items() if task.worker is not None]
    if frozen and store and labelling:
        raise ValueError(
            f"tasks {labelling} make labels of waveforms, of which stored "
            "layers have none: give store: False"
        )
    if frozen and store:
        features = stored_layers(
            encoder,
            parts,
            chosen_device(run_opts),
            progressbar is not False,
        )
    data = JointData(
        tasks,
        parts,
        batch_seconds,
        pack_seconds,
        chunk_seconds or {},
        features,
        loader_workers,
        seed,
    )
    shared = copy.deepcopy(encoder)
    if features is not None:
        shared = StoredEncoder(encoder)
    model = PackedModel(shared, tasks, bank)
    sampler = TaskSampler(
        {name: data.stream(name) for name in tasks},
        steps_per_epoch,
        sampling,
        temperature,
        tasks_per_step,
        seed,
    )
    hours = sampler.hours_per_step() * sampler.world_size
    schedule = heads_first(
        weighting(list(tasks)),
        hours * steps_per_epoch,
        epochs,
        epochs if frozen else frozen_epochs,
        frozen_modules,
    )
    brain = supervised_brain(
        JointBrain,
        model,
        sampler,
        schedule,
        opt_class,
        run_opts,
        folder,
        warmup_share,
        {
            "log_every": log_every,
            "affinity_every": affinity_every,
            "affinities": JsonLinesLog(folder / "affinity.jsonl"),
            "seed": seed,
            "encoder_lr_scale": encoder_lr_scale,
            "lr_scales": dict(lr_scales or {}),
            "augment": None,
            "snapshots": Snapshots(folder / "snapshots", max(1, averaged)),
            "entries": {
                name: parts[name]["valid"]
                for name, task in tasks.items()
                if isinstance(task, SupervisedTask)
            },
        },
    )
    hours *= brain.grad_accumulation_factor
    logger.info(
        f"{len(tasks)} tasks, {sampling} a step; {brain.hparams.updates} "
        f"updates in {schedule.epochs} epochs, {hours * 3600:.0f} s of audio "
        f"each, {hours * brain.hparams.updates:.2f} h in all"
    )
    loader = data.training_loader(sampler)
    valid = data.loader("valid", list(tasks))
    if brain.checkpointer.find_checkpoint() is None:
        calibrate_jointly(
            model,
            data,
            statistics_minutes,
            brain.device,
            progressbar is not False,
        )
    with brain.kept_on(AudioError):
        brain.fit(brain.hparams.counter, loader, valid, progressbar=progressbar)
    return joint_results(
        brain,
        data,
        folder,
        rules,
        reference,
        averaged,
        interpolated,
        None if features is not None else encoder,
        progressbar is not False,
    )
