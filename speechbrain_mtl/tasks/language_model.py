"""A small language model over a task's own tokens."""

import logging
import math
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from speechbrain.lobes.models.RNNLM import RNNLM
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.tasks.tokens import Tokens

logger = logging.getLogger(__name__)

HELD_OUT = 20  # one sentence of so many measures the perplexity
IGNORED = -100


class LanguageModel:
    """SpeechBrain's RNNLM: which token follows.

    It learns from the transcripts of the training part, and a text if there
    is one; never from what is tested. Equal seeds give equal models.

    Arguments
    ---------
    embedding_size, hidden_size, layers : int
        Of the LSTMs; the paper's have 2 layers of 2048.
    dnn_size : int
        Width of the layer after them.
    dropout : float
        Share of units left out in training.
    epochs : int
        Passes over the sentences.
    batch_size : int
        Sentences a batch.
    lr : float
        Learning rate of Adam.
    text_file : str or path-like, optional
        More text, a sentence a line, spelled as transcripts are.
    model_file : str or path-like, optional
        One that was trained before, over the same tokens, in its place.
    output_file : str or path-like, optional
        Where to write the one that was trained.
    seed : int
        Fixes initial values and order.

    Example
    -------
    >>> model = LanguageModel(embedding_size=4, hidden_size=8, dnn_size=8)
    >>> network = model.train([[1, 2], [2, 1]], ["a", "b"])
    >>> network(torch.tensor([[3, 1]]))[0].shape  # blank, a, b, begin, end
    torch.Size([1, 2, 5])
    """

    def __init__(
        self,
        embedding_size: int = 64,
        hidden_size: int = 128,
        layers: int = 2,
        dnn_size: int = 128,
        dropout: float = 0.15,
        epochs: int = 10,
        batch_size: int = 32,
        lr: float = 0.002,
        text_file: str | os.PathLike | None = None,
        model_file: str | os.PathLike | None = None,
        output_file: str | os.PathLike | None = None,
        seed: int = 0,
    ) -> None:
        self.sizes = {
            "embedding_dim": embedding_size,
            "rnn_neurons": hidden_size,
            "rnn_layers": layers,
            "dnn_neurons": dnn_size,
            "dropout": dropout,
        }
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.text_file = text_file
        self.model_file = model_file
        self.output_file = output_file
        self.seed = seed

    def read_text(self, tokens: Tokens) -> list[list[int]]:
        """Give the tokens of every line of the text file.

        Raises
        ------
        ValueError
            When there is no such file, or naming the line with a label that
            is no token.
        """
        if self.text_file is None:
            return []
        path = Path(self.text_file)
        if not path.is_file():
            raise ValueError(
                f"{path}: no such file. Correct text_file of the language "
                "model, or leave it out to learn from the transcripts alone"
            )
        sentences = []
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                sentences.append(tokens.encode_words(line.split()))
            except ValueError as error:
                raise ValueError(
                    f"{self.text_file}, line {number}: {error}"
                ) from error
        return [sentence for sentence in sentences if sentence]

    def load(self, labels: list[str]) -> RNNLM:
        """Load `model_file`.

        Raises
        ------
        ValueError
            When there is no such file, or its tokens or sizes are others.
        """
        path = Path(self.model_file)
        if not path.is_file():
            raise ValueError(
                f"{path}: no such file. Correct model_file of the language "
                "model, or leave it out to train one"
            )
        stored = torch.load(path, map_location="cpu", weights_only=True)
        if stored["labels"] != labels:
            raise ValueError(
                f"{path}: it has {len(stored['labels'])} labels, others than "
                f"the task's {len(labels)}. Train it on the same tokens"
            )
        network = self._network(len(labels))
        try:
            network.load_state_dict(stored["network"])
        except RuntimeError as error:
            raise ValueError(
                f"{path}: a language model of other sizes. Give its own: "
                f"{error}"
            ) from error
        return network.eval()

    def train(
        self,
        sentences: list[list[int]],
        labels: list[str],
        device: str | torch.device = "cpu",
    ) -> RNNLM:
        """Train a network on sentences, and log its perplexity.

        Arguments
        ---------
        sentences : list of list of int
            Tokens from 1.
        labels : list of str
            What the tokens are.
        device : str or torch.device
            Where to train.

        Returns
        -------
        network : RNNLM
            In evaluation mode; over blank, labels, begin and end.
        """
        devices = [device] if torch.device(device).type == "cuda" else []
        with torch.random.fork_rng(devices), torch.enable_grad():
            torch.manual_seed(self.seed)
            order = torch.randperm(len(sentences)).tolist()
            sentences = [sentences[i] for i in order]
            held = sentences[: len(sentences) // HELD_OUT]
            network = self._network(len(labels)).to(device)
            self._fit(network, sentences[len(held) :])
        network.eval()
        reached = perplexity(network, held or sentences, len(labels) + 1)
        logger.info(
            f"language model: {len(sentences) - len(held)} sentences, "
            f"perplexity {reached:.2f} a token on "
            f"{f'{len(held)} others' if held else 'the same'}"
        )
        if self.output_file is not None:
            state = {k: v.cpu() for k, v in network.state_dict().items()}
            with atomic_path(self.output_file) as temporary:
                torch.save({"labels": labels, "network": state}, temporary)
        return network

    def _network(self, labels: int) -> RNNLM:
        return RNNLM(
            output_neurons=labels + 3, return_hidden=True, **self.sizes
        )

    def _fit(self, network: RNNLM, sentences: list[list[int]]) -> None:
        """Pass over the sentences, neighbours in length together."""
        bos = network.out.w.out_features - 2
        device = network.out.w.weight.device
        optimizer = torch.optim.Adam(network.parameters(), lr=self.lr)
        batches = list(_batches(sentences, self.batch_size, bos, device))
        network.train()
        for _ in range(self.epochs):
            for i in torch.randperm(len(batches)).tolist():
                loss = _nll(network, *batches[i], reduction="mean")
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 5.0)
                optimizer.step()


def _batches(
    sentences: list[list[int]],
    size: int,
    bos: int,
    device: str | torch.device,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Padded inputs and what follows each, [B, N + 1]."""
    ordered = sorted(sentences, key=len)
    for start in range(0, len(ordered), size):
        part = ordered[start : start + size]
        before = [torch.tensor([bos, *sentence]) for sentence in part]
        after = [torch.tensor([*sentence, bos + 1]) for sentence in part]
        yield (
            pad_sequence(before, batch_first=True).to(device),
            pad_sequence(after, True, IGNORED).to(device),
        )


def _nll(
    network: RNNLM, before: torch.Tensor, after: torch.Tensor, reduction: str
) -> torch.Tensor:
    scores, _ = network(before)
    return functional.cross_entropy(
        scores.flatten(0, 1),
        after.flatten(),
        ignore_index=IGNORED,
        reduction=reduction,
    )


@torch.no_grad()
def perplexity(network: RNNLM, sentences: list[list[int]], bos: int) -> float:
    """Measure how many tokens seem possible, on geometric average.

    Arguments
    ---------
    network : RNNLM
        In evaluation mode.
    sentences : list of list of int
        Tokens from 1; the mark of the end counts as one more of each.
    bos : int
        Token before the first; the one after the last is ``bos + 1``.
    """
    device = network.out.w.weight.device
    total = sum(
        _nll(network, *batch, reduction="sum").double()
        for batch in _batches(sentences, 64, bos, device)
    )
    return math.exp(float(total) / sum(len(s) + 1 for s in sentences))
