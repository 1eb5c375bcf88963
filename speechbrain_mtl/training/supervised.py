"""The Brain of downstream training: answers, metrics, the best checkpoint."""

from collections.abc import Mapping

import speechbrain as sb
from speechbrain.dataio.batch import PaddedData
from speechbrain.utils.checkpoints import ckpt_recency
from torch import nn

from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.training.brain import MultiTaskBrain
from speechbrain_mtl.training.model import unwrapped
from speechbrain_mtl.training.progress import LossMeter
from speechbrain_mtl.training.schedule import Phase


class SupervisedBrain(MultiTaskBrain):
    """Train heads, and the encoder if wanted, on answers of the manifest.

    As `MultiTaskBrain`, and besides: validation scores what the tasks answer;
    the checkpoint with the lowest mean error of the tasks is kept beside the
    last one, and is what `evaluate` tests. ``hparams`` further holds

    * ``entries``: by task the entries being scored, set before `fit` to the
      validation part and before `evaluate` to a test set;
    * ``encoder_lr_scale``: the encoder's learning rate, as a share of the
      optimiser's; ``lr_scales``: those of tasks, by name, 1 by default;
    * ``augment``: a SpeechBrain `Augmenter` of training waveforms, or None.
    """

    def init_optimizers(self) -> None:
        """Give every task, and the encoder, a learning rate of its own."""
        model = unwrapped(self.modules.model)
        unknown = sorted(set(self.hparams.lr_scales) - set(model.tasks))
        if unknown:
            raise ValueError(
                f"lr_scales of {unknown}: the tasks are {sorted(model.tasks)}"
            )
        scales = {**dict.fromkeys(model.tasks, 1.0), **self.hparams.lr_scales}
        parts = {name: model.tasks[name] for name in scales}
        parts["encoder"] = model.encoder
        scales["encoder"] = self.hparams.encoder_lr_scale
        groups = [
            {"params": list(part.parameters()), "scale": scales[name]}
            for name, part in parts.items()
        ]
        learnt = {id(p.weighting): p.weighting for p in self.phases()}
        for number, weighting in enumerate(learnt.values()):
            weighting.to(self.device)
            self.checkpointer.add_recoverable(f"weighting{number}", weighting)
            own = list(weighting.parameters())
            groups.append({"params": own, "scale": 1.0, "weight_decay": 0.0})
        self.optimizer = self.opt_class([g for g in groups if g["params"]])
        self.optimizers_dict = {"opt_class": self.optimizer}
        self.checkpointer.add_recoverable("optimizer", self.optimizer)

    def phases(self) -> list[Phase]:
        """List the phases of the schedule."""
        return self.hparams.schedule.phases

    def optimizers_step(self) -> None:
        """Clip by one norm; tasks on a frozen encoder each by their own.

        SpeechBrain's own clips the first group alone. Where the encoder is
        frozen nothing joins the tasks: each trains as it would alone.
        """
        self.scaler.unscale_(self.optimizer)
        parameters = [list(self.modules.parameters())]
        if "encoder" in self.phase.frozen:
            parameters = [g["params"] for g in self.optimizer.param_groups]
        for clipped in parameters:
            nn.utils.clip_grad_norm_(clipped, self.max_grad_norm)
        if not self.scaler.is_enabled() and self.skip_nonfinite_grads:
            self.check_gradients()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.optimizer_step += 1

    def compute_forward(self, batch: object, stage: sb.Stage) -> dict:
        """Encode a batch, compute losses, and answer when not training."""
        batch = batch.to(self.device)
        augment = self.hparams.augment
        if stage == sb.Stage.TRAIN and augment is not None:
            batch.sig = PaddedData(*augment(*batch.sig))
            for name in self.phase.weighting.active:
                key = f"target_{name}"
                parts = map(augment.replicate_labels, getattr(batch, key))
                setattr(batch, key, PaddedData(*parts))
        outputs = super().compute_forward(batch, stage)
        if stage != sb.Stage.TRAIN:
            model = unwrapped(self.modules.model)
            active = self.phase.weighting.active
            inputs = model.inputs(*batch.sig, active, batch)
            answers = model.predict(outputs["encoded"], inputs, active)
            for name, found in answers.items():
                self.answers.setdefault(name, {}).update(zip(batch.id, found))
        return outputs

    def on_stage_start(self, stage: sb.Stage, epoch: int | None = None) -> None:
        """Enter the phase; frozen parts also stop dropping and counting."""
        super().on_stage_start(stage, epoch)
        self.answers: dict[str, dict] = {}
        model = getattr(self.modules.model, "module", self.modules.model)
        for task in model.tasks.values():
            task.testing = stage == sb.Stage.TEST
        if stage == sb.Stage.TEST:
            self.valid_meter = LossMeter()
            self.phase = self.hparams.schedule.at(self.hparams.schedule.epochs)

    def on_fit_batch_start(self, batch: object, should_step: bool) -> None:
        """Set the rates; keep frozen parts in eval mode."""
        super().on_fit_batch_start(batch, should_step)
        for name, module in unwrapped(self.modules.model).named_modules():
            if name in self.phase.frozen:
                module.eval()

    def scores(self) -> dict[str, list[Score]]:
        """Score what was answered since the stage began, by task."""
        model = unwrapped(self.modules.model)
        return {
            name: model.tasks[name].score(found, self.hparams.entries[name])
            for name, found in self.answers.items()
        }

    def tuned_scores(self) -> dict[str, list[Score]]:
        """Score, once the tasks chose what scoring leaves open."""
        model = unwrapped(self.modules.model)
        for name, found in self.answers.items():
            model.tasks[name].tune(found, self.hparams.entries[name])
        return self.scores()

    def on_stage_end(
        self, stage: sb.Stage, stage_loss: float, epoch: int | None = None
    ) -> None:
        """Validate by metric; keep the best checkpoint and the last."""
        if stage == sb.Stage.TRAIN:
            super().on_stage_end(stage, stage_loss, epoch)
            return
        if stage == sb.Stage.TEST:
            self.scored = self.scores()
            return
        self.scored = self.tuned_scores()
        means = self.valid_meter.result()
        error = mean_error(self.scored)
        self._log("valid", {**means, **named_scores(self.scored)})
        self.checkpointer.save_and_keep_only(
            meta={"loss": means["total"], "error": error, "epoch": epoch},
            num_to_keep=1,
            importance_keys=[ckpt_recency, lambda c: -c.meta["error"]],
            # Those within an epoch were not validated.
            ckpt_predicate=lambda c: "error" in c.meta,
        )


def mean_error(scores: Mapping[str, list[Score]]) -> float:
    """Average the tasks' first scores, as errors.

    Example
    -------
    >>> mean_error({"a": [Score("WER", 0.5, 9)], "b": [Score("mAP", 0.9, 9)]})
    0.3
    """
    errors = [found[0].error for found in scores.values()]
    return sum(errors) / len(errors)


def named_scores(scores: Mapping[str, list[Score]]) -> dict[str, float]:
    """Give values by "task/metric", as logs have them.

    Example
    -------
    >>> named_scores({"asr": [Score("WER", 0.5, 9)]})
    {'asr/WER': 0.5}
    """
    return {
        f"{task}/{score.metric}": score.value
        for task, found in scores.items()
        for score in found
    }
