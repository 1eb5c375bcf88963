"""How to mix frozen layers: learned weights, or the best single layer."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from speechbrain_mtl.evaluation.examples import Examples


@dataclass
class LayerMix:
    """A fixed convex combination of standardised layers.

    Arguments
    ---------
    weights : torch.Tensor
        Share of each layer, [L], sum 1.
    mean, std : torch.Tensor
        Statistics of the training examples, [L, D].
    """

    weights: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Mix [N, L, D] into [N, D] float32."""
        factor = self.weights[:, None] / self.std
        mixed = -(self.mean * factor).sum(0).repeat(len(x), 1)
        for layer in self.weights.nonzero().flatten().tolist():
            mixed.addcmul_(x[:, layer].float(), factor[layer])
        return mixed


def learn_weights(
    x: torch.Tensor, y: torch.Tensor, classes: int, steps: int = 60
) -> torch.Tensor:
    """Learn softmax layer weights together with a linear head.

    Arguments
    ---------
    x : torch.Tensor
        Standardised layers, [N, L, D].
    y : torch.Tensor
        Class numbers, [N].
    classes : int
        Number of classes.
    steps : int
        Full-batch Adam steps.

    Returns
    -------
    weights : torch.Tensor
        [L], sum 1.
    """
    logits = torch.zeros(x.shape[1], requires_grad=True)
    weight = torch.zeros(x.shape[2], classes, requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.Adam([logits, weight, bias], lr=0.03)
    by_layer = x.transpose(0, 1).contiguous()
    flat = by_layer.flatten(1)
    for _ in range(steps):
        optimizer.zero_grad()
        mixed = (logits.softmax(0) @ flat).view(x.shape[0], x.shape[2])
        functional.cross_entropy(mixed @ weight + bias, y).backward()
        optimizer.step()
    return logits.detach().softmax(0)


def choose_mix(
    train: Examples, valid: Examples, classes: int, most: int = 4096
) -> LayerMix:
    """Take the mix whose ridge classifier is best on validation data.

    Candidates are each single layer and the learned weighted sum. A learned
    sum alone can hide what one layer holds; a single layer alone can miss
    what several share. Ridge regression of one-hot labels needs no learning
    rate, so that all candidates are compared on equal terms.

    Arguments
    ---------
    train, valid : Examples
        Splits; the test split plays no part.
    classes : int
        Number of classes.
    most : int
        Examples to use of each split, evenly spread.

    Returns
    -------
    mix : LayerMix
        Standardised on the training examples that were used.
    """
    train_x, train_y = _thin(train, most)
    valid_x, valid_y = _thin(valid, most)
    mean, std = train_x.mean(0), train_x.std(0).clamp(min=1e-5)
    layers = train_x.shape[1]
    candidates = list(torch.eye(layers))
    if layers > 1:
        standard = (train_x - mean) / std
        candidates.append(learn_weights(standard, train_y, classes))
    mixes = [LayerMix(weights, mean, std) for weights in candidates]
    scores = [
        _ridge_accuracy(m(train_x), train_y, m(valid_x), valid_y, classes)
        for m in mixes
    ]
    return mixes[max(range(len(mixes)), key=scores.__getitem__)]


def _ridge_accuracy(
    train_x: torch.Tensor,
    train_y: torch.Tensor,
    valid_x: torch.Tensor,
    valid_y: torch.Tensor,
    classes: int,
) -> float:
    onehot = functional.one_hot(train_y, classes).float()
    onehot -= onehot.mean(0)
    gram = train_x.T @ train_x
    gram.diagonal().add_(0.01 * len(train_x))
    weight = torch.linalg.solve(gram, train_x.T @ onehot)
    hits = (valid_x @ weight).argmax(-1) == valid_y
    return float(hits.float().mean())


def _thin(examples: Examples, most: int) -> tuple[torch.Tensor, torch.Tensor]:
    index = torch.linspace(0, len(examples.y) - 1, min(most, len(examples.y)))
    index = index.long()
    return examples.x[index].float(), examples.y[index]
