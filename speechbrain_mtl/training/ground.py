"""Train speech on itself and on images, by a schedule of phases."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import speechbrain as sb
from speechbrain.utils.distributed import ddp_barrier
from torch.utils.data import DataLoader

from speechbrain_mtl.data.audio import AudioError, entry_seconds
from speechbrain_mtl.data.pictures import Images
from speechbrain_mtl.evaluation.abx_layers import abx_by_layer
from speechbrain_mtl.evaluation.caption_pool import CaptionPool
from speechbrain_mtl.evaluation.forgetting import forgetting
from speechbrain_mtl.evaluation.retrieval import KS
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.tasks import Task
from speechbrain_mtl.training.alpha import (
    VARIANTS,
    alpha_phases,
    published_stages,
)
from speechbrain_mtl.training.captions import caption_loader, check_captions
from speechbrain_mtl.training.checkpoints import WholeCheckpointer
from speechbrain_mtl.training.grounded_brain import (
    GROUNDING,
    GroundedBrain,
)
from speechbrain_mtl.training.grounded_curves import read_curves
from speechbrain_mtl.training.model import MultiTaskModel
from speechbrain_mtl.training.phase_rates import PhaseRates
from speechbrain_mtl.training.pretrain import save_encoder
from speechbrain_mtl.training.progress import JsonLinesLog, Progress
from speechbrain_mtl.training.schedule import Schedule
from speechbrain_mtl.training.utterances import UtteranceBatchSampler

logger = logging.getLogger(__name__)


def train_grounded(
    encoder: Encoder,
    tasks: Mapping[str, Task],
    images: Images,
    parts: Mapping[str, Mapping[str, dict]],
    folder: str | os.PathLike,
    opt_class: Callable,
    run_opts: dict | None = None,
    variant: str | None = None,
    epochs: int = 70,
    stages: Sequence[Mapping[str, Any]] | None = None,
    batch_seconds: float = 240.0,
    epoch_hours: float | None = None,
    warmup_share: float = 0.1,
    decay: str = "linear",
    ks: Sequence[int] = KS,
    abx_every: int = 10,
    abx: Mapping[str, Any] | None = None,
    log_every: int = 20,
    grad_share_every: int = 100,
    loader_workers: int = 0,
    seed: int = 0,
    progressbar: bool | None = None,
) -> dict:
    """Train grounding and wav2vec 2.0 on one encoder, at once or one by one.

    Captions are heard whole, in random order, each once before any returns.
    All phases read the same batches. Killed and called again with the same arguments, it
    continues from its last checkpoint.

    Arguments
    ---------
    encoder : Encoder
        Trained in place, and so are the tasks.
    tasks : dict
        ``wav2vec2`` (`Wav2Vec2Task`) and ``grounding`` (`GroundingTask`).
    images : Images
        `Pictures` or `ImageFeatures` of all captions.
    parts : dict
        Entries by part, with ``image_id``: ``train`` and ``valid``; ``test``,
        if any, is searched at the end. ``abx``, if any, has entries with
        ``phones`` and ``speaker``, for ABX tests of all layers.
    folder : str or path-like
        Gets ``train_log.jsonl``, ``save/`` (the last checkpoint),
        ``phases/<number>.ckpt`` (the model at the end of each phase) and
        ``encoder.ckpt``.
    opt_class : callable
        Makes the optimiser; its ``lr`` is the peak rate.
    run_opts : dict, optional
        SpeechBrain's run options, passed to the Brain only.
    variant : str, optional
        One of the published runs, see `variant_named`.
    epochs : int
        Of all phases of the variant.
    stages : sequence of dict, optional
        Other phases in the place of a variant's; see `alpha_phases`.
    batch_seconds : float
        Padded audio a batch and process.
    epoch_hours : float, optional
        Audio of an epoch, over all processes; one pass over the captions by
        default.
    warmup_share, decay
        See `PhaseRates`.
    ks : sequence of int
        Recall is measured among the first so many.
    abx_every : int
        Epochs between ABX tests; there is always one before the first step
        and one after each phase.
    abx : dict, optional
        Settings of `abx_by_layer`.
    log_every, grad_share_every : int
        Steps between log lines, and between gradient-share measurements.
    loader_workers : int
        Reading processes.
    seed : int
        Fixes the order and what is hidden.
    progressbar : bool, optional
        Show bars; as the run options say by default.

    Returns
    -------
    results : dict
        ``hours_of_audio``, ``steps``, ``ends`` (last epoch of each phase),
        ``pools`` (captions and images of each part), ``curves`` (measures by
        epoch), ``abx`` (errors of all layers by epoch), ``forgetting`` and,
        with a test part, ``test``.

    Raises
    ------
    ManifestError
        Before training, when a caption has no image, an image is unknown or
        of two parts, features have another size than the model takes, or a
        pool is too small.
    ValueError
        When neither or both of variant and stages are given, or epochs have
        no audio.
    AudioError
        Naming the id of a recording that cannot be read; what was trained so
        far is saved, and the next start goes on from there.
    """
    folder = Path(folder)
    check_captions(parts, images, tasks[GROUNDING].image)
    pools = {
        part: CaptionPool(part, parts[part], images, ks, seed)
        for part in ("valid", "test")
        if parts.get(part)
    }
    model = MultiTaskModel(encoder, dict(tasks))
    sampler, loader = _loader(
        parts["train"], images, batch_seconds, seed, loader_workers, train=True
    )
    hours = sampler.hours_per_batch * sampler.batches_per_pass
    if epoch_hours is not None:
        if not epoch_hours > 0:
            raise ValueError(f"epoch_hours is {epoch_hours}: above 0, or null")
        share = epoch_hours / hours
        steps = max(1, round(share * sampler.steps_per_epoch))
        hours *= steps / sampler.steps_per_epoch
        sampler.steps_per_epoch = steps
    schedule = Schedule(
        alpha_phases(stages_of(variant, epochs, stages), hours), hours
    )
    progress = Progress()
    counter = sb.utils.epoch_loop.EpochCounter(schedule.epochs)
    log = JsonLinesLog(folder / "train_log.jsonl")
    brain = GroundedBrain(
        modules={"model": model},
        opt_class=opt_class,
        hparams={
            "schedule": schedule,
            "sampler": sampler,
            "progress": progress,
            "log": log,
            "log_every": log_every,
            "grad_share_every": grad_share_every,
            "seed": seed,
            "pool": pools["valid"],
            "abx_every": abx_every,
            "phases": folder / "phases",
        },
        run_opts=run_opts,
        checkpointer=WholeCheckpointer(
            folder / "save",
            {"model": model, "counter": counter, "progress": progress},
        ),
    )
    brain.hparams.abx = None
    if parts.get("abx"):
        brain.hparams.abx = partial(
            abx_by_layer,
            entries=parts["abx"],
            device=brain.device,
            **{"seed": seed, **(abx or {})},
        )
    # Whole updates an epoch: what is left over would be thrown away.
    batches = brain.grad_accumulation_factor
    updates = -(-sampler.steps_per_epoch // batches)
    sampler.steps_per_epoch = updates * batches
    brain.hparams.lr_scheduler = PhaseRates(
        schedule, updates, opt_class.keywords["lr"], warmup_share, decay
    )
    logger.info(
        f"{len(parts['train'])} captions; {updates} updates and {hours:.2f} h "
        f"an epoch, {schedule.epochs} epochs in {len(schedule.phases)} phase(s)"
    )
    _, valid = _loader(
        parts["valid"], images, batch_seconds, seed, loader_workers
    )
    with brain.kept_on(AudioError):
        brain.fit(counter, loader, valid, progressbar=progressbar)
    save_encoder(encoder, folder / "encoder.ckpt")
    ddp_barrier()  # the first process has written its last lines
    results = {
        "hours_of_audio": progress.hours,
        "steps": progress.steps,
        "ends": schedule.ends,
        "pools": {part: pool.sizes() for part, pool in pools.items()},
        **read_curves(log.entries()),
    }
    results["forgetting"] = forgetting(
        results["curves"],
        schedule.ends,
        [phase.weighting.active for phase in schedule.phases],
    )
    if "test" in pools:
        _, test = _loader(
            parts["test"], images, batch_seconds, seed, loader_workers
        )
        found = brain.retrieval(pools["test"], test, progressbar is not False)
        results["test"] = {way: asdict(one) for way, one in found.items()}
    return results


def variant_named(name: str) -> str:
    """Find a published run by its name, with or without parentheses.

    Raises
    ------
    ValueError
        When there is none.

    Example
    -------
    >>> variant_named("w2v2,vgs+"), variant_named("(VGS, W2V2)")
    ('(W2V2, VGS+)', '(VGS, W2V2)')
    """

    def plain(text: str) -> str:
        return text.replace(" ", "").strip("()").upper()

    for known in VARIANTS:
        if plain(known) == plain(name):
            return known
    raise ValueError(f"variant '{name}' is none of {list(VARIANTS)}")


def stages_of(
    variant: str | None,
    epochs: int,
    stages: Sequence[Mapping[str, Any]] | None,
) -> list[dict[str, Any]]:
    """Give the stages of a variant, or those given in its place.

    Example
    -------
    >>> stages_of("VGS", 7, None)
    [{'epochs': 7, 'alpha': 1.0}]
    """
    if (variant is None) == (stages is None):
        raise ValueError(
            f"variant {variant}, stages {stages}: give one of the two, and "
            "null for the other"
        )
    if variant is not None:
        return published_stages(variant_named(variant), epochs)
    return [dict(stage) for stage in stages]


def _loader(
    entries: Mapping[str, dict],
    images: Images,
    batch_seconds: float,
    seed: int,
    workers: int,
    train: bool = False,
) -> tuple[UtteranceBatchSampler, DataLoader]:
    """Batches of one part: shared between processes, and shuffled, to train."""
    sampler = UtteranceBatchSampler(
        [entry_seconds(entry) for entry in entries.values()],
        batch_seconds,
        seed=seed,
        shuffle=train,
        rank=int(os.environ.get("RANK", 0)) if train else 0,
        world_size=int(os.environ.get("WORLD_SIZE", 1)) if train else 1,
    )
    return sampler, caption_loader(entries, images, sampler, workers)
