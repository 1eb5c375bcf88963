"""The cells of an ABX test: which tokens stand against which.

A group is all tokens of one phone in one context by one speaker. In a cell, X
and A are of one phone, B is of another in the same context, and A and B are
of one speaker: X's own (within), or not (across).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from speechbrain_mtl.evaluation.abx_items import Item

SPEAKERS = ("within", "across")


@dataclass(frozen=True)
class Groups:
    """Tokens by context, speaker and phone, in that order.

    Arguments
    ---------
    tokens : numpy.ndarray
        Places in the list of items, group after group, [N].
    begins, sizes : numpy.ndarray
        Where in `tokens` a group begins, and how many it has, [G].
    context, speaker, phone : numpy.ndarray
        Numbers of what the group is of, [G].
    """

    tokens: np.ndarray
    begins: np.ndarray
    sizes: np.ndarray
    context: np.ndarray
    speaker: np.ndarray
    phone: np.ndarray

    def members(self, groups: np.ndarray) -> np.ndarray:
        """Places in `tokens` of all members of some groups, in order."""
        return runs(self.begins[groups], self.sizes[groups])


def runs(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Lay runs of whole numbers end to end.

    Arguments
    ---------
    begins, lengths : numpy.ndarray
        First number of each run, and how many, [R].

    Returns
    -------
    numbers : numpy.ndarray
        As many as all lengths together.

    Example
    -------
    >>> runs(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])
    """
    before = np.cumsum(lengths) - lengths
    return np.repeat(begins - before, lengths) + np.arange(lengths.sum())


def group_items(
    items: Sequence[Item],
    keep: np.ndarray,
    most_tokens: int | None = None,
    seed: int = 0,
) -> Groups:
    """Sort items into groups, and draw from those that are too large.

    What is drawn depends on the items and the seed, not on their order.

    Arguments
    ---------
    items : sequence of Item
        All of them.
    keep : numpy.ndarray
        Places of those to use.
    most_tokens : int, optional
        Tokens of a group at most; all by default.
    seed : int
        Of the draw.

    Returns
    -------
    groups : Groups
        The same for equal items in any order.
    """
    order = sorted(
        keep.tolist(),
        key=lambda i: (
            *(items[i].left, items[i].right, items[i].speaker),
            *(items[i].phone, items[i].file, items[i].onset, items[i].offset),
        ),
    )
    rows = [items[i] for i in order]
    context = _numbers([(row.left, row.right) for row in rows])
    speaker = _numbers([row.speaker for row in rows])
    phone = _numbers([row.phone for row in rows])
    kind = np.stack([context, speaker, phone], axis=1)
    new = np.append(True, (kind[1:] != kind[:-1]).any(axis=1))
    begins = np.flatnonzero(new)
    sizes = np.diff(np.append(begins, len(rows)))
    tokens = np.array(order)
    if most_tokens is not None:
        random = np.random.default_rng(seed)
        # As every token draws a number, so does its group.
        lot = random.random(len(tokens))
        group = np.cumsum(new) - 1
        rank = np.empty(len(tokens), dtype=np.int64)
        rank[np.lexsort((lot, group))] = runs(np.zeros_like(begins), sizes)
        tokens = tokens[rank < most_tokens]
        sizes = np.minimum(sizes, most_tokens)
        kind = kind[begins]
        begins = np.cumsum(sizes) - sizes
    else:
        kind = kind[begins]
    return Groups(tokens, begins, sizes, *kind.T)


def cells_of(
    groups: Groups,
    speaker: str,
    most_speakers: int | None = None,
    seed: int = 0,
) -> Iterator[np.ndarray]:
    """Find all cells, a part that shares no pair of tokens at a time.

    Arguments
    ---------
    groups : Groups
        From `group_items`.
    speaker : str
        ``"within"`` or ``"across"``.
    most_speakers : int, optional
        Speakers of X for each A and B at most; all by default.
    seed : int
        Of the draw.

    Yields
    ------
    cells : numpy.ndarray
        Groups of A, B and X, [C, 3], C > 0: those of one context and, within,
        of one speaker.

    Raises
    ------
    ValueError
        When `speaker` is neither.
    """
    if speaker not in SPEAKERS:
        raise ValueError(
            f"speaker is '{speaker}'. Choose one of {', '.join(SPEAKERS)}."
        )
    random = np.random.default_rng(seed)
    bounds = np.flatnonzero(np.diff(groups.context)) + 1
    bounds = [0, *bounds.tolist(), len(groups.context)]
    for begin, end in zip(bounds, bounds[1:]):
        if end - begin < 2:
            continue
        part = slice(begin, end)
        who, what = groups.speaker[part], groups.phone[part]
        of_one = who[:, None] == who
        a, b = np.nonzero(of_one & (what[:, None] != what))
        if speaker == "within":
            enough = groups.sizes[part][a] > 1
            cells = np.stack([a, b, a], axis=1)[enough] + begin
            cuts = np.flatnonzero(np.diff(groups.speaker[cells[:, 0]])) + 1
            yield from (some for some in np.split(cells, cuts) if len(some))
        else:
            others = ~of_one & (what[:, None] == what)
            if most_speakers is not None:
                lot = np.where(others, random.random(others.shape), 2)
                place = lot.argsort(axis=1).argsort(axis=1)
                others &= place < most_speakers
            there, x = np.nonzero(others)
            count = others.sum(axis=1)
            begins = np.cumsum(count) - count
            which = runs(begins[a], count[a])
            a, b = np.repeat(a, count[a]), np.repeat(b, count[a])
            if len(a):
                yield np.stack([a, b, x[which]], axis=1) + begin


def _numbers(labels: Sequence) -> np.ndarray:
    """Number labels in their own order."""
    place = {label: i for i, label in enumerate(sorted(set(labels)))}
    return np.array([place[label] for label in labels])
