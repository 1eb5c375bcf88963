"""Tasks that write down what is said: their targets, problems and scores."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.evaluation.text import edit_distances
from speechbrain_mtl.tasks.supervised import (
    LISTED,
    SupervisedTask,
    rate_score,
)
from speechbrain_mtl.tasks.tokens import Tokens, said

PLAIN = "plain"  # the decoding whose rates have no further name


class Transcription(SupervisedTask):
    """Tokens as targets, words as answers, error rates as scores.

    An answer is a dict: by decoding, a text, or a list of labels. Subclasses
    define `prepare`, ``forward`` and `predict`.

    Arguments
    ---------
    tokens : Tokens
        What transcripts are made of, and in which field they are.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    scored_as : callable, optional
        What a label counts as in scores, None for not at all; such as
        `speechbrain_mtl.data.corpora.timit_phones.scored_phone`.
    """

    def __init__(
        self,
        tokens: Tokens,
        layer: int | str = -1,
        scored_as: Callable[[str], str | None] | None = None,
    ) -> None:
        super().__init__(tokens.field, layer)
        self.tokens = tokens
        self.scored_as = scored_as

    def learn_tokens(self, entries: Mapping[str, Mapping]) -> None:
        """Learn the token set from the training part."""
        self.tokens.fit(entries)
        self.labels = list(self.tokens.labels)

    def problems(self, entries: Mapping[str, Mapping]) -> list[str]:
        """List entries without a transcript, or with labels never learned."""
        lines = []
        for name, entry in entries.items():
            try:
                words = self.tokens.reference(entry)
            except ValueError as error:
                lines.append(f"{name}: {self.field} {error}. Correct it.")
                continue
            unknown = self.tokens.unknown(words)
            if not self.scored(words):
                lines.append(
                    f"{name}: {self.field} {entry[self.field]!r:.60} says "
                    "nothing. Transcribe the entry, or leave it out."
                )
            elif unknown:
                lines.append(
                    f"{name}: {self.field} has {unknown[:LISTED]}, which never "
                    f"occur(s) in {self.tokens.source}. Correct it, or leave "
                    "the entry out."
                )
        return lines

    def encode(self, entry: Mapping[str, Any]) -> torch.Tensor:
        """Give the tokens of an entry's transcript, [N]."""
        return torch.tensor(self.tokens.encode(entry))

    def answer(self, ids: Sequence[int]) -> str | list[str]:
        """Read tokens: a text, or labels where tokens are labels."""
        words = self.tokens.decode(ids)
        return words if "PER" in self.tokens.rates else " ".join(words)

    def scored(self, words: Sequence[str]) -> list[str]:
        """Give words or labels as they count in scores."""
        if self.scored_as is None:
            return list(words)
        labels = [self.scored_as(word) for word in words]
        return [label for label in labels if label is not None]

    def score(
        self,
        predictions: Mapping[str, Mapping[str, str | list[str]]],
        entries: Mapping[str, Mapping],
    ) -> list[Score]:
        """Error rates of every decoding, the plain one first."""
        references = [
            self.scored(self.tokens.reference(entry))
            for entry in entries.values()
        ]
        scores = []
        for decoding in next(iter(predictions.values())):
            answers = [
                self.scored(said(predictions[name][decoding]))
                for name in entries
            ]
            for rate in self.tokens.rates:
                refs, hyps = references, answers
                if rate == "CER":
                    refs = [" ".join(words) for words in references]
                    hyps = [" ".join(words) for words in answers]
                edits = edit_distances(refs, hyps).tolist()
                metric = rate if decoding == PLAIN else f"{rate} {decoding}"
                sizes = [len(reference) for reference in refs]
                scores.append(rate_score(metric, edits, sizes, entries))
        return scores

    def get_extra_state(self) -> dict[str, Any]:
        """Keep the token set in the checkpoint."""
        return {**super().get_extra_state(), "tokens": self.tokens.state()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Refuse a checkpoint of other tokens."""
        super().set_extra_state(state)
        self.tokens.load_state(state["tokens"])


def tokens_of(target: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Give a padded target's tokens [B, N] and absolute lengths [B].

    Arguments
    ---------
    target : PaddedData
        ``data`` [B, N] and relative ``lengths`` [B].
    """
    data = target.data
    return data, (target.lengths * data.shape[1]).round().long()
