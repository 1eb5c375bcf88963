"""``python -m speechbrain_mtl synth OUT``: make the embedded corpus."""

import argparse
import os

from speechbrain_mtl.data.synthetic.corpus import generate
from speechbrain_mtl.data.synthetic.plan import (
    DEFAULT_MINUTES,
    DEFAULT_SPEAKERS,
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments.

    Arguments
    ---------
    parser : argparse.ArgumentParser
        Of this command.
    """
    parser.add_argument("out", help="folder of the corpus")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes",
        type=float,
        default=DEFAULT_MINUTES,
        help="about how much audio (default: %(default)g)",
    )
    length.add_argument("--hours", type=float, help="the same in hours")
    parser.add_argument(
        "--speakers",
        type=int,
        default=DEFAULT_SPEAKERS,
        help="voices, at least 4 (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of voices and texts (default: 0)"
    )
    parser.add_argument(
        "--mixtures",
        type=int,
        help="mixtures of two speakers (default: one for five minutes)",
    )
    parser.add_argument(
        "--scenes",
        type=int,
        help="pictures with five spoken captions each, on top of the minutes "
        "(default: none)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="processes; the result is the same (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Make the corpus and say what it holds.

    Arguments
    ---------
    args : argparse.Namespace
        Of `configure`.

    Returns
    -------
    code : int
        0; errors are raised.
    """
    summary = generate(
        args.out,
        args.minutes if args.hours is None else args.hours * 60,
        args.speakers,
        args.seed,
        args.workers,
        mixtures=args.mixtures,
        scenes=args.scenes,
    )
    if not summary.made:
        print(f"{summary.out} is finished already; nothing to do.")
    for kind, count in summary.items.items():
        print(f"{kind:8} {count:7d} items {summary.minutes[kind]:9.2f} minutes")
    print(
        f"{'total':8} {sum(summary.items.values()):7d} items "
        f"{sum(summary.minutes.values()):9.2f} minutes; {summary.made} made "
        f"in {summary.seconds:.1f} s"
    )
    print(f"manifest {summary.manifest}")
    print(f"digest   {summary.digest}")
    return 0
