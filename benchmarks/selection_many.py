"""Selection where there are many segments: time, memory, distance to exact.

    python -m benchmarks.selection_many --samples 5000 --objective ours

runs in a process of its own, so that its peak memory is that of the selection.
Exact is the minimum over all pairs within classes, 125 million of them for 10
classes of 5,000, recomputed tile by tile at every evaluation. Prints JSON.
"""

import argparse
import json
import time
from collections.abc import Iterator

import torch

from benchmarks.planted import Planted, plant
from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.cost import peak_memory_mb
from speechbrain_mtl.selection.criterion import log_ratio
from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.features import Measurements
from speechbrain_mtl.selection.group_sums import published_sums, ratio_sums
from speechbrain_mtl.selection.pair_sums import PairSums
from speechbrain_mtl.selection.ranking import rank
from speechbrain_mtl.selection.relevance import between_pairs
from speechbrain_mtl.selection.selector import TEMPERATURES
from speechbrain_mtl.selection.simplex import Minimum, Objective, minimise
from speechbrain_mtl.selection.solver import relative, solve

MAPPING = "sparsemax"
TILE = 250
# Pairs of different classes for the exact relevance, ten times the usual.
BETWEEN = 2_000_000


class AllPairs:
    """Sums over all pairs within classes, as `PairSums` without its memory.

    Gives the published score, or the unbiased score and the mean similarity.
    """

    def __init__(
        self, speech: torch.Tensor, scaled: torch.Tensor, published: bool
    ) -> None:
        self.speech = torch.nn.functional.normalize(speech, dim=-1)
        self.scaled = scaled.mT.contiguous()  # [C, k, n]
        self.published = published
        self.evaluations = 0

    def __call__(
        self, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Values [m] and jacobian [m, k], float64."""
        self.evaluations += 1
        single = weights.float()
        parts = []
        for a, logs in self._tiles():
            group = (single @ logs).exp_()
            terms = a * group
            parts.append((terms.sum(dim=1).double(), (terms @ logs.T).double()))
        values, jacobians = zip(*parts)
        return torch.stack(values).sum(0), torch.stack(jacobians).sum(0)

    def _tiles(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Coefficients [m, t t] and log kernels [k, t t] of the lower half."""
        classes, n, _ = self.speech.shape
        for Z, x in zip(self.speech, self.scaled):
            rows = Z.double() @ Z.double().sum(dim=0)
            if not self.published:
                rows = rows - 1  # without the diagonal
            total = float(rows.sum())
            parts = torch.arange(n).split(TILE)
            for one in parts:
                for two in parts:
                    if two[0] > one[0]:
                        break
                    fold = (1.0 if two[0] == one[0] else 2.0) / classes
                    K = Z[one] @ Z[two].T
                    both = (rows[one, None] + rows[two]).float()
                    if self.published:
                        K = (K - both / n**2 + total / n**4) * (fold / n**2)
                        a = K[None]
                    else:
                        K = K - both / (n - 2) + total / ((n - 1) * (n - 2))
                        a = torch.stack([K / (n - 3), torch.ones_like(K)])
                        a = a * fold / n
                        a[1] /= n - 1
                        if two[0] == one[0]:
                            a.diagonal(0, -2, -1).zero_()
                    logs = x[:, one, None] - x[:, None, two]
                    logs.square_().mul_(-0.5)
                    if self.published:
                        logs.clamp_(-10, 0)
                    yield a.flatten(1), logs.flatten(1)


def polish(
    objective: Objective, found: Minimum, temperature: float
) -> dict[str, object]:
    """The exact minimum, from where the search on fewer pairs ended."""
    began = time.perf_counter()
    exact = minimise(
        objective, found.weights, MAPPING, temperature, tolerance=1e-6, limit=30
    )
    return {
        "weights": found.weights.tolist(),
        "exact_weights": exact.weights.tolist(),
        "error": float((found.weights - exact.weights).abs().max()),
        "same_support": bool(
            ((found.weights > 1e-6) == (exact.weights > 1e-6)).all()
        ),
        "exact_gap": exact.gap,
        "exact_s": time.perf_counter() - began,
    }


class Estimate:
    """What was found on some of the pairs, and in what time and memory."""

    temperature = 0.0

    def __init__(self, measured: Measurements, world: Planted) -> None:
        self.world = world
        self.mels = measured.mels
        self.classes = torch.arange(world.classes)
        self.classes = self.classes.repeat_interleave(world.samples)
        began = time.perf_counter()
        self.comparison = Comparison(measured, self.classes)
        self.found = self.solve()
        self.cost = {
            "seconds": time.perf_counter() - began,
            "peak_mb": peak_memory_mb(),
        }

    def report(self) -> dict[str, object]:
        """Cost and distance to exact."""
        distance = polish(self.exact(), self.found, self.temperature)
        return {**self.cost, **distance}

    def by_class(self, flat: torch.Tensor) -> torch.Tensor:
        return flat.view(self.world.classes, self.world.samples, -1)


class Published(Estimate):
    """Kernels and weights by the published objective."""

    def solve(self) -> Minimum:
        labels = list(range(len(self.comparison.names)))
        return solve(relative, published_sums(self.comparison, labels), MAPPING)

    def exact(self) -> Objective:
        scaled = self.world.values.float() / 0.05**0.5
        sums = AllPairs(self.by_class(self.mels), scaled, published=True)
        labels = len(self.found.weights)
        scale = float(sums(torch.full((labels,), 1 / labels))[0][0])

        def objective(weights: torch.Tensor) -> tuple:
            values, jacobian = sums(weights)
            return values[0] / scale, jacobian[0] / scale

        return objective


class Ours(Estimate):
    """All that follows the measurements: evidence, tests, intervals, weights."""

    temperature = TEMPERATURES[MAPPING]

    def solve(self) -> Minimum:
        clusters = torch.arange(len(self.classes)) % 200
        evidence = gather(self.comparison, self.classes, clusters)
        ranking = rank(evidence, self.comparison.names, "centered")
        self.eligible, self.scale = ranking.eligible, evidence.speech_scale
        sums = ratio_sums(
            self.comparison, self.classes, self.eligible, self.scale
        )
        self.prepare = log_ratio(ranking.noise)
        return solve(self.prepare, sums, MAPPING, self.temperature)

    def exact(self) -> Objective:
        speech = self.mels - self.mels.mean(dim=(0, 1))
        speech /= self.mels.std(dim=(0, 1))
        bandwidths = torch.tensor(
            self.comparison.bandwidths, dtype=torch.float64
        )
        scaled = (self.world.values / bandwidths.sqrt()).float()
        within = AllPairs(
            self.by_class(speech), scaled[..., self.eligible], published=False
        )
        pairs = between_pairs(self.classes, BETWEEN, seed=1)
        logs = self.comparison.log_pairs(*pairs)[self.eligible]
        between = PairSums(torch.full_like(logs[:1], 1 / BETWEEN), logs)

        def sums(weights: torch.Tensor) -> tuple:
            values, jacobian = within(weights)
            apart, slopes = between(weights)
            values[0] /= self.scale
            jacobian[0] /= self.scale
            values[1] -= apart[0]
            jacobian[1] -= slopes[0]
            return values, jacobian

        return self.prepare(sums)


OBJECTIVES = {"published": Published, "ours": Ours}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--labels", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--objective", choices=OBJECTIVES, default="ours", help="[ours]"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    before = peak_memory_mb()
    world = plant(options.classes, options.samples, options.labels)
    names = [f"{k:02d}" for k in range(options.labels)]
    flat = world.values.flatten(0, 1)
    measured = Measurements(
        world.embedded(),
        {name: flat[:, k : k + 1] for k, name in enumerate(names)},
        seconds=0.0,
    )
    memory = {"started_mb": before, "measurements_mb": peak_memory_mb()}
    found = OBJECTIVES[options.objective](measured, world)
    print(json.dumps({**memory, **found.report()}))


if __name__ == "__main__":
    main()
