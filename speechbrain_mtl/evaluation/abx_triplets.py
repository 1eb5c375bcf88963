"""From distances of tokens to the error of every cell."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from speechbrain_mtl.evaluation.abx_cells import Groups
from speechbrain_mtl.evaluation.abx_distance import Distance
from speechbrain_mtl.evaluation.abx_pairs import Block, Bounds, pair_distances

# Two distances this near are equal: means of exact sums, they can only
# differ by the rounding of a division.
TIE = 1e-12
# Pairs of items that are known at a time, and triplets that are compared.
PAIRS, TRIPLETS = 2**18, 2**20


class _Table(NamedTuple):
    """Pairs that a part of the cells needs, and where they come to lie.

    `here` and `turned` are the places of a pair and of the pair turned
    round in the part's table of X by A and B; -1 where it is not needed.
    """

    block: Block
    here: np.ndarray
    turned: np.ndarray
    size: int
    cells: np.ndarray


def cell_errors(
    layers: Sequence[torch.Tensor],
    begins: np.ndarray,
    lengths: np.ndarray,
    groups: Groups,
    parts: Iterable[np.ndarray],
    distance: Distance,
    bounds: Bounds | None = None,
    pairs: int = PAIRS,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the share of triplets of each cell in which X is nearer to B.

    Arguments
    ---------
    layers : sequence of torch.Tensor
        Frames of each layer, [F, D_l]; items lie alike in all.
    begins, lengths : numpy.ndarray
        First frame and number of frames of each token, [N].
    groups : Groups
        Of the tokens.
    parts : iterable of numpy.ndarray
        Groups of A, B and X of cells, [C, 3].
    distance : Distance
        Of frames.
    bounds : Bounds, optional
        Of `pair_distances`.
    pairs : int
        How many are held at a time, or those of one X.

    Returns
    -------
    cells : numpy.ndarray
        All parts, [C, 3].
    counts : numpy.ndarray
        Triplets of each cell, [C].
    errors : numpy.ndarray
        [L, C]; equal distances count half.
    """
    cells, counts, errors = [], [], []
    for tables in _batches(_tables(groups, parts, pairs), pairs):
        for table in tables:
            cells.append(table.cells)
        places = _cell_places(groups, tables)
        counts.append(places[:, 3:6].prod(axis=1))
        blocks = [table.block for table in tables]
        found = []
        for frames in layers:
            known = pair_distances(
                frames, begins, lengths, blocks, distance, bounds
            )
            found.append(_errors(_filled(tables, *known), places))
        errors.append(np.stack(found))
    if not cells:
        empty = np.zeros((len(layers), 0))
        return np.zeros((0, 3), dtype=int), np.zeros(0, dtype=int), empty
    return (
        np.concatenate(cells),
        np.concatenate(counts),
        np.concatenate(errors, axis=1),
    )


def _tables(
    groups: Groups, parts: Iterable[np.ndarray], pairs: int
) -> Iterator[_Table]:
    """Find the pairs each part needs, parted by X where they are many."""
    row_of = np.full(len(groups.tokens), -1)
    column_of = np.full(len(groups.tokens), -1)
    for cells in parts:
        others = int(groups.sizes[np.unique(cells[:, :2])].sum())
        x_groups = np.unique(cells[:, 2])
        ends = np.cumsum(groups.sizes[x_groups]) * others
        key = (ends - 1) // pairs
        if key[-1] == 0:
            yield _table(groups, cells, row_of, column_of)
            continue
        of_cell = key[np.searchsorted(x_groups, cells[:, 2])]
        for one in np.unique(of_cell):
            yield _table(groups, cells[of_cell == one], row_of, column_of)


def _table(
    groups: Groups, cells: np.ndarray, row_of: np.ndarray, column_of: np.ndarray
) -> _Table:
    """Pairs (X, A) and (X, B) of all tokens of some cells, each once."""
    a, b, x = cells.T
    x_groups, x_place = np.unique(x, return_inverse=True)
    ab_groups, ab_place = np.unique(cells[:, :2], return_inverse=True)
    a_place, b_place = ab_place.reshape(-1, 2).T
    needed = np.zeros((len(x_groups), len(ab_groups)), dtype=bool)
    needed[x_place, a_place] = needed[x_place, b_place] = True
    rows, columns = groups.members(x_groups), groups.members(ab_groups)
    needed = np.repeat(needed, groups.sizes[x_groups], axis=0)
    needed = np.repeat(needed, groups.sizes[ab_groups], axis=1)
    row_of[rows] = np.arange(len(rows))
    column_of[columns] = np.arange(len(columns))
    first, second = np.nonzero(needed)
    # The same pair turned round comes with it; a token itself is no pair.
    there, back = row_of[columns[second]], column_of[rows[first]]
    both = (there >= 0) & (back >= 0)
    both[both] = needed[there[both], back[both]]
    keep = ~both | (rows[first] < columns[second])
    width = len(columns)
    turned = np.where(both, there * width + back, -1)[keep]
    first, second = first[keep], second[keep]
    row_of[rows] = column_of[columns] = -1
    return _Table(
        Block(rows, columns, first, second),
        first * width + second,
        turned,
        len(rows) * width,
        cells,
    )


def _batches(tables: Iterator[_Table], pairs: int) -> Iterator[list[_Table]]:
    """Take parts together until there are enough pairs."""
    batch, held = [], 0
    for table in tables:
        if batch and held + table.size > pairs:
            yield batch
            batch, held = [], 0
        batch.append(table)
        held += table.size
    if batch:
        yield batch


def _filled(
    tables: Sequence[_Table], there: np.ndarray, back: np.ndarray
) -> np.ndarray:
    """All tables of distances, end to end."""
    known = np.zeros(sum(table.size for table in tables))
    first = pair = 0
    for table in tables:
        some = slice(pair, pair + len(table.here))
        known[first + table.here] = there[some]
        turned = table.turned >= 0
        known[first + table.turned[turned]] = back[some][turned]
        first, pair = first + table.size, some.stop
    return known


def _cell_places(groups: Groups, tables: Sequence[_Table]) -> np.ndarray:
    """Of each cell: places of A and B for the first X, the step from X to X.

    Then how many X, A (without X itself) and B there are, and whether X are
    also A, [C, 7].
    """
    found, before = [], 0
    for table in tables:
        a, b, x = table.cells.T
        x_groups = np.unique(x)
        ab_groups = np.unique(table.cells[:, :2])
        width = len(table.block.columns)
        x_begin = _starts(groups.sizes[x_groups])
        ab_begin = _starts(groups.sizes[ab_groups])
        top = before + width * x_begin[np.searchsorted(x_groups, x)]
        same = (a == x).astype(int)
        found.append(
            np.stack(
                [
                    top + ab_begin[np.searchsorted(ab_groups, a)],
                    top + ab_begin[np.searchsorted(ab_groups, b)],
                    np.full(len(a), width),
                    groups.sizes[x],
                    groups.sizes[a] - same,
                    groups.sizes[b],
                    same,
                ],
                axis=1,
            )
        )
        before += table.size
    return np.concatenate(found)


def _errors(known: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Mean over the triplets of each cell, some triplets at a time."""
    counts = places[:, 3:6].prod(axis=1)
    ends = np.cumsum(counts)
    wrong = np.zeros(len(counts))
    for begin in range(0, int(ends[-1]), TRIPLETS):
        triplet = np.arange(begin, min(begin + TRIPLETS, int(ends[-1])))
        cell = np.searchsorted(ends, triplet, side="right")
        low, high = cell[0], cell[-1] + 1
        place = triplet - (ends - counts)[cell]
        at_a, at_b, step, _, of_a, of_b, same = places[cell].T
        x, rest = np.divmod(place, of_a * of_b)
        a, b = np.divmod(rest, of_b)
        # Where A are X too, the one that is X itself is passed over.
        a = a + same * (a >= x)
        gap = known[at_b + step * x + b] - known[at_a + step * x + a]
        score = np.where(np.abs(gap) <= TIE, 0.5, gap < 0)
        wrong[low:high] += np.bincount(
            cell - low, weights=score, minlength=high - low
        )
    return wrong / counts


def _starts(sizes: np.ndarray) -> np.ndarray:
    return np.cumsum(sizes) - sizes


def mean_error(
    groups: Groups, cells: np.ndarray, errors: np.ndarray
) -> np.ndarray:
    """Average cells over contexts, then speakers, then pairs of phones.

    Arguments
    ---------
    groups : Groups
        Of the tokens.
    cells : numpy.ndarray
        Groups of A, B and X, [C, 3].
    errors : numpy.ndarray
        [L, C].

    Returns
    -------
    means : numpy.ndarray
        [L]. Speakers of X are averaged with contexts.
    """
    keys = np.stack(
        [
            groups.phone[cells[:, 0]],
            groups.phone[cells[:, 1]],
            groups.speaker[cells[:, 0]],
        ],
        axis=1,
    )
    for left in (3, 2):
        keys, place = np.unique(keys[:, :left], axis=0, return_inverse=True)
        place = place.reshape(-1)
        counts = np.bincount(place)
        errors = np.stack(
            [np.bincount(place, weights=row) / counts for row in errors]
        )
    return errors.mean(axis=1)
