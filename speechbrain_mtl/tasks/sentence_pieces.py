"""Pieces of words, learned from transcripts by SentencePiece."""

import io
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sentencepiece
import torch

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.tasks.tokens import Tokens

logger = logging.getLogger(__name__)

KINDS = ("unigram", "bpe", "char")


class SentencePieces(Tokens):
    """Pieces of words (Kudo and Richardson, EMNLP 2018).

    Spelling is kept as it is: no character is replaced by a like one. The
    blank has the place of SentencePiece's piece for unknown characters, which
    are refused.

    Arguments
    ---------
    field : str
        Manifest field with a text, or with ``[[start, end, word], ...]``.
    size : int
        Number of pieces, the blank counted.
    kind : str
        ``"unigram"``, ``"bpe"`` or ``"char"``.
    model_file : str or path-like, optional
        A trained model to load; nothing is learned then, and its own size and
        kind count.
    output_file : str or path-like, optional
        Where to write the model that was learned.

    Raises
    ------
    ValueError
        When the kind is unknown, or the file is no model or has another
        unknown piece than 0.

    Example
    -------
    >>> tokens = SentencePieces("text", size=6)
    >>> tokens.fit({"u1": {"text": "to too"}, "u2": {"text": "hot to"}})
    >>> tokens.decode(tokens.encode({"text": "too hot"}))
    ['too', 'hot']
    """

    def __init__(
        self,
        field: str,
        size: int = 1000,
        kind: str = "unigram",
        model_file: str | os.PathLike | None = None,
        output_file: str | os.PathLike | None = None,
    ) -> None:
        super().__init__(field)
        if kind not in KINDS:
            raise ValueError(f"kind '{kind}' is none of {list(KINDS)}")
        self.size = size
        self.kind = kind
        self.model_file = model_file
        self.output_file = output_file
        self.model = b""

    def fit(self, entries: Mapping[str, Mapping]) -> None:
        """Learn pieces from the transcripts, or load them.

        Raises
        ------
        ValueError
            When there is no transcript, or too little text for so many
            pieces.
        """
        if self.model_file is not None:
            path = Path(self.model_file)
            if not path.is_file():
                raise ValueError(
                    f"{path}: no such file. Correct model_file, or leave it "
                    "out to learn the pieces from the training part"
                )
            self._use_model(path.read_bytes())
            return
        sentences = [" ".join(words) for words in self.transcripts(entries)]
        if not sentences:
            self.use([])
        self._use_model(self._learn(sentences))
        logger.info(
            f"{len(self.labels)} pieces ({self.kind}) from {len(sentences)} "
            "transcripts of the training part"
        )
        if self.output_file is not None:
            with atomic_path(self.output_file) as temporary:
                temporary.write_bytes(self.model)

    def _learn(self, sentences: list[str]) -> bytes:
        """Train a model in memory."""
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(sentences),
                model_writer=model,
                vocab_size=self.size,
                model_type=self.kind,
                character_coverage=1.0,
                normalization_rule_name="identity",
                # Longer ones would be skipped without a word.
                max_sentence_length=max(map(len, sentences)) * 4 + 1,
                unk_id=0,
                bos_id=-1,
                eos_id=-1,
                pad_id=-1,
                # Sums in another order could give other pieces.
                num_threads=1,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise ValueError(
                f"{len(sentences)} transcripts do not give {self.size} pieces "
                f"({self.kind}): {str(error).rsplit('] ')[-1]} Ask for another "
                "size."
            ) from error
        return model.getvalue()

    def _use_model(self, model: bytes) -> None:
        """Take a trained model's pieces."""
        processor = sentencepiece.SentencePieceProcessor()
        try:
            processor.LoadFromSerializedProto(model)
        except RuntimeError as error:
            raise ValueError(
                f"{self.model_file}: no model of SentencePiece ({error}). "
                "Give another model_file"
            ) from error
        if processor.unk_id() != 0:
            raise ValueError(
                f"{self.model_file}: its unknown piece is {processor.unk_id()} "
                "and must be 0, where the blank goes. Train it with unk_id=0"
            )
        self.model = model
        self.processor = processor
        size = processor.get_piece_size()
        self.use([processor.id_to_piece(i) for i in range(1, size)])

    def cut(self, words: Sequence[str]) -> list[str]:
        """Cut words into pieces; an unknown character is one."""
        return self.processor.encode(" ".join(words), out_type=str)

    def join(self, labels: Sequence[str]) -> list[str]:
        """Put pieces together."""
        return "".join(labels).replace("▁", " ").split()

    def state(self) -> dict[str, Any]:
        """Add the model: pieces alone do not say how to cut."""
        model = torch.frombuffer(bytearray(self.model), dtype=torch.uint8)
        return {**super().state(), "model": model}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over the model; refuse one that cuts otherwise."""
        if not self.labels:
            self._use_model(bytes(state["model"].tolist()))
        super().load_state(state)
        if bytes(state["model"].tolist()) != self.model:
            raise ValueError(
                f"the stored pieces of '{self.field}' cut words otherwise than "
                "those of the training part. Train anew, in another "
                "output_folder."
            )
