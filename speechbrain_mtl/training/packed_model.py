"""Encoder and tasks over packed batches: few forwards for many tasks."""

from collections.abc import Iterable

import torch

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks import Inputs
from speechbrain_mtl.training.model import MultiTaskModel
from speechbrain_mtl.training.packing import (
    EncodedGroups,
    PackedBatch,
    waveforms_of,
)
from speechbrain_mtl.training.teaching import teaching_of


class EncodedPacks:
    """What the encoder made of each pack, and each task's rows of it.

    No dataclass: DDP would look into it, and wait for gradients of layers
    that no loss reads.

    Arguments
    ---------
    packs : list of Encoded
        In the batch's order.
    of : dict
        `Encoded` by task.
    """

    def __init__(self, packs: list[Encoded], of: dict[str, Encoded]) -> None:
        self.packs = packs
        self.of = of

    @property
    def layers(self) -> tuple[torch.Tensor, ...]:
        """All layers of all packs."""
        return tuple(layer for pack in self.packs for layer in pack.layers)


class PackedModel(MultiTaskModel):
    """A `MultiTaskModel` of tasks that each bring utterances of their own.

    Every utterance is encoded once, with others of about its length; then
    each task gets its own rows. Padding and company change nothing, so that
    losses are those of one forward a task.
    """

    def encode(self, batch: PackedBatch, active: Iterable[str]) -> EncodedPacks:
        """Encode all packs; part them by task.

        Arguments
        ---------
        batch : PackedBatch
            On the encoder's device.
        active : iterable of str
            Tasks to part them for.

        Returns
        -------
        encoded : EncodedPacks
        """
        whole = set()
        if self.encoder.can_hide:
            whole = {
                number
                for name in active
                if not self.tasks[name].allows_hidden
                for number, _ in batch.rows[name].groups
            }
        packs = []
        for number, pack in enumerate(batch.packs):
            asked = {"hide": pack.hide} if pack.hide or number in whole else {}
            packs.append(self.encoder(pack.wavs, pack.lens, **asked))
        groups = EncodedGroups(packs, batch.packs)
        own = {name: groups.of(batch.rows[name]) for name in active}
        return EncodedPacks(packs, own)

    def inputs_of(self, batch: PackedBatch, name: str) -> Inputs:
        """Give a task its target, or the labels that its worker makes."""
        target = batch.targets.get(name)
        if self.tasks[name].worker is None:
            none = torch.empty(0)
            return Inputs(none, none, {}, batch, target)
        wavs, lens = waveforms_of(batch, name)
        return self.inputs(wavs, lens, [name], batch)

    def taught(self, batch: PackedBatch, name: str, encoded: Encoded) -> Inputs:
        """Give a task its inputs and, if it has a teacher, what that says."""
        inputs = self.inputs_of(batch, name)
        teacher = self.tasks[name].teacher
        if teacher is not None:
            inputs.teaching = teaching_of(
                self.tasks[teacher],
                self.encoder,
                encoded,
                *waveforms_of(batch, name),
            )
        return inputs

    def forward(
        self, batch: PackedBatch, active: Iterable[str]
    ) -> tuple[dict[str, torch.Tensor], EncodedPacks]:
        """Encode a batch and compute the active tasks' losses.

        Arguments
        ---------
        batch : PackedBatch
            On the encoder's device.
        active : iterable of str
            Names of tasks that the batch has utterances of.

        Returns
        -------
        losses : dict
            A scalar a task.
        encoded : EncodedPacks
            What the tasks read.
        """
        active = list(active)
        encoded = self.encode(batch, active)
        losses = {
            name: self.tasks[name](
                encoded.of[name], self.taught(batch, name, encoded.of[name])
            )
            for name in active
        }
        return losses, encoded

    def predict(
        self, batch: PackedBatch, encoded: EncodedPacks, active: Iterable[str]
    ) -> dict[str, list]:
        """Ask supervised tasks for their answers, one an utterance.

        Arguments
        ---------
        batch : PackedBatch
            What was encoded.
        encoded : EncodedPacks
            What `forward` gave.
        active : iterable of str
            The tasks to ask.

        Returns
        -------
        predictions : dict
            By task, in the order of the batch's ids.
        """
        return {
            name: self.tasks[name].predict(
                encoded.of[name], self.inputs_of(batch, name)
            )
            for name in active
        }
