"""Intent classification: what is to be done, to what, and where."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional

from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.pooling import pool_frames
from speechbrain_mtl.tasks.base import Inputs
from speechbrain_mtl.tasks.classification import projected_head
from speechbrain_mtl.tasks.layer_mix import LayerReader
from speechbrain_mtl.tasks.supervised import (
    LISTED,
    SupervisedTask,
    rate_score,
)


class IntentClassification(SupervisedTask):
    """Tell each slot of an intent from one vector an utterance, as in SUPERB.

    Two linear layers around a mean over frames; 0.203 million weights over
    768 dimensions, for 6 actions, 14 objects and 4 locations. An answer is a
    dict: by slot, its value.

    Arguments
    ---------
    field : str
        Manifest field with ``{slot: value}``.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection : int
        Width between the layers.
    slots : sequence of str
        What an intent is made of.

    Raises
    ------
    ValueError
        When there are no slots.

    Example
    -------
    >>> task = IntentClassification(slots=("action", "object"))
    >>> lamp = {"intent": {"action": "on", "object": "lamp"}}
    >>> heat = {"intent": {"action": "off", "object": "heat"}}
    >>> task.prepare((4,), {"u1": lamp, "u2": heat})
    >>> task.labels
    ['action off', 'action on', 'object heat', 'object lamp']
    >>> task.encode(lamp)
    tensor([1, 1])
    """

    def __init__(
        self,
        field: str = "intent",
        layer: int | str = "mix",
        projection: int = 256,
        slots: Sequence[str] = ("action", "object", "location"),
    ) -> None:
        super().__init__(field, layer)
        if not slots:
            raise ValueError("an intent without slots: name one or more")
        self.projection = projection
        self.slots = list(slots)

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Learn the values of each slot; one value alone teaches nothing."""
        told = [entry for entry in entries.values() if self._told(entry)]
        # The order in which the logits stand, and the checkpoint's label set.
        self.values = {
            slot: sorted({entry[self.field][slot] for entry in told})
            for slot in self.slots
        }
        if all(len(values) < 2 for values in self.values.values()):
            raise ValueError(
                f"the training part has no slot of '{self.field}' with two "
                f"values: {self.values}. Name another field, or label more "
                "entries"
            )
        self.labels = [
            f"{slot} {value}"
            for slot, values in self.values.items()
            for value in values
        ]
        self.reader = LayerReader(self.layer, dims)
        self.head = projected_head(
            self.reader.size, self.projection, len(self.labels)
        )

    def _told(self, entry: Mapping[str, Any]) -> bool:
        """Whether all slots have a value."""
        intent = entry.get(self.field)
        return isinstance(intent, Mapping) and all(
            isinstance(intent.get(slot), str) and intent[slot]
            for slot in self.slots
        )

    def problems(self, entries: Mapping[str, Mapping]) -> list[str]:
        """Say which entries lack a slot, or have values never trained on."""
        lines = []
        for name, entry in entries.items():
            if not self._told(entry):
                lines.append(
                    f"{name}: {self.field} is {entry.get(self.field)!r}. Give "
                    f"it a text for each of {self.slots}, or leave the entry "
                    "out."
                )
                continue
            unknown = sorted(set(self.labels_of(entry)) - set(self.labels))
            if unknown:
                lines.append(
                    f"{name}: {self.field} {unknown[:LISTED]} never occur(s) "
                    "in the training part. Correct it, or leave the entry out."
                )
        return lines

    def labels_of(self, entry: Mapping[str, Any]) -> list[str]:
        """List what an intent is made of."""
        return [f"{slot} {entry[self.field][slot]}" for slot in self.slots]

    def encode(self, entry: Mapping[str, Any]) -> torch.Tensor:
        """Give the number of each slot's value, [slots]."""
        return torch.tensor(
            [
                values.index(entry[self.field][slot])
                for slot, values in self.values.items()
            ]
        )

    def logits(self, encoded: Encoded) -> tuple[torch.Tensor, ...]:
        """Score the values of each slot: a [B, values] tensor a slot."""
        frames = self.reader(encoded.layers)
        logits = self.head(pool_frames(frames, encoded.lens))
        return logits.split([len(v) for v in self.values.values()], dim=-1)

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Cross-entropies of the slots, added; a mean over the batch."""
        targets = inputs.target.data.unbind(dim=-1)
        return sum(
            functional.cross_entropy(logits.float(), target)
            for logits, target in zip(self.logits(encoded), targets)
        )

    def predict(self, encoded: Encoded, inputs: Inputs) -> list[dict[str, str]]:
        """Name the likeliest value of each slot."""
        best = [logits.argmax(dim=-1) for logits in self.logits(encoded)]
        return [
            {
                slot: values[number]
                for (slot, values), number in zip(self.values.items(), row)
            }
            for row in torch.stack(best, dim=-1).tolist()
        ]

    def score(
        self,
        predictions: Mapping[str, Mapping[str, str]],
        entries: Mapping[str, Mapping],
    ) -> list[Score]:
        """Accuracy: how often all slots are right."""
        hits = [
            float(
                all(
                    predictions[name][slot] == entry[self.field][slot]
                    for slot in self.slots
                )
            )
            for name, entry in entries.items()
        ]
        return [rate_score("accuracy", hits, None, entries)]
