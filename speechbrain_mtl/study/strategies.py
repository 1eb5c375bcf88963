"""Weights of a group of labels, by every strategy that is compared."""

from collections.abc import Mapping

from speechbrain_mtl.selection import (
    Selection,
    Selector,
    everything,
    naive_top_k,
    random_weights,
    uniform,
)

RANDOM_DRAWS = 3
# Mapping, centring and solver of what the estimators weigh.
ESTIMATORS = {
    "sparsemax": ("sparsemax", "centered", "projected"),
    "softmax": ("softmax", "centered", "projected"),
    "simplex": ("simplex", "centered", "projected"),
    "published sparsemax": ("sparsemax", "reference", "reference"),
    "published softmax": ("softmax", "reference", "reference"),
}


def strategy_weights(
    entries: Mapping[str, Mapping],
    field: str,
    workers: Mapping,
    min_per_class: int = 10,
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Weigh the same labels by every strategy.

    Arguments
    ---------
    entries : dict
        Labelled training entries.
    field : str
        Field with the downstream classes.
    workers : dict
        Candidate labels by name.
    min_per_class : int
        See `Selector`.
    seed : int
        Of all that is drawn.

    Returns
    -------
    weights : dict
        ``{strategy: {label: weight}}``; "all" sums to the number of labels,
        every other to 1.
    """
    found: dict[str, Selection] = {}
    for name, (mapping, centering, solver) in ESTIMATORS.items():
        selector = Selector(
            mapping=mapping,
            centering=centering,
            solver=solver,
            min_per_class=min_per_class,
            seed=seed,
        )
        found[name] = selector.fit(entries, field, workers)
    ours = found["sparsemax"]
    kept = sum(weight > 0 for weight in ours.weights.values())
    found["uniform"] = uniform(ours)
    found["all"] = everything(ours)
    found["naive top"] = naive_top_k(ours, kept)
    found["single best"] = naive_top_k(ours, 1)
    for draw in range(RANDOM_DRAWS):
        found[f"random {draw + 1}"] = random_weights(ours, seed + draw)
    return {name: dict(s.weights) for name, s in found.items()}
