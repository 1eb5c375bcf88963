"""What each of two processes does in `test_distributed`; run by torchrun."""

import functools
import json
import os
import sys
from pathlib import Path

import torch
from speechbrain.core import Brain
from speechbrain.utils.distributed import ddp_init_group
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(Path(__file__).parents[2]))

from speechbrain_mtl.tasks import PretextTask
from speechbrain_mtl.training import MultiTaskModel, pretrain
from speechbrain_mtl.workers import F0, MFCC, RMSEnergy, WorkerBank
from tests.helpers.encoders import small_crdnn

WEIGHTS = {"mfcc": 1.0, "f0": 0.5, "rms": 0.5}


def parts():
    """Encoder, tasks and bank; nothing in them is drawn while training."""
    torch.manual_seed(0)
    encoder = small_crdnn(mask_prob=0.0)
    workers = {"f0": F0(), "mfcc": MFCC(), "rms": RMSEnergy()}
    tasks = {
        name: PretextTask(name, worker.dim, input_size=16, hidden_size=8)
        for name, worker in workers.items()
    }
    return encoder, tasks, WorkerBank(workers)


def batch():
    """Four waveforms of one length: a mean of means is then the mean."""
    generator = torch.Generator().manual_seed(1)
    time = torch.arange(8000) / 16000
    pitch = torch.tensor([110.0, 150.0, 190.0, 230.0])[:, None]
    noise = torch.randn(4, 8000, generator=generator)
    return (2 * torch.pi * pitch * time).sin() * 0.3 + 0.01 * noise


def gradients(model, wavs):
    """Gradient of the weighted loss by name of parameter."""
    losses, _ = model(wavs, torch.ones(len(wavs)), tuple(WEIGHTS))
    sum(WEIGHTS[name] * loss for name, loss in losses.items()).backward()
    return {
        name.removeprefix("module."): parameter.grad
        for name, parameter in model.named_parameters()
    }


def calibrated():
    model = MultiTaskModel(*parts())
    model.calibrate(batch(), torch.ones(4))
    return model


def one_step(folder, rank):
    """Keep the gradient that this process has of its half of the batch."""
    torch.distributed.init_process_group("gloo")
    model = DistributedDataParallel(calibrated())
    half = batch()[2 * rank : 2 * rank + 2]
    torch.save(gradients(model, half), folder / f"gradients{rank}.pt")
    torch.distributed.destroy_process_group()


def several_steps(folder, rank):
    """Pretrain; keep this process's encoder and what it was told."""
    run_opts = {
        "device": "cpu",
        "distributed_backend": "gloo",
        "distributed_launch": True,
        "noprogressbar": True,
    }
    ddp_init_group(run_opts)
    steps = []
    before = Brain.fit_batch

    def fit_batch(brain, data):
        steps.append(data.id)
        return before(brain, data)

    Brain.fit_batch = fit_batch
    entries = json.loads((folder / "entries.json").read_text())
    names = list(entries)
    encoder, tasks, bank = parts()
    summary = pretrain(
        encoder, tasks, bank, WEIGHTS,
        {n: entries[n] for n in names[4:]}, {n: entries[n] for n in names[:4]},
        folder / "run", functools.partial(torch.optim.AdamW, lr=0.01),
        run_opts, hours=0.01, epoch_hours=0.005, batch_seconds=3.0,
        crop_seconds=1.0, warmup_steps=2, log_every=1,
    )  # fmt: skip
    torch.save(
        {"encoder": encoder.state_dict(), "summary": summary, "ids": steps},
        folder / f"rank{rank}.pt",
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"one_step": one_step, "several_steps": several_steps}[sys.argv[1]](
        Path(sys.argv[2]), int(os.environ["RANK"])
    )
