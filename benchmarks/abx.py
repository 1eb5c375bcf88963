"""Our ABX against zerospeech-libriabx: the same errors, in what time?

    make oracle-abx     # once: that package needs an environment of its own
    python -m benchmarks.abx

Random features of as many values as a base encoder's, items of as many
tokens a cell as speech has. Each side reads the same files in a process of
its own, in turn, on as many threads; only the ratios of one run mean
anything. Nothing is drawn, so that both compare all triplets. Memory is the
peak above what there was before (Linux). Writes benchmarks/results/abx.json;
--goldens writes the numbers that the tests compare with instead.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.evaluation import abx_score, read_items
from speechbrain_mtl.evaluation.abx_files import read_features
from tests.helpers.abx_worlds import GOLDEN, HOP, world, write_world

ROOT = Path(__file__).parents[1]
ORACLE = ROOT / ".oracle" / "bin" / "python"
RESULT = Path(__file__).parent / "results" / "abx.json"
GOLDENS = ROOT / "tests" / "evaluation" / "goldens" / "abx.json"
SPEAKERS = ("within", "across")
#: Names of sizes, and what is made.
SIZES = {
    "few tokens a cell": {
        "seed": 0, "files": 12, "tokens": 60, "speakers": 4, "phones": 8,
        "contexts": 20, "width": 768, "strength": 0.3,
    },
    "many tokens a cell": {
        "seed": 0, "files": 6, "tokens": 40, "speakers": 2, "phones": 4,
        "contexts": 2, "width": 768, "strength": 0.3,
    },
}  # fmt: skip


def megabytes(field: str) -> float:
    """Memory of this process: VmRSS now, VmHWM at most (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(field)) / 1024


def ours(folder: Path, items: Path, mode: str, threads: int) -> dict:
    """From files to errors, as the other side: run in a fresh process."""
    torch.set_num_threads(threads)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = megabytes("VmRSS")
    began = time.perf_counter()
    rows = read_items(items)
    features = read_features(folder, (row.file for row in rows))
    score = abx_score(features, rows, mode, "librilight", hop=HOP)
    return {
        "errors": {mode: score.error},
        "seconds": time.perf_counter() - began,
        "megabytes": megabytes("VmHWM") - before,
        "cells": score.cells,
        "triplets": score.triplets,
    }


def asked(command: list, environment: dict | None = None) -> dict:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    return json.loads(done.stdout)


def theirs(oracle: Path, folder: Path, items: Path, *options: object) -> dict:
    script = Path(__file__).parent / "abx_libriabx.py"
    return asked([oracle, script, folder, items, "--hop", HOP, *options])


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
    }


def compare(
    oracle: Path, size: str, threads: int, repetitions: int
) -> Iterator[dict]:
    """Time both sides in turn, within and across."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        items = write_world(folder, *world(**SIZES[size]))
        for mode in SPEAKERS:
            runs = []
            for _ in range(repetitions):
                options = ("--mode", mode, "--threads", threads)
                other = theirs(oracle, folder, items, *options)
                own = asked(
                    [sys.executable, "-m", "benchmarks.abx", "--one"]
                    + [folder, items, *options],
                    {"OMP_NUM_THREADS": str(threads)},
                )
                runs.append((other, own))
            other, own = runs[-1]
            gap = abs(other["errors"][mode] - own["errors"][mode])
            yield {
                "size": size,
                "speaker": mode,
                "cells": own["cells"],
                "triplets": own["triplets"],
                "error": own["errors"][mode],
                "error_gap": gap,
                "libriabx_s": spread([a["seconds"] for a, _ in runs]),
                "ours_s": spread([b["seconds"] for _, b in runs]),
                "ratio": spread([a["seconds"] / b["seconds"] for a, b in runs]),
                "target_ratio": 5,
                "libriabx_mb": spread([a["megabytes"] for a, _ in runs]),
                "ours_mb": spread([b["megabytes"] for _, b in runs]),
            }


def goldens(oracle: Path) -> dict:
    """What the package says of the worlds of the tests."""
    errors = {}
    for name, settings in GOLDEN.items():
        with tempfile.TemporaryDirectory() as folder:
            items = write_world(Path(folder), *world(**settings))
            errors[name] = theirs(oracle, folder, items)["errors"]
    return {"oracle": "zerospeech-libriabx 1.0.5", "errors": errors}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--oracle", type=Path, default=ORACLE, help="its Python")
    add("--threads", type=int, default=1)
    add("--repetitions", type=int, default=3)
    add("--out", type=Path, default=RESULT)
    add("--goldens", action="store_true", help="write those of the tests")
    add("--one", type=Path, nargs=2, help=argparse.SUPPRESS)
    add("--mode", choices=SPEAKERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(ours(*options.one, options.mode, options.threads)))
        return
    if not options.oracle.is_file():
        raise SystemExit(f"{options.oracle} is missing: run `make oracle-abx`.")
    if options.goldens:
        write_json(GOLDENS, goldens(options.oracle))
        return
    rows = []
    for size in SIZES:
        for row in compare(
            options.oracle, size, options.threads, options.repetitions
        ):
            rows.append(row)
            ratio = row["ratio"]
            print(
                f"{size}, {row['speaker']}: {row['libriabx_s']['median']:.2f} "
                f"s and {row['ours_s']['median']:.3f} s, "
                f"{ratio['median']:.1f} x ({ratio['least']:.1f} to "
                f"{ratio['most']:.1f}); {row['libriabx_mb']['median']:.0f} MB "
                f"and {row['ours_mb']['median']:.0f} MB; errors "
                f"{row['error_gap']:.1e} apart",
                flush=True,
            )
    write_json(
        options.out,
        {
            "machine": platform.processor() or platform.machine(),
            "versions": {
                "torch": torch.__version__,
                "zerospeech-libriabx": "1.0.5",
            },
            "threads": options.threads,
            "repetitions": options.repetitions,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
