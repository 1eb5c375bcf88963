"""Transcription by attention and CTC together, with a language model."""

from collections.abc import Callable, Mapping, Sequence

import torch
from speechbrain.nnet.linear import Linear
from speechbrain.nnet.RNN import AttentionalRNNDecoder
from torch import nn
from torch.nn import functional

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.models.trunk import RecurrentTrunk
from speechbrain_mtl.tasks.attention_search import (
    AttentionSearch,
    found_tokens,
)
from speechbrain_mtl.tasks.base import Inputs
from speechbrain_mtl.tasks.ctc import ctc_per_label, too_long_advice
from speechbrain_mtl.tasks.language_model import IGNORED, LanguageModel
from speechbrain_mtl.tasks.layer_mix import LayerReader
from speechbrain_mtl.tasks.tokens import Tokens
from speechbrain_mtl.tasks.transcription import (
    PLAIN,
    Transcription,
    tokens_of,
)


class Seq2SeqTask(Transcription):
    """Text by a GRU that attends to a layer's frames (Watanabe et al., 2017).

    Trained on the true tokens so far, with CTC beside it. Validation decodes
    greedily; the best checkpoint is tested by beam search, without and, where
    there is one, with a language model: two sets of scores.

    Arguments
    ---------
    tokens : Tokens
        What transcripts are made of.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection, hidden_size, layers, dropout, pooling
        Of the `RecurrentTrunk`; the dropout is also the decoder's.
    embedding_size, decoder_size, attention_size : int
        Widths of tokens, GRU and attention.
    attention_channels, attention_kernel : int
        Of the convolution that sees where attention was; the kernel is given
        in frames to either side.
    ctc_weight : float
        Share of CTC in the loss.
    label_smoothing : float
        Share of the decoder's target that goes to all tokens alike.
    search : AttentionSearch, optional
        Settings of the search.
    language_model : LanguageModel, optional
        Trained before the test on the training transcripts, or loaded.
    scored_as : callable, optional
        What a label counts as in scores: see `Transcription`.

    Raises
    ------
    ValueError
        When the share of CTC is outside [0, 1].

    Example
    -------
    >>> from speechbrain_mtl.tasks.tokens import CharacterTokens
    >>> task = Seq2SeqTask(CharacterTokens("text"))
    >>> task.prepare((4,), {"u1": {"text": "so"}})
    >>> task.encode({"text": "so"})
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
        pooling: int = 4,
        embedding_size: int = 64,
        decoder_size: int = 128,
        attention_size: int = 128,
        attention_channels: int = 10,
        attention_kernel: int = 25,
        ctc_weight: float = 0.5,
        label_smoothing: float = 0.1,
        search: AttentionSearch | None = None,
        language_model: LanguageModel | None = None,
        scored_as: Callable[[str], str | None] | None = None,
    ) -> None:
        super().__init__(tokens, layer, scored_as)
        if not 0 <= ctc_weight <= 1:
            raise ValueError(f"ctc_weight is {ctc_weight}: give 0 to 1")
        self.trunk_settings = {
            "projection": projection,
            "hidden_size": hidden_size,
            "layers": layers,
            "dropout": dropout,
            "pooling": pooling,
        }
        self.embedding_size = embedding_size
        self.decoder_settings = {
            "hidden_size": decoder_size,
            "attn_dim": attention_size,
            "channels": attention_channels,
            "kernel_size": attention_kernel,
            "dropout": dropout,
        }
        self.ctc_weight = ctc_weight
        self.label_smoothing = label_smoothing
        self.search = search or AttentionSearch()
        self.language_model = language_model
        self.sentences: list[list[int]] = []
        # In a list, or it would be a part of the model and be trained by it.
        self.trained_language_model: list[nn.Module] = []

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Learn the tokens, make the head, read the language model's text."""
        self.learn_tokens(entries)
        self.reader = LayerReader(self.layer, dims)
        self.trunk = RecurrentTrunk(self.reader.size, **self.trunk_settings)
        self.bos = len(self.labels) + 1  # the mark of the end is one more
        classes = len(self.labels) + 3
        self.ctc = Linear(classes, input_size=self.trunk.size)
        self.embedding = nn.Embedding(classes, self.embedding_size)
        self.decoder = AttentionalRNNDecoder(
            rnn_type="gru",
            attn_type="location",
            num_layers=1,
            enc_dim=self.trunk.size,
            input_size=self.embedding_size,
            **self.decoder_settings,
        )
        width = self.decoder_settings["hidden_size"]
        self.out = Linear(classes, input_size=width)
        said = [
            self.tokens.encode_words(words)
            for words in self.tokens.transcripts(entries)
            if not self.tokens.unknown(words)  # `problems` names those
        ]
        # Answers may be twice as long as any transcript, and no longer.
        self.steps = 2 * max(map(len, said), default=0) + 10
        if self.language_model is None:
            return
        if self.language_model.model_file is not None:
            network = self.language_model.load(self.labels)
            self.trained_language_model = [network]
        else:
            self.sentences = said + self.language_model.read_text(self.tokens)

    def frames(self, encoded: Encoded) -> tuple[torch.Tensor, torch.Tensor]:
        """Give what is attended to, [B, F, D], and its lengths, [B]."""
        return self.trunk(self.reader(encoded.layers), encoded.lens)

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """CTC a label and cross-entropy a token, weighed."""
        frames, lens = self.frames(encoded)
        labels, count = tokens_of(inputs.target)
        scores = self.ctc(frames).float().log_softmax(dim=-1)
        ctc, too_long = ctc_per_label(scores, lens, labels, count)
        attention = self._attention_loss(frames, lens, labels, count)
        self.measured = {
            "ctc": ctc.detach(),
            "attention": attention.detach(),
            "too_long": too_long,
        }
        return self.ctc_weight * ctc + (1 - self.ctc_weight) * attention

    def _attention_loss(
        self,
        frames: torch.Tensor,
        lens: torch.Tensor,
        labels: torch.Tensor,
        count: torch.Tensor,
    ) -> torch.Tensor:
        """Cross-entropy of each token and of the end, after the true ones."""
        before = functional.pad(labels, (1, 0), value=self.bos)
        after = functional.pad(labels, (0, 1), value=IGNORED)
        after = after.scatter(1, count[:, None], self.bos + 1)
        valid = frame_mask(count + 1, after.shape[1])
        after = after.masked_fill(~valid, IGNORED)
        share = lens / frames.shape[1]
        states, _ = self.decoder(self.embedding(before), frames, share)
        # It keeps what it attended to, graph and all, until it is told.
        self.decoder.attn.reset()
        return functional.cross_entropy(
            self.out(states).float().flatten(0, 1),
            after.flatten(),
            ignore_index=IGNORED,
            label_smoothing=self.label_smoothing,
        )

    def advice(self, means: dict[str, float]) -> str | None:
        """Warn of transcripts that are longer than their recordings."""
        return too_long_advice(means)

    def predict(self, encoded: Encoded, inputs: Inputs) -> list[dict]:
        """Decode every item."""
        frames, lens = self.frames(encoded)
        parts = {
            "embedding": self.embedding,
            "decoder": self.decoder,
            "linear": self.out,
        }
        searches = {PLAIN: self.search.greedy(parts, self.bos, self.steps)}
        if self.testing:
            make = self.search.beam
            settings = parts, self.bos, self.steps, self.ctc
            searches[PLAIN] = make(*settings)
            if self.language_model is not None:
                network = self._network(frames.device)
                searches["with LM"] = make(*settings, network)
        answers: list[dict] = [{} for _ in lens]
        for name, searcher in searches.items():
            for answer, ids in zip(
                answers, found_tokens(searcher, frames, lens)
            ):
                answer[name] = self.answer(ids)
        self.decoder.attn.reset()
        return answers

    def _network(self, device: torch.device) -> nn.Module:
        """Give the language model; train it at the first call."""
        if not self.trained_language_model:
            network = self.language_model.train(
                self.sentences, self.labels, device
            )
            self.trained_language_model = [network]
        return self.trained_language_model[0].to(device)
