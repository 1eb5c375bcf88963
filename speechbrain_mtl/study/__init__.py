"""Studies of many trainings: do scores predict, and who helps whom?"""

from speechbrain_mtl.study.card import study_card, study_tables
from speechbrain_mtl.study.grounded import GroundedExperiment
from speechbrain_mtl.study.grounded_run import run_grounding
from speechbrain_mtl.study.run import run_study
from speechbrain_mtl.study.scenario_run import run_scenarios
from speechbrain_mtl.study.scenarios import ScenarioExperiment
from speechbrain_mtl.study.semi_supervised import (
    SemiSupervisedExperiment,
    run_semi_supervised,
)
from speechbrain_mtl.study.strategies import strategy_weights
from speechbrain_mtl.study.study import Downstream, SelectionStudy

__all__ = [
    "Downstream",
    "GroundedExperiment",
    "ScenarioExperiment",
    "SelectionStudy",
    "SemiSupervisedExperiment",
    "run_grounding",
    "run_scenarios",
    "run_semi_supervised",
    "run_study",
    "strategy_weights",
    "study_card",
    "study_tables",
]
