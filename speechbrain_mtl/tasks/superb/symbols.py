"""The token sets of SUPERB: what heads of the published sizes tell apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from speechbrain_mtl.tasks.tokens import CharacterTokens, LabelTokens, Tokens

VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()
CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
# With silence and noise, which no transcript has: 71 with the stress of vowels.
PHONES = [
    "SIL",
    "SPN",
    *sorted(CONSONANTS + [f"{v}{stress}" for v in VOWELS for stress in "012"]),
]
CHARACTERS = [*" ABCDEFGHIJKLMNOPQRSTUVWXYZ'"]
# In the order of their counts in LibriSpeech; words end with the first.
LETTERS = [*"|ETAONIHSRDLUMCWFGYPBVK'XJQZ"]


class EndedTokens(Tokens):
    """Tokens that begin with special ones, and transcripts with an end.

    Put it before the class that says how words are cut.

    Arguments
    ---------
    field : str
        Manifest field with the transcript: see `said`.
    symbols : str
        ``"superb"`` for the labels that SUPERB has, whatever is in the
        training part; ``"learned"`` for those of the training part.

    Raises
    ------
    ValueError
        When it is neither.
    """

    special: Sequence[str] = ("<eos>", "<unk>")
    end = "<eos>"
    published: Sequence[str] = ()

    def __init__(self, field: str, symbols: str = "superb") -> None:
        super().__init__(field)
        if symbols not in ("superb", "learned"):
            raise ValueError(
                f'symbols is {symbols!r}; give "superb" or "learned"'
            )
        self.symbols = symbols
        if symbols == "superb":
            self.source = 'symbols: "superb" (else give "learned")'

    def fit(self, entries: Mapping[str, Mapping]) -> None:
        """Learn the labels, or take SUPERB's; the special ones come first."""
        super().fit(entries)
        labels = self.labels
        if self.symbols == "superb":
            labels = self.fixed(labels)
        self.use([*self.special, *labels])

    def fixed(self, learned: Sequence[str]) -> Sequence[str]:
        """Give SUPERB's labels, whatever was learned."""
        return self.published

    def encode_words(self, words: Sequence[str]) -> list[int]:
        """Give the tokens of words, and of the end."""
        return [*super().encode_words(words), self.number[self.end]]

    def decode(self, ids: Sequence[int]) -> list[str]:
        """Read tokens as words or labels; special ones are left out."""
        return super().decode([i for i in ids if i > len(self.special)])


class PhoneTokens(EndedTokens, LabelTokens):
    """Phones, with the stress of vowels; 74 tokens with the blank.

    Arguments
    ---------
    field : str
        Manifest field with ``[[start, end, phone], ...]`` or a list of phones;
        silence, by any of its usual names, is left out.
    symbols : str
        See `EndedTokens`.

    Example
    -------
    >>> tokens = PhoneTokens("phones")
    >>> entry = {"phones": ["SIL", "S", "OW1"]}
    >>> tokens.fit({"u1": entry})
    >>> len(tokens.labels), tokens.encode(entry), tokens.decode([59, 52, 1])
    (73, [59, 52, 1], ['S', 'OW1'])
    """

    published = PHONES


class LetterTokens(EndedTokens, CharacterTokens):
    """Upper-case letters, and a mark after every word; 32 with the blank.

    Arguments
    ---------
    field : str
        Manifest field with a text, or with ``[[start, end, word], ...]``.
    symbols : str
        See `EndedTokens`.

    Example
    -------
    >>> tokens = LetterTokens("text")
    >>> tokens.fit({"u1": {"text": "so it is"}})
    >>> len(tokens.labels), tokens.encode({"text": "so it"})
    (31, [12, 8, 4, 10, 6, 4, 2])
    >>> tokens.decode([12, 8, 4, 10, 6, 4, 2])
    ['SO', 'IT']
    """

    special = ("<pad>", "</s>", "<unk>")
    end = "</s>"
    published = LETTERS

    def reference(self, entry: Mapping[str, Any]) -> list[str]:
        """List an entry's words in capitals."""
        return [word.upper() for word in super().reference(entry)]

    def cut(self, words: Sequence[str]) -> list[str]:
        """Spell the words."""
        return [letter for word in words for letter in f"{word}|"]

    def join(self, labels: Sequence[str]) -> list[str]:
        """Read what is spelled; marks part words, however many."""
        return "".join(labels).replace("|", " ").split()
