"""Joint training in memory: two tasks, a few utterances, one update a call."""

import functools
import json
from pathlib import Path
from types import SimpleNamespace

import speechbrain as sb
import torch

from speechbrain_mtl.tasks import UtteranceClassification
from speechbrain_mtl.training.checkpoints import WholeCheckpointer
from speechbrain_mtl.training.joint import JointBrain
from speechbrain_mtl.training.packed_loader import packed
from speechbrain_mtl.training.packed_model import PackedModel
from speechbrain_mtl.training.progress import JsonLinesLog, Progress
from speechbrain_mtl.training.rates import ConstantRate
from speechbrain_mtl.training.schedule import Phase, Schedule
from tests.helpers.encoders import calibrated_crdnn
from tests.recipes.miniature import labelled_manifest

LABELS = {"word": ["yes", "no", "up"], "mood": ["calm", "glad"]}
ITEMS = 4  # of each task
LR = 0.05


class Classification(UtteranceClassification):
    """Its loss is no number in the named processes, at the named calls."""

    broken: tuple = ()
    calls = 0

    def forward(self, encoded, inputs):
        loss = super().forward(encoded, inputs)
        now = (self.rank, self.calls)
        self.calls += 1
        return loss * float("nan") if now in self.broken else loss


def model(rank=0, broken=None, layers=None):
    """A small encoder with two heads; nothing is drawn while training.

    ``broken`` has for a task the processes and calls in which its loss is no
    number; ``layers`` what it reads.
    """
    torch.manual_seed(0)
    tasks = {}
    encoder = calibrated_crdnn(mask_prob=0.0)
    for name, labels in LABELS.items():
        layer = (layers or {}).get(name, "all")
        tasks[name] = Classification(name, layer=layer, pooling="stats")
        entries = {label: {name: label} for label in labels}
        tasks[name].prepare(encoder.dims, entries)
        tasks[name].rank = rank
        tasks[name].broken = (broken or {}).get(name, ())
    return PackedModel(encoder, tasks)


def batch(names=tuple(LABELS), number=0, rank=0, processes=1):
    """Utterances of unlike length, every other one with two answers.

    A process has its share of each task's, as many as the others have.
    """
    generator = torch.Generator().manual_seed(number)
    noise = 0.1 * torch.randn(2 * ITEMS, 9000, generator=generator)
    share = ITEMS // processes
    items = []
    for place, name in enumerate(names):
        for i in range(share * rank, share * (rank + 1)):
            size = 4000 + 500 * i + 900 * (i % 2) * place
            row = i if i % 2 == 0 else i + ITEMS * place
            item = {
                "id": f"{name}{i}",
                "sig": noise[row, :size] * (1 + place * (i % 2)),
                "seconds": size / 16000,
                "part": (row, size),
                f"target_{name}": torch.tensor([i % len(LABELS[name])]),
            }
            items.append((name, item))
    return packed(items, budget=12000)


class Recording(JointBrain):
    """Keeps the gradients that each update had, before they are clipped."""

    def optimizers_step(self):
        named = self.modules.named_parameters()
        own = self.phase.weighting.named_parameters()
        self.updates.append(
            {
                name.removeprefix("model.").removeprefix("module."): (
                    torch.zeros_like(p) if p.grad is None else p.grad.clone()
                )
                for name, p in [*named, *own]
            }
        )
        super().optimizers_step()


def train(made, weighting, batches, folder, processes=1, rank=0, **run_opts):
    """Take batches by `JointBrain`'s own `fit_batch`; give what it did."""
    run_opts = {"device": "cpu", "noprogressbar": True, **run_opts}
    if processes > 1:
        run_opts |= {"distributed_launch": True, "distributed_backend": "gloo"}
    sampler = SimpleNamespace(
        rank=rank, world_size=processes, epoch=1, start=0, steps_per_epoch=9,
        set_epoch=lambda epoch: None,
    )  # fmt: skip
    brain = Recording(
        modules={"model": made},
        opt_class=functools.partial(torch.optim.SGD, lr=LR),
        hparams={
            "schedule": Schedule([Phase(1.0, weighting)], 1.0),
            "sampler": sampler,
            "progress": Progress(),
            "lr_scheduler": ConstantRate(LR),
            "log": JsonLinesLog(folder / "log.jsonl"),
            "affinities": JsonLinesLog(folder / "affinity.jsonl"),
            "affinity_every": 0,
            "log_every": 100,
            "grad_share_every": 0,
            "augment": None,
            "encoder_lr_scale": 1.0,
            "lr_scales": {},
            "entries": {},
            "seed": 0,
        },
        run_opts=run_opts,
        checkpointer=WholeCheckpointer(folder / "save"),
    )
    brain.updates = []
    brain.nonfinite_count = 0
    brain.on_fit_start()
    brain.on_stage_start(sb.Stage.TRAIN, 1)
    brain.modules.train()
    for one in batches:
        brain.step += 1
        brain.fit_batch(one)
    return brain


def write_parts(folder):
    """Tones on the disk, another set for each task; in ``parts.json``."""
    parts = {}
    for name, labels in LABELS.items():
        manifest = labelled_manifest(folder / name, {name: labels}, 6)
        entries = json.loads(Path(manifest).read_text())
        parts[name] = {
            part: {n: e for n, e in entries.items() if e["split"] == part}
            for part in ("train", "valid", "test")
        }
    (folder / "parts.json").write_text(json.dumps(parts))
    return parts
