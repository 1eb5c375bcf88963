"""Data of the nine SUPERB tasks."""

from speechbrain_mtl.data.superb.check import check_tasks
from speechbrain_mtl.data.superb.chunks import chunk_mixtures
from speechbrain_mtl.data.superb.few import few_labelled
from speechbrain_mtl.data.superb.layout import PARTS, TASKS
from speechbrain_mtl.data.superb.mini import keep_apart, mini_superb
from speechbrain_mtl.data.superb.official import official_superb
from speechbrain_mtl.data.superb.trials import verification_trials

__all__ = [
    "PARTS",
    "TASKS",
    "check_tasks",
    "chunk_mixtures",
    "few_labelled",
    "keep_apart",
    "mini_superb",
    "official_superb",
    "verification_trials",
]
