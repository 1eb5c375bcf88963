"""Metrics, intervals and probes over frozen encoders."""

from speechbrain_mtl.evaluation.intervals import (
    bootstrap_interval,
    seed_interval,
    wilson_interval,
)
from speechbrain_mtl.evaluation.text import (
    ctc_greedy,
    edit_distances,
    error_rate,
)

__all__ = [
    "bootstrap_interval",
    "ctc_greedy",
    "edit_distances",
    "error_rate",
    "seed_interval",
    "wilson_interval",
]
