"""What each of two processes does in `test_joint_distributed`; by torchrun."""

import copy
import functools
import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import speechbrain as sb
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from speechbrain_mtl.data.audio import AudioError
from speechbrain_mtl.tasks import UtteranceClassification
from speechbrain_mtl.training import joint_training
from speechbrain_mtl.training.dynamic_average import DynamicWeightAverage
from speechbrain_mtl.training.gradient_weights import GradientWeights
from speechbrain_mtl.training.joint import JointBrain
from speechbrain_mtl.training.uncertainty import UncertaintyWeights
from speechbrain_mtl.training.weighting import FixedWeights
from tests.helpers import joint
from tests.helpers.encoders import calibrated_crdnn
from tests.helpers.weightings import OwnPCGrad

TASKS = tuple(joint.LABELS)
MAKERS = {
    "fixed": lambda: FixedWeights({"word": 1.0, "mood": 0.5}),
    "uncertainty": lambda: UncertaintyWeights(TASKS),
    "dynamic": lambda: DynamicWeightAverage(TASKS, temperature=0.5, every=1),
    "gradients": lambda: GradientWeights(TASKS, OwnPCGrad()),
}
BOTH, WORD, MOOD = TASKS, ("word",), ("mood",)
#: Of each case the tasks of every batch, and what else is special: batches
#: an update; layers read; (process, call) in which a loss is no number.
CASES = {
    "all": {"steps": [BOTH, BOTH]},
    "in turn": {"steps": [WORD, MOOD, WORD]},
    "in turn, two batches an update": {
        "steps": [WORD, MOOD, MOOD, WORD, WORD, WORD],
        "accumulation": 2,
    },
    "upper layers unread": {
        "steps": [BOTH, BOTH],
        "layers": {"word": 0, "mood": 0},
    },
    "one loss no number": {
        "steps": [BOTH] * 3,
        "broken": {"mood": ((1, 1),)},
    },
    "that of the task that alone reads the upper layers": {
        "steps": [BOTH] * 3,
        "layers": {"word": 0, "mood": -1},
        "broken": {"mood": ((1, 1),)},
    },
    "no loss a number": {
        "steps": [BOTH] * 3,
        "broken": {"word": ((0, 1),), "mood": ((1, 1),)},
    },
    "no loss a number, in turn": {
        "steps": [WORD, MOOD, WORD],
        "broken": {"word": ((1, 0),), "mood": ((0, 0),)},
    },
    "no loss a number, two batches an update": {
        "steps": [BOTH, BOTH],
        "accumulation": 2,
        "broken": {"word": ((0, 1),), "mood": ((1, 1),)},
    },
}


def run(case, kind, folder, rank=0, processes=1):
    """Train a case; give gradients of all updates, and what came of them."""
    settings = CASES[case]
    broken = settings.get("broken", {})
    if processes == 1:
        # A loss that is broken anywhere is broken in the joint batch.
        broken = {n: {(0, call) for _, call in b} for n, b in broken.items()}
    made = joint.model(rank, broken, settings.get("layers"))
    weighting = MAKERS[kind]()
    batches = [
        joint.batch(names, number, rank, processes)
        for number, names in enumerate(settings["steps"])
    ]
    brain = joint.train(
        made, weighting, batches, folder, processes, rank,
        grad_accumulation_factor=settings.get("accumulation", 1),
    )  # fmt: skip
    found = {
        f"gradient {number} of {name}": grad
        for number, update in enumerate(brain.updates)
        for name, grad in update.items()
    }
    found |= {n: p.detach() for n, p in made.named_parameters()}
    found["weights"] = torch.tensor(list(weighting.weights.values()))
    # The other process heard utterances of other lengths.
    seconds = brain.hparams.progress.hours * 3600
    found["seconds of audio"] = torch.tensor(seconds)
    skipped = brain.hparams.progress.skipped
    found["skipped"] = torch.tensor([skipped.get(name, 0) for name in TASKS])
    return found


def steps(folder, rank):
    """Every case with every weighting."""
    found = {
        f"{case}, {kind}": run(case, kind, folder / "run", rank, 2)
        for case in CASES
        for kind in MAKERS
    }
    torch.save(found, folder / f"rank{rank}.pt")


class Watched(JointBrain):
    """Keeps the parameters, and the utterances, of every validation."""

    kept: list = []
    heard: list = []

    def fit_batch(self, batch):
        self.heard.append(batch.id)
        return super().fit_batch(batch)

    def on_stage_end(self, stage, stage_loss, epoch=None):
        if stage == sb.Stage.VALID:
            self.kept.append(copy.deepcopy(self.state()))
        super().on_stage_end(stage, stage_loss, epoch)


def whole_run(folder, rank):
    """`train_jointly`, turn by turn."""
    joint_training.JointBrain = Watched
    tasks = {
        name: UtteranceClassification(name, layer="all")
        for name in joint.LABELS
    }
    try:
        results = joint_training.train_jointly(
            calibrated_crdnn(),
            tasks,
            json.loads((folder / "parts.json").read_text()),
            folder / "run",
            functools.partial(torch.optim.AdamW, lr=0.01),
            {
                "device": "cpu",
                "distributed_launch": True,
                "distributed_backend": "gloo",
            },
            sampling="round_robin",
            epochs=2,
            steps_per_epoch=3,
            batch_seconds=1.0,
            progressbar=False,
        )
    except AudioError as error:
        (folder / "error.txt").write_text(str(error))
        raise
    found = {"kept": Watched.kept, "heard": Watched.heard, "results": results}
    torch.save(found, folder / f"rank{rank}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    # A process that waits for one that does not come ends here, not in CI.
    torch.distributed.init_process_group("gloo", timeout=timedelta(seconds=60))
    {"steps": steps, "whole_run": whole_run}[sys.argv[1]](
        Path(sys.argv[2]), int(os.environ["RANK"])
    )
    torch.distributed.destroy_process_group()
