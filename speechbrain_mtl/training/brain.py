"""The meeting point: draw a batch, encode once, ask tasks, weigh, step."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import speechbrain as sb
import torch
from speechbrain.utils.distributed import if_main_process
from torch.nn.parallel import DistributedDataParallel

from speechbrain_mtl.collectives import (
    several_processes,
    sum_over_processes,
)
from speechbrain_mtl.training.finite import not_finite, zero_of
from speechbrain_mtl.training.model import unwrapped
from speechbrain_mtl.training.progress import LossMeter

logger = logging.getLogger(__name__)

NAMED = 3  # recordings a warning spells out


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

    A task whose loss is not finite is left out of that step, named and
    counted; where none is finite, SpeechBrain's patience
    (``--nonfinite_patience``) decides when to give up.
    """

    def fit_batch(self, batch: object) -> torch.Tensor:
        """Encode, ask the active tasks, weigh, step."""
        should_step = self.step % self.grad_accumulation_factor == 0
        self.on_fit_batch_start(batch, should_step)
        weighting = self.phase.weighting
        own_means = weighting.averages_gradients
        with self.no_sync(own_means or not should_step):
            with self.training_ctx:
                outputs = self.compute_forward(batch, sb.Stage.TRAIN)
                # As they are: what is left out below shall not count as 0.
                weighting.observe(outputs["losses"])
                self._leave_out(outputs["losses"], batch)
                loss = self.compute_objectives(outputs, batch, sb.Stage.TRAIN)
            weighting.backward(
                outputs["losses"],
                self.modules.model,
                self.scaler,
                self.grad_accumulation_factor,
                should_step,
            )
        if should_step:
            self.optimizers_step()
        self.on_fit_batch_end(batch, outputs, loss, should_step)
        return loss.detach().cpu()

    def _leave_out(self, losses: dict, batch: object) -> None:
        """Drop the losses that are not finite from a step, in place."""
        bad = not_finite(losses)
        if not bad:
            return
        skipped = self.hparams.progress.skipped
        step = self.hparams.progress.steps
        none = len(bad) == len(losses)
        if none:
            self.nonfinite_count += 1
            if self.nonfinite_count > self.nonfinite_patience:
                raise ValueError(
                    f"step {step}: no loss of {sorted(losses)} is finite, for "
                    f"the {self.nonfinite_count}th time. Lower the learning "
                    "rate, or look at the recordings: "
                    f"{named_ids(batch.id)}"
                )
        waits = isinstance(self.modules.model, DistributedDataParallel)
        waits = waits and not self.phase.weighting.averages_gradients
        zero = zero_of(losses[name] for name in bad)
        for name in bad:
            if name not in skipped:
                logger.warning(
                    f"step {step}: the loss of task '{name}' is not finite; it "
                    "is left out of this step. Recordings: "
                    f"{named_ids(self.ids_of(batch, name))}"
                )
            skipped[name] = skipped.get(name, 0) + 1
            if none:
                losses[name] = zero
            else:
                del losses[name]
        if waits and not none:
            # Not as a loss of its own, which would have a weight.
            other = next(iter(losses))
            losses[other] = losses[other] + zero

    def ids_of(self, batch: object, task: str) -> list[str]:
        """Name the utterances that a task has in a batch."""
        return batch.id

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

        The next start goes on behind the last whole update; with several
        processes, at the last checkpoint: the others wait elsewhere.
        """
        try:
            yield
        except errors:
            whole = self.step % self.grad_accumulation_factor == 0
            alone = not several_processes()
            training = self.stage == sb.Stage.TRAIN and self.step > 0
            if training and whole and alone:
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
            # All its tasks, also where they take turns.
            self.phase = self.hparams.schedule.at(epoch)
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
        """Seed the step's draws; set its weights and its learning rate."""
        step = self.hparams.progress.steps
        sampler = self.hparams.sampler
        rank = sampler.rank
        self.phase = self.hparams.schedule.at_step(
            sampler.epoch, self.step - 1, sampler.steps_per_epoch
        )
        torch.manual_seed(hash((self.hparams.seed, step, rank)) % 2**63)
        updates = step // self.grad_accumulation_factor
        lr = self.hparams.lr_scheduler.calculate_lr(updates + 1)
        # SpeechBrain's own helper would log every step's change.
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group.get("scale", 1.0)

    def on_fit_batch_end(
        self,
        batch: object,
        outputs: dict,
        loss: torch.Tensor,
        should_step: bool,
    ) -> None:
        """Count the step; log the means now and then."""
        progress = self.hparams.progress
        seconds = sum(batch.seconds)
        of_all = None
        if several_processes():
            # Others have batches of other lengths.
            own = torch.tensor(seconds, device=self.device)
            of_all = sum_over_processes(own)
        means = {**outputs["losses"], **outputs["measured"], "total": loss}
        progress.advance(means, seconds, of_all)
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
                tasks.setdefault(name, {})[what] = mean
        if split == "train":
            self._advise(tasks)
        if split == "train":
            for name, share in self.hparams.progress.shares.items():
                tasks[name]["grad_share"] = float(share)
            self.hparams.progress.shares = {}
            for name, times in self.hparams.progress.skipped.items():
                tasks.setdefault(name, {})["skipped"] = times
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


def named_ids(ids: list[str]) -> str:
    """Spell out the first few ids of a batch.

    Example
    -------
    >>> named_ids(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more
