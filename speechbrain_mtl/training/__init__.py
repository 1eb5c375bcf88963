"""Training: one Brain, weightings, schedules, batches."""

from speechbrain_mtl.training.batching import CropBatchSampler, CropDataset
from speechbrain_mtl.training.brain import MultiTaskBrain
from speechbrain_mtl.training.finetune import finetune
from speechbrain_mtl.training.joint_training import train_jointly
from speechbrain_mtl.training.model import MultiTaskModel
from speechbrain_mtl.training.pretrain import pretrain
from speechbrain_mtl.training.schedule import Phase, Schedule
from speechbrain_mtl.training.weighting import FixedWeights

__all__ = [
    "CropBatchSampler",
    "CropDataset",
    "FixedWeights",
    "MultiTaskBrain",
    "MultiTaskModel",
    "Phase",
    "Schedule",
    "finetune",
    "pretrain",
    "train_jointly",
]
