"""Transcription by connectionist temporal classification."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from speechbrain_mtl.evaluation.text import ctc_greedy
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.trunk import RecurrentTrunk
from speechbrain_mtl.tasks.base import Inputs
from speechbrain_mtl.tasks.layer_mix import LayerReader
from speechbrain_mtl.tasks.tokens import BLANK, Tokens
from speechbrain_mtl.tasks.transcription import (
    PLAIN,
    Transcription,
    tokens_of,
)


def ctc_per_label(
    log_probs: torch.Tensor,
    lens: torch.Tensor,
    labels: torch.Tensor,
    label_lens: torch.Tensor,
    used: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """CTC loss (Graves et al., ICML 2006) as a mean over labels.

    Items whose labels need more frames than there are, one a label and one
    between two equal neighbours, count neither above nor below.

    Arguments
    ---------
    log_probs : torch.Tensor
        [B, F, V], blank first.
    lens : torch.Tensor
        Valid frames, [B].
    labels : torch.Tensor
        [B, N], whatever in padding.
    label_lens : torch.Tensor
        Labels of each item, [B].
    used : torch.Tensor, optional
        Items that count, [B] bool; all by default.

    Returns
    -------
    loss : torch.Tensor
        Scalar; 0 when no item that counts has frames enough.
    too_long : torch.Tensor
        Share of items left out.

    Example
    -------
    >>> log_probs = torch.tensor([[[0.5, 0.5], [0.5, 0.5]]]).log()
    >>> labels, one = torch.tensor([[1]]), torch.tensor([1])
    >>> loss, _ = ctc_per_label(log_probs, torch.tensor([2]), labels, one)
    >>> round(float(loss.neg().exp()), 4)  # 11, 01, 10 of four paths
    0.75
    """
    place = torch.arange(labels.shape[1], device=labels.device)
    twins = labels[:, 1:] == labels[:, :-1]
    twins = (twins & (place[1:] < label_lens[:, None])).sum(dim=1)
    fits = label_lens + twins <= lens
    losses = functional.ctc_loss(
        log_probs.float().transpose(0, 1),
        labels,
        lens,
        label_lens,
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
    counted = fits if used is None else fits & used
    count = (label_lens * counted).sum().clamp(min=1)
    loss = losses.masked_fill(~counted, 0.0).sum() / count
    return loss, (~fits).float().mean()


class CTCTask(Transcription):
    """Labels or text by CTC over a layer, through LSTMs.

    Decoded along the best path; when the best checkpoint is tested, also by
    `beam`, where it is given.

    Arguments
    ---------
    tokens : Tokens
        What transcripts are made of.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection, hidden_size, layers, dropout, pooling
        Of the `RecurrentTrunk`.
    scored_as : callable, optional
        What a label counts as in scores: see `Transcription`.
    beam : callable, optional
        Makes `speechbrain.decoders.ctc.CTCBeamSearcher`, by ``!name:`` with
        its settings. Give ``prune_history: False`` where there is no language
        model: else answers are lost that differ before their last word. With
        ``kenlm_model_path``, words are weighed by that n-gram model, which
        needs the package kenlm; tokens that are labels are its words. The
        sister class ``CTCPrefixBeamSearcher`` is no choice: it counts an
        answer twice that can be spelled by other pieces or spaces, and then
        misses the likeliest even in a search without bounds.

    Example
    -------
    >>> from speechbrain_mtl.tasks.tokens import LabelTokens
    >>> task = CTCTask(LabelTokens("phones"))
    >>> task.prepare((4,), {"u1": {"phones": ["s", "ow"]}})
    >>> task.encode({"phones": ["s", "ow"]})
    tensor([2, 1])
    """

    def __init__(
        self,
        tokens: Tokens,
        layer: int | str = -1,
        projection: int = 0,
        hidden_size: int = 128,
        layers: int = 1,
        dropout: float = 0.1,
        pooling: int = 1,
        scored_as: Callable[[str], str | None] | None = None,
        beam: Callable | None = None,
    ) -> None:
        super().__init__(tokens, layer, scored_as)
        self.trunk_settings = {
            "projection": projection,
            "hidden_size": hidden_size,
            "layers": layers,
            "dropout": dropout,
            "pooling": pooling,
        }
        self.beam = beam
        if beam is not None:
            _require_language_model(beam)

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Learn the tokens and make the head."""
        self.learn_tokens(entries)
        self.reader = LayerReader(self.layer, dims)
        self.trunk = RecurrentTrunk(self.reader.size, **self.trunk_settings)
        self.out = nn.Linear(self.trunk.size, len(self.labels) + 1)

    def log_probs(self, encoded: Encoded) -> tuple[torch.Tensor, torch.Tensor]:
        """Give log-probabilities [B, F, V], blank first, and frames [B]."""
        frames = self.reader(encoded.layers)
        frames, lens = self.trunk(frames, encoded.lens)
        return self.out(frames).float().log_softmax(dim=-1), lens

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """CTC, a mean over the batch's labels."""
        log_probs, lens = self.log_probs(encoded)
        loss, too_long = ctc_per_label(
            log_probs, lens, *tokens_of(inputs.target)
        )
        self.measured = {"too_long": too_long}
        return loss

    def advice(self, means: dict[str, float]) -> str | None:
        """Warn of transcripts that are longer than their recordings."""
        return too_long_advice(means)

    def predict(self, encoded: Encoded, inputs: Inputs) -> list[dict]:
        """Decode every item."""
        log_probs, lens = self.log_probs(encoded)
        # Relative lengths of a padded axis: rounded back to the same frames.
        found = ctc_greedy(log_probs, lens / log_probs.shape[1], BLANK)
        answers = [{PLAIN: self.answer(ids)} for ids in found]
        if self.testing and self.beam is not None:
            for answer, words in zip(answers, self._search(log_probs, lens)):
                answer["with beam search"] = words
        return answers

    def _search(
        self, log_probs: torch.Tensor, lens: torch.Tensor
    ) -> list[str | list[str]]:
        """Search every item for its likeliest words."""
        searcher = self.beam(
            blank_index=BLANK, vocab_list=self.tokens.searched()
        )
        log_probs = log_probs.cpu().numpy()
        # One by one: the searcher's own batches cut relative lengths short.
        found = [
            searcher.decode_log_probs(item[:frames], frames)[0].text
            for item, frames in zip(log_probs, lens.tolist())
        ]
        labels = "PER" in self.tokens.rates
        return [text.split() if labels else text for text in found]


def too_long_advice(means: dict[str, float]) -> str | None:
    """Say what to do when labels outnumber frames.

    Example
    -------
    >>> too_long_advice({"too_long": 0.5})[:45]
    '50.0 % of utterances have more labels than fr'
    """
    if not means.get("too_long"):
        return None
    return (
        f"{means['too_long']:.1%} of utterances have more labels than frames "
        "and teach nothing. Look whether transcripts and recordings belong "
        "together, pool less, or use an encoder with a shorter hop"
    ).replace("%", " %")


def _require_language_model(beam: Callable) -> None:
    """Refuse a search whose language model is not there, before training."""
    path = getattr(beam, "keywords", {}).get("kenlm_model_path")
    if path is None:
        return
    if not Path(path).is_file():
        raise ValueError(
            f"{path}: no such language model. Correct kenlm_model_path, or "
            "leave it out to search without one"
        )
    if importlib.util.find_spec("kenlm") is None:
        raise ImportError(
            "a search with kenlm_model_path needs kenlm: pip install kenlm; or "
            "leave kenlm_model_path out"
        )
