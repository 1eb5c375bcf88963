"""What a transcript is made of: phones, characters, pieces of words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from speechbrain_mtl.evaluation.examples import SILENCE

BLANK = 0  # index of CTC's blank, in every token set


def said(value: Any) -> list[str]:
    """List the words or labels of a manifest's field.

    Arguments
    ---------
    value : str or list
        A text; a list of labels; or a list of ``[start, end, label]``.

    Returns
    -------
    labels : list of str

    Raises
    ------
    ValueError
        When it is none of these.

    Example
    -------
    >>> said("so it  is"), said([[0.0, 0.1, "s"], [0.1, 0.3, "ow"]])
    (['so', 'it', 'is'], ['s', 'ow'])
    """
    labels = value.split() if isinstance(value, str) else value
    if isinstance(value, list):
        labels = [
            part[2] if isinstance(part, list) and len(part) == 3 else part
            for part in value
        ]
    if not isinstance(labels, list) or not all(
        isinstance(label, str) for label in labels
    ):
        raise ValueError(
            f"{value!r:.60} is neither a text nor a list of labels or of "
            "[start, end, label]"
        )
    return labels


class Tokens:
    """A token set, learned from transcripts; index 0 is the blank.

    Subclasses say how words are cut into labels and labels are put together.

    Arguments
    ---------
    field : str
        Manifest field with the transcript: see `said`.
    """

    rates: tuple[str, ...] = ("WER", "CER")  # what they are scored by
    source = "the training part"  # where labels come from, for messages

    def __init__(self, field: str) -> None:
        self.field = field
        self.labels: list[str] = []
        self.number: dict[str, int] = {}

    def cut(self, words: Sequence[str]) -> list[str]:
        """Cut words into labels."""
        raise NotImplementedError(f"{type(self).__name__} cuts no words")

    def join(self, labels: Sequence[str]) -> list[str]:
        """Put labels together to words."""
        raise NotImplementedError(f"{type(self).__name__} joins no labels")

    def searched(self) -> list[str]:
        """Name the tokens, blank first, for searches that spell words.

        A label that begins a word has the mark of SentencePiece before it, or
        there is a label " " between words.
        """
        return ["<blank>", *self.labels]

    def fit(self, entries: Mapping[str, Mapping]) -> None:
        """Learn the labels from transcripts: give the training part only.

        Arguments
        ---------
        entries : dict
            Of the manifest; those without a transcript teach nothing.

        Raises
        ------
        ValueError
            When no entry has one.
        """
        found = {
            label
            for words in self.transcripts(entries)
            for label in self.cut(words)
        }
        self.use(sorted(found))

    def use(self, labels: list[str]) -> None:
        """Take the labels as they are, the first as token 1."""
        if not labels:
            raise ValueError(
                f"the training part has no transcript in '{self.field}'. Name "
                "another field, or transcribe the entries"
            )
        self.labels = labels
        self.number = {label: i for i, label in enumerate(labels, start=1)}

    def transcripts(self, entries: Mapping[str, Mapping]) -> Iterator[list]:
        """Give the words of each entry that has a usable transcript."""
        for entry in entries.values():
            try:
                words = self.reference(entry)
            except ValueError:
                continue  # a task's `problems` names the entry
            if words:
                yield words

    def reference(self, entry: Mapping[str, Any]) -> list[str]:
        """List what an entry's recording says; see `said`."""
        return said(entry.get(self.field))

    def unknown(self, words: Sequence[str]) -> list[str]:
        """List the labels of words that were never learned."""
        return sorted(set(self.cut(words)) - set(self.number))

    def encode_words(self, words: Sequence[str]) -> list[int]:
        """Give the tokens of words.

        Raises
        ------
        ValueError
            When a label of theirs is unknown.
        """
        if unknown := self.unknown(words):
            raise ValueError(
                f"{unknown} of '{self.field}' never occur(s) in {self.source}. "
                "Correct it, or leave it out"
            )
        return [self.number[label] for label in self.cut(words)]

    def encode(self, entry: Mapping[str, Any]) -> list[int]:
        """Give the tokens of an entry's transcript."""
        return self.encode_words(self.reference(entry))

    def decode(self, ids: Sequence[int]) -> list[str]:
        """Read tokens as words or labels; those without a label are left out.

        Arguments
        ---------
        ids : sequence of int
            Tokens; the blank, and marks of begin and end, have no label.
        """
        known = range(1, len(self.labels) + 1)
        return self.join([self.labels[i - 1] for i in ids if i in known])

    def state(self) -> dict[str, Any]:
        """Give all that was learned, in lists and tensors."""
        return {"labels": list(self.labels)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave.

        Raises
        ------
        ValueError
            When this set was fitted to another one.
        """
        if not self.labels:
            self.use(list(state["labels"]))
        elif list(state["labels"]) != self.labels:
            raise ValueError(
                f"the stored tokens of '{self.field}' are others than those of "
                "the training part. Train anew, in another output_folder."
            )


class LabelTokens(Tokens):
    """One token a label, as phones are, in the order of their names.

    Arguments
    ---------
    field : str
        Manifest field with ``[[start, end, label], ...]`` or a list of labels.
    keep_silence : bool
        Whether silence, by any of its usual names, is a label too.

    Example
    -------
    >>> tokens = LabelTokens("phones")
    >>> entry = {"phones": [[0, 1, "sil"], [1, 2, "s"], [2, 3, "ow"]]}
    >>> tokens.fit({"u1": entry})
    >>> tokens.labels, tokens.encode(entry), tokens.decode([0, 2, 1])
    (['ow', 's'], [2, 1], ['s', 'ow'])
    """

    rates = ("PER",)

    def __init__(self, field: str, keep_silence: bool = False) -> None:
        super().__init__(field)
        self.keep_silence = keep_silence

    def reference(self, entry: Mapping[str, Any]) -> list[str]:
        """List an entry's labels, silence as wanted."""
        labels = super().reference(entry)
        if self.keep_silence:
            return labels
        return [label for label in labels if label not in SILENCE]

    def cut(self, words: Sequence[str]) -> list[str]:
        """Labels are not cut."""
        return list(words)

    def join(self, labels: Sequence[str]) -> list[str]:
        """Nor joined."""
        return list(labels)

    def searched(self) -> list[str]:
        """Every label is a word of its own."""
        return ["<blank>", *(f"▁{label}" for label in self.labels)]


class CharacterTokens(Tokens):
    """Characters, and a space between words.

    Arguments
    ---------
    field : str
        Manifest field with a text, or with ``[[start, end, word], ...]``.

    Example
    -------
    >>> tokens = CharacterTokens("text")
    >>> tokens.fit({"u1": {"text": "so is"}})
    >>> tokens.labels
    [' ', 'i', 'o', 's']
    >>> tokens.decode(tokens.encode({"text": "is so"}))
    ['is', 'so']
    """

    def cut(self, words: Sequence[str]) -> list[str]:
        """Spell the words."""
        return list(" ".join(words))

    def join(self, labels: Sequence[str]) -> list[str]:
        """Read what is spelled; spaces part words, however many."""
        return "".join(labels).split()
