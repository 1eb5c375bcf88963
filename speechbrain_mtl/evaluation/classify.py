"""Probes that classify frames, segments or utterances."""

import torch
from torch import nn

from speechbrain_mtl.evaluation.examples import Examples
from speechbrain_mtl.evaluation.heads import LinearHead, MLPHead
from speechbrain_mtl.evaluation.intervals import bootstrap_interval
from speechbrain_mtl.evaluation.layers import LayerMix
from speechbrain_mtl.evaluation.probes import (
    ProbeResult,
    classification_loss,
    train_head,
)

HEADS = {"linear": LinearHead, "mlp": MLPHead}


@torch.no_grad()
def correct(head: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Tell which examples a head gets right, [N] float."""
    hits = [
        head(part).argmax(-1) == wanted
        for part, wanted in zip(x.split(8192), y.split(8192))
    ]
    return torch.cat(hits).float()


def classify(
    train: Examples,
    valid: Examples,
    test: Examples,
    classes: int,
    head: str,
    mix: LayerMix,
    lrs: list[float],
    epochs: int,
    batch_size: int,
    seed: int = 0,
) -> ProbeResult:
    """Train one head on frozen features and test it once.

    Arguments
    ---------
    train, valid, test : Examples
        Splits; `valid` chooses the learning rate.
    classes : int
        Number of classes.
    head : str
        ``"linear"`` or ``"mlp"``.
    mix : LayerMix
        How to mix the layers.
    lrs : list of float
        Learning rates to try.
    epochs, batch_size : int
        Length of training.
    seed : int
        Fixes initial values and order.

    Returns
    -------
    result : ProbeResult
        Accuracy, with a bootstrap interval over test clusters.
    """
    train_x, valid_x, test_x = (mix(part.x) for part in (train, valid, test))

    def batches(generator: torch.Generator) -> list[tuple]:
        order = torch.randperm(len(train.y), generator=generator)
        return [(train_x[i], train.y[i]) for i in order.split(batch_size)]

    best = None
    for lr in lrs:
        torch.manual_seed(seed)
        candidate = HEADS[head](train_x.shape[-1], classes)
        train_head(candidate, batches, classification_loss, lr, epochs, seed)
        score = float(correct(candidate, valid_x, valid.y).mean())
        if best is None or score > best[0]:
            best = (score, lr, candidate)
    score, lr, chosen = best
    hits = correct(chosen, test_x, test.y)
    return ProbeResult(
        metric="accuracy",
        value=float(hits.mean()),
        interval=list(
            bootstrap_interval(hits.tolist(), test.clusters, seed=seed)
        ),
        n=len(hits),
        head=head,
        lr=lr,
        valid=score,
        layers=[round(w, 4) for w in mix.weights.tolist()],
    )
