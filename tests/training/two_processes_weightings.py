"""What each of two processes does in `test_weightings_distributed`."""

import os
import sys
from pathlib import Path

import torch
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(Path(__file__).parents[2]))

from speechbrain_mtl.training.dynamic_average import DynamicWeightAverage
from speechbrain_mtl.training.gradient_weights import GradientWeights
from speechbrain_mtl.training.loss_scale import ScaledLosses
from speechbrain_mtl.training.uncertainty import UncertaintyWeights
from tests.helpers.weightings import TASKS, OwnPCGrad, Toy, batches, gradients


class DrawnPCGrad(OwnPCGrad):
    """Its weights depend on draws at every step, not at some as PCGrad's."""

    def weighting(self, rows):
        return super().weighting(rows) + torch.rand(len(rows))


MAKERS = {
    "uncertainty": lambda: UncertaintyWeights(TASKS),
    "dynamic": lambda: DynamicWeightAverage(TASKS, temperature=0.5, every=1),
    "scaled": lambda: ScaledLosses(dict.fromkeys(TASKS, 1.0), decay=0.9),
    "gradients": lambda: GradientWeights(TASKS, DrawnPCGrad()),
    "measured": lambda: GradientWeights(
        TASKS, DrawnPCGrad(), measured=["encoder.last"]
    ),
}


def train(weighting, rank=0, processes=1):
    """Two updates of two batches each; a process has its rows of each."""
    model = Toy()
    wrapped = DistributedDataParallel(model) if processes > 1 else model
    both = [*model.parameters(), *weighting.parameters()]
    optimizer = torch.optim.SGD(both, lr=0.01)
    found = {}
    for number, x in enumerate(batches(4)):
        # As in training: the draws of a step differ between processes.
        torch.manual_seed(10 * number + rank)
        part = x.chunk(processes)[rank]
        sync = number % 2 == 1
        wrapped.require_backward_grad_sync = (
            sync and not weighting.averages_gradients
        )
        losses = wrapped(part)
        weighting.observe(losses)
        weighting.backward(losses, wrapped, accumulation=2, sync=sync)
        weights = [weighting.weights[name] for name in TASKS]
        found[f"{number}.weights"] = torch.tensor(weights)
        if sync:
            for name, grad in gradients(model).items():
                found[f"{number}.{name}"] = grad
            for name, p in weighting.named_parameters():
                found[f"{number}.{name}"] = p.grad.clone()
            optimizer.step()
            optimizer.zero_grad()
    return {**found, **model.state_dict()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    rank = int(os.environ["RANK"])
    found = {kind: train(make(), rank, 2) for kind, make in MAKERS.items()}
    torch.save(found, Path(sys.argv[1]) / f"rank{rank}.pt")
    torch.distributed.destroy_process_group()
