"""What every run of supervised tasks has: phases, a Brain, its checkpoints."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import speechbrain as sb
from speechbrain.nnet.schedulers import LinearWarmupScheduler

from speechbrain_mtl.models import Encoder, SharedMix
from speechbrain_mtl.training.checkpoints import WholeCheckpointer
from speechbrain_mtl.training.model import MultiTaskModel
from speechbrain_mtl.training.progress import JsonLinesLog, Progress
from speechbrain_mtl.training.schedule import Phase, Schedule
from speechbrain_mtl.training.supervised import SupervisedBrain
from speechbrain_mtl.training.task_sampling import TaskSampler
from speechbrain_mtl.training.utterances import UtteranceBatchSampler
from speechbrain_mtl.training.weighting import Weighting


def heads_first(
    weighting: Weighting,
    epoch_hours: float,
    epochs: int,
    frozen_epochs: int,
    frozen_modules: Sequence[str],
) -> Schedule:
    """Train heads alone, for so many epochs, then everything.

    Arguments
    ---------
    weighting : Weighting
        Of both phases.
    epoch_hours : float
        Audio an epoch, of all processes.
    epochs, frozen_epochs : int
        All of them, and those of heads alone.
    frozen_modules : sequence of str
        Beginnings of parameter names that never change.

    Returns
    -------
    schedule : Schedule

    Example
    -------
    >>> from speechbrain_mtl.training.weighting import FixedWeights
    >>> weighting = FixedWeights({"asr": 1.0})
    >>> schedule = heads_first(weighting, 0.5, 3, 1, ())
    >>> [phase.frozen for phase in map(schedule.at, (1, 2, 3))]
    [('encoder',), (), ()]
    """
    phases = [
        Phase(count * epoch_hours, weighting, kept)
        for count, kept in (
            (frozen_epochs, ("encoder",)),
            (epochs - frozen_epochs, tuple(frozen_modules)),
        )
        if count > 0
    ]
    return Schedule(phases, epoch_hours)


def check_mix(encoder: Encoder, frozen: bool) -> None:
    """Refuse to freeze a mix of layers that has learnt nothing yet.

    Arguments
    ---------
    encoder : Encoder
        Shared by the tasks.
    frozen : bool
        Whether it is so in all epochs.

    Raises
    ------
    ValueError
        When heads would read a plain average for good.
    """
    if frozen and isinstance(encoder, SharedMix) and not encoder.learnt:
        raise ValueError(
            "frozen with the encoder, the mix that tasks share would stay an "
            "average. Train the encoder (frozen: False) and give "
            "frozen_modules: [encoder.encoder], or mixes to the tasks"
        )


def supervised_brain(
    kind: type[SupervisedBrain],
    model: MultiTaskModel,
    sampler: UtteranceBatchSampler | TaskSampler,
    schedule: Schedule,
    opt_class: Callable,
    run_opts: dict | None,
    folder: str | os.PathLike,
    warmup_share: float,
    hparams: dict,
) -> SupervisedBrain:
    """Make the Brain of a run, which resumes from what lies in its folder.

    An epoch gets a whole number of updates: batches left over would be
    thrown away.

    Arguments
    ---------
    kind : type
        `SupervisedBrain`, or one of its kind.
    model : MultiTaskModel
        To be trained.
    sampler : UtteranceBatchSampler or TaskSampler
        Of the training batches.
    schedule : Schedule
        Which phases, and how long.
    opt_class : callable
        Makes the optimiser; its ``lr`` is the peak rate.
    run_opts : dict, optional
        SpeechBrain's run options.
    folder : str or path-like
        Gets ``train_log.jsonl`` and ``save/``.
    warmup_share : float
        Share of the updates in which the learning rate rises.
    hparams : dict
        What else the Brain needs.

    Returns
    -------
    brain : SupervisedBrain
        With ``counter`` (`EpochCounter`) and ``updates`` (all of them) in
        its ``hparams``, too.
    """
    folder = Path(folder)
    counter = sb.utils.epoch_loop.EpochCounter(schedule.epochs)
    progress = Progress()
    brain = kind(
        modules={"model": model},
        opt_class=opt_class,
        hparams={
            "schedule": schedule,
            "sampler": sampler,
            "progress": progress,
            "counter": counter,
            "log": JsonLinesLog(folder / "train_log.jsonl"),
            "grad_share_every": 0,
            **hparams,
        },
        run_opts=run_opts,
        checkpointer=WholeCheckpointer(
            folder / "save",
            {"model": model, "counter": counter, "progress": progress},
        ),
    )
    batches = brain.grad_accumulation_factor
    updates = -(-sampler.steps_per_epoch // batches)
    sampler.steps_per_epoch = updates * batches
    updates *= schedule.epochs
    brain.hparams.updates = updates
    brain.hparams.lr_scheduler = LinearWarmupScheduler(
        opt_class.keywords["lr"], round(warmup_share * updates), updates + 1
    )
    return brain
