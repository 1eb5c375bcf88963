"""``python -m speechbrain_mtl select``: weigh pretext tasks for a manifest."""

import argparse
import os
from pathlib import Path

import torch

from speechbrain_mtl.data.manifest import load_manifest, subset
from speechbrain_mtl.selection import baselines
from speechbrain_mtl.selection.comparison import BANDWIDTHS
from speechbrain_mtl.selection.criterion import PUBLISHED_RULE, RULE
from speechbrain_mtl.selection.hsic import CENTERINGS
from speechbrain_mtl.selection.measured import Measured
from speechbrain_mtl.selection.mrmr import mrmr
from speechbrain_mtl.selection.processes import rank, several_processes
from speechbrain_mtl.selection.ranking import FLAGS
from speechbrain_mtl.selection.rfe import rfe
from speechbrain_mtl.selection.selection import Selection
from speechbrain_mtl.selection.selector import Selector
from speechbrain_mtl.selection.simplex import MAPPINGS
from speechbrain_mtl.selection.table import legend

BASELINES = (
    "uniform",
    "all",
    "random",
    "naive",
    "single_best",
    "lowest_spread",
    "mrmr",
    "rfe",
)


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
        "--top-k",
        type=int,
        help="tasks that naive, lowest_spread, mrmr and rfe choose "
        "[as many as sparsemax does]",
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
        help="higher spreads weights more evenly "
        "[softmax and entmax 1, sparsemax 2]",
    )
    add(
        "--trajectory",
        action="store_true",
        help="compare the course of labels over a segment, not their means",
    )
    add(
        "--bandwidth",
        default=defaults.bandwidth,
        choices=BANDWIDTHS,
        help="of label kernels: one scale or several [median]",
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
    add(
        "--exact",
        action="store_true",
        help="end on all pairs of classes too large to be compared whole",
    )
    add("--seed", type=int, default=0, help="of everything drawn [0]")
    add("--device", default="cpu", help="where to compute: cpu, cuda [cpu]")
    add(
        "--threads",
        type=int,
        default=1,
        help="of the processor; on a busy machine fewer are faster [1]",
    )
    add(
        "--out",
        default="selection.json",
        help="file; a page and a picture come beside it [selection.json]",
    )
    add(
        "--estimate",
        action="store_true",
        help="say what would be compared and how long it takes, then stop; "
        "without this it is said as well, first",
    )


def run(args: argparse.Namespace) -> int:
    """Estimate, select, explain, write the files.

    Started by ``torchrun --nproc_per_node=N -m``, the processes share the
    work, and the first of them speaks and writes.

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
    out = Path(args.out)
    if out.suffix != ".json":
        raise ValueError(
            f"--out is {args.out}: a page and a picture of the same name come "
            "beside it. Give a name that ends in .json."
        )
    with several_processes():
        return _run(args, out)


def _run(args: argparse.Namespace, out: Path) -> int:
    """The work, in one process or in each of several."""
    baseline = args.mapping in BASELINES
    first = rank() == 0
    device = args.device
    if device == "cuda" and "LOCAL_RANK" in os.environ:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    selector = Selector(
        mapping=Selector.mapping if baseline else args.mapping,
        centering=args.centering,
        temperature=args.temperature,
        max_per_class=args.max_per_class,
        min_per_class=args.min_per_class,
        seed=args.seed,
        device=device,
        progress=first,
        trajectory=args.trajectory,
        bandwidth=args.bandwidth,
        exact=args.exact,
    )
    manifest = args.manifest
    if args.split is not None:
        manifest = subset(
            load_manifest(manifest, args.data_root), split=args.split
        )
    call = (manifest, args.label, args.workers, args.data_root)
    expected = selector.estimate(*call)
    if first:
        print(expected, flush=True)
    if args.estimate:
        return 0
    measured = selector.measure(*call)
    selection = selector.weigh(measured)
    if baseline:
        selection = _baseline(
            selection, measured, args.mapping, args.top_k, args.seed
        )
    if first:
        selection.save(out)
        print(explain(selection))
        print(f"written to {out}{_page(selection, out)}")
    return 0


def _baseline(
    selection: Selection,
    measured: Measured,
    name: str,
    k: int | None,
    seed: int,
) -> Selection:
    """The same evidence under a baseline's weights."""
    if name == "uniform":
        return baselines.uniform(selection)
    if name == "all":
        return baselines.everything(selection)
    if name == "random":
        return baselines.random_weights(selection, seed)
    if name == "single_best":
        return baselines.single_best(selection)
    if k is None:
        k = sum(weight > 0 for weight in selection.weights.values())
    if name == "naive":
        return baselines.naive_top_k(selection, k)
    if name == "lowest_spread":
        return baselines.lowest_spread(selection, k)
    choose = {"mrmr": mrmr, "rfe": rfe}[name]
    names = choose(measured.labels, measured.classes, k, seed)
    return baselines.equal_shares(selection, names, name)


def explain(selection: Selection) -> str:
    """Say all there is to say of a selection, as text.

    Arguments
    ---------
    selection : Selection
        Measured.

    Returns
    -------
    text : str
        The ranked table and its legend, the rule, flags, and what was
        compared.
    """
    data = selection.data
    lines = ["", selection.table(), "", legend(selection.tasks), ""]
    if selection.method in MAPPINGS:
        published = selection.kernel.get("centering") == "reference"
        lines.append(f"rule: {PUBLISHED_RULE if published else RULE}")
    else:
        lines.append(f"a baseline, {selection.method}: it does not minimise ci")
    for flag, meaning in FLAGS.items():
        flagged = [
            name
            for name, task in selection.tasks.items()
            if flag in task["flags"]
        ]
        if flagged:
            lines.append(f"{flag}: {', '.join(flagged)} ({meaning})")
    lines.append(
        f"{data['segments']} segments of {data['strata']} classes "
        f"({data['effective_strata']:.1f} effective), {data['hours']:.2f} h, "
        f"{data['speakers']} known speakers, {selection.cost['wall_s']:.1f} s"
    )
    if data["split_half_agreement"] is not None:
        lines.append(
            "halves of the speakers rank the labels with a correlation of "
            f"{data['split_half_agreement']:.2f}"
        )
    blocks = selection.kernel.get("blocks", 0)
    if blocks > data["strata"]:
        weighed = selection.solver.get("pairs")
        lines.append(
            f"large classes are compared in {blocks} blocks at random"
            + (f"; weights come from all {weighed} pairs" if weighed else "")
        )
    if data["short_segments"]:
        lines.append(
            f"{data['short_segments']} segments are shorter than the 10 ms "
            "between frames: the nearest frame stands for each"
        )
    if data["dropped_classes"]:
        lines.append(
            f"left out, fewer than {data['min_per_class']} segments: "
            f"{', '.join(data['dropped_classes'])}"
        )
    if not selection.solver.get("converged", True):
        lines.append(f"not converged: the gap is {selection.solver['gap']:.1e}")
    return "\n".join(lines)


def _page(selection: Selection, out: Path) -> str:
    """Write the page and the picture; what to say of where they are."""
    from speechbrain_mtl.report.selection_page import write_selection_page

    try:
        page = write_selection_page(selection, out.with_suffix(".html"))
    except ImportError as error:  # pictures are an extra
        return f"; no page and picture: {error}"
    return f", explained in {page}, at a glance in {out.with_suffix('.png')}"
