"""Probes: what a small head can read from frozen features.

One rule for every encoder and every row of a table: heads are trained on the
training part, layer mix and learning rate are those with the best score on
the validation part (other speakers, where the question allows it), and the
test part is read once.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional


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
        Share of each layer in the chosen mix.
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


def train_head(
    head: nn.Module,
    batches: Callable[[torch.Generator], list],
    loss: Callable[[nn.Module, object], torch.Tensor],
    lr: float,
    epochs: int,
    seed: int,
) -> nn.Module:
    """Fit one head with Adam and a linearly falling rate.

    Arguments
    ---------
    head : nn.Module
        Trained in place.
    batches : callable
        Given a generator, the batches of one epoch in random order.
    loss : callable
        Given head and batch, a scalar.
    lr : float
        Peak learning rate of the head.
    epochs : int
        Passes over the training set.
    seed : int
        Fixes the order.

    Returns
    -------
    head : nn.Module
        In eval mode.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=lr, weight_decay=1e-3, fused=True
    )
    plan = [batches(generator) for _ in range(epochs)]
    total = sum(map(len, plan))
    decay = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: max(0.0, 1 - step / total)
    )
    head.train()
    for epoch in plan:
        for batch in epoch:
            optimizer.zero_grad(set_to_none=True)
            loss(head, batch).backward()
            nn.utils.clip_grad_norm_(head.parameters(), 5.0)
            optimizer.step()
            decay.step()
    return head.eval()


def classification_loss(
    head: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """Cross-entropy of frames or pooled segments."""
    x, y = batch
    return functional.cross_entropy(head(x), y)
