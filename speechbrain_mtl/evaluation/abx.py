"""ABX phone discrimination: is a token nearer to its own phone?

Of a triplet, X and A are tokens of one phone, B is one of another, all three
between the same neighbours. The error is the share of triplets in which X is
nearer to B. Schatz et al., 2013; as in Libri-Light (Kahn et al., 2020) and
the ZeroSpeech challenges, sequences are compared by dynamic time warping over
angles, and cells are averaged over contexts, then over speakers, then over
pairs of phones.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from speechbrain_mtl.evaluation.abx_cells import (
    Groups,
    cells_of,
    group_items,
)
from speechbrain_mtl.evaluation.abx_distance import distance_named
from speechbrain_mtl.evaluation.abx_items import Item, as_items
from speechbrain_mtl.evaluation.abx_slicing import lay_out
from speechbrain_mtl.evaluation.abx_triplets import cell_errors, mean_error

HOP = 0.02  # s, of wav2vec 2.0 and its like


class NoCellsError(ValueError):
    """Items of which no triplet can be made; the message says why."""


@dataclass(frozen=True)
class AbxScore:
    """An ABX error and what it was measured on.

    Arguments
    ---------
    error : float
        A fraction; 0.5 is chance.
    cells : int
        Combinations of context, speaker and pair of phones (across: and of
        the speaker of X).
    triplets : int
        In all cells.
    items : int
        That have frames.
    dropped : int
        Items too short for any frame to be centred in.
    """

    error: float
    cells: int
    triplets: int
    items: int
    dropped: int

    def as_dict(self) -> dict:
        """Give the JSON form."""
        return asdict(self)


def abx_error(
    features: Mapping[str, torch.Tensor],
    items: str | os.PathLike | Iterable,
    speaker: str = "within",
    slicing: str = "fixed",
    distance: str = "angular",
    **options: object,
) -> float:
    """Measure how often a token is nearer to another phone than to its own.

    Arguments
    ---------
    features : dict
        Frames [T, D] of each recording, by id.
    items : path or iterable
        An ``.item`` file of the ZeroSpeech challenges, or rows of ``file,
        onset, offset, phone, left, right, speaker`` (times in seconds).
    speaker : str
        ``"within"``: X is by the speaker of A and B; ``"across"``: by
        another.
    slicing : str
        ``"fixed"`` takes all frames centred in an item; ``"librilight"``
        lacks the last one, as Libri-Light and ZeroSpeech do. Name it beside
        every number: the two differ.
    distance : str
        Of frames: ``"angular"``, ``"euclidean"`` or ``"kl_symmetric"``.
    **options
        Of `abx_score`: ``hop``, ``offset``, sampling, device.

    Returns
    -------
    error : float
        Between 0 and 1; 0.5 is chance. Equal distances count half.

    Raises
    ------
    ValueError
        As `abx_score`.

    Example
    -------
    >>> items = [
    ...     ("a", 0.2 * i, 0.2 * i + 0.1, phone, "k", "t", "ann")
    ...     for i, phone in enumerate(["ih", "ae", "ih", "ae"])
    ... ]
    >>> ih, ae = torch.eye(2).repeat_interleave(10, dim=0).chunk(2)
    >>> abx_error({"a": torch.cat([ih, ae, ih, ae])}, items)
    0.0
    >>> abx_error({"a": torch.ones(40, 2)}, items)
    0.5
    """
    return abx_score(
        features, items, speaker, slicing, distance, **options
    ).error


def abx_score(
    features: Mapping[str, torch.Tensor],
    items: str | os.PathLike | Iterable,
    speaker: str = "within",
    slicing: str = "fixed",
    distance: str = "angular",
    *,
    hop: float = HOP,
    offset: float | None = None,
    most_tokens: int | None = None,
    most_speakers: int | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> AbxScore:
    """Measure the ABX error, and say on how much.

    Arguments
    ---------
    features, items, speaker, slicing, distance
        See `abx_error`.
    hop : float
        Seconds between frames.
    offset : float, optional
        Centre of frame 0 in seconds, half a hop by default.
    most_tokens : int, optional
        Tokens of one phone, context and speaker that are drawn at most. All
        by default; Libri-Light draws 10.
    most_speakers : int, optional
        Speakers of X for each A and B, likewise; Libri-Light draws 5.
    seed : int
        Of the draws: equal seeds give equal errors.
    device : str or torch.device
        Where distances are computed.

    Returns
    -------
    score : AbxScore
        The error with the number of its cells.

    Raises
    ------
    ValueError
        Naming recordings without features, features of different sizes or
        with NaN, times beyond the end, items that are none; `NoCellsError`
        when no triplet can be made.
    """
    rows = as_items(items)
    segments = lay_out(features, rows, hop, offset, slicing)
    return score_layers(
        [segments.frames],
        rows,
        segments.begins,
        segments.lengths,
        speaker,
        distance,
        most_tokens,
        most_speakers,
        seed,
        device,
    )[0]


@torch.no_grad()
def score_layers(
    layers: Sequence[torch.Tensor],
    items: Sequence[Item],
    begins: np.ndarray,
    lengths: np.ndarray,
    speaker: str,
    distance: str,
    most_tokens: int | None = None,
    most_speakers: int | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> list[AbxScore]:
    """Measure the ABX error of several layers on the same triplets.

    Arguments
    ---------
    layers : sequence of torch.Tensor
        Frames of all recordings, [F, D_l].
    items : sequence of Item
        N of them.
    begins, lengths : numpy.ndarray
        First frame of each item and how many there are, [N].
    speaker, distance, most_tokens, most_speakers, seed, device
        See `abx_score`.

    Returns
    -------
    scores : list of AbxScore
        One a layer.

    Raises
    ------
    ValueError
        When no item has a frame; `NoCellsError` when no triplet can be made.
    """
    measure = distance_named(distance)
    for name, value in (
        ("most_tokens", most_tokens),
        ("most_speakers", most_speakers),
    ):
        if value is not None and value < 1:
            raise ValueError(
                f"{name} is {value}. Give 1 or more, or None for all."
            )
    kept = np.flatnonzero(lengths)
    dropped = len(items) - len(kept)
    if not len(kept):
        raise ValueError(
            f"none of {len(items)} items has a frame: the first is of "
            f"{items[0].offset - items[0].onset:.3f} s. Give the features' "
            "own hop, or longer items."
        )
    groups = group_items(items, kept, most_tokens, seed)
    cells, counts, errors = cell_errors(
        [measure.prepare(frames.to(device)) for frames in layers],
        begins[groups.tokens],
        lengths[groups.tokens],
        groups,
        cells_of(groups, speaker, most_speakers, seed),
        measure,
    )
    if not len(cells):
        raise NoCellsError(_why_no_cells(speaker, groups, len(kept), dropped))
    return [
        AbxScore(
            float(error), len(cells), int(counts.sum()), len(kept), dropped
        )
        for error in mean_error(groups, cells, errors)
    ]


def _why_no_cells(
    speaker: str, groups: Groups, items: int, dropped: int
) -> str:
    """Say what a test of that kind needs and these items lack."""
    speakers = len(np.unique(groups.speaker))
    needs = {
        "within": "two tokens of a phone and one of another, by one speaker",
        "across": "a phone and another by one speaker, and the first by "
        "another",
    }[speaker]
    return (
        f"no ABX test {speaker} speakers: {items} items ({dropped} more "
        f"without frames) of {speakers} speaker(s) in "
        f"{len(np.unique(groups.context))} contexts never have {needs}, in "
        "one context. Give more recordings, or merge phones."
    )
