"""``python -m speechbrain_mtl abx``: phone discrimination of features."""

import argparse

import torch

from speechbrain_mtl.evaluation.abx import HOP, NoCellsError, abx_score
from speechbrain_mtl.evaluation.abx_cells import SPEAKERS
from speechbrain_mtl.evaluation.abx_distance import DISTANCES
from speechbrain_mtl.evaluation.abx_files import read_features
from speechbrain_mtl.evaluation.abx_items import read_items
from speechbrain_mtl.evaluation.abx_slicing import SLICINGS


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments.

    Arguments
    ---------
    parser : argparse.ArgumentParser
        Receives them.
    """
    add = parser.add_argument
    add("features", help="folder of <id>.npy or <id>.pt, [T, D]; or an .npz")
    add("items", help=".item file of the ZeroSpeech challenges")
    add(
        "--hop",
        type=float,
        default=HOP,
        help=f"seconds between frames [{HOP}]",
    )
    add(
        "--offset",
        type=float,
        help="centre of the first frame in seconds [half a hop]",
    )
    add(
        "--speaker",
        default="both",
        choices=("both", *SPEAKERS),
        help="of X: that of A and B, or another [both]",
    )
    add(
        "--slicing",
        default="fixed",
        choices=SLICINGS,
        help="'librilight' lacks the last frame of every item, as Libri-Light "
        "and ZeroSpeech do [fixed]",
    )
    add(
        "--distance",
        default="angular",
        choices=tuple(DISTANCES),
        help="of frames [angular]",
    )
    add(
        "--most-tokens",
        type=int,
        help="drawn of one phone, context and speaker [all; Libri-Light: 10]",
    )
    add(
        "--most-speakers",
        type=int,
        help="of X drawn for each A and B [all; Libri-Light: 5]",
    )
    add("--seed", type=int, default=0, help="of what is drawn [0]")
    add("--device", default="cpu", help="where to compute: cpu, cuda [cpu]")
    add("--threads", type=int, default=1, help="of the processor [1]")


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Arguments
    ---------
    args : argparse.Namespace
        See `configure`.

    Returns
    -------
    code : int
        0, or 1 when no test could be made.
    """
    torch.set_num_threads(args.threads)
    items = read_items(args.items)
    features = read_features(args.features, (item.file for item in items))
    both = args.speaker == "both"
    print(f"ABX error, {args.distance}, slicing '{args.slicing}'")
    measured = 0
    for speaker in SPEAKERS if both else (args.speaker,):
        try:
            score = abx_score(
                features,
                items,
                speaker,
                args.slicing,
                args.distance,
                hop=args.hop,
                offset=args.offset,
                most_tokens=args.most_tokens,
                most_speakers=args.most_speakers,
                seed=args.seed,
                device=args.device,
            )
        except NoCellsError as error:
            # One speaker has no test across speakers; the other still counts.
            if not both:
                raise
            print(f"{speaker:7} none: {error}")
            continue
        measured += 1
        print(
            f"{speaker:7} {100 * score.error:6.2f} %  {score.cells} cells, "
            f"{score.triplets} triplets of {score.items} items"
            + (
                f"; {score.dropped} items without a frame left out"
                if score.dropped
                else ""
            )
        )
    return 0 if measured else 1
