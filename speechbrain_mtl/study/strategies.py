"""Weights of a group of labels, by every strategy that is compared."""

import dataclasses
from collections.abc import Mapping

from speechbrain_mtl.selection import (
    Selection,
    Selector,
    equal_shares,
    everything,
    lowest_spread,
    mrmr,
    naive_top_k,
    random_weights,
    rfe,
    single_best,
    uniform,
)

RANDOM_DRAWS = 3
ALONE = "base alone"
# Mapping, centring and solver of what the estimators weigh.
ESTIMATORS = {
    "sparsemax": ("sparsemax", "centered", "projected"),
    "entmax": ("entmax", "centered", "projected"),
    "softmax": ("softmax", "centered", "projected"),
    "simplex": ("simplex", "centered", "projected"),
    "published sparsemax": ("sparsemax", "reference", "reference"),
    "published softmax": ("softmax", "reference", "reference"),
}
STRATEGIES = (
    *ESTIMATORS,
    "uniform",
    "all",
    "naive top",
    "single best",
    "lowest spread",
    "mrmr",
    "rfe",
    *(f"random {draw + 1}" for draw in range(RANDOM_DRAWS)),
    ALONE,
)


def strategy_weights(
    entries: Mapping[str, Mapping],
    field: str,
    workers: Mapping,
    selector: Selector,
) -> dict[str, dict[str, float]]:
    """Weigh the same labels by every strategy, the audio read once.

    Strategies that choose a number of labels choose as many as sparsemax.

    Arguments
    ---------
    entries : dict
        Labelled training entries.
    field : str
        Field with the downstream classes.
    workers : dict
        Candidate labels by name.
    selector : Selector
        What segments are drawn, and the seed; mapping, centring and solver
        are the strategies' own.

    Returns
    -------
    weights : dict
        ``{strategy: {label: weight}}`` for all `STRATEGIES`; "all" sums to
        the number of labels, "base alone" to 0, every other to 1.
    """
    measured = selector.measure(entries, field, workers)
    found: dict[str, Selection] = {}
    for name, (mapping, centering, solver) in ESTIMATORS.items():
        found[name] = dataclasses.replace(
            selector, mapping=mapping, centering=centering, solver=solver
        ).weigh(measured)
    ours, seed = found["sparsemax"], selector.seed
    kept = sum(weight > 0 for weight in ours.weights.values())
    table = (measured.labels, measured.classes, kept, seed)
    found["uniform"] = uniform(ours)
    found["all"] = everything(ours)
    found["naive top"] = naive_top_k(ours, kept)
    found["single best"] = single_best(ours)
    found["lowest spread"] = lowest_spread(ours, kept)
    found["mrmr"] = equal_shares(ours, mrmr(*table), "mrmr")
    found["rfe"] = equal_shares(ours, rfe(*table), "rfe")
    for draw in range(RANDOM_DRAWS):
        found[f"random {draw + 1}"] = random_weights(ours, seed + draw)
    weights = {name: dict(row.weights) for name, row in found.items()}
    weights[ALONE] = dict.fromkeys(ours.weights, 0.0)
    return {name: weights[name] for name in STRATEGIES}
