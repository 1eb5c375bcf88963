"""Characters, and marks around the values of slots."""

from collections.abc import Mapping, Sequence
from typing import Any

from speechbrain_mtl.evaluation.slots import MARK
from speechbrain_mtl.tasks.superb.symbols import CHARACTERS, EndedTokens
from speechbrain_mtl.tasks.tokens import CharacterTokens

PUNCTUATION = "?!.,;-"


class SlotTokens(EndedTokens, CharacterTokens):
    """Upper-case characters, spaces, and a mark before and after each value.

    Marks are one token each: ``B-artist`` and ``E-artist``. Slots are named in
    lower case, so that no word is taken for a mark. Words of nothing but
    punctuation are not said and left out; ``&`` is said as ``AND``. All
    transcripts end with a token; in SUPERB not those that punctuation ends.

    Arguments
    ---------
    field : str
        Manifest field with a text, or with ``[[start, end, word], ...]``.
    tags : str
        Manifest field with a list of tags, one a word: ``O`` for none,
        ``B-<slot>`` for the first word of a value, ``I-<slot>`` for others.
    symbols : str
        ``"superb"`` for the letters of English, ``"learned"`` for the
        characters of the training part. Slots are always learned.

    Example
    -------
    >>> tokens = SlotTokens(symbols="learned")
    >>> entry = {"text": "play abba", "bio": ["O", "B-artist"]}
    >>> tokens.reference(entry)
    ['PLAY', 'B-artist', 'ABBA', 'E-artist']
    >>> tokens.fit({"u1": entry})
    >>> tokens.labels
    ['<eos>', '<unk>', ' ', 'A', 'B', 'B-artist', 'E-artist', 'L', 'P', 'Y']
    >>> tokens.decode([6, 4, 5, 5, 4, 7, 1])
    ['B-artist', 'ABBA', 'E-artist']
    """

    def __init__(
        self, field: str = "text", tags: str = "bio", symbols: str = "superb"
    ) -> None:
        super().__init__(field, symbols)
        self.tags = tags

    def fixed(self, learned: Sequence[str]) -> list[str]:
        """Give SUPERB's characters, and the marks that were learned."""
        return [*CHARACTERS, *filter(MARK.fullmatch, learned)]

    def reference(self, entry: Mapping[str, Any]) -> list[str]:
        """List the words of an entry, with marks.

        Raises
        ------
        ValueError
            When there is not one good tag a word.
        """
        words, tags = super().reference(entry), entry.get(self.tags)
        if not isinstance(tags, list) or len(tags) != len(words):
            count = len(tags) if isinstance(tags, list) else repr(tags)
            raise ValueError(
                f"has {len(words)} words, but {self.tags} has {count} tags; "
                "they must be one a word"
            )
        groups: list[tuple[str, list[str]]] = []
        for word, tag in zip(words, tags):
            kind, _, slot = str(tag).lower().partition("-")
            good = kind in ("b", "i") and MARK.fullmatch(f"B-{slot}")
            if not good and tag != "O":
                raise ValueError(
                    f"has {word!r} tagged {tag!r} in {self.tags}, which is "
                    "neither O nor B-<slot> nor I-<slot>"
                )
            if not groups or kind == "b" or slot != groups[-1][0]:
                groups.append((slot, []))
            if word.strip(PUNCTUATION):
                spoken = "AND" if word == "&" else word.upper()
                groups[-1][1].append(spoken)
        marked = []
        for slot, spoken in groups:
            if slot and spoken:
                spoken = [f"B-{slot}", *spoken, f"E-{slot}"]
            marked += spoken
        return marked

    def cut(self, words: Sequence[str]) -> list[str]:
        """Spell the words, with spaces between them; marks stay whole."""
        labels = []
        for word in words:
            labels.append(" ")
            labels += [word] if MARK.fullmatch(word) else list(word)
        return labels[1:]

    def join(self, labels: Sequence[str]) -> list[str]:
        """Read what is spelled; marks are words, with spaces or without."""
        pieces = [f" {x} " if MARK.fullmatch(x) else x for x in labels]
        return "".join(pieces).split()
