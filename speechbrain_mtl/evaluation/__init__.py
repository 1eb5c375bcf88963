"""Metrics, intervals and probes over frozen encoders."""

from speechbrain_mtl.evaluation.intervals import (
    bootstrap_interval,
    seed_interval,
    wilson_interval,
)
from speechbrain_mtl.evaluation.multilabel import (
    mean_average_precision,
    mean_f1,
    mean_f1_interval,
)
from speechbrain_mtl.evaluation.text import (
    ctc_greedy,
    edit_distances,
    error_rate,
)
from speechbrain_mtl.evaluation.verification import equal_error_rate, min_dcf

__all__ = [
    "bootstrap_interval",
    "ctc_greedy",
    "edit_distances",
    "equal_error_rate",
    "error_rate",
    "mean_average_precision",
    "mean_f1",
    "mean_f1_interval",
    "min_dcf",
    "seed_interval",
    "wilson_interval",
]
