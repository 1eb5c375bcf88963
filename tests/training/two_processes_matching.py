"""What each of two processes does in `test_matching_distributed`."""

import functools
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(Path(__file__).parents[2]))

from speechbrain_mtl.collectives import gather_rows
from speechbrain_mtl.models.batch_norm import ValidBatchNorm
from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.tasks.matching import CosineMatching, MarginMatching
from tests.helpers.grounding import pairs, small_model

MATCHINGS = {"margin": MarginMatching, "cosine": CosineMatching}
#: The first process has three pairs, the second two; three share an image.
ROWS = [slice(0, 3), slice(3, 5)]
EVERY = slice(None)
IDS = torch.tensor([7, 3, 8, 7, 7])


class Pairs(nn.Module):
    """Frames and image vectors in, the loss over all processes' pairs out."""

    def __init__(self, matching):
        super().__init__()
        torch.manual_seed(0)
        self.frames, self.norm = nn.Conv1d(4, 6, 1), ValidBatchNorm(6)
        self.image = nn.Linear(3, 6)
        self.matching = matching

    def forward(self, x, lens, images, ids):
        valid = frame_mask(lens, x.shape[2])[:, None]
        y = self.norm(self.frames(x), valid).relu()
        speech = y.sum(dim=2) / lens[:, None]
        vectors = self.image(images)
        return self.matching(*map(gather_rows, (speech, vectors, ids)))


def batch():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(5, 4, 9, generator=generator)
    images = torch.randn(5, 3, generator=generator)
    return x, torch.tensor([9, 5, 7, 9, 2]), images, IDS


def learn(kind, rows=EVERY, wrap=lambda model: model):
    """Loss, gradients and running statistics of one step."""
    model = Pairs(MATCHINGS[kind]())
    wrapped = wrap(model)  # DDP acts as long as it is there
    loss = wrapped(*(part[rows] for part in batch()))
    loss.backward()
    grads = {n: p.grad for n, p in model.named_parameters()}
    return {"loss": loss.detach(), **grads, **dict(model.named_buffers())}


def learn_grounding(rows=EVERY, wrap=lambda model: model):
    """The same of the whole model, its last layer and quantiser unused."""
    model = small_model().train()
    wrapped = wrap(model)
    wavs, lens, batch = pairs()
    part = SimpleNamespace(
        image=type(batch.image)(*(x[rows] for x in batch.image)),
        image_id=batch.image_id[rows],
    )
    losses, _ = wrapped(wavs[rows], lens[rows], ("grounding",), part)
    losses["grounding"].backward()
    grads = {
        n: p.grad for n, p in model.named_parameters() if p.grad is not None
    }
    return {"loss": losses["grounding"].detach(), **grads}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    rank = int(os.environ["RANK"])
    found = {
        kind: learn(kind, ROWS[rank], DistributedDataParallel)
        for kind in MATCHINGS
    }
    partly = functools.partial(
        DistributedDataParallel, find_unused_parameters=True
    )
    half = slice(2 * rank, 2 * rank + 2)
    found["grounding"] = learn_grounding(half, partly)
    torch.save(found, Path(sys.argv[1]) / f"rank{rank}.pt")
    torch.distributed.destroy_process_group()
