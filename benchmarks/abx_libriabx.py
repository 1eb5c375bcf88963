"""The ABX errors of zerospeech-libriabx, run in an environment of its own.

    .oracle/bin/python benchmarks/abx_libriabx.py FEATURES ITEMS

That package needs numpy < 2, so `make oracle-abx` makes one. FEATURES is a
folder of .npy files. Prints JSON: errors, seconds and the peak in megabytes.
Nothing is drawn, so that errors are those of all triplets.
"""

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path

import libriabx
import torch


def megabytes(field):
    """Memory of this process: VmRSS now, VmHWM at most (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(field)) / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("features")
    parser.add_argument("items")
    parser.add_argument("--hop", type=float, default=0.02)
    parser.add_argument("--mode", default="all")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    arguments = libriabx.AbxArguments(
        path_data=options.features,
        path_item_file=options.items,
        distance_mode="cosine",
        feature_size=options.hop,
        file_extension=".npy",
        mode=options.mode,
        cuda=False,
        max_size_group=10**6,
        max_x_across=10**6,
    )
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = megabytes("VmRSS")
    began = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        errors = libriabx.abx_eval(arguments)
    seconds = time.perf_counter() - began
    peak = megabytes("VmHWM") - before
    print(json.dumps({"errors": errors, "seconds": seconds, "megabytes": peak}))


if __name__ == "__main__":
    main()
