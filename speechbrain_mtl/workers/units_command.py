"""``python -m speechbrain_mtl units``: targets by clustering frames."""

import argparse

import torch

from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.workers.unit_files import fit_units


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments.

    Arguments
    ---------
    parser : argparse.ArgumentParser
        Receives them.
    """
    add = parser.add_argument
    add("manifest", help="JSON manifest of recordings; labels are not needed")
    add("--data-root", help="folder of the recordings [the manifest's]")
    add(
        "--source",
        default="mfcc",
        help="'mfcc', 'prosody', or a HuggingFace model's name or folder "
        "[mfcc]",
    )
    add("--layer", type=int, default=-1, help="of a model [-1, the last]")
    add("--units", type=int, default=100, help="how many clusters [100]")
    add(
        "--frames",
        type=int,
        default=100_000,
        help="frames to cluster at most, drawn evenly [100000]",
    )
    add("--seed", type=int, default=0, help="of everything drawn [0]")
    add("--threads", type=int, default=1, help="of the processor [1]")
    add("--out", default="units.pt", help="file [units.pt]")


def run(args: argparse.Namespace) -> int:
    """Fit the units and write the file.

    Arguments
    ---------
    args : argparse.Namespace
        See `configure`.

    Returns
    -------
    code : int
        0.
    """
    torch.set_num_threads(args.threads)
    entries = load_manifest(args.manifest, args.data_root)
    worker = fit_units(
        entries,
        args.out,
        args.source,
        args.layer,
        args.units,
        args.frames,
        args.seed,
        progress=True,
    )
    print(
        f"{worker.units} units of {args.source}, a frame every "
        f"{1000 * worker.hop:g} ms, written to {args.out}"
    )
    return 0
