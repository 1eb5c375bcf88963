"""Command line: ``python -m speechbrain_mtl <command> --help``."""

import argparse
import importlib
import sys

# command -> (module with `configure(parser)` and `run(args)`, one line of help)
COMMANDS = {
    "synth": (
        "speechbrain_mtl.data.synthetic.command",
        "make the embedded corpus of labelled formant speech",
    ),
    "check": (
        "speechbrain_mtl.data.check_command",
        "check every entry of a manifest and list all the bad ones",
    ),
    "select": (
        "speechbrain_mtl.selection.command",
        "choose and weigh pretext tasks for a labelled manifest",
    ),
    "units": (
        "speechbrain_mtl.workers.units_command",
        "cluster frames of MFCC, prosody or any encoder's layer into units",
    ),
    "image-features": (
        "speechbrain_mtl.data.image_features_command",
        "compute regions or patches of images once, for grounded speech",
    ),
    "abx": (
        "speechbrain_mtl.evaluation.abx_command",
        "measure phone discrimination of features another program wrote",
    ),
    "abx-layers": (
        "speechbrain_mtl.evaluation.abx_layers_command",
        "measure phone discrimination of every layer of encoders",
    ),
    "report": (
        "speechbrain_mtl.report.command",
        "turn the results of a run into one self-contained page",
    ),
    "relations": (
        "speechbrain_mtl.report.relations_command",
        "tell from a multi-task study which tasks help which",
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; only the chosen command's module is imported.

    Arguments
    ---------
    argv : list of str, optional
        Words after the program's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    code : int
        Exit status: 0 when all went well, 1 for bad input, 2 for bad usage.
    """
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m speechbrain_mtl")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, summary) in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary)
        if argv[:1] == [name]:
            module = importlib.import_module(module)
            module.configure(sub)
            sub.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    try:
        return args.run(args) or 0
    except (OSError, ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
