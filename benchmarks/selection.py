"""The selection engine against the published procedure: same answer, and time.

    python -m benchmarks.selection

Both run in this process, in turn, on as many threads; only the ratios of one
run mean anything. What the published procedure takes minutes for is timed on a
part of its steps unless --full is given, and the table says so. Writes
benchmarks/results/selection.json.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks import published_selection as published
from benchmarks.planted import BANDS, Planted, plant
from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.selection import (
    Solution,
    cosine_kernel,
    gaussian_downsample,
    group_objective,
    log_rbf_kernel,
    solve_weights,
)
from speechbrain_mtl.selection.objective import as_strata
from speechbrain_mtl.selection.pair_sums import strata_sums

RESULT = Path(__file__).parent / "results" / "selection.json"
DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Plan:
    """Sizes: classes, segments a class, labels; and how often."""

    steps_size: tuple[int, int, int] = (10, 300, 7)
    steps: int = 40  # of the published 1,000, those timed at that size
    # Where all 1,000 are run to compare weights; too small for the targets.
    whole_size: tuple[int, int, int] = (10, 60, 7)
    samples: tuple[int, ...] = (100, 200, 400, 800)
    classes: tuple[int, ...] = (10, 30, 100, 300, 1000)
    labels: tuple[int, ...] = (7, 14, 28, 56)
    many: int = 5000
    repetitions: int = 3


QUICK = Plan(
    (4, 60, 7), 10, (2, 20, 7), (50, 100), (5, 50), (7, 14), 400, repetitions=1
)
FULL = Plan((50, 300, 7), 1000, repetitions=1)

Kernels = tuple[list[torch.Tensor], list[torch.Tensor]]


def our_kernels(world: Planted, segments: list, dtype: torch.dtype) -> Kernels:
    """K and log L of every class from frames and label means."""
    Ks, log_Ls = [], []
    for members, values in zip(segments, world.values):
        counts = torch.tensor([len(member) for member in members])
        frames = torch.zeros(len(members), int(counts.max()), BANDS)
        for place, member in zip(frames.numpy(), members):
            place[: len(member)] = member
        rows = gaussian_downsample(frames, lens=counts / counts.max())
        Ks.append(cosine_kernel(rows.flatten(1).to(dtype)))
        by_label = values.T.contiguous()[..., None]
        log_Ls.append(log_rbf_kernel(by_label.to(dtype)))
    return Ks, log_Ls


def published_kernels(world: Planted, segments: list) -> tuple[list, list]:
    """K and L of every class by the double loops."""
    Ks = [published.speech_kernel(members) for members in segments]
    Ls = [
        [published.label_kernel(z) for z in values.T.numpy()]
        for values in world.values
    ]
    return Ks, Ls


def clock(work: Callable, *arguments: object) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - began, result


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
    }


def row(
    what: str,
    size: tuple[int, ...],
    theirs: list[float],
    ours: list[float],
    target: float | None,
    **facts: object,
) -> dict:
    """One comparison; repetition by repetition, as they ran in turn.

    Targets are for classes as large as the published ones, of 300.
    """
    ratio = spread([a / b for a, b in zip(theirs, ours)])
    if size[1] < 300:
        target = None
    return {
        "what": what,
        "size": "{} x {} x {}".format(*size),
        "published_s": spread(theirs),
        "ours_s": spread(ours),
        "ratio": ratio,
        "target_ratio": target,
        "reached": target is None or ratio["median"] >= target,
        **facts,
    }


def exact_score(Ks: list, Ls: list, weights: torch.Tensor) -> float:
    """The published score in float64 throughout."""
    logs = [[torch.log(L) for L in labels] for labels in Ls]
    return float(published.group_score(Ks, logs, weights.double()))


def steps_of(kernels: Kernels) -> Solution:
    """The published 1,000 steps, our way."""
    return solve_weights(*kernels, centering="reference", solver="reference")


def whole_of(world: Planted, segments: list, dtype: torch.dtype) -> Solution:
    """From frames to weights, our way."""
    kernels = our_kernels(world, segments, dtype)
    return solve_weights(*kernels, centering="reference")


def warm_up() -> None:
    """Run all once: optimisers import half of torch at their first step."""
    world = plant(1, 10)
    segments = [world.segments(0)]
    published.descend(*published_kernels(world, segments), steps=2)
    for dtype in DTYPES.values():
        whole_of(world, segments, dtype)
        steps_of(our_kernels(world, segments, dtype))


def against_the_published(
    size: tuple[int, int, int], steps: int, repetitions: int
) -> list[dict]:
    """Time the same 1,000 steps, and everything from frames to weights.

    Below 1,000 steps the published time is extrapolated, and its weights are
    taken to be those of our own descent.
    """
    world = plant(*size)
    segments = [world.segments(one) for one in range(world.classes)]
    loops, descents = [], []
    steps_s, whole_s = ({name: [] for name in DTYPES} for _ in range(2))
    same, solved = {}, {}
    for _ in range(repetitions):
        seconds, (Ks, Ls) = clock(published_kernels, world, segments)
        loops.append(seconds)
        end = published.descend(Ks, Ls, steps=steps)
        descents.append(published.STEPS * end.seconds_a_step)
        for name, dtype in DTYPES.items():
            kernels = our_kernels(world, segments, dtype)
            seconds, same[name] = clock(steps_of, kernels)
            steps_s[name].append(seconds)
            seconds, solved[name] = clock(whole_of, world, segments, dtype)
            whole_s[name].append(seconds)
    timed = {"published_steps_timed": steps}
    rows = []
    for name, dtype in DTYPES.items():
        kernels = our_kernels(world, segments, dtype)
        facts = dict(timed)
        weights = same[name].weights
        if steps == published.STEPS:
            gap = (weights - end.weights).abs().max()
            facts["weights_error"] = float(gap)
            weights = end.weights
        theirs = exact_score(Ks, Ls, weights)
        ours = group_objective(*kernels, weights, centering="reference")
        facts["hsic_error"] = abs(float(ours) - theirs)
        what = f"the same 1,000 steps, {name}"
        rows.append(row(what, size, descents, steps_s[name], 30, **facts))
        reached = exact_score(Ks, Ls, solved[name].weights)
        facts = {
            **timed,
            "objective_over_published": reached / theirs - 1,
            "evaluations": solved[name].evaluations,
        }
        both = [a + b for a, b in zip(loops, descents)]
        what = f"frames to weights, {name}"
        rows.append(row(what, size, both, whole_s[name], 500, **facts))
    return rows


def work_seconds(size: tuple[int, int, int], repetitions: int) -> list[float]:
    """Kernels from embeddings, and ten evaluations with gradient."""
    world = plant(*size)
    speech = world.embedded().view(world.classes, world.samples, -1)
    values = world.values.float().mT.contiguous()
    weights = torch.full((size[2],), 1 / size[2], dtype=torch.float64)

    def work() -> None:
        Ks = [cosine_kernel(x) for x in speech]
        log_Ls = [log_rbf_kernel(z[..., None]) for z in values]
        sums = strata_sums(as_strata(Ks, log_Ls, "reference"), "reference")
        for _ in range(10):
            sums(weights)

    return [clock(work)[0] for _ in range(repetitions + 1)][1:]


def growth(plan: Plan) -> list[dict]:
    """Seconds over sizes, and the slope of their logarithms."""
    axes = {
        "segments of a class": [(10, n, 7) for n in plan.samples],
        "classes": [(c, 50, 7) for c in plan.classes],
        "labels": [(10, 150, k) for k in plan.labels],
    }
    found = []
    for axis, sizes in axes.items():
        seconds = [spread(work_seconds(s, plan.repetitions)) for s in sizes]
        varied = [
            next(a for a, b in zip(size, zip(*sizes)) if len(set(b)) > 1)
            for size in sizes
        ]
        slope, _ = statistics.linear_regression(
            [math.log(x) for x in varied],
            [math.log(s["median"]) for s in seconds],
        )
        found.append(
            {"axis": axis, "at": varied, "seconds": seconds, "exponent": slope}
        )
    return found


def many(samples: int, threads: int) -> dict:
    """Run `benchmarks.selection_many`, whose memory must be its own."""
    found = {"samples": samples}
    for objective in ("published", "ours"):
        command = [sys.executable, "-m", "benchmarks.selection_many"]
        command += [f"--samples={samples}", f"--threads={threads}"]
        command += [f"--objective={objective}"]
        root = Path(__file__).parents[1]
        done = subprocess.run(
            command, cwd=root, check=True, stdout=subprocess.PIPE, text=True
        )
        found[objective] = json.loads(done.stdout)
    return found


def machine(threads: int) -> dict:
    """What the figures depend on."""
    info = Path("/proc/cpuinfo")
    names = [
        line.split(":")[1].strip()
        for line in (info.read_text().splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "threads": threads,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def show_published(rows: list[dict]) -> None:
    for entry in rows:
        ratio = entry["ratio"]
        print(
            f"{entry['what']:32} {entry['size']:13}"
            f"{entry['published_s']['median']:9.2f} s "
            f"{entry['ours_s']['median']:8.3f} s "
            f"{ratio['median']:7.0f} x "
            f"({ratio['least']:.0f} to {ratio['most']:.0f}; target "
            f"{entry['target_ratio'] or 'none at this size'}"
            f"{'' if entry['reached'] else ', MISSED'})"
        )
        told = ("hsic_error", "weights_error", "objective_over_published")
        errors = [f"{k} {entry[k]:.1e}" for k in told if k in entry]
        steps = entry["published_steps_timed"]
        print(f"    {steps} published steps timed; {', '.join(errors)}")


def show_growth(axes: list[dict]) -> None:
    for entry in axes:
        times = zip(entry["at"], entry["seconds"])
        times = ", ".join(f"{x}: {s['median']:.3f} s" for x, s in times)
        print(f"{entry['axis']:20} exponent {entry['exponent']:.2f} ({times})")


def show_many(large: dict) -> None:
    print(f"10 classes of {large['samples']} segments, 7 labels:")
    for name in ("published", "ours"):
        entry = large[name]
        print(
            f"{name:10} {entry['seconds']:6.2f} s  {entry['peak_mb']:5.0f} MB "
            f"({entry['started_mb']:.0f} before), weights off by "
            f"{entry['error']:.1e}, "
            f"{'same' if entry['same_support'] else 'OTHER'} support "
            f"(exact: {entry['exact_s']:.0f} s, gap {entry['exact_gap']:.0e})"
        )


def measure(plan: Plan, threads: int) -> dict:
    """Run everything, and print tables as they come."""
    torch.set_num_threads(threads)
    began = time.perf_counter()
    facts = machine(threads)
    print("{processor}, {cores} cores, load {load}".format(**facts))
    print(f"{threads} thread(s) on every side", flush=True)
    # First: a process inherits the peak memory of the one that starts it.
    large = many(plan.many, threads)
    show_many(large)
    warm_up()
    rows = []
    for size, steps in (
        (plan.whole_size, published.STEPS),
        (plan.steps_size, plan.steps),
    ):
        part = against_the_published(size, steps, plan.repetitions)
        show_published(part)
        rows += part
    axes = growth(plan)
    show_growth(axes)
    return {
        "machine": facts,
        "plan": asdict(plan),
        "published": rows,
        "growth": axes,
        "many": large,
        "wall_s": time.perf_counter() - began,
        "cpu_s": cpu_seconds(),
    }


def cpu_seconds() -> float:
    """Of this process and those it started."""
    spent = os.times()
    return sum(spent[:4])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="does it run?")
    how.add_argument("--full", action="store_true", help="50 x 300 x 7 whole")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--out", type=Path, help=f"[{RESULT.name}; quick: none]"
    )
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL if options.full else Plan()
    card = measure(plan, options.threads)
    print("{wall_s:.0f} s, of them {cpu_s:.0f} s at work".format(**card))
    out = options.out or (None if options.quick else RESULT)
    if out:
        write_json(out, card)
        print(f"written to {out}")


if __name__ == "__main__":
    main()
