"""Labels in order, with their intervals and whatever speaks against them."""

from dataclasses import dataclass
from typing import Any

import torch

from speechbrain_mtl.selection.criterion import noise_levels, ratio
from speechbrain_mtl.selection.evidence import Evidence
from speechbrain_mtl.selection.intervals import percentile_interval

SIGNIFICANT = 0.01  # permutation p below which a dependence is not chance
NEAR_CONSTANT = 0.05  # deviation of segments, in that of frames


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
    flags : list of list of str
        "noise-like": the label depends neither on speech within classes nor
        on the class; "class-blind": on speech alone; "near-constant":
        segments hardly differ in it, for most of its variance is in few
        frames.
    eligible : list of int
        Labels that may be weighed.
    noise : tuple of float
        See `noise_levels`.
    """

    evidence: Evidence
    ci: torch.Tensor
    intervals: torch.Tensor
    flags: list[list[str]]
    eligible: list[int]
    noise: tuple[float, float]

    def row(self, index: int) -> dict[str, Any]:
        """The numbers of one label, ready for JSON."""
        columns = self.evidence.columns
        dependence = self.evidence.dependence[index]
        return {
            "ci": float(self.ci[index]),
            "interval": self.intervals[index].tolist(),
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
    scale = evidence.speech_scale
    columns, draws = evidence.columns, evidence.draws
    if centering == "reference":
        ci, drawn = columns["reference"], draws["reference"]
    else:
        ci = ratio(columns["unbiased"], columns["relevance"], noise, scale)
        drawn = ratio(draws["unbiased"], draws["relevance"], noise, scale)
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
    return Ranking(
        evidence, ci, percentile_interval(drawn), flags, eligible, noise
    )
