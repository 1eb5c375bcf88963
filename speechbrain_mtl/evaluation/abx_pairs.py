"""Distances of many pairs of items, in bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from speechbrain_mtl.evaluation.abx_cells import runs
from speechbrain_mtl.evaluation.abx_distance import Distance
from speechbrain_mtl.evaluation.abx_dtw import warp

# Frames of either side of a tile, whose distances are one product.
TILE = 512
# Frames and products of frames that are held at a time.
FRAMES, PRODUCTS = 2**15, 2**22
# Cells that are warped at a time: a cache of a processor is small, while a
# GPU wants much to do.
CELLS = {"cpu": 2**17, "cuda": 2**25}


class Block(NamedTuple):
    """Pairs between some items and some others.

    Arguments
    ---------
    rows, columns : numpy.ndarray
        The items, [R] and [C].
    first, second : numpy.ndarray
        Pairs: places in `rows` and in `columns`, [K].
    """

    rows: np.ndarray
    columns: np.ndarray
    first: np.ndarray
    second: np.ndarray


@dataclass(frozen=True)
class Bounds:
    """How much is done at a time; results do not depend on it.

    Arguments
    ---------
    tile, frames, products, cells : int
        See the constants of the module.
    """

    tile: int = TILE
    frames: int = FRAMES
    products: int = PRODUCTS
    cells: int = CELLS["cpu"]


class _Tile(NamedTuple):
    """Part of a block whose products are one matrix; `pairs` counts all."""

    rows: np.ndarray
    columns: np.ndarray
    first: np.ndarray
    second: np.ndarray
    pairs: np.ndarray


def pair_distances(
    frames: torch.Tensor,
    begins: np.ndarray,
    lengths: np.ndarray,
    blocks: Sequence[Block],
    distance: Distance,
    bounds: Bounds | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Warp all pairs of some blocks.

    Arguments
    ---------
    frames : torch.Tensor
        [F, D], on the device to compute on.
    begins, lengths : numpy.ndarray
        First frame and number of frames of each item, [N]; lengths above 0.
    blocks : sequence of Block
        Whose pairs are wanted.
    distance : Distance
        Of frames.
    bounds : Bounds, optional
        Those for the device by default.

    Returns
    -------
    there, back : numpy.ndarray
        Mean cost of each pair, block after block, and of the pair turned
        round; see `warp`.
    """
    if bounds is None:
        kind = frames.device.type
        bounds = Bounds(cells=CELLS.get(kind, CELLS["cpu"]))
    count = sum(len(block.first) for block in blocks)
    there, back = np.empty(count), np.empty(count)
    for tiles in _batches(
        _tiles(blocks, lengths, bounds.tile), lengths, bounds
    ):
        pairs = np.concatenate([tile.pairs for tile in tiles])
        there[pairs], back[pairs] = _warp_tiles(
            frames, begins, lengths, tiles, distance, bounds.cells
        )
    return there, back


def _tiles(
    blocks: Sequence[Block], lengths: np.ndarray, size: int
) -> Iterator[_Tile]:
    """Cut blocks into tiles; most are small enough to be one."""
    before = 0
    for block in blocks:
        pairs = before + np.arange(len(block.first))
        before += len(pairs)
        ends = [np.cumsum(lengths[x]) for x in (block.rows, block.columns)]
        if max(ends[0][-1], ends[1][-1]) <= size:
            yield _Tile(*block, pairs)
            continue
        row, column = ((end - 1) // size for end in ends)
        key = row[block.first] * (column[-1] + 1) + column[block.second]
        order = np.argsort(key, kind="stable")
        cuts = np.flatnonzero(np.diff(key[order])) + 1
        for some in np.split(order, cuts):
            rows, first = np.unique(block.first[some], return_inverse=True)
            columns, second = np.unique(block.second[some], return_inverse=True)
            yield _Tile(
                block.rows[rows],
                block.columns[columns],
                first,
                second,
                pairs[some],
            )


def _batches(
    tiles: Iterator[_Tile], lengths: np.ndarray, bounds: Bounds
) -> Iterator[list[_Tile]]:
    """Take as many tiles together as fit."""
    batch, frames, products = [], 0, 0
    for tile in tiles:
        rows = lengths[tile.rows].sum()
        columns = lengths[tile.columns].sum()
        frames += rows + columns
        products += rows * columns
        if batch and (frames > bounds.frames or products > bounds.products):
            yield batch
            batch, frames, products = [], rows + columns, rows * columns
        batch.append(tile)
    if batch:
        yield batch


def _warp_tiles(
    frames: torch.Tensor,
    begins: np.ndarray,
    lengths: np.ndarray,
    tiles: Sequence[_Tile],
    distance: Distance,
    cells: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Multiply all frames of each tile, then warp pairs of like lengths."""
    device = frames.device
    sides = []
    for name, factors in (("rows", distance.left), ("columns", distance.right)):
        items = np.concatenate([getattr(tile, name) for tile in tiles])
        index = torch.from_numpy(runs(begins[items], lengths[items]))
        sides.append(factors(frames[index.to(device)]))
    starts, strides, used = [], [], 0
    products = torch.empty(
        sum(
            int(lengths[tile.rows].sum() * lengths[tile.columns].sum())
            for tile in tiles
        ),
        dtype=sides[0].dtype,
        device=device,
    )
    row, column = 0, 0
    for tile in tiles:
        down, right = lengths[tile.rows], lengths[tile.columns]
        height, width = int(down.sum()), int(right.sum())
        torch.mm(
            sides[0][row : row + height],
            sides[1][column : column + width].T,
            out=products[used : used + height * width].view(height, width),
        )
        top = (np.cumsum(down) - down)[tile.first]
        edge = (np.cumsum(right) - right)[tile.second]
        starts.append(used + top * width + edge)
        strides.append(np.full(len(top), width))
        row, column, used = row + height, column + width, used + height * width
    start, stride = np.concatenate(starts), np.concatenate(strides)
    n = np.concatenate([lengths[tile.rows][tile.first] for tile in tiles])
    m = np.concatenate([lengths[tile.columns][tile.second] for tile in tiles])
    # Like lengths stand together: what a shorter pair lacks is computed too.
    order = np.lexsort((m, n))
    found = np.empty((2, len(order)))
    for some in _alike(order, n, m, cells):
        placed = [torch.from_numpy(x[some]).to(device) for x in (start, stride)]
        rows = torch.arange(n[some].max(), device=device)
        columns = torch.arange(m[some].max(), device=device)
        index = placed[0] + rows[:, None] * placed[1]
        index = index[:, None] + columns[:, None]
        # Beyond a pair's own frames anything will do, if it is there.
        costs = distance.finish(products[index.clamp_(max=used - 1)])
        ends = (torch.from_numpy(x[some]).to(device) for x in (n, m))
        found[:, some] = torch.stack(warp(costs, *ends)).cpu().numpy()
    return found[0], found[1]


def _alike(
    order: np.ndarray, n: np.ndarray, m: np.ndarray, cells: int
) -> Iterator[np.ndarray]:
    """Part ordered pairs so that a part, filled up, has so many cells."""
    begin = 0
    while begin < len(order):
        # Rows grow along the order; columns start anew with every length.
        widest = np.maximum.accumulate(m[order[begin:]][:cells])
        tallest = n[order[begin:]][:cells]
        total = widest * tallest * np.arange(1, len(widest) + 1)
        count = max(1, int(np.searchsorted(total, cells, side="right")))
        yield order[begin : begin + count]
        begin += count
