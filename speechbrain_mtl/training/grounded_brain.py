"""The Brain of speech with images: every phase validates every task."""

import logging
from collections.abc import Iterable
from pathlib import Path

import speechbrain as sb
import torch
from speechbrain.utils.distributed import if_main_process
from tqdm import tqdm

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.evaluation.caption_pool import CaptionPool
from speechbrain_mtl.evaluation.retrieval import Retrieval
from speechbrain_mtl.training.brain import MultiTaskBrain
from speechbrain_mtl.training.model import unwrapped

logger = logging.getLogger(__name__)

SPEECH, GROUNDING = "wav2vec2", "grounding"


class GroundedBrain(MultiTaskBrain):
    """Train grounding and wav2vec 2.0; see what each phase does to both.

    As `MultiTaskBrain`, and besides: every validation measures both tasks,
    also the one that rests: the loss of wav2vec 2.0 with frames hidden, and,
    with none hidden, how well captions and images find each other. At the end
    of a phase the model's weights are kept. ``hparams`` further holds

    * ``pool`` (`CaptionPool`): of the validation part;
    * ``abx``: a callable that takes the encoder and gives what
      `abx_by_layer` does, or None, and ``abx_every``, the epochs between its
      calls; it is also called before the first step and after a phase;
    * ``phases``: the folder of the weights.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # A task that rests gets no gradient.
        self.find_unused_parameters = True

    def on_fit_start(self) -> None:
        """Before the first step, look for phones in the untrained encoder."""
        super().on_fit_start()
        if self.hparams.progress.steps == 0:
            if if_main_process():
                # A run that was killed before its first checkpoint wrote it.
                self.hparams.log.rewind(-1)
            self._phones(0)

    def on_stage_start(self, stage: sb.Stage, epoch: int | None = None) -> None:
        """Enter the phase; before validation, embed the pool's images."""
        super().on_stage_start(stage, epoch)
        if stage == sb.Stage.VALID:
            self._open(self.hparams.pool)

    def _open(self, pool: CaptionPool) -> None:
        self.pool = pool
        task = unwrapped(self.modules.model).tasks[GROUNDING]
        pool.begin(task, self.device)

    def compute_forward(self, batch: object, stage: sb.Stage) -> dict:
        """Train the active tasks; or measure both."""
        if stage == sb.Stage.TRAIN:
            return super().compute_forward(batch, stage)
        batch = batch.to(self.device)
        wavs, lens = batch.sig
        model = unwrapped(self.modules.model)
        # All is said and nothing hidden: it is the same for all who ask.
        _, encoded = model(wavs, lens, (), batch)
        speech = model.tasks[GROUNDING].embed_speech(encoded)
        losses = {GROUNDING: self.pool.add(batch.id, speech)}
        found, encoded = model(wavs, lens, (SPEECH,), batch)
        return {
            "losses": {**found, **losses},
            "encoded": encoded,
            "measured": model.measured((SPEECH,)),
        }

    def compute_objectives(
        self, predictions: dict, batch: object, stage: sb.Stage
    ) -> torch.Tensor:
        """Weigh the active tasks' losses; note those of both."""
        if stage == sb.Stage.TRAIN:
            return super().compute_objectives(predictions, batch, stage)
        losses, weighting = predictions["losses"], self.phase.weighting
        total = weighting({n: losses[n] for n in weighting.active})
        means = {**losses, **predictions["measured"], "total": total}
        self.valid_meter.add(means, sum(batch.seconds))
        return total

    def on_stage_end(
        self, stage: sb.Stage, stage_loss: float, epoch: int | None = None
    ) -> None:
        """Log all measures; keep the weights that a phase ends with."""
        if stage == sb.Stage.TRAIN:
            super().on_stage_end(stage, stage_loss, epoch)
            return
        means = self.valid_meter.result()
        recalls = named_recalls(self.pool.found())
        self._log("valid", {**means, **recalls})
        schedule = self.hparams.schedule
        if epoch in schedule.ends or epoch % self.hparams.abx_every == 0:
            self._phones(epoch)
        if epoch in schedule.ends and if_main_process():
            self._keep(schedule.index(epoch) + 1)
        self.checkpointer.save_and_keep_only(
            meta={"loss": means["total"], "epoch": epoch}, num_to_keep=1
        )

    def _phones(self, epoch: int) -> None:
        """Log the ABX errors of all layers."""
        if self.hparams.abx is None or not if_main_process():
            return
        model = unwrapped(self.modules.model)
        scores = self.hparams.abx(model.encoder)
        self.modules.train()
        self.hparams.log.append(
            {
                "split": "abx",
                "step": self.hparams.progress.steps,
                "epoch": epoch,
                **{
                    speaker: {
                        "errors": [score.error for score in layers],
                        "cells": layers[0].cells,
                        "triplets": layers[0].triplets,
                    }
                    for speaker, layers in scores.items()
                },
            }
        )

    def _keep(self, phase: int) -> None:
        """Write the weights at the end of a phase, counted from 1."""
        folder = Path(self.hparams.phases)
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(folder / f"{phase}.ckpt") as temporary:
            torch.save(unwrapped(self.modules.model).state_dict(), temporary)

    @torch.no_grad()
    def retrieval(
        self,
        pool: CaptionPool,
        batches: Iterable,
        progressbar: bool = True,
    ) -> dict[str, Retrieval]:
        """Search another pool with the weights as they are.

        Arguments
        ---------
        pool : CaptionPool
            Captions and images.
        batches : iterable
            Of all captions of the pool.
        progressbar : bool
            Whether to show one.

        Returns
        -------
        found : dict
            See `retrieve`.
        """
        self.modules.eval()
        self._open(pool)
        model = unwrapped(self.modules.model)
        shown = tqdm(batches, desc="pool", disable=not progressbar, leave=False)
        for batch in shown:
            batch = batch.to(self.device)
            with self.evaluation_ctx:
                _, encoded = model(*batch.sig, (), batch)
                speech = model.tasks[GROUNDING].embed_speech(encoded)
                pool.add(batch.id, speech)
        return pool.found()


def named_recalls(found: dict[str, Retrieval]) -> dict[str, float]:
    """Give recalls by "grounding/measure", as logs have them.

    Example
    -------
    >>> way = Retrieval(4, 2, {1: 0.5}, {1: (0.0, 1.0)}, {1: 0.5}, 1.5)
    >>> named_recalls({"speech_to_image": way})
    {'grounding/speech_to_image_R@1': 0.5}
    """
    return {
        f"{GROUNDING}/{way}_R@{k}": recall
        for way, result in found.items()
        for k, recall in result.recall.items()
    }
