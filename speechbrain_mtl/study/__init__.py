"""Does a score known before training predict what training will give?"""

from speechbrain_mtl.study.card import study_card, study_tables
from speechbrain_mtl.study.run import run_study
from speechbrain_mtl.study.strategies import strategy_weights
from speechbrain_mtl.study.study import Downstream, SelectionStudy

__all__ = [
    "Downstream",
    "SelectionStudy",
    "run_study",
    "strategy_weights",
    "study_card",
    "study_tables",
]
