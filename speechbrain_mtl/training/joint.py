"""The Brain of tasks that each bring data of their own."""

from collections.abc import Iterable

import speechbrain as sb
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.training.affinity import task_affinity
from speechbrain_mtl.training.model import unwrapped
from speechbrain_mtl.training.packing import PackedBatch
from speechbrain_mtl.training.supervised import SupervisedBrain, named_scores


class JointBrain(SupervisedBrain):
    """Train one encoder on many tasks' own batches, packed into few forwards.

    As `SupervisedBrain`, with a `PackedModel` and batches of `PackedBatch`. A
    step trains the active tasks that its batch has utterances of. Validation
    keeps the weights in ``hparams.snapshots`` (`Snapshots`) for whichever
    rule chooses later; the checkpointer keeps what a resumed run needs. Every
    ``hparams.affinity_every`` steps, 0 for never, `task_affinity` is written
    to ``hparams.affinities`` (`JsonLinesLog`).
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # Heads of tasks that a step does not draw get no gradient.
        self.find_unused_parameters = True

    def compute_forward(self, batch: PackedBatch, stage: sb.Stage) -> dict:
        """Encode the packs, compute losses, and answer when not training."""
        batch = batch.to(self.device)
        weighted = self.phase.weighting.active
        active = [name for name in weighted if name in batch.rows]
        if not active:
            raise ValueError(
                f"a batch of {sorted(batch.rows)}, but the phase trains "
                f"{sorted(weighted)}: sample these tasks"
            )
        losses, encoded = self.modules.model(batch, active)
        model = unwrapped(self.modules.model)
        if stage != sb.Stage.TRAIN:
            asked = [n for n in active if n in self.hparams.entries]
            answers = model.predict(batch, encoded, asked)
            for name, found in answers.items():
                ids = batch.ids[name]
                self.answers.setdefault(name, {}).update(zip(ids, found))
        measured = model.measured(active)
        return {"losses": losses, "encoded": encoded, "measured": measured}

    def on_fit_start(self) -> None:
        """Forget measurements that will be repeated."""
        super().on_fit_start()
        if sb.utils.distributed.if_main_process():
            self.hparams.affinities.rewind(self.hparams.progress.steps - 1)

    def on_fit_batch_start(self, batch: PackedBatch, should_step: bool) -> None:
        """Measure now and then what the tasks do to each other."""
        super().on_fit_batch_start(batch, should_step)
        every, step = self.hparams.affinity_every, self.hparams.progress.steps
        if not every or step % every or "encoder" in self.phase.frozen:
            return
        active = [n for n in self.phase.weighting.active if n in batch.rows]
        model = unwrapped(self.modules.model)
        found = task_affinity(model, batch.to(self.device), active)
        if sb.utils.distributed.if_main_process():
            self.hparams.affinities.append(
                {
                    "step": step,
                    "tasks": found.tasks,
                    "cosines": found.cosines.tolist(),
                    "lookahead": found.lookahead.tolist(),
                }
            )

    def ids_of(self, batch: PackedBatch, task: str) -> list[str]:
        """Name the utterances of one task."""
        return batch.ids[task]

    def on_stage_end(
        self, stage: sb.Stage, stage_loss: float, epoch: int | None = None
    ) -> None:
        """Validate by metric; keep the weights and the place to resume at."""
        if stage != sb.Stage.VALID:
            super().on_stage_end(stage, stage_loss, epoch)
            return
        self.scored = self.tuned_scores()
        means = self.valid_meter.result()
        self._log("valid", {**means, **named_scores(self.scored)})
        errors = {name: found[0].error for name, found in self.scored.items()}
        if sb.utils.distributed.if_main_process():
            self.hparams.snapshots.add(
                epoch, self.state(), errors, named_scores(self.scored)
            )
        self.checkpointer.save_and_keep_only(
            meta={"loss": means["total"], "epoch": epoch}, num_to_keep=1
        )

    def state(self) -> dict[str, torch.Tensor]:
        """Give the weights that training may change."""
        still = [set(phase.frozen) for phase in self.phases()]
        skipped = ["bank."]  # what makes targets
        if all("encoder" in frozen for frozen in still):
            skipped.append("encoder.")
        return {
            name: value
            for name, value in unwrapped(self.modules.model)
            .state_dict()
            .items()
            if not name.startswith(tuple(skipped))
        }

    @torch.no_grad()
    def test(
        self,
        batches: DataLoader,
        tune: bool = False,
        title: str = "test",
        progressbar: bool = True,
    ) -> dict[str, list[Score]]:
        """Answer and score with the weights as they are.

        Arguments
        ---------
        batches : DataLoader
            Of `PackedBatch`; ``hparams.entries`` holds their entries.
        tune : bool
            Let the tasks choose what scoring leaves open: on the validation
            part, for weights that no validation has seen.
        title : str
            Of the progress bar.
        progressbar : bool
            Whether there is one.

        Returns
        -------
        scores : dict
            By task.
        """
        stage = sb.Stage.VALID if tune else sb.Stage.TEST
        self.on_stage_start(stage, self.hparams.schedule.epochs)
        self.modules.eval()
        for batch in self._shown(batches, title, progressbar):
            with self.evaluation_ctx:
                self.compute_forward(batch, stage)
        return self.tuned_scores() if tune else self.scores()

    def _shown(
        self, batches: Iterable, title: str, progressbar: bool
    ) -> Iterable[PackedBatch]:
        return tqdm(batches, desc=title, disable=not progressbar, leave=False)
