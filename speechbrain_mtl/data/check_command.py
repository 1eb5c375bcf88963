"""`python -m speechbrain_mtl check`: all bad entries of a manifest."""

import argparse
from collections import Counter

from speechbrain_mtl.data.check import MIN_DURATION, Problem, check_manifest
from speechbrain_mtl.data.manifest import load_manifest


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("manifest", help="the JSON file")
    parser.add_argument(
        "--data-root",
        help="replaces {data_root} (default: the manifest's folder)",
    )
    parser.add_argument(
        "--label",
        nargs="+",
        default=[],
        metavar="FIELD[=A,B]",
        help="fields every entry needs, with the allowed values if given",
    )
    parser.add_argument(
        "--min-duration",
        type=float,
        default=MIN_DURATION,
        metavar="S",
        help="shortest useful recording, seconds (default: %(default)s)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="read only headers: finds no corrupt or silent samples",
    )


def run(args: argparse.Namespace) -> int:
    """Print a line a problem, notes in groups, and a summary.

    Returns
    -------
    code : int
        1 when there are problems, else 0; notes do not count.
    """
    manifest = load_manifest(args.manifest, args.data_root)
    problems = check_manifest(
        manifest,
        labels=dict(_label(word) for word in args.label),
        min_duration=args.min_duration,
        quick=args.quick,
        progress=True,
    )
    bad = [problem for problem in problems if not problem.note]
    print_table(bad)
    # Every recording of a corpus tends to have the same note: say it once.
    notes = Counter((p.what, p.remedy) for p in problems if p.note)
    for (what, remedy), count in notes.most_common():
        print(f"note: {what} in {count} of {len(manifest)} entries. {remedy}")
    ids = {problem.id for problem in bad}
    hours = sum(entry["duration"] for entry in manifest.values()) / 3600
    depth = "headers" if args.quick else "headers and samples"
    print(
        f"{len(manifest)} entries, {hours:.2f} h, {depth} read: "
        f"{len(bad)} problem(s) in {len(ids)} entries."
    )
    return 1 if bad else 0


def print_table(problems: list[Problem]) -> None:
    """Print id, problem and remedy in columns."""
    rows = [("id", "problem", "remedy")]
    rows += [(p.id, p.what, p.remedy) for p in problems]
    widths = [min(60, max(len(row[i]) for row in rows)) for i in (0, 1)]
    for row in rows if problems else []:
        print(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}")


def _label(word: str) -> tuple[str, set[str | int] | None]:
    """`field` or `field=a,b` as a field and its allowed values."""
    field, given, values = word.partition("=")
    allowed = set(values.split(","))
    # A manifest may hold 7 or "7"; the command line only knows text.
    allowed |= {int(value) for value in allowed if value.isdecimal()}
    return field, allowed if given else None
