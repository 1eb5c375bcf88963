"""Metrics, intervals and probes over frozen encoders."""

from speechbrain_mtl.evaluation.abx import AbxScore, abx_error, abx_score
from speechbrain_mtl.evaluation.abx_items import (
    Item,
    read_items,
    triphone_items,
)
from speechbrain_mtl.evaluation.activity import (
    frames_to_segments,
    median_filter,
)
from speechbrain_mtl.evaluation.diarization import (
    DiarizationErrors,
    diarization_error_rate,
    diarization_errors,
)
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
from speechbrain_mtl.evaluation.retrieval import (
    chance_recall,
    median_rank,
    recall_at_k,
    retrieve,
)
from speechbrain_mtl.evaluation.slots import (
    slot_type_f1,
    slot_value_cer,
    slot_value_wer,
)
from speechbrain_mtl.evaluation.text import (
    ctc_greedy,
    edit_distances,
    error_rate,
)
from speechbrain_mtl.evaluation.verification import equal_error_rate, min_dcf

__all__ = [
    "AbxScore",
    "DiarizationErrors",
    "Item",
    "abx_error",
    "abx_score",
    "bootstrap_interval",
    "chance_recall",
    "ctc_greedy",
    "diarization_error_rate",
    "diarization_errors",
    "edit_distances",
    "equal_error_rate",
    "error_rate",
    "frames_to_segments",
    "mean_average_precision",
    "mean_f1",
    "mean_f1_interval",
    "median_filter",
    "median_rank",
    "min_dcf",
    "read_items",
    "recall_at_k",
    "retrieve",
    "seed_interval",
    "slot_type_f1",
    "slot_value_cer",
    "slot_value_wer",
    "triphone_items",
    "wilson_interval",
]
