"""Slots of a command: are their types found, and are their values right?

As in SUPERB (Yang et al., Interspeech 2021). Texts hold each slot between two
marks: ``PLAY B-artist THE BEATLES E-artist``.
"""

import re
from collections.abc import Sequence

import numpy as np

from speechbrain_mtl.evaluation.text import edit_distances

SLOT = re.compile(r"(?<!\S)B-(\S+) (.+?) E-\1(?!\S)")
# A mark within a value; words like E-MAIL are upper-case throughout.
MARK = re.compile(r"[BE]-(?=\S*[a-z])\S+")
# No answer costs less: so many errors a character or word are as good as none.
HOPELESS = 100


def slots_of(text: str) -> dict[str, list[str]]:
    """List the values of each slot type that a text marks.

    Arguments
    ---------
    text : str
        Words and marks. Marks without a partner mark nothing.

    Returns
    -------
    slots : dict
        Values, in order, by type.

    Example
    -------
    >>> slots_of("PLAY B-artist THE  BEATLES E-artist B-year")
    {'artist': ['THE BEATLES']}
    """
    slots: dict[str, list[str]] = {}
    for kind, value in SLOT.findall(" ".join(text.split())):
        words = [word for word in value.split() if not MARK.fullmatch(word)]
        slots.setdefault(kind, []).append(" ".join(words))
    return slots


def slot_type_scores(refs: Sequence[str], hyps: Sequence[str]) -> list[float]:
    """F1 of the set of slot types of each utterance.

    Arguments
    ---------
    refs : sequence of str
        What was said, with marks.
    hyps : sequence of str
        What was recognised, in the same order.

    Returns
    -------
    scores : list of float
        1 where neither has slots, 0 where one has none.

    Raises
    ------
    ValueError
        When the numbers differ.

    Example
    -------
    >>> slot_type_scores(["B-a X E-a B-b Y E-b"], ["B-a X E-a"])
    [0.6666666666666666]
    """
    _check_numbers(refs, hyps)
    scores = []
    for ref, hyp in zip(refs, hyps):
        true, found = set(slots_of(ref)), set(slots_of(hyp))
        size = len(true) + len(found)
        scores.append(2 * len(true & found) / size if size else 1.0)
    return scores


def slot_type_f1(refs: Sequence[str], hyps: Sequence[str]) -> float:
    """F1 of slot types, a mean over utterances: see `slot_type_scores`.

    Raises
    ------
    ValueError
        When the numbers differ, or there is no utterance.

    Example
    -------
    >>> slot_type_f1(["B-a X E-a", "HI"], ["B-b X E-b", "HI"])
    0.5
    """
    scores = slot_type_scores(refs, hyps)
    if not scores:
        raise ValueError("no utterance, so that there is no F1. Give some.")
    return sum(scores) / len(scores)


def slot_value_edits(
    refs: Sequence[str], hyps: Sequence[str], unit: str = "characters"
) -> tuple[np.ndarray, np.ndarray]:
    """Count edits of slot values in each utterance.

    A value of the reference is compared with the closest value of its type,
    with nothing where there is none. Further values of the hypothesis cost
    nothing.

    Arguments
    ---------
    refs : sequence of str
        What was said, with marks.
    hyps : sequence of str
        What was recognised, in the same order.
    unit : str
        ``"characters"`` or ``"words"``.

    Returns
    -------
    edits, sizes : numpy.ndarray
        Edits of each utterance, and units of its reference's values, [N].

    Raises
    ------
    ValueError
        When the numbers differ, or the unit is unknown.

    Example
    -------
    >>> edits, sizes = slot_value_edits(["B-a OLD X E-a"], ["B-a OLD E-a"])
    >>> edits.tolist(), sizes.tolist()
    ([2], [5])
    """
    if unit not in ("characters", "words"):
        raise ValueError(f"unit '{unit}' is neither characters nor words")
    _check_numbers(refs, hyps)
    # Each value, and beside it every candidate; numbered by value.
    owner, size, pairs = [], [], []
    for number, (ref, hyp) in enumerate(zip(refs, hyps)):
        found = slots_of(hyp)
        for kind, values in slots_of(ref).items():
            for value in values:
                value = value.split() if unit == "words" else value
                for other in found.get(kind, []):
                    other = other.split() if unit == "words" else other
                    pairs.append((len(owner), value, other))
                owner.append(number)
                size.append(len(value))
    owner, size = np.array(owner, dtype=int), np.array(size, dtype=int)
    least = np.full(len(size), np.inf)
    if pairs:
        rows, values, others = zip(*pairs)
        np.minimum.at(least, list(rows), edit_distances(values, others))
    edits = np.where(least < HOPELESS * size, least, size)
    sums = [np.bincount(owner, x, len(refs)).astype(int) for x in (edits, size)]
    return sums[0], sums[1]


def slot_value_cer(refs: Sequence[str], hyps: Sequence[str]) -> float:
    """Character error rate of slot values: see `slot_value_edits`.

    Raises
    ------
    ValueError
        When the numbers differ, or no reference has a slot.

    Example
    -------
    >>> slot_value_cer(["B-a OLD E-a"], ["B-a OLD E-a B-b X E-b"])
    0.0
    """
    return _rate(*slot_value_edits(refs, hyps))


def slot_value_wer(refs: Sequence[str], hyps: Sequence[str]) -> float:
    """Word error rate of slot values: see `slot_value_edits`.

    Raises
    ------
    ValueError
        When the numbers differ, or no reference has a slot.

    Example
    -------
    >>> slot_value_wer(["B-a OLD X E-a"], ["B-a OLD E-a"])
    0.5
    """
    return _rate(*slot_value_edits(refs, hyps, "words"))


def _rate(edits: np.ndarray, sizes: np.ndarray) -> float:
    if not sizes.sum():
        raise ValueError(
            "no reference marks a slot, so that there is no error rate of "
            "values. Give texts with B- and E- marks."
        )
    return float(edits.sum() / sizes.sum())


def _check_numbers(refs: Sequence[str], hyps: Sequence[str]) -> None:
    if len(refs) != len(hyps):
        raise ValueError(
            f"{len(refs)} references, but {len(hyps)} hypotheses. Give one "
            "hypothesis a reference, an empty one if nothing was recognised."
        )
