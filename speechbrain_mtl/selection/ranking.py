"""Labels in order, with their intervals and whatever speaks against them."""

from dataclasses import dataclass
from typing import Any

import torch

from speechbrain_mtl.selection.criterion import noise_levels, ratio, ratio_error
from speechbrain_mtl.selection.evidence import Evidence
from speechbrain_mtl.selection.intervals import percentile_interval

SIGNIFICANT = 0.01  # permutation p below which a dependence is not chance
NEAR_CONSTANT = 0.05  # deviation of segments, in that of frames
FLAGS = {
    "noise-like": "depends neither on speech within classes nor on the class, "
    "more than chance would: never weighed",
    "class-blind": "depends on speech within classes, but on the class no "
    "more than chance would: never weighed",
    "near-constant": "segments hardly differ in it, for most of its variance "
    "is in few frames",
}


@dataclass(frozen=True)
class Ranking:
    """The score that ranks k labels, and which of them may be weighed.

    Arguments
    ---------
    evidence : Evidence
        Of the labels.
    ci : torch.Tensor
        The score; lower is better, [k].
    intervals : torch.Tensor
        95 % interval of the score over speakers, [k, 2].
    ranks : torch.Tensor
        The same of its rank among all labels, 1 for the best, integers
        [k, 2].
    agreement : float or None
        Spearman correlation of the ranks that two halves of the speakers
        give, a mean over random halves; None for a single label or speaker.
    flags : list of list of str
        Keys of `FLAGS`, which says what they mean.
    eligible : list of int
        Labels that may be weighed.
    eligible_drawn : torch.Tensor
        Which would be in each bootstrap draw, bool [draws, k].
    noise : tuple of float
        See `noise_levels`.
    block_errors : torch.Tensor
        Standard error of the score against all pairs, where large classes
        are compared in blocks; else 0, [k].
    """

    evidence: Evidence
    ci: torch.Tensor
    intervals: torch.Tensor
    ranks: torch.Tensor
    agreement: float | None
    flags: list[list[str]]
    eligible: list[int]
    eligible_drawn: torch.Tensor
    noise: tuple[float, float]
    block_errors: torch.Tensor

    def row(self, index: int) -> dict[str, Any]:
        """The numbers of one label, ready for JSON."""
        columns = self.evidence.columns
        dependence = self.evidence.dependence[index]
        cut = {"block_error": float(self.block_errors[index])}
        return {
            "ci": float(self.ci[index]),
            "interval": self.intervals[index].tolist(),
            **(cut if self.block_errors.any() else {}),
            "rank": self.ranks[index].tolist(),
            "z": dependence.z,
            "p": dependence.p,
            "relevance_p": self.evidence.relevance[index].p,
            **{name: float(column[index]) for name, column in columns.items()},
            "flags": self.flags[index],
        }


def rank(evidence: Evidence, names: list[str], centering: str) -> Ranking:
    """Score labels by a criterion and judge them.

    Arguments
    ---------
    evidence : Evidence
        Of k labels.
    names : list of str
        Their names.
    centering : str
        "centered": the score is `ratio`, and labels that do not depend on the
        class are not weighed. "reference": the published score; all are.

    Returns
    -------
    ranking : Ranking

    Raises
    ------
    ValueError
        When no label may be weighed.
    """
    noise = noise_levels(evidence)
    columns = evidence.columns

    def score(values: dict[str, torch.Tensor]) -> torch.Tensor:
        if centering == "reference":
            return values["reference"]
        return ratio(
            values["unbiased"],
            values["relevance"],
            noise,
            evidence.speech_scale,
        )

    ci, drawn = score(columns), score(evidence.draws)
    flags = []
    for dependence, relevance, spread in zip(
        evidence.dependence, evidence.relevance, columns["spread"]
    ):
        found = []
        if relevance.p >= SIGNIFICANT:
            blind = dependence.p < SIGNIFICANT
            found.append("class-blind" if blind else "noise-like")
        if spread < NEAR_CONSTANT:
            found.append("near-constant")
        flags.append(found)
    eligible = [
        index
        for index, test in enumerate(evidence.relevance)
        if centering == "reference" or test.p < SIGNIFICANT
    ]
    if not eligible:
        told = ", ".join(
            f"{name} p = {test.p:.2g}"
            for name, test in zip(names, evidence.relevance)
        )
        raise ValueError(
            "no label depends on the downstream class more than chance would "
            f"({told}). Give more data per class or other workers; equal "
            "weights need no selection."
        )
    relevance = evidence.draws["relevance"]
    needed = [test.critical(SIGNIFICANT) for test in evidence.relevance]
    everyone = torch.ones_like(relevance, dtype=torch.bool)
    return Ranking(
        evidence,
        ci,
        percentile_interval(drawn),
        rank_intervals(drawn),
        split_half_agreement(score(evidence.halves)),
        flags,
        eligible,
        everyone
        if centering == "reference"
        else relevance > torch.tensor(needed).to(relevance),
        noise,
        evidence.errors["reference"]
        if centering == "reference"
        else ratio_error(evidence, noise),
    )


def rank_intervals(drawn: torch.Tensor) -> torch.Tensor:
    """Between which ranks a label lies in 95 % of all draws.

    Arguments
    ---------
    drawn : torch.Tensor
        Resampled scores, lower is better, [draws, k].

    Returns
    -------
    ranks : torch.Tensor
        Integers from 1 to k, [k, 2].

    Example
    -------
    >>> rank_intervals(torch.tensor([[0.1, 0.3, 0.2], [0.1, 0.2, 0.3]]))
    tensor([[1, 1],
            [2, 3],
            [2, 3]])
    """
    ends = percentile_interval(_ranks(drawn)).T
    return torch.stack([ends[0].floor(), ends[1].ceil()], dim=1).long()


def split_half_agreement(halves: torch.Tensor) -> float | None:
    """Do two halves of the speakers rank the labels alike?

    Arguments
    ---------
    halves : torch.Tensor
        Scores of one half and of the other in turn, [2 * splits, k].

    Returns
    -------
    agreement : float or None
        Mean Spearman correlation: 1 when they always do, 0 when they agree
        by chance. None where there is nothing to correlate.

    Example
    -------
    >>> split_half_agreement(torch.tensor([[0.1, 0.2, 0.3], [2.0, 3.0, 4.0]]))
    1.0
    """
    ranks = _ranks(halves)
    ranks = ranks - ranks.mean(dim=1, keepdim=True)
    flat = (halves == halves[:, :1]).all(dim=1)
    if halves.shape[1] < 2 or flat.any():
        return None
    one, other = ranks[0::2], ranks[1::2]
    return float(((one * other).sum(1) / one.square().sum(1)).mean())


def _ranks(scores: torch.Tensor) -> torch.Tensor:
    """Rank of each score in its row, 1 for the lowest, float64."""
    return scores.argsort(dim=1).argsort(dim=1).double() + 1
