"""Train tasks with answers on an encoder, frozen or finetuned, and test."""

import copy
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from speechbrain.utils.distributed import if_main_process
from torch.utils.data import DataLoader

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.data.audio import AudioError, entry_seconds
from speechbrain_mtl.data.manifest import ManifestError, raise_problems
from speechbrain_mtl.evaluation.features import Features, extract
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.models.stored import StoredEncoder
from speechbrain_mtl.tasks.supervised import SupervisedTask
from speechbrain_mtl.training.device import chosen_device
from speechbrain_mtl.training.model import MultiTaskModel, unwrapped
from speechbrain_mtl.training.supervised import SupervisedBrain
from speechbrain_mtl.training.supervised_run import (
    check_mix,
    heads_first,
    supervised_brain,
)
from speechbrain_mtl.training.utterances import (
    UtteranceBatchSampler,
    utterance_dataset,
    utterance_loader,
)
from speechbrain_mtl.training.weighting import FixedWeights

logger = logging.getLogger(__name__)


def finetune(
    encoder: Encoder,
    tasks: dict[str, SupervisedTask],
    parts: Mapping[str, dict[str, dict]],
    folder: str | os.PathLike,
    opt_class: Callable,
    run_opts: dict | None = None,
    weights: dict[str, float] | None = None,
    frozen: bool = True,
    store: bool = True,
    frozen_epochs: int = 0,
    frozen_modules: Sequence[str] = (),
    encoder_lr_scale: float = 0.1,
    epochs: int = 20,
    batch_seconds: float = 60.0,
    chunk_seconds: float | None = None,
    warmup_share: float = 0.1,
    augment: Callable | None = None,
    log_every: int = 20,
    loader_workers: int = 0,
    seed: int = 0,
    progressbar: bool | None = None,
) -> dict[str, dict]:
    """Train tasks on the manifest's answers, then test the best checkpoint.

    Killed and called again with the same arguments, it continues from its
    last checkpoint.

    Arguments
    ---------
    encoder : Encoder
        Pretrained; a copy of it is trained.
    tasks : dict
        What to learn, by name; copies are prepared and trained.
    parts : dict
        Manifest entries of ``"train"``, of ``"valid"``, which chooses the
        checkpoint, and of one or more test sets under names of their own.
    folder : str or path-like
        Gets ``train_log.jsonl``, ``save/`` (checkpoints, last and best),
        ``answers.json`` (what was predicted for each test entry).
    opt_class : callable
        Makes the optimiser; its ``lr`` is the heads' peak rate.
    run_opts : dict, optional
        SpeechBrain's run options, passed to the Brain only.
    weights : dict, optional
        Weight of each task's loss; 1 each by default.
    frozen : bool
        Train the tasks alone.
    store : bool
        Compute a frozen encoder's layers once and keep them in memory, where
        no `augment` is asked for. False computes them for every batch: for
        sets that do not fit.
    frozen_epochs : int
        Epochs before the encoder, too, is trained.
    frozen_modules : sequence of str
        Beginnings of parameter names that never change, such as
        ``encoder.network.feature_extractor``.
    encoder_lr_scale : float
        The encoder's learning rate, as a share of the heads'.
    epochs : int
        Passes over the training part.
    batch_seconds : float
        Padded audio a batch and process.
    chunk_seconds : float, optional
        Train on a random part of that length of each utterance, another one
        in every epoch. Validation and tests read whole utterances.
    warmup_share : float
        Share of the updates in which the learning rate rises; it then falls
        to 0.
    augment : callable, optional
        A SpeechBrain `Augmenter` of waveforms.
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
        ``{"<task>/<metric>": score}`` with value, interval, n and the
        validation's value; several test sets give
        ``"<task>.<set>/<metric>"``.

    Raises
    ------
    ValueError
        When tasks cannot be trained on chunks, or an encoder's `SharedMix`
        would be frozen before it has learnt anything.
    ManifestError
        Naming all entries a task cannot use, before anything is trained.
    AudioError
        Naming the id of a recording that cannot be read; what was trained so
        far is saved, and the next start goes on from there.
    """
    folder = Path(folder)
    torch.manual_seed(seed)
    tasks = copy.deepcopy(tasks)
    whole = [name for name, task in tasks.items() if not task.chunkable]
    if chunk_seconds is not None and (whole or chunk_seconds <= 0):
        raise ValueError(
            f"chunk_seconds is {chunk_seconds}: give seconds above 0, or null "
            f"where answers are those of whole utterances, as of {whole}"
        )
    still = epochs if frozen else frozen_epochs
    check_mix(encoder, still >= epochs)
    prepare_tasks(tasks, encoder.dims, parts)
    features = {}
    if frozen and store and augment is None:
        device = chosen_device(run_opts)
        features = {
            part: extract(encoder, entries, device, title=f"layers of {part}")
            for part, entries in parts.items()
        }
        encoder = StoredEncoder(encoder)
    model = MultiTaskModel(copy.deepcopy(encoder), tasks)
    loader = partial(
        _loader,
        tasks,
        batch_seconds,
        chunk_seconds,
        seed,
        loader_workers,
        features,
    )
    sampler, train_loader = loader("train", parts["train"], train=True)
    epoch_hours = sampler.hours_per_batch * sampler.batches_per_pass
    weighting = FixedWeights(weights or dict.fromkeys(tasks, 1.0))
    schedule = heads_first(
        weighting, epoch_hours, epochs, still, frozen_modules
    )
    brain = supervised_brain(
        SupervisedBrain,
        model,
        sampler,
        schedule,
        opt_class,
        run_opts,
        folder,
        warmup_share,
        {
            "log_every": log_every,
            "seed": seed,
            "encoder_lr_scale": encoder_lr_scale,
            "lr_scales": {},
            "augment": augment,
            "entries": dict.fromkeys(tasks, parts["valid"]),
        },
    )
    logger.info(
        f"{len(parts['train'])} utterances, {epoch_hours:.2f} h; "
        f"{brain.hparams.updates} "
        f"updates in {schedule.epochs} epochs; the encoder is "
        f"{'frozen' if still >= epochs else 'trained'}"
        f"{f' after {still} epochs' if 0 < still < epochs else ''}"
    )
    _, valid_loader = loader("valid", parts["valid"])
    with brain.kept_on(AudioError):
        brain.fit(
            brain.hparams.counter,
            train_loader,
            valid_loader,
            progressbar=progressbar,
        )
    return _evaluate(brain, loader, parts, folder, progressbar)


def prepare_tasks(
    tasks: dict[str, SupervisedTask],
    dims: Sequence[int],
    parts: Mapping[str, dict[str, dict]],
) -> None:
    """Make the heads, and refuse entries that no task can use.

    Arguments
    ---------
    tasks : dict
        Prepared in place.
    dims : sequence of int
        Widths of the encoder's layers.
    parts : dict
        As for `finetune`.

    Raises
    ------
    ManifestError
        When a part is missing, or entries of any are unfit; all are named.
    """
    missing = [p for p in ("train", "valid") if not parts.get(p)]
    if missing or len(parts) < 3:
        raise ManifestError(
            f"parts with entries: {sorted(p for p in parts if parts[p])}; "
            "train, valid and a test set are needed. Split the manifest."
        )
    problems = [p for t in tasks.values() for p in prepare_task(t, dims, parts)]
    raise_problems("the manifest", problems)


def prepare_task(
    task: SupervisedTask,
    dims: Sequence[int],
    parts: Mapping[str, dict[str, dict]],
) -> list[str]:
    """Make one task's head, in place, and say which entries it cannot use.

    Arguments
    ---------
    task, dims, parts
        As for `prepare_tasks`.

    Returns
    -------
    problems : list of str
    """
    task.prepare(dims, parts["train"])
    return [
        f"{part}: {problem}"
        for part, entries in parts.items()
        for problem in task.problems(entries)
    ]


def _loader(
    tasks: dict[str, SupervisedTask],
    batch_seconds: float,
    chunk_seconds: float | None,
    seed: int,
    workers: int,
    features: dict[str, Features],
    part: str,
    entries: dict[str, dict],
    train: bool = False,
) -> tuple[UtteranceBatchSampler, DataLoader]:
    """Batches of one part: shared between processes, and shuffled, to train."""
    longest = chunk_seconds if train and chunk_seconds else float("inf")
    sampler = UtteranceBatchSampler(
        [min(entry_seconds(e), longest) for e in entries.values()],
        batch_seconds,
        seed=seed,
        shuffle=train,
        rank=int(os.environ.get("RANK", 0)) if train else 0,
        world_size=int(os.environ.get("WORLD_SIZE", 1)) if train else 1,
    )
    chunks = chunk_seconds if train else None
    dataset = utterance_dataset(
        entries, tasks, sampler, features.get(part), chunks
    )
    return sampler, utterance_loader(dataset, sampler, workers)


def _evaluate(
    brain: SupervisedBrain,
    loader: Callable,
    parts: Mapping[str, dict[str, dict]],
    folder: Path,
    progressbar: bool | None,
) -> dict[str, dict]:
    """Test the checkpoint that validated best, on every set."""
    scored, answers = {}, {}
    model = unwrapped(brain.modules.model)
    learning = {n: task for n, task in model.tasks.items() if task.learns}
    if learning:
        brain.hparams.entries = dict.fromkeys(learning, parts["train"])
        _, batches = loader("train", parts["train"])
        brain.evaluate(batches, min_key="error", progressbar=progressbar)
        for name, task in learning.items():
            task.learn(brain.answers[name], parts["train"])
    for name in [part for part in parts if part != "train"]:
        brain.hparams.entries = dict.fromkeys(model.tasks, parts[name])
        _, batches = loader(name, parts[name])
        brain.evaluate(batches, min_key="error", progressbar=progressbar)
        scored[name], answers[name] = brain.scored, brain.answers
    if if_main_process():
        write_json(folder / "answers.json", plain_answers(answers))
    valid = scored.pop("valid")
    return {
        f"{task}{f'.{name}' if len(scored) > 1 else ''}/{score.metric}": {
            **score.as_dict(),
            "valid": valid[task][place].value,
        }
        for name, found in scored.items()
        for task, scores in found.items()
        for place, score in enumerate(scores)
    }


def plain_answers(answers: Any) -> Any:
    """Give answers as JSON takes them: vectors as lists, to four decimals."""
    if isinstance(answers, dict):
        return {name: plain_answers(found) for name, found in answers.items()}
    if isinstance(answers, torch.Tensor):
        return [round(value, 4) for value in answers.tolist()]
    return answers
