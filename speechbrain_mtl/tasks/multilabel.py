"""Several labels a clip, of which only some are known: instruments heard."""

from collections.abc import Mapping, Sequence
from numbers import Real

import torch
from torch import nn
from torch.nn import functional

from speechbrain_mtl.evaluation.multilabel import (
    THRESHOLD,
    mean_average_precision,
    mean_f1,
    mean_f1_interval,
)
from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.pooling import POOLINGS, pool_frames
from speechbrain_mtl.tasks.base import Inputs
from speechbrain_mtl.tasks.layer_mix import LayerReader
from speechbrain_mtl.tasks.supervised import (
    LISTED,
    SupervisedTask,
    clusters_of,
)

UNKNOWN = -1.0  # in a target: nobody knows


class MultiLabelClassification(SupervisedTask):
    """Pool the frames of a clip, then say yes or no to each label.

    What is unknown is neither trained on nor scored.

    Arguments
    ---------
    field : str
        Manifest field with the probability of each label, from 0 to 1; yes
        from one half on.
    classes : sequence of str
        Names of the labels, in the order of the field.
    mask_field : str
        Manifest field with 1 for each label that is known, else 0.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    pooling : str
        ``"mean"``, or ``"stats"`` (mean and deviation).

    Raises
    ------
    ValueError
        When the pooling is unknown, or there are no labels.

    Example
    -------
    >>> task = MultiLabelClassification("labels", ["flute", "harp", "lute"])
    >>> task.encode({"labels": [1.0, 0.5, 0.2], "label_mask": [1, 0, 1]})
    tensor([ 1., -1.,  0.])
    """

    def __init__(
        self,
        field: str,
        classes: Sequence[str],
        mask_field: str = "label_mask",
        layer: int | str = -1,
        pooling: str = "mean",
    ) -> None:
        super().__init__(field, layer)
        if pooling not in POOLINGS:
            raise ValueError(f"pooling '{pooling}' is none of {list(POOLINGS)}")
        if not classes:
            raise ValueError(f"'{field}' without classes: name its labels")
        self.labels = list(classes)
        self.mask_field = mask_field
        self.pooling = pooling

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Make the head; the labels were given."""
        self.reader = LayerReader(self.layer, dims)
        size = self.reader.size * (2 if self.pooling == "stats" else 1)
        # Pooled means differ much in scale between layers and encoders.
        self.norm = nn.LayerNorm(size)
        self.head = nn.Linear(size, len(self.labels))

    def problems(self, entries: Mapping[str, Mapping]) -> list[str]:
        """Name bad entries, and labels without a known yes or no."""
        found = {name: self._problem(entry) for name, entry in entries.items()}
        lines = [f"{name}: {what}" for name, what in found.items() if what]
        if lines:
            return lines
        targets = torch.stack([self.encode(e) for e in entries.values()])
        for answer, word in ((1.0, "yes"), (0.0, "no")):
            there = (targets == answer).any(dim=0).tolist()
            lacking = [x for x, ok in zip(self.labels, there) if not ok]
            if lacking:
                lines.append(
                    f"no entry with a known {word} for {lacking[:LISTED]}. "
                    "Label some, or leave these labels out."
                )
        return lines

    def _problem(self, entry: Mapping) -> str | None:
        """Say what is wrong with the labels of one entry, if anything."""
        values, known = entry.get(self.field), entry.get(self.mask_field)
        for field, row in ((self.field, values), (self.mask_field, known)):
            if not isinstance(row, list) or len(row) != len(self.labels):
                return (
                    f"{field} is {row!r:.60}. Give a list of "
                    f"{len(self.labels)} numbers, one a label."
                )
        wrong = [value for value in known if value not in (0, 1)]
        if wrong:
            return f"{self.mask_field} holds {wrong[0]!r}. Give 0s and 1s."
        if not any(known):
            return f"{self.mask_field} is all 0. Leave the entry out."
        for label, value, is_known in zip(self.labels, values, known):
            number = isinstance(value, Real) and 0 <= value <= 1
            if is_known and not number:
                return (
                    f"{self.field} of '{label}' is {value!r}. Give 0 to 1, or "
                    f"0 in {self.mask_field}."
                )
        return None

    def encode(self, entry: Mapping) -> torch.Tensor:
        """Give 1 for yes, 0 for no, -1 for unknown, [C]."""
        pairs = zip(entry[self.field], entry[self.mask_field])
        return torch.tensor(
            [
                float(value >= THRESHOLD) if known else UNKNOWN
                for value, known in pairs
            ]
        )

    def logits(self, encoded: Encoded) -> torch.Tensor:
        """Score the labels, [B, C]."""
        frames = self.reader(encoded.layers)
        pooled = pool_frames(frames, encoded.lens, self.pooling)
        return self.head(self.norm(pooled)).float()

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Binary cross-entropy, a mean over the known labels of the batch."""
        target = inputs.target.data
        known = (target != UNKNOWN).float()
        losses = functional.binary_cross_entropy_with_logits(
            self.logits(encoded), target, reduction="none"
        )
        return (losses * known).sum() / known.sum()

    def predict(self, encoded: Encoded, inputs: Inputs) -> list[list[float]]:
        """Give the probability of each label, for each item."""
        return self.logits(encoded).sigmoid().tolist()

    def score(
        self,
        predictions: Mapping[str, list[float]],
        entries: Mapping[str, Mapping],
    ) -> list[Score]:
        """Mean F1 at a threshold of one half, then mean average precision."""
        scores = [predictions[name] for name in entries]
        targets = torch.stack([self.encode(e) for e in entries.values()])
        known = (targets != UNKNOWN).numpy()
        table = (scores, (targets == 1).numpy(), known)
        clusters = clusters_of(entries)
        interval = None
        if len(set(clusters)) > 1:
            interval = list(mean_f1_interval(*table, clusters))
        return [
            Score("mean F1", mean_f1(*table), len(scores), interval),
            Score("mAP", mean_average_precision(*table), len(scores)),
        ]
