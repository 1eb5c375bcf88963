"""What a way to weigh nine tasks costs: time and memory of a training step.

    python -m benchmarks.weightings

A small transformer, nine heads, and two sequences of random numbers a task.
Steps are run in turn, on one thread, and their processor time is counted, so
that what else the machine does hits all alike and little; fixed weights of the
same turn are 1 x. Memory is the peak of a
process of its own above what it had before the first step, as Linux counts
it; fixed weights are 1 x again. The aggregators need
`pip install 'speechbrain_mtl[mtl]'`. Writes benchmarks/results/weightings.json.
"""

import argparse
import multiprocessing
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.training.aggregators import aggregator
from speechbrain_mtl.training.dynamic_average import DynamicWeightAverage
from speechbrain_mtl.training.gradient_weights import GradientWeights
from speechbrain_mtl.training.loss_scale import ScaledLosses
from speechbrain_mtl.training.uncertainty import UncertaintyWeights
from speechbrain_mtl.training.weighting import FixedWeights, Weighting

RESULT = Path(__file__).parent / "results" / "weightings.json"
#: Classes of each task.
TASKS = {
    "pr": 74, "asr": 32, "ks": 12, "sid": 1251, "asv": 1211,
    "sd": 4, "ic": 24, "sf": 109, "er": 4,
}  # fmt: skip
ONES = dict.fromkeys(TASKS, 1.0)
UNLIKE = {name: 0.5 + 0.1 * number for number, name in enumerate(TASKS)}
WIDTH, FRAMES, ROWS = 128, 50, 2
REFERENCE = "fixed weights"


def of_torchjd(
    name: str, measured: list[str] | None = None, **settings: object
) -> GradientWeights:
    chosen = aggregator(name, **settings)
    return GradientWeights(TASKS, chosen, measured=measured)


WEIGHTINGS: dict[str, Callable[[], Weighting]] = {
    REFERENCE: lambda: FixedWeights(UNLIKE),
    "uniform weights": lambda: FixedWeights(ONES),
    "uncertainty": lambda: UncertaintyWeights(TASKS),
    "dynamic average": lambda: DynamicWeightAverage(TASKS, every=100),
    "scaled losses": lambda: ScaledLosses(ONES),
    "PCGrad": partial(of_torchjd, "PCGrad"),
    "PCGrad, last layer": partial(
        of_torchjd, "PCGrad", measured=["encoder.layers.3"]
    ),
    "UPGrad": partial(of_torchjd, "UPGrad"),
    "CAGrad": partial(of_torchjd, "CAGrad", c=0.5),
    "Nash-MTL": partial(of_torchjd, "NashMTL", n_tasks=len(TASKS)),
    "Aligned-MTL": partial(of_torchjd, "AlignedMTL"),
}


class NineHeads(nn.Module):
    """A transformer and one linear layer a task, on the mean of its rows."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            WIDTH, 4, 4 * WIDTH, dropout=0.0, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 4)
        heads = {name: nn.Linear(WIDTH, n) for name, n in TASKS.items()}
        self.tasks = nn.ModuleDict(heads)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        pooled = self.encoder(x).mean(1).chunk(len(TASKS))
        target = torch.arange(ROWS)
        return {
            name: nn.functional.cross_entropy(head(own), target)
            for (name, head), own in zip(self.tasks.items(), pooled)
        }


class Run:
    """A model, its weighting and its optimiser; a call is a step."""

    def __init__(self, name: str) -> None:
        torch.manual_seed(0)
        self.model, self.weighting = NineHeads(), WEIGHTINGS[name]()
        both = [*self.model.parameters(), *self.weighting.parameters()]
        self.optimizer = torch.optim.Adam(both, lr=1e-4)
        self.x = torch.randn(ROWS * len(TASKS), FRAMES, WIDTH)

    def __call__(self) -> None:
        losses = self.model(self.x)
        self.weighting.observe(losses)
        self.weighting.backward(losses, self.model)
        self.optimizer.step()
        self.optimizer.zero_grad()


def resident(field: str) -> int:
    """Kilobytes of memory in use: VmRSS now, VmHWM at most (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(field))


def peak_megabytes(name: str) -> float:
    """Peak of three steps above what there was; in a fresh process."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*not DPP.*")
    run = Run(name)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = resident("VmRSS")
    for _ in range(3):
        run()
    return (resident("VmHWM") - before) / 1024


def memory(name: str) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(peak_megabytes, (name,))


def seconds(names: list[str], repetitions: int) -> dict[str, list[float]]:
    """Time everybody's step in turn; the first two turns warm up."""
    runs = {name: Run(name) for name in names}
    found: dict[str, list[float]] = {name: [] for name in names}
    for repetition in range(repetitions + 2):
        for name, run in runs.items():
            start = time.process_time()
            run()
            if repetition >= 2:
                found[name].append(time.process_time() - start)
    return found


def summary(values: list[float]) -> dict[str, float]:
    """Median and spread."""
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*not DPP.*")
    torch.set_num_threads(1)
    times = seconds(list(WEIGHTINGS), options.repetitions)
    rows: dict[str, dict] = {}
    for name, values in times.items():
        ratios = [a / b for a, b in zip(values, times[REFERENCE])]
        peak = memory(name)
        fixed = rows.get(REFERENCE, {"peak_megabytes": peak})
        rows[name] = {
            "times_fixed": summary(ratios),
            "milliseconds": summary([1000 * value for value in values]),
            "peak_megabytes": peak,
            "memory_times_fixed": peak / fixed["peak_megabytes"],
        }
        time_ratio = rows[name]["times_fixed"]
        print(
            f"{name:20} {time_ratio['median']:5.2f} x time "
            f"({time_ratio['least']:.2f} to {time_ratio['most']:.2f}) "
            f"{rows[name]['memory_times_fixed']:5.2f} x memory "
            f"({peak:.0f} MB)"
        )
    shared = sum(p.numel() for p in NineHeads().encoder.parameters())
    write_json(
        options.out,
        {
            "machine": platform.processor() or platform.machine(),
            "versions": {
                name: version(name) for name in ("torch", "torchjd", "cvxpy")
            },
            "threads": torch.get_num_threads(),
            "repetitions": options.repetitions,
            "tasks": len(TASKS),
            "shared_parameters": shared,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
