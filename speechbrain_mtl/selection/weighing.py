"""From ranked labels to weights, and to all that is said of the weights."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.group_sums import (
    PairPlan,
    published_sums,
    ratio_sums,
)
from speechbrain_mtl.selection.intervals import ClusterBootstrap
from speechbrain_mtl.selection.leave_one_out import leave_one_out
from speechbrain_mtl.selection.path import temperatures, weight_path
from speechbrain_mtl.selection.problem import Problem
from speechbrain_mtl.selection.published import published_descent
from speechbrain_mtl.selection.ranking import Ranking
from speechbrain_mtl.selection.resampled import ResampledSums
from speechbrain_mtl.selection.solver import TOLERANCES
from speechbrain_mtl.selection.stability import DRAWS, selection_frequency
from speechbrain_mtl.selection.tiled_sums import TiledSums

NEGLIGIBLE = 1e-9  # weights that only rounding keeps from zero


@dataclass(frozen=True)
class Weighed:
    """Weights of all labels, and how they were found.

    Arguments
    ---------
    tasks : dict
        "weight", "frequency" and "leave_one_out" by label.
    solver : dict
        What the solver did, ready for JSON.
    """

    tasks: dict[str, dict[str, float | None]]
    solver: dict[str, Any]


def weigh(
    comparison: Comparison,
    classes: torch.Tensor,
    clusters: torch.Tensor,
    ranking: Ranking,
    mapping: str,
    temperature: float,
    centering: str,
    solver: str,
    exact: bool,
    draws: int,
    seed: int,
) -> Weighed:
    """Solve for the weights of the eligible labels, and look around.

    Arguments
    ---------
    comparison : Comparison
        Of N segments.
    classes, clusters : torch.Tensor
        Class and speaker of each segment, [N].
    ranking : Ranking
        Of the labels.
    mapping, temperature, centering, solver, exact, draws, seed
        See `Selector`.

    Returns
    -------
    weighed : Weighed
    """
    eligible, names = ranking.eligible, comparison.names
    judged = ranking.eligible_drawn[:DRAWS]
    # Labels that may be weighed, in the data or in any draw.
    ever = sorted({*eligible, *judged.any(dim=0).nonzero()[:, 0].tolist()})
    scale = ranking.evidence.speech_scale
    if centering == "reference":
        scale = None
        plan = PairPlan(comparison)
        all_sums = published_sums(comparison, ever)
        whole = Problem.published(all_sums, mapping)
    else:
        plan = PairPlan(comparison, classes, seed)
        all_sums = ratio_sums(comparison, classes, ever, scale, seed)
        whole = Problem.of_ratio(all_sums, ranking.noise, mapping, temperature)
    places = [ever.index(label) for label in eligible]
    sums = all_sums.select(places)
    problem = dataclasses.replace(whole, sums=sums)
    minimum = (
        published_descent(problem.prepare(sums), sums, mapping, seed)
        if solver == "reference"
        else problem.solve()
    )
    last, facts = problem, {}
    if exact and len(comparison.cuts) > len(comparison.strata):
        tiled = TiledSums(comparison, classes, eligible, scale, seed)
        last = dataclasses.replace(problem, sums=tiled)
        start = minimum.weights
        minimum = last.improve(
            last.prepare(tiled), [start], TOLERANCES[tiled.dtype]
        )
        moved = float((minimum.weights - start).abs().max())
        facts = {"pairs": tiled.pairs, "moved_by_exact": moved}
    weights = torch.where(
        minimum.weights > NEGLIGIBLE, minimum.weights, 0.0
    ).double()
    weights /= weights.sum()
    bootstrap = ClusterBootstrap(
        int(clusters.max()) + 1, draws, seed, clusters.device
    ).head(DRAWS)
    resampled = ResampledSums(
        all_sums, plan, comparison, clusters, bootstrap, scale
    )
    of_ever = weights.new_zeros(len(ever))
    of_ever[places] = weights
    frequency = selection_frequency(whole, of_ever, resampled, judged[:, ever])
    tasks: dict[str, dict[str, float | None]] = {
        name: {"weight": 0.0, "frequency": 0.0, "leave_one_out": 0.0}
        for name in names
    }
    for label, share in zip(ever, frequency.tolist()):
        tasks[names[label]]["frequency"] = share
    rises = leave_one_out(problem, weights)
    for label, weight, rise in zip(eligible, weights.tolist(), rises):
        tasks[names[label]] |= {"weight": weight, "leave_one_out": rise}
    found = {
        "name": solver,
        "temperature": temperature,
        "objective": last.score(minimum.weights),
        "gap": minimum.gap,
        "evaluations": minimum.evaluations,
        "converged": minimum.converged,
        **facts,
    }
    if temperature > 0 and mapping != "simplex":
        path = weight_path(problem, weights)
        everyone = torch.zeros(len(path), len(names), dtype=torch.float64)
        everyone[:, eligible] = path.cpu()
        found["path"] = {
            "temperature": temperatures(temperature).tolist(),
            "weights": dict(zip(names, everyone.T.tolist())),
        }
    return Weighed(tasks, found)
