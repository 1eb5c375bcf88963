"""What the transcribing tasks of SUPERB share."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from speechbrain_mtl.evaluation.text import ctc_greedy
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.plain_trunk import PlainTrunk
from speechbrain_mtl.tasks.base import Inputs
from speechbrain_mtl.tasks.ctc import CTCTask
from speechbrain_mtl.tasks.layer_mix import LayerReader
from speechbrain_mtl.tasks.superb.symbols import EndedTokens
from speechbrain_mtl.tasks.tokens import BLANK
from speechbrain_mtl.tasks.transcription import PLAIN


class SuperbCTC(CTCTask):
    """Labels or text by CTC, through a `PlainTrunk`.

    The loss is a mean over labels, not over utterances as in SUPERB, so that
    it does not depend on how utterances come together in batches.

    Arguments
    ---------
    tokens : EndedTokens
        What transcripts are made of.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection, hidden_size, layers, dropout, augment
        Of the `PlainTrunk`.
    legacy : bool
        Remove blanks and ends before runs of one token become one, as SUPERB
        did for phones and slots until May 2022: genuine doubles vanish. Only
        to compare with older numbers.
    """

    def __init__(
        self,
        tokens: EndedTokens,
        layer: int | str,
        projection: int,
        hidden_size: int,
        layers: int,
        dropout: float,
        augment: Callable[[int], nn.Module] | None,
        legacy: bool,
    ) -> None:
        super().__init__(tokens, layer, projection, hidden_size, layers)
        self.trunk_settings = {
            "projection": projection,
            "hidden_size": hidden_size,
            "layers": layers,
            "dropout": dropout,
            "augment": augment,
        }
        self.legacy = legacy

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Learn the tokens and make the head."""
        self.learn_tokens(entries)
        self.reader = LayerReader(self.layer, dims)
        self.trunk = PlainTrunk(self.reader.size, **self.trunk_settings)
        self.out = nn.Linear(self.trunk.size, len(self.labels) + 1)

    def predict(self, encoded: Encoded, inputs: Inputs) -> list[dict]:
        """Decode every item along its best path."""
        log_probs, lens = self.log_probs(encoded)
        if self.legacy:
            log_probs = self._without_end(log_probs)
        # Relative lengths of a padded axis: rounded back to the same frames.
        lens = lens / log_probs.shape[1]
        found = ctc_greedy(log_probs, lens, BLANK, self.legacy)
        return [{PLAIN: self.answer(ids)} for ids in found]

    def _without_end(self, log_probs: torch.Tensor) -> torch.Tensor:
        """Make blanks of ends."""
        end = self.tokens.number[self.tokens.end]
        log_probs = log_probs.clone()
        either = log_probs[..., [BLANK, end]].amax(dim=-1)
        log_probs[..., BLANK] = either
        log_probs[..., end] = float("-inf")
        return log_probs
