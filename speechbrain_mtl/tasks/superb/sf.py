"""Slot filling: what is said, and which words fill which slot."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.evaluation.slots import (
    MARK,
    slot_type_scores,
    slot_value_edits,
    slots_of,
)
from speechbrain_mtl.models.spec_augment import SpecAugment
from speechbrain_mtl.tasks.superb.ctc_head import SuperbCTC
from speechbrain_mtl.tasks.superb.slot_tokens import SlotTokens
from speechbrain_mtl.tasks.supervised import rate_score
from speechbrain_mtl.tasks.transcription import PLAIN


class SlotFilling(SuperbCTC):
    """Spell what is said, with marks around the values of slots.

    A linear layer, BiLSTMs and CTC; 42.9 million weights over 768 dimensions,
    for 31 characters and marks of 39 slots. Scored by F1 of slot types and
    character error rate of slot values.

    Arguments
    ---------
    field, tags, symbols : str
        See `SlotTokens`.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection, hidden_size, layers, dropout, augment
        Of the `PlainTrunk`.
    legacy : bool
        Decode as SUPERB once did: see `SuperbCTC`.

    Example
    -------
    >>> task = SlotFilling(projection=4, hidden_size=8, augment=None)
    >>> entry = {"text": "play abba", "bio": ["O", "B-artist"]}
    >>> task.prepare((4,), {"u1": entry})
    >>> task.encode(entry).tolist()
    [19, 15, 4, 28, 3, 31, 3, 4, 5, 5, 4, 3, 32, 1]
    """

    def __init__(
        self,
        field: str = "text",
        tags: str = "bio",
        layer: int | str = "mix",
        projection: int = 1024,
        hidden_size: int = 1024,
        layers: int = 2,
        dropout: float = 0.2,
        augment: Callable[[int], nn.Module] | None = SpecAugment,
        symbols: str = "superb",
        legacy: bool = False,
    ) -> None:
        super().__init__(
            SlotTokens(field, tags, symbols),
            layer,
            projection,
            hidden_size,
            layers,
            dropout,
            augment,
            legacy,
        )

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Learn characters and slots, and make the head.

        Raises
        ------
        ValueError
            When the training part has no transcript, or no slot.
        """
        super().prepare(dims, entries)
        if not any(map(MARK.fullmatch, self.labels)):
            raise ValueError(
                f"the training part has no slot in '{self.tokens.tags}'. Name "
                "another field, or tag the entries"
            )

    def problems(self, entries: Mapping[str, Mapping]) -> list[str]:
        """Say which entries are unfit; a part without any slot is."""
        lines = super().problems(entries)
        if (
            entries
            and not lines
            and not any(map(self._slots, entries.values()))
        ):
            lines.append(
                f"no entry has a slot in {self.tokens.tags}. Give entries "
                "with slots."
            )
        return lines

    def _slots(self, entry: Mapping[str, Any]) -> dict[str, list[str]]:
        """List the slots of an entry."""
        return slots_of(self._marked(entry))

    def _marked(self, entry: Mapping[str, Any]) -> str:
        """Give what an entry says, with marks, as one text."""
        return " ".join(self.tokens.reference(entry))

    def score(
        self,
        predictions: Mapping[str, Mapping[str, str]],
        entries: Mapping[str, Mapping],
    ) -> list[Score]:
        """F1 of slot types and character error rate of slot values."""
        refs = [self._marked(entry) for entry in entries.values()]
        hyps = [predictions[name][PLAIN] for name in entries]
        f1s = slot_type_scores(refs, hyps)
        edits, sizes = slot_value_edits(refs, hyps)
        # What has no values can have no wrong ones.
        filled = {
            name: entry
            for (name, entry), size in zip(entries.items(), sizes)
            if size
        }
        values = edits[sizes > 0].tolist(), sizes[sizes > 0].tolist()
        return [
            rate_score("slot F1", f1s, None, entries),
            rate_score("slot CER", *values, filled),
        ]
