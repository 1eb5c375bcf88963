"""Read the TextGrid files of Praat and of forced aligners.

Both text forms are one to the reader, as to Praat itself: quoted texts,
free-standing numbers and ``<flags>`` count, all else is decoration. The form:
https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html
"""

import codecs
import os
import re
from collections.abc import Collection
from pathlib import Path

Segment = list  # [start in seconds, end in seconds, label]

SILENCES = ("", "sil", "sp", "SIL", "SP")
TOKEN = re.compile(r'"(?:[^"]|"")*"|![^\n]*|\S+')
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")
OVERLAP = 1e-3  # s; times are written rounded


class TextGridError(ValueError):
    """A file that is no TextGrid; the message names line and remedy."""


def read_textgrid(path: str | os.PathLike) -> dict[str, list[Segment]]:
    """Read the interval tiers of a TextGrid, in the long or short text form.

    Arguments
    ---------
    path : str or path-like
        The file: UTF-8, or UTF-16 with a byte order mark.

    Returns
    -------
    tiers : dict
        ``{name: [[start, end, label], ...]}`` in seconds and in order. Empty
        intervals are silence and have the label ``""``. Tiers of points are
        left out.

    Raises
    ------
    TextGridError
        Naming the line and what stands there, when the file is cut short, is
        of another kind, or its intervals overlap or end before they start.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.TextGrid"
    >>> _ = path.write_text(
    ...     '"ooTextFile" "TextGrid" 0 1 <exists> 1 "IntervalTier" "words" '
    ...     '0 1 2 0 0.4 "" 0.4 1 "so"'
    ... )
    >>> read_textgrid(path)
    {'words': [[0.0, 0.4, ''], [0.4, 1.0, 'so']]}
    """
    tokens = _Tokens(Path(path))
    for wanted in ("ooTextFile", "TextGrid"):
        if (found := tokens.text()) != wanted:
            raise tokens.error(f"'{wanted}' expected, found '{found}'")
    tokens.number()  # start and end of the whole
    tokens.number()
    tiers = {}
    for _ in range(tokens.count() if tokens.flag() == "<exists>" else 0):
        kind, name = tokens.text(), tokens.text()
        if kind not in ("IntervalTier", "TextTier"):
            raise tokens.error(f"no tier is of the class '{kind}'")
        if name in tiers:
            raise tokens.error(f"a second tier is named '{name}'")
        tokens.number()
        tokens.number()
        if kind == "TextTier":
            for _ in range(tokens.count()):
                tokens.number()
                tokens.text()
        else:
            tiers[name] = _intervals(tokens)
    return tiers


def without_silence(
    segments: list[Segment], silences: Collection[str] = SILENCES
) -> list[Segment]:
    """Leave the segments of silence out.

    Arguments
    ---------
    segments : list
        ``[[start, end, label], ...]``.
    silences : collection of str
        Labels that mean silence.

    Returns
    -------
    kept : list
        The others, in order.

    Example
    -------
    >>> without_silence([[0.0, 0.4, ""], [0.4, 1.0, "so"]])
    [[0.4, 1.0, 'so']]
    """
    return [segment for segment in segments if segment[2] not in silences]


def _intervals(tokens: "_Tokens") -> list[Segment]:
    """The intervals of one tier."""
    segments: list[Segment] = []
    for _ in range(tokens.count()):
        start, end = tokens.number(), tokens.number()
        if end <= start:
            raise tokens.error(f"an interval of {start:g} to {end:g} s")
        if segments and start < segments[-1][1] - OVERLAP:
            raise tokens.error(
                f"an interval starts at {start:g} s, before {segments[-1][1]:g} "
                "s, where the one before it ends"
            )
        segments.append([start, end, tokens.text().strip()])
    return segments


class _Tokens:
    """The texts, numbers and flags of a file, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = _decode(path)
        self.matches = (
            match
            for match in TOKEN.finditer(self.content)
            if match[0][0] in '"<' or NUMBER.fullmatch(match[0])
        )
        self.position = 0

    def text(self) -> str:
        """The next token, a text; without its quotes."""
        token = self._next("a text in quotes")
        if len(token) < 2 or token[0] != '"' or token[-1] != '"':
            raise self.error(f"a text in quotes expected, found {token[:40]}")
        return token[1:-1].replace('""', '"')

    def number(self) -> float:
        """The next token, a number."""
        token = self._next("a number")
        if not NUMBER.fullmatch(token):
            raise self.error(f"a number expected, found {token[:40]}")
        return float(token)

    def count(self) -> int:
        """The next token, how many things follow."""
        number = self.number()
        if number < 0 or number % 1:
            raise self.error(f"a count expected, found {number:g}")
        return int(number)

    def flag(self) -> str:
        """The next token, a flag."""
        token = self._next("<exists>")
        if token not in ("<exists>", "<absent>"):
            raise self.error(f"<exists> expected, found {token[:40]}")
        return token

    def _next(self, wanted: str) -> str:
        match = next(self.matches, None)
        if match is None:
            self.position = len(self.content)
            raise self.error(f"the file ends where {wanted} should stand")
        self.position = match.start()
        return match[0]

    def error(self, what: str) -> TextGridError:
        """What is wrong where the reader stands."""
        line = self.content.count("\n", 0, self.position) + 1
        return TextGridError(
            f"{self.path}, line {line}: {what}. Copy the file again, or save "
            "it from Praat as a text file."
        )


def _decode(path: Path) -> str:
    """The text of a file in one of the two encodings Praat writes."""
    try:
        data = path.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return data.decode("utf-16" if wide else "utf-8-sig")
    except FileNotFoundError:
        raise TextGridError(
            f"{path}: no such file. Copy it again, or align the recording."
        ) from None
    except UnicodeDecodeError as error:
        raise TextGridError(
            f"{path}: not text ({error.reason} at byte {error.start}). Save it "
            "from Praat as a text file, in UTF-8."
        ) from error
