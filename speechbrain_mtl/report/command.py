"""`python -m speechbrain_mtl report`: one page from a run's folder."""

import argparse

from speechbrain_mtl.report.page import write_report


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "output_folder", help="folder of a run, with its metrics.json"
    )


def run(args: argparse.Namespace) -> int:
    """Write the page and say where it is."""
    print(f"report: {write_report(args.output_folder)}")
    return 0
