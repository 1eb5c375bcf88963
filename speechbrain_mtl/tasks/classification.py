"""One label an utterance: a word, a speaker, an emotion, a sound."""

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn import functional

from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.pooling import POOLINGS, pool_frames
from speechbrain_mtl.tasks.base import Inputs, frame_head
from speechbrain_mtl.tasks.layer_mix import LayerReader
from speechbrain_mtl.tasks.supervised import SupervisedTask, rate_score

CLASS_WEIGHTS = ("equal", "balanced")


class UtteranceClassification(SupervisedTask):
    """Pool the frames of an utterance, then tell its class.

    Arguments
    ---------
    field : str
        Manifest field with the label.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    pooling : str
        ``"mean"``, or ``"stats"`` (mean and deviation).
    hidden_size : int
        Width of a hidden layer; 0 for a linear head.
    class_weights : str
        ``"balanced"`` for a loss in which every class counts alike, however
        rare: an item weighs ``N / (C n)``, of N items and C classes in the
        training part, n of them of its class. ``"equal"`` for items that
        count alike.
    projection : int
        Width of a linear layer, with nothing after it, that takes the place
        of normalisation and hidden layer: the head of SUPERB, which projects
        frames, then pools; of means that is the same. 0 for none.

    Raises
    ------
    ValueError
        When the pooling or the class weights are unknown, or a hidden layer
        and a projection are wanted.

    Example
    -------
    >>> task = UtteranceClassification("word")
    >>> task.prepare((4,), {"u1": {"word": "yes"}, "u2": {"word": "no"}})
    >>> task.encode({"word": "yes"})
    tensor([1])
    """

    def __init__(
        self,
        field: str,
        layer: int | str = -1,
        pooling: str = "mean",
        hidden_size: int = 0,
        class_weights: str = "equal",
        projection: int = 0,
    ) -> None:
        super().__init__(field, layer)
        if pooling not in POOLINGS:
            raise ValueError(f"pooling '{pooling}' is none of {list(POOLINGS)}")
        if class_weights not in CLASS_WEIGHTS:
            raise ValueError(
                f"class_weights '{class_weights}' is none of "
                f"{list(CLASS_WEIGHTS)}"
            )
        if hidden_size and projection:
            raise ValueError(
                f"hidden_size {hidden_size} and projection {projection}: give "
                "one of them, and 0 for the other"
            )
        self.class_weights = class_weights
        self.projection = projection
        self.pooling = pooling
        self.hidden_size = hidden_size

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Learn the classes; one class alone is an error."""
        counts = Counter(
            e[self.field] for e in entries.values() if e.get(self.field)
        )
        self.labels = sorted(counts)
        if len(self.labels) < 2:
            raise ValueError(
                f"the training part has {len(self.labels)} class(es) in "
                f"'{self.field}' ({self.labels}); two are needed. Name another "
                "field, or label more entries"
            )
        self.number = {label: i for i, label in enumerate(self.labels)}
        self.reader = LayerReader(self.layer, dims)
        size = self.reader.size * (2 if self.pooling == "stats" else 1)
        # Pooled means differ much in scale between layers and encoders.
        self.norm = nn.Identity() if self.projection else nn.LayerNorm(size)
        classes = len(self.labels)
        self.head = nn.Linear(size, classes)
        if self.hidden_size:
            self.head = frame_head(size, self.hidden_size, classes)
        if self.projection:
            self.head = projected_head(size, self.projection, classes)
        weights = torch.ones(classes)
        if self.class_weights == "balanced":
            number = torch.tensor([counts[label] for label in self.labels])
            weights = number.sum() / (classes * number)
        # Of the training part, not of what was learned: in no checkpoint.
        self.register_buffer("weights", weights, persistent=False)

    def encode(self, entry: Mapping) -> torch.Tensor:
        """Give the class's number, [1]."""
        return torch.tensor([self.number[entry[self.field]]])

    def logits(self, encoded: Encoded) -> torch.Tensor:
        """Score the classes, [B, C]."""
        frames = self.reader(encoded.layers)
        pooled = pool_frames(frames, encoded.lens, self.pooling)
        return self.head(self.norm(pooled))

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Cross-entropy, weighted by class, a mean over the batch."""
        target = inputs.target.data[:, 0]
        logits = self.logits(encoded).float()
        losses = functional.cross_entropy(logits, target, reduction="none")
        # Over the items, not over their weights: these would cancel in a
        # batch of one class.
        return (self.weights[target] * losses).mean()

    def predict(self, encoded: Encoded, inputs: Inputs) -> list[str]:
        """Name the likeliest class of each item."""
        best = self.logits(encoded).argmax(dim=-1).tolist()
        return [self.labels[i] for i in best]

    def score(
        self, predictions: Mapping[str, str], entries: Mapping[str, Mapping]
    ) -> list[Score]:
        """Accuracy."""
        hits = [
            float(predictions[name] == entry[self.field])
            for name, entry in entries.items()
        ]
        return [rate_score("accuracy", hits, None, entries)]


def projected_head(input_size: int, projection: int, dim: int) -> nn.Sequential:
    """Make the head of SUPERB's utterance tasks: two linear layers.

    Example
    -------
    >>> sum(p.numel() for p in projected_head(768, 256, 12).parameters())
    199948
    """
    return nn.Sequential(
        nn.Linear(input_size, projection), nn.Linear(projection, dim)
    )
