"""From CTC logits to token sequences, and from those to error rates."""

from collections.abc import Hashable, Sequence

import numpy as np
import torch

BLOCK = 64  # pairs compared at once


def ctc_greedy(
    logits: torch.Tensor,
    lens: torch.Tensor,
    blank: int = 0,
    legacy: bool = False,
) -> list[list[int]]:
    """Decode CTC outputs along the best path.

    Runs of one token become one token, then blanks go (Graves et al., ICML
    2006), so a blank parts two equal tokens that both count.

    Arguments
    ---------
    logits : torch.Tensor
        Scores or log-probabilities of the tokens, [B, T, V].
    lens : torch.Tensor
        Relative lengths, [B].
    blank : int
        Index of the blank.
    legacy : bool
        Remove blanks first, as S3PRL did until May 2022 for phones and
        slots: genuine doubles vanish. Only to compare with older numbers.

    Returns
    -------
    tokens : list of list of int
        One sequence an item, without blanks.

    Example
    -------
    >>> path = torch.tensor([[1, 1, 2, 0, 2, 3]])
    >>> logits = torch.nn.functional.one_hot(path, 4).float()
    >>> ctc_greedy(logits, torch.ones(1))
    [[1, 2, 2, 3]]
    >>> ctc_greedy(logits, torch.ones(1), legacy=True)
    [[1, 2, 3]]
    """
    best = logits.argmax(dim=-1)
    frames = (lens * best.shape[1]).round().long()
    valid = torch.arange(best.shape[1], device=best.device) < frames[:, None]
    spoken = valid & (best != blank)
    if legacy:
        # What was heard last before each frame, blanks aside: the frame of
        # the latest token, counted from 1 so that 0 means none yet.
        count = torch.arange(1, best.shape[1] + 1, device=best.device)
        latest = torch.where(spoken, count, 0).cummax(dim=1).values
        before = torch.nn.functional.pad(latest, (1, 0))[:, :-1]
        shifted = torch.nn.functional.pad(best, (1, 0), value=blank)
        previous = shifted.gather(1, before)
    else:
        previous = torch.nn.functional.pad(best, (1, 0), value=blank)[:, :-1]
    kept = spoken & (best != previous)
    counts = kept.sum(dim=1).tolist()
    return [part.tolist() for part in best[kept].cpu().split(counts)]


def error_rate(
    refs: Sequence[Sequence[Hashable]], hyps: Sequence[Sequence[Hashable]]
) -> float:
    """Edits that turn references into hypotheses, a reference token.

    Word error rate for lists of words, character error rate for strings,
    phone error rate for lists of phones.

    Arguments
    ---------
    refs : sequence of sequences
        What was said.
    hyps : sequence of sequences
        What was recognised, in the same order.

    Returns
    -------
    rate : float
        Insertions, deletions and substitutions of all pairs together, by the
        number of reference tokens. May exceed 1.

    Raises
    ------
    ValueError
        When the numbers differ or no reference has a token.

    Example
    -------
    >>> error_rate([["so", "it", "is"]], [["so", "is"]])
    0.3333333333333333
    """
    total = sum(map(len, refs))
    if not total:
        raise ValueError(
            "The references hold no token, so that there is no error rate. "
            "Leave empty references out."
        )
    return int(edit_distances(refs, hyps).sum()) / total


def edit_distances(
    refs: Sequence[Sequence[Hashable]], hyps: Sequence[Sequence[Hashable]]
) -> np.ndarray:
    """Count the edits of each pair (Levenshtein, Sov. Phys. Dokl. 10, 1966).

    Arguments
    ---------
    refs : sequence of sequences
        What was said.
    hyps : sequence of sequences
        What was recognised, in the same order.

    Returns
    -------
    edits : numpy.ndarray
        Fewest insertions, deletions and substitutions, [N], integers.

    Raises
    ------
    ValueError
        When the numbers of references and hypotheses differ.

    Example
    -------
    >>> edit_distances(["kitten", "so"], ["sitting", "so"]).tolist()
    [3, 0]
    """
    if len(refs) != len(hyps):
        raise ValueError(
            f"{len(refs)} references, but {len(hyps)} hypotheses. Give one "
            "hypothesis a reference, an empty one if nothing was recognised."
        )
    # Pairs of about one length together: little padding, and rows in cache.
    order = sorted(range(len(refs)), key=lambda i: len(refs[i]) + len(hyps[i]))
    edits = np.zeros(len(refs), dtype=np.int64)
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        edits[block] = _block_distances(
            [refs[i] for i in block], [hyps[i] for i in block]
        )
    return edits


def _block_distances(
    refs: list[Sequence[Hashable]], hyps: list[Sequence[Hashable]]
) -> np.ndarray:
    """Fill the tables of all pairs at once, a row a reference token."""
    ids: dict[Hashable, int] = {}
    ref, ref_lens = _padded(refs, ids)
    hyp, hyp_lens = _padded(hyps, ids)
    column = np.arange(hyp.shape[1] + 1, dtype=np.int32)
    row = np.tile(column, (len(refs), 1))
    for i in range(ref.shape[1]):
        substitute = row[:, :-1] + (hyp != ref[:, i, None])
        following = row + 1
        following[:, 1:] = np.minimum(following[:, 1:], substitute)
        # Insertions cost one a column, from the best column to the left.
        following = np.minimum.accumulate(following - column, axis=1) + column
        row = np.where((i < ref_lens)[:, None], following, row)
    return np.take_along_axis(row, hyp_lens[:, None], axis=1)[:, 0]


def _padded(
    sequences: Sequence[Sequence[Hashable]], ids: dict[Hashable, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens as integers in one array, [N, longest], and the lengths, [N]."""
    lens = np.array([len(tokens) for tokens in sequences])
    padded = np.full((len(lens), lens.max(initial=0)), -1, dtype=np.int32)
    inside = np.arange(padded.shape[1]) < lens[:, None]
    padded[inside] = [
        ids.setdefault(token, len(ids))
        for tokens in sequences
        for token in tokens
    ]
    return padded, lens
