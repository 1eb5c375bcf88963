"""The meeting point: draw a batch, encode once, ask tasks, weigh, step."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import speechbrain as sb
import torch
from speechbrain.utils.distributed import if_main_process

from speechbrain_mtl.training.model import unwrapped
from speechbrain_mtl.training.progress import LossMeter

logger = logging.getLogger(__name__)


class MultiTaskBrain(sb.Brain):
    """Train an encoder on several tasks by a schedule of phases.

    ``modules`` holds one entry, ``model`` (a `MultiTaskModel`). ``hparams``
    holds

    * ``schedule`` (`Schedule`), ``sampler`` (`CropBatchSampler`) and
      ``progress`` (`Progress`, also a recoverable of the checkpointer);
    * ``lr_scheduler``, whose ``calculate_lr(update)`` gives the learning rate;
    * ``log`` (`JsonLinesLog`), ``log_every`` (steps) and
      ``grad_share_every`` (steps between measurements of each task's share
      of the gradient, 0 for never);
    * ``seed``.

    Batches have ``sig`` (padded waveforms, 16 kHz) and ``seconds`` (a list of
    floats). Every random draw of a step is a function of (seed, step, rank),
    so that a resumed run repeats an undisturbed one exactly.
    """

    def compute_forward(self, batch: object, stage: sb.Stage) -> dict:
        """Encode a batch once and compute the active tasks' losses."""
        batch = batch.to(self.device)
        wavs, lens = batch.sig
        active = self.phase.weighting.active
        model = self.modules.model
        losses, encoded = model(wavs, lens, active, batch)
        measured = unwrapped(model).measured(active)
        return {"losses": losses, "encoded": encoded, "measured": measured}

    def compute_objectives(
        self, predictions: dict, batch: object, stage: sb.Stage
    ) -> torch.Tensor:
        """Weigh the losses into one."""
        losses = predictions["losses"]
        total = self.phase.weighting(losses)
        if stage == sb.Stage.TRAIN:
            self._measure_shares(predictions)
        else:
            means = {**losses, **predictions["measured"], "total": total}
            self.valid_meter.add(means, sum(batch.seconds))
        return total

    def _measure_shares(self, predictions: dict) -> None:
        """Compare how hard each weighted task pulls at the encoder."""
        every = self.hparams.grad_share_every
        if not every or self.hparams.progress.steps % every:
            return
        weights = self.phase.weighting.weights
        norms = {}
        for name, loss in predictions["losses"].items():
            grads = torch.autograd.grad(
                weights[name] * loss,
                predictions["encoded"].layers,
                retain_graph=True,
                allow_unused=True,
            )
            grads = [grad.float().norm() for grad in grads if grad is not None]
            norms[name] = torch.stack(grads).norm()
        total = sum(norms.values())
        self.hparams.progress.shares = {
            name: norm / total for name, norm in norms.items()
        }

    def on_fit_start(self) -> None:
        """Recover what there is; forget log lines that will be repeated."""
        super().on_fit_start()
        self.advised: set[str] = set()
        if if_main_process():
            self.hparams.log.rewind(self.hparams.progress.steps)

    @contextmanager
    def kept_on(self, *errors: type[Exception]) -> Iterator[None]:
        """Save what was trained so far when one of these errors ends training.

        The next start goes on behind the last whole update.
        """
        try:
            yield
        except errors:
            whole = self.step % self.grad_accumulation_factor == 0
            if self.stage == sb.Stage.TRAIN and self.step > 0 and whole:
                self._save_intra_epoch_ckpt()
                logger.error(
                    f"stopped at step {self.hparams.progress.steps}, saved: "
                    "once the cause is removed, the same command goes on there"
                )
            raise

    def on_stage_start(self, stage: sb.Stage, epoch: int | None = None) -> None:
        """Enter the epoch's phase."""
        self.stage = stage
        if stage == sb.Stage.VALID:
            self.valid_meter = LossMeter()
            # The same frames are hidden at every validation.
            torch.manual_seed(self.hparams.seed)
        if stage != sb.Stage.TRAIN:
            return
        self.phase = self.hparams.schedule.at(epoch)
        for name, parameter in unwrapped(self.modules.model).named_parameters():
            parameter.requires_grad_(not name.startswith(self.phase.frozen))
        # `step` is above 0 when a run resumes in the middle of an epoch.
        if (
            self.phase.restart_optimizer
            and self.step == 0
            and self.hparams.schedule.starts(epoch)
        ):
            self.optimizer.state.clear()
        self.hparams.sampler.set_epoch(epoch)
        self.hparams.sampler.start = self.step

    def on_fit_batch_start(self, batch: object, should_step: bool) -> None:
        """Seed the step's draws and set its learning rate."""
        step = self.hparams.progress.steps
        rank = self.hparams.sampler.rank
        torch.manual_seed(hash((self.hparams.seed, step, rank)) % 2**63)
        updates = step // self.grad_accumulation_factor
        lr = self.hparams.lr_scheduler.calculate_lr(updates + 1)
        # SpeechBrain's own helper would log every step's change.
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def on_fit_batch_end(
        self,
        batch: object,
        outputs: dict,
        loss: torch.Tensor,
        should_step: bool,
    ) -> None:
        """Count the step; log the means now and then."""
        progress = self.hparams.progress
        seconds = sum(batch.seconds) * self.hparams.sampler.world_size
        means = {**outputs["losses"], **outputs["measured"], "total": loss}
        progress.advance(means, seconds)
        if progress.steps % self.hparams.log_every == 0:
            self._log("train", progress.meter.result())

    def _should_save_intra_epoch_ckpt(self, *since: float) -> bool:
        """Save between updates only: summed-up gradients are not saved."""
        due = super()._should_save_intra_epoch_ckpt(*since)
        return due and self.step % self.grad_accumulation_factor == 0

    def on_stage_end(
        self, stage: sb.Stage, stage_loss: float, epoch: int | None = None
    ) -> None:
        """Log what is not logged yet; after validation, save a checkpoint."""
        if stage == sb.Stage.TRAIN:
            rest = self.hparams.progress.meter.result()
            if rest:
                self._log("train", rest)
            return
        means = self.valid_meter.result()
        self._log("valid", means)
        self.checkpointer.save_and_keep_only(
            meta={"loss": means["total"], "epoch": epoch}, num_to_keep=1
        )

    def _advise(self, tasks: dict[str, dict[str, float]]) -> None:
        """Pass on what tasks make of their measurements, each once."""
        model = unwrapped(self.modules.model)
        for name, means in tasks.items():
            task = model.tasks[name]
            advice = None if name in self.advised else task.advice(means)
            if advice:
                self.advised.add(name)
                logger.warning(f"task '{name}': {advice}")

    def _log(self, split: str, means: dict[str, float]) -> None:
        if not if_main_process():
            return
        weights = self.phase.weighting.weights
        tasks = {
            name: {"loss": means[name], "weight": weight}
            for name, weight in weights.items()
            if name in means
        }
        for key, mean in means.items():
            name, _, what = key.partition("/")
            if what:
                tasks[name][what] = mean
        if split == "train":
            self._advise(tasks)
        if split == "train":
            for name, share in self.hparams.progress.shares.items():
                tasks[name]["grad_share"] = float(share)
            self.hparams.progress.shares = {}
        self.hparams.log.append(
            {
                "split": split,
                "step": self.hparams.progress.steps,
                "hours": self.hparams.progress.hours,
                "epoch": self.hparams.sampler.epoch,
                "lr": self.optimizer.param_groups[0]["lr"],
                "loss": means["total"],
                "tasks": tasks,
            }
        )
