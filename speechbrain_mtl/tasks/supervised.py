"""Tasks whose answers stand in the manifest."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from speechbrain_mtl.evaluation.intervals import bootstrap_interval
from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks.base import Inputs, Task

LISTED = 5  # labels or ids named in a message


class SupervisedTask(Task):
    """Head, target, loss, decoder and metric of one downstream task.

    The constructor is told what to predict. `prepare` is told of the encoder
    and of the training entries, learns the label set and makes the head; it
    comes before anything else, and the label set is part of the checkpoint.
    Subclasses define `prepare`, `encode`, ``forward``, `predict` and `score`.

    Arguments
    ---------
    field : str
        Manifest field with the answer.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    """

    # Set while the best checkpoint is tested: answers may then cost more.
    testing = False

    # Whether any part of an entry has the answer of the whole.
    chunkable = False
    # Whether scoring learns from the answers to the training part: `learn`.
    learns = False

    def __init__(self, field: str, layer: int | str = -1) -> None:
        super().__init__()
        self.field = field
        self.layer = layer
        self.labels: list[str] = []

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Learn the labels of the training entries and make the head.

        Arguments
        ---------
        dims : sequence of int
            Widths of the encoder's layers.
        entries : dict
            The training part of the manifest.
        """
        raise NotImplementedError(f"{type(self).__name__} makes no head")

    def problems(self, entries: Mapping[str, Mapping]) -> list[str]:
        """Say what is wrong with entries to train or test on, by id.

        By default, entries without the field and labels never trained on.
        """
        known = set(self.labels)
        lines = []
        for name, entry in entries.items():
            value = entry.get(self.field)
            if value in (None, "", []):
                lines.append(
                    f"{name}: {self.field} is {value!r}. Label the entry, or "
                    "leave it out."
                )
                continue
            unknown = sorted(set(self.labels_of(entry)) - known)
            if unknown:
                lines.append(
                    f"{name}: {self.field} {unknown[:LISTED]} never occur(s) "
                    "in the training part. Correct it, or leave the entry out."
                )
        return lines

    def labels_of(self, entry: Mapping[str, Any]) -> list[str]:
        """List the labels that stand in one entry."""
        return [entry[self.field]]

    def encode(self, entry: Mapping[str, Any]) -> torch.Tensor:
        """Make the target of one entry, [N]: what the loader pads."""
        raise NotImplementedError(f"{type(self).__name__} has no target")

    def predict(self, encoded: Encoded, inputs: Inputs) -> list:
        """Answer for every item of a batch; on the host."""
        raise NotImplementedError(f"{type(self).__name__} predicts nothing")

    def learn(
        self, predictions: Mapping[str, Any], entries: Mapping[str, Mapping]
    ) -> None:
        """Take what scoring needs from the best checkpoint's answers.

        Called once, before the tests, where the task `learns`; `entries` are
        the training part, each read whole.
        """
        raise NotImplementedError(f"{type(self).__name__} learns nothing")

    def tune(
        self, predictions: Mapping[str, Any], entries: Mapping[str, Mapping]
    ) -> None:
        """Choose what scoring leaves open, on the validation part.

        Called after each validation, before it is scored and saved: what was
        chosen belongs to the checkpoint. By default nothing is open.
        """

    def score(
        self, predictions: Mapping[str, Any], entries: Mapping[str, Mapping]
    ) -> list[Score]:
        """Compare predictions with the answers, both by id.

        The first score chooses between checkpoints.
        """
        raise NotImplementedError(f"{type(self).__name__} has no metric")

    def get_extra_state(self) -> dict[str, list[str]]:
        """Keep the label set in the checkpoint."""
        return {"labels": list(self.labels)}

    def set_extra_state(self, state: dict[str, list[str]]) -> None:
        """Refuse a checkpoint of other labels: its head means other things."""
        found = list(state["labels"])
        if self.labels and found != self.labels:
            other = sorted(set(found) ^ set(self.labels))[:LISTED]
            raise ValueError(
                f"the checkpoint's '{self.field}' has {len(found)} labels, the "
                f"training part {len(self.labels)}; they differ in {other} or "
                "in their order. Train anew, in another output_folder."
            )
        self.labels = found


def clusters_of(entries: Mapping[str, Mapping]) -> list[str]:
    """What entries may have in common: their speaker, else nothing.

    Example
    -------
    >>> clusters_of({"u1": {"speaker": "ann"}, "u2": {"speaker": "bob"}})
    ['ann', 'bob']
    >>> clusters_of({"u1": {}, "u2": {"speaker": "ann"}})
    ['u1', 'u2']
    """
    speakers = [entry.get("speaker") for entry in entries.values()]
    if None in speakers or len(set(speakers)) < 2:
        return list(entries)
    return [str(speaker) for speaker in speakers]


def rate_score(
    metric: str,
    counts: Sequence[float],
    sizes: Sequence[float] | None,
    entries: Mapping[str, Mapping],
) -> Score:
    """Make a score of one count an entry, with its interval over speakers.

    Arguments
    ---------
    metric : str
        Its name.
    counts : sequence of float
        Hits, or edits, of each entry.
    sizes : sequence of float, optional
        Reference tokens of each entry; 1 each by default.
    entries : dict
        What the counts are of, in the same order.

    Returns
    -------
    score : Score
        ``sum(counts) / sum(sizes)``.

    Example
    -------
    >>> entries = {"u1": {}, "u2": {}}
    >>> rate_score("accuracy", [1, 0], None, entries).value
    0.5
    """
    total = len(counts) if sizes is None else sum(sizes)
    clusters = clusters_of(entries)
    interval = None
    if len(set(clusters)) > 1:
        interval = list(bootstrap_interval(counts, clusters, sizes))
    return Score(metric, sum(counts) / total, int(total), interval)
