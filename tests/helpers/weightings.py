"""A shared encoder with three heads, and a PCGrad of our own to compare."""

import torch
from torch import nn

TASKS = ("asr", "sid", "er")
#: How far the tasks' losses lie apart.
SIZES = {"asr": 50.0, "sid": 2.0, "er": 0.5}


class Toy(nn.Module):
    """Linear layers; `last` of them is what all heads read."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.encoder = nn.ModuleDict(
            {"first": nn.Linear(4, 5), "last": nn.Linear(5, 3)}
        )
        self.tasks = nn.ModuleDict({n: nn.Linear(3, 2) for n in TASKS})

    def encode(self, x):
        return self.encoder["last"](self.encoder["first"](x).tanh()).tanh()

    def ask(self, y, x):
        """Losses of heads that want opposite things."""
        return {
            name: SIZES[name]
            * (self.tasks[name](y) - (-1) ** number * x[:, :2]).square().mean()
            for number, name in enumerate(TASKS)
        }

    def forward(self, x):
        return self.ask(self.encode(x), x)


def batches(count=3, rows=8):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, rows, 4, generator=generator)


def gradients(model):
    """By name; a copy."""
    return {
        name: None if p.grad is None else p.grad.clone()
        for name, p in model.named_parameters()
    }


def jacobian(model, x, prefix="encoder"):
    """Each task's gradient by a backward pass of its own, [T, P]."""
    rows = []
    for name in TASKS:
        model.zero_grad()
        model(x)[name].backward()
        rows.append(
            torch.cat(
                [
                    p.grad.flatten()
                    for n, p in model.named_parameters()
                    if n.startswith(prefix)
                ]
            )
        )
    model.zero_grad()
    return torch.stack(rows)


def project_conflicting(rows, orders):
    """PCGrad, vector by vector, as algorithm 1 of the paper; a sum."""
    total = torch.zeros_like(rows[0])
    for i, row in enumerate(rows):
        kept = row.clone()
        for j in orders[i]:
            product = torch.dot(kept, rows[j])
            if j != i and product < 0:
                kept = kept - product / torch.dot(rows[j], rows[j]) * rows[j]
        total = total + kept
    return total


class OwnPCGrad(nn.Module):
    """Weights of PCGrad in a drawn order, solved from the projections."""

    def weighting(self, rows):
        orders = [torch.randperm(len(rows)).tolist() for _ in rows]
        combined = project_conflicting(rows.double(), orders)
        solved = torch.linalg.lstsq(rows.double().T, combined[:, None])
        return solved.solution[:, 0].float()
