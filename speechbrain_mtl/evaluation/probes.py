"""Probes: what a small head can read from frozen features.

One rule for every encoder and every row of a table: heads and layer mix are
trained on the training speakers, the learning rate is the one with the best
score on the validation speakers, and the test set is read once.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional

from speechbrain_mtl.evaluation.heads import LayerMix


@dataclass
class ProbeResult:
    """One cell of a probe table.

    Arguments
    ---------
    metric : str
        ``"accuracy"`` or ``"per"`` (phone error rate).
    value : float
        Fraction on the test set.
    interval : list of float
        95 % interval over test clusters (speakers or utterances).
    n : int
        Items tested.
    head, lr : str, float
        The head and the learning rate chosen on validation.
    valid : float
        Value on the validation set.
    layers : list of float
        Share of each layer in the learned mix.
    """

    metric: str
    value: float
    interval: list[float]
    n: int
    head: str
    lr: float
    valid: float
    layers: list[float]

    @property
    def higher_is_better(self) -> bool:
        """Tell an accuracy from an error rate."""
        return self.metric == "accuracy"

    def as_dict(self) -> dict:
        """Give the JSON form of `metrics.json`."""
        return {**asdict(self), "higher_is_better": self.higher_is_better}


class Probe(nn.Module):
    """Layer mix and head: [N, L, D] or [B, F, L, D] in, scores out."""

    def __init__(self, mix: LayerMix, head: nn.Module) -> None:
        super().__init__()
        self.mix = mix
        self.head = head

    def forward(
        self, x: torch.Tensor, lens: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Mix the layers and score."""
        return self.head(self.mix(x), lens)


def train_probe(
    probe: Probe,
    batches: Callable[[torch.Generator], list],
    loss: Callable[[Probe, object], torch.Tensor],
    lr: float,
    epochs: int,
    seed: int,
) -> Probe:
    """Fit one probe with Adam and a linearly falling rate.

    Arguments
    ---------
    probe : Probe
        Trained in place.
    batches : callable
        Given a generator, the batches of one epoch in random order.
    loss : callable
        Given probe and batch, a scalar.
    lr : float
        Peak learning rate of the head.
    epochs : int
        Passes over the training set.
    seed : int
        Fixes the order.

    Returns
    -------
    probe : Probe
        In eval mode.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(
        [
            {"params": probe.head.parameters(), "lr": lr},
            {"params": probe.mix.parameters(), "lr": lr * LayerMix.rate},
        ],
        weight_decay=1e-3,
    )
    plan = [batches(generator) for _ in range(epochs)]
    total = sum(map(len, plan))
    decay = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: max(0.0, 1 - step / total)
    )
    probe.train()
    for epoch in plan:
        for batch in epoch:
            optimizer.zero_grad(set_to_none=True)
            loss(probe, batch).backward()
            nn.utils.clip_grad_norm_(probe.parameters(), 5.0)
            optimizer.step()
            decay.step()
    return probe.eval()


def classification_loss(
    probe: Probe, batch: tuple[torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """Cross-entropy of frames or pooled segments."""
    x, y = batch
    return functional.cross_entropy(probe(x), y)
