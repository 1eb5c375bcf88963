"""Probes that classify frames, segments or utterances."""

import torch

from speechbrain_mtl.evaluation.examples import Examples
from speechbrain_mtl.evaluation.heads import LayerMix, LinearHead, MLPHead
from speechbrain_mtl.evaluation.intervals import bootstrap_interval
from speechbrain_mtl.evaluation.layers import best_layer
from speechbrain_mtl.evaluation.probes import (
    Probe,
    ProbeResult,
    classification_loss,
    train_probe,
)

HEADS = {"linear": LinearHead, "mlp": MLPHead}


@torch.no_grad()
def correct(probe: Probe, examples: Examples) -> torch.Tensor:
    """Tell which examples a probe gets right, [N] float."""
    hits = [
        probe(x).argmax(-1) == y
        for x, y in zip(examples.x.split(8192), examples.y.split(8192))
    ]
    return torch.cat(hits).float()


def classify(
    train: Examples,
    valid: Examples,
    test: Examples,
    classes: int,
    head: str,
    lrs: list[float],
    epochs: int,
    batch_size: int,
    seed: int = 0,
) -> ProbeResult:
    """Train one head on frozen features and test it once.

    Arguments
    ---------
    train, valid, test : Examples
        Splits; `valid` chooses the starting layer and the learning rate.
    classes : int
        Number of classes.
    head : str
        ``"linear"`` or ``"mlp"``.
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
    mean = train.x.float().mean(0)
    std = train.x.float().std(0)

    def batches(generator: torch.Generator) -> list[tuple]:
        order = torch.randperm(len(train.y), generator=generator)
        return [(train.x[i], train.y[i]) for i in order.split(batch_size)]

    start = best_layer(train, valid, classes)
    best = None
    for lr in lrs:
        torch.manual_seed(seed)
        probe = Probe(
            LayerMix(mean, std, start), HEADS[head](mean.shape[-1], classes)
        )
        train_probe(probe, batches, classification_loss, lr, epochs, seed)
        score = float(correct(probe, valid).mean())
        if best is None or score > best[0]:
            best = (score, lr, probe)
    score, lr, probe = best
    hits = correct(probe, test)
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
        layers=[round(w, 4) for w in probe.mix.weights().tolist()],
    )
