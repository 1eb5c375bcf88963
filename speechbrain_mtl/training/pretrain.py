"""Pretrain one encoder on weighted tasks: loaders, calibration, the Brain."""

import copy
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import speechbrain as sb
import torch
from speechbrain.dataio.dataloader import SaveableDataLoader
from speechbrain.utils.distributed import ddp_barrier, if_main_process
from torch.utils.data import DataLoader
from tqdm import tqdm

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.data.audio import AudioError, read_entry
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.tasks import Task
from speechbrain_mtl.training.batching import CropBatchSampler, CropDataset
from speechbrain_mtl.training.brain import MultiTaskBrain
from speechbrain_mtl.training.checkpoints import WholeCheckpointer
from speechbrain_mtl.training.model import MultiTaskModel
from speechbrain_mtl.training.progress import JsonLinesLog, Progress
from speechbrain_mtl.training.rates import rates
from speechbrain_mtl.training.schedule import Phase, Schedule
from speechbrain_mtl.training.weighting import FixedWeights
from speechbrain_mtl.workers import WorkerBank


def crop_loader(
    entries: dict[str, dict], sampler: CropBatchSampler, workers: int = 0
) -> DataLoader:
    """Read the crops that a sampler asks for.

    Arguments
    ---------
    entries : dict
        Manifest entries, in the order of the sampler's durations.
    sampler : CropBatchSampler
        Which crops, in which batches.
    workers : int
        Reading processes.

    Returns
    -------
    loader : DataLoader
        Batches with ``sig`` and ``seconds``.
    """
    dataset = CropDataset(entries)

    @sb.utils.data_pipeline.takes("id", "wav", "start", "stop")
    @sb.utils.data_pipeline.provides("sig", "seconds")
    def read(name: str, wav: str, start: float, stop: float):  # noqa: ANN202
        yield read_entry(name, {"wav": wav, "start": start, "stop": stop})
        yield stop - start

    dataset.add_dynamic_item(read)
    dataset.set_output_keys(["id", "sig", "seconds"])
    return SaveableDataLoader(
        dataset,
        batch_sampler=sampler,
        num_workers=workers,
        # Lists stay lists: a stacked duration would live on the device.
        collate_fn=partial(sb.dataio.batch.PaddedBatch, nonpadded_stack=False),
    )


def calibrate(
    model: MultiTaskModel,
    entries: dict[str, dict],
    sampler: CropBatchSampler,
    minutes: float,
    device: str | torch.device,
    progressbar: bool | None = None,
) -> None:
    """Measure means and deviations of inputs and targets before training.

    Arguments
    ---------
    model : MultiTaskModel
        Its statistics are filled.
    entries : dict
        Manifest entries in the sampler's order.
    sampler : CropBatchSampler
        Its first pass is read, the same on every process.
    minutes : float
        Stop after so much audio.
    device : str or torch.device
        Where to compute.
    progressbar : bool, optional
        False shows none.
    """
    sampler = copy.copy(sampler)
    sampler.rank, sampler.world_size = 0, 1
    sampler.steps_per_epoch = sampler.batches_per_pass
    model.to(device).eval()
    seen = 0.0
    bar = tqdm(
        crop_loader(entries, sampler),
        desc="statistics",
        disable=progressbar is False,
    )
    for batch in bar:
        batch = batch.to(device)
        model.calibrate(*batch.sig, batch)
        seen += sum(batch.seconds) / 60
        if seen >= minutes:
            break


def save_encoder(encoder: Encoder, path: str | os.PathLike) -> None:
    """Write an encoder's state; other processes than the first do nothing."""
    if if_main_process():
        with atomic_path(path) as temporary:
            torch.save(encoder.state_dict(), temporary)


def load_encoder(encoder: Encoder, path: str | os.PathLike) -> Encoder:
    """Give a copy of `encoder` with the state that `save_encoder` wrote."""
    encoder = copy.deepcopy(encoder)
    encoder.load_state_dict(torch.load(path, map_location="cpu"))
    return encoder


def pretrain(
    encoder: Encoder,
    tasks: dict[str, Task],
    bank: WorkerBank,
    weights: dict[str, float],
    train: dict[str, dict],
    valid: dict[str, dict],
    folder: str | os.PathLike,
    opt_class: Callable,
    run_opts: dict | None = None,
    hours: float = 3.0,
    epoch_hours: float = 0.5,
    batch_seconds: float = 12.0,
    crop_seconds: float = 2.4,
    grid_seconds: float = 0.2,
    warmup_steps: int = 60,
    decay: str = "linear",
    statistics_minutes: float = 20.0,
    log_every: int = 20,
    grad_share_every: int = 100,
    loader_workers: int = 0,
    seed: int = 0,
    progressbar: bool | None = None,
) -> dict:
    """Pretrain `encoder` in place on the weighted sum of its tasks.

    Killed and called again with the same arguments, it continues from its
    last checkpoint and ends with the losses of an undisturbed run.

    Arguments
    ---------
    encoder : Encoder
        Trained in place; on return it holds the final weights.
    tasks : dict
        Candidate tasks by name; those without a weight are not built in.
    bank : WorkerBank
        Labels of the tasks.
    weights : dict
        Weight by task name, above 0.
    train, valid : dict
        Manifest entries with ``wav`` (a path) and ``duration``.
    folder : str or path-like
        Gets ``train_log.jsonl``, ``save/`` (checkpoints), ``initial.ckpt``
        (the encoder before its first step) and ``encoder.ckpt``.
    opt_class : callable
        Makes the optimiser from parameters; its ``lr`` is the peak rate.
    run_opts : dict, optional
        SpeechBrain's run options, passed to the Brain only.
    hours : float
        Audio to train on, summed over passes and processes.
    epoch_hours : float
        Audio between validations and checkpoints.
    batch_seconds, crop_seconds, grid_seconds : float
        See `CropBatchSampler`.
    warmup_steps : int
        Updates of rising learning rate.
    decay : str
        What follows: "linear", down to 0 at the end, or "none".
    statistics_minutes : float
        Audio to measure means and deviations on.
    log_every, grad_share_every : int
        Steps between log lines, and between gradient-share measurements.
    loader_workers : int
        Reading processes.
    seed : int
        Fixes crops, order and masks.
    progressbar : bool, optional
        Show bars; as the run options say by default.

    Returns
    -------
    summary : dict
        Hours, steps, and final losses per task.
    """
    folder = Path(folder)
    unknown = sorted(set(weights) - set(tasks))
    if unknown:
        raise ValueError(
            f"weights name tasks that the YAML does not define: {unknown}; "
            f"it defines {sorted(tasks)}"
        )
    active = {name: tasks[name] for name in tasks if weights.get(name)}
    model = MultiTaskModel(encoder, active, bank)
    weighting = FixedWeights({name: weights[name] for name in active})
    schedule = Schedule([Phase(hours, weighting)], epoch_hours)
    world = int(os.environ.get("WORLD_SIZE", 1))
    sampler = partial(
        CropBatchSampler,
        batch_seconds=batch_seconds,
        crop_seconds=crop_seconds,
        grid_seconds=grid_seconds,
        seed=seed,
    )
    train_sampler = sampler(
        [entry["duration"] for entry in train.values()],
        epoch_hours=epoch_hours,
        rank=int(os.environ.get("RANK", 0)),
        world_size=world,
    )
    valid_sampler = sampler([entry["duration"] for entry in valid.values()])
    progress = Progress()
    counter = sb.utils.epoch_loop.EpochCounter(schedule.epochs)
    checkpointer = WholeCheckpointer(
        folder / "save",
        recoverables={"model": model, "counter": counter, "progress": progress},
    )
    brain = MultiTaskBrain(
        modules={"model": model},
        opt_class=opt_class,
        hparams={
            "schedule": schedule,
            "sampler": train_sampler,
            "progress": progress,
            "log": JsonLinesLog(folder / "train_log.jsonl"),
            "log_every": log_every,
            "grad_share_every": grad_share_every,
            "seed": seed,
        },
        run_opts=run_opts,
        checkpointer=checkpointer,
    )
    # Whole updates an epoch: what is left over would be thrown away.
    batches = brain.grad_accumulation_factor
    updates = -(-train_sampler.steps_per_epoch // batches)
    train_sampler.steps_per_epoch = updates * batches
    updates *= schedule.epochs
    brain.hparams.lr_scheduler = rates(
        opt_class.keywords["lr"], warmup_steps, updates + 1, decay
    )
    seconds = train_sampler.hours_per_batch * 3600
    sb.core.logger.info(
        f"{updates} updates of about {seconds * world * batches:.1f} s of audio "
        f"({world} process(es), {batches} batch(es) of {seconds:.1f} s each), "
        f"{hours:g} h in {schedule.epochs} epochs"
    )
    if checkpointer.find_checkpoint() is None:
        calibrate(
            model,
            train,
            train_sampler,
            statistics_minutes,
            brain.device,
            progressbar,
        )
        # The random-init twin: what the first step starts from.
        save_encoder(encoder, folder / "initial.ckpt")
    with brain.kept_on(AudioError):
        brain.fit(
            counter,
            crop_loader(train, train_sampler, loader_workers),
            crop_loader(valid, valid_sampler, loader_workers),
            progressbar=progressbar,
        )
    save_encoder(encoder, folder / "encoder.ckpt")
    ddp_barrier()  # the first process has written its last lines
    log = brain.hparams.log.entries()
    final = {
        split: next(e for e in reversed(log) if e["split"] == split)
        for split in ("train", "valid")
    }
    losses = {
        split: {name: task["loss"] for name, task in entry["tasks"].items()}
        for split, entry in final.items()
    }
    return {
        "hours_of_audio": progress.hours,
        "steps": progress.steps,
        "final": losses["train"],
        "valid": losses["valid"],
    }
