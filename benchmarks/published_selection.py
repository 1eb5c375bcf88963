"""The published selection procedure, written again from its description.

Zaiem, Parcollet, Essid and Heba (arXiv 2104.07388 and 2107.00594) compare
segments in Python double loops, centre kernels by 1/n^2 and descend 1,000
steps of SGD through dense traces. This module keeps their arithmetic and their
cost, and shares no code with `speechbrain_mtl.selection`: it is what that is
tested against, and timed against.
"""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from entmax import sparsemax
from scipy.stats import norm

STEPS = 1000
VARIANCE = 0.05
FLOOR = -10.0
MAPS = {"softmax": torch.softmax, "sparsemax": sparsemax}


def downsample(feats: np.ndarray, n_samples: int = 10) -> np.ndarray:
    """Gaussian means of one segment [T, D], as rows [n_samples, D].

    The number of rows must be even.
    """
    frames = len(feats)
    half = np.arange(n_samples // 2)
    from_end = np.concatenate([half, half[::-1]])
    rows = []
    for k, center in enumerate(np.linspace(0, frames - 1, n_samples)):
        std = 0.1 * from_end[k] + 0.07 * frames
        edges = norm.cdf(np.arange(frames + 1) - 0.5, center, std)
        mass = np.array([edges[t + 1] - edges[t] for t in range(frames)])
        rows.append(mass / mass.sum() @ feats)
    return np.stack(rows)


def speech_kernel(
    segments: list[np.ndarray], n_samples: int = 10
) -> torch.Tensor:
    """Cosines of embedded segments, float64 [n, n], one pair at a time."""
    embedded, norms = [], []
    for segment in segments:
        embedded.append(downsample(segment, n_samples))
        norms.append(np.linalg.norm(embedded[-1]))
    K = np.zeros((len(segments), len(segments)))
    for i in range(len(segments)):
        for j in range(i + 1):
            product = np.trace(embedded[i].T @ embedded[j])
            K[i, j] = K[j, i] = product / (norms[i] * norms[j])
    return torch.from_numpy(K)


def label_kernel(values: np.ndarray) -> torch.Tensor:
    """Radial basis function of one label's means, float64 [n, n]."""
    L = np.zeros((len(values), len(values)))
    for i in range(len(values)):
        for j in range(i + 1):
            squared = abs(values[i] - values[j]) ** 2
            L[i, j] = L[j, i] = math.exp(-squared / (2 * VARIANCE))
    return torch.from_numpy(L)


def score(K: torch.Tensor, L: torch.Tensor) -> torch.Tensor:
    """tr(K H L H) / n^2 with the published H = I - 11' / n^2."""
    n = len(K)
    H = torch.eye(n, dtype=K.dtype) - torch.ones(n, n, dtype=K.dtype) / n**2
    second = torch.matmul(L, H)
    first = torch.matmul(K, H)
    return torch.trace(torch.matmul(first, second)) / n**2


def mean_score(Ks: list[torch.Tensor], Ls: list[torch.Tensor]) -> float:
    """The score of one label or group, meaned over classes in float32."""
    total = torch.zeros(())
    for K, L in zip(Ks, Ls, strict=True):
        total = total + score(K, L).float()
    return float(total / len(Ks))


def group_score(
    Ks: list[torch.Tensor],
    logs: list[list[torch.Tensor]],
    weights: torch.Tensor,
) -> torch.Tensor:
    """The score of a weighted group, from logarithms by class and by label.

    Clamps the logarithms in their lists, again at every call.
    """
    total = torch.zeros((), dtype=weights.dtype)
    for K, labels in zip(Ks, logs):
        exponent = torch.zeros(())
        for k in range(len(labels)):
            labels[k] = torch.clamp(labels[k], FLOOR, 0)
            exponent = exponent + weights[k] * labels[k]
        total = total + score(K, torch.exp(exponent)).to(total)
    return total / len(Ks)


@dataclass
class Descent:
    """Where the published descent ended: at its last forward pass."""

    weights: torch.Tensor  # float64 [k]
    score: float
    seconds_a_step: float


def descend(
    Ks: list[torch.Tensor],
    Ls: list[list[torch.Tensor]],
    mapping: str = "sparsemax",
    seed: int = 0,
    steps: int = STEPS,
) -> Descent:
    """Weigh labels as published, from kernels by class and by label in it.

    Weights and the sum over classes are float32, as they are there.
    """
    logs = [[torch.log(L) for L in labels] for labels in Ls]
    torch.manual_seed(seed)
    inputs = torch.randn(1, len(logs[0]))
    if mapping == "sparsemax":
        inputs = 1 + 0.05 * inputs
    inputs.requires_grad_()
    optimizer = torch.optim.SGD([inputs], lr=0.01, momentum=0.9)
    began = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        weights = MAPS[mapping](inputs, dim=-1)[0]
        total = group_score(Ks, logs, weights)
        total.backward()
        optimizer.step()
    seconds = time.perf_counter() - began
    return Descent(weights.detach().double(), total.item(), seconds / steps)
