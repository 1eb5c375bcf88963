"""``python -m speechbrain_mtl select``: weigh pretext tasks for a manifest."""

import argparse
from pathlib import Path

import torch

from speechbrain_mtl.data.manifest import load_manifest, subset
from speechbrain_mtl.selection.baselines import (
    everything,
    naive_top_k,
    random_weights,
    uniform,
)
from speechbrain_mtl.selection.hsic import CENTERINGS
from speechbrain_mtl.selection.selection import Selection
from speechbrain_mtl.selection.selector import Selector
from speechbrain_mtl.selection.simplex import MAPPINGS

BASELINES = ("uniform", "all", "random", "naive")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments.

    Arguments
    ---------
    parser : argparse.ArgumentParser
        Receives them.
    """
    defaults = Selector()
    add = parser.add_argument
    add("manifest", help="JSON manifest of labelled recordings")
    add(
        "--label",
        required=True,
        help="field with the downstream classes: speaker, words, phones, ...",
    )
    add("--data-root", help="folder of the recordings [the manifest's]")
    add("--split", help="use only entries whose field 'split' is this")
    add(
        "--workers",
        default="scalar",
        help="candidate labels: names with commas, 'scalar' or 'all' [scalar]",
    )
    add(
        "--mapping",
        default=defaults.mapping,
        choices=(*MAPPINGS, *BASELINES),
        help="how scores become weights, or a baseline [sparsemax]",
    )
    add(
        "--centering",
        default=defaults.centering,
        choices=CENTERINGS,
        help="'reference' is the estimator as published [centered]",
    )
    add(
        "--temperature",
        type=float,
        help="higher spreads weights more evenly [softmax 1, sparsemax 2]",
    )
    add(
        "--max-per-class",
        type=int,
        default=defaults.max_per_class,
        help=f"segments of a class at most [{defaults.max_per_class}]",
    )
    add(
        "--min-per-class",
        type=int,
        default=defaults.min_per_class,
        help=f"classes with fewer are left out [{defaults.min_per_class}]",
    )
    add("--seed", type=int, default=0, help="of everything drawn [0]")
    add("--device", default="cpu", help="where to compute [cpu]")
    add(
        "--threads",
        type=int,
        default=1,
        help="of the processor; on a busy machine fewer are faster [1]",
    )
    add("--out", default="selection.json", help="file [selection.json]")
    add(
        "--estimate",
        action="store_true",
        help="say what would be compared, and how long it takes; then stop",
    )


def run(args: argparse.Namespace) -> int:
    """Select, print the table, write the file.

    Arguments
    ---------
    args : argparse.Namespace
        See `configure`.

    Returns
    -------
    code : int
        0.

    Raises
    ------
    ValueError
        For bad input, with a message that says what to do.
    """
    torch.set_num_threads(args.threads)
    baseline = args.mapping in BASELINES
    selector = Selector(
        mapping=Selector.mapping if baseline else args.mapping,
        centering=args.centering,
        temperature=args.temperature,
        max_per_class=args.max_per_class,
        min_per_class=args.min_per_class,
        seed=args.seed,
        device=args.device,
        progress=True,
    )
    manifest = args.manifest
    if args.split is not None:
        manifest = subset(
            load_manifest(manifest, args.data_root), split=args.split
        )
    call = (manifest, args.label, args.workers, args.data_root)
    if args.estimate:
        print(selector.estimate(*call))
        return 0
    selection = selector.fit(*call)
    if baseline:
        selection = _baseline(selection, args.mapping, args.seed)
    selection.save(args.out)
    print(selection.table())
    print(_summary(selection, Path(args.out)))
    return 0


def _baseline(selection: Selection, name: str, seed: int) -> Selection:
    """The same evidence under a baseline's weights."""
    if name == "uniform":
        return uniform(selection)
    if name == "all":
        return everything(selection)
    if name == "random":
        return random_weights(selection, seed)
    kept = sum(weight > 0 for weight in selection.weights.values())
    return naive_top_k(selection, kept)


def _summary(selection: Selection, path: Path) -> str:
    """What was compared, and where the weights are."""
    data = selection.data
    lines = [
        f"{data['segments']} segments of {data['strata']} classes, "
        f"{data['hours']:.2f} h, {data['speakers']} known speakers, "
        f"{selection.cost['wall_s']:.1f} s",
    ]
    if data["dropped_classes"]:
        lines.append(
            f"left out, fewer than {data['min_per_class']} segments: "
            f"{', '.join(data['dropped_classes'])}"
        )
    if not selection.solver.get("converged", True):
        lines.append(f"not converged: the gap is {selection.solver['gap']:.1e}")
    lines.append(f"written to {path}")
    return "\n".join(lines)
