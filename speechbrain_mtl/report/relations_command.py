"""``python -m speechbrain_mtl relations``: who helps whom, from a card."""

import argparse
from pathlib import Path

from speechbrain_mtl.evaluation.scenarios import read_scenarios
from speechbrain_mtl.report.relation_page import write_relations_page
from speechbrain_mtl.report.relation_results import RelationResults
from speechbrain_mtl.report.relation_text import (
    gain_table,
    joint_training,
    matrix_table,
    prediction_table,
    relations_counted,
    scenario_table,
    suggestion,
    task_table,
    together,
)

STAR = "*: the 95 % interval over seeds excludes 0"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("scenarios", help="card of a study, scenarios.json")
    parser.add_argument(
        "--task", help="say all that is known of this task's auxiliaries [all]"
    )
    parser.add_argument(
        "--output", help="folder of the page and pictures [the card's]"
    )


def run(args: argparse.Namespace) -> int:
    """Print tables and suggestions, write the page and its pictures."""
    scenarios = read_scenarios(args.scenarios)
    if args.task is not None and args.task not in scenarios.tasks:
        raise ValueError(
            f"--task {args.task} is none of the card's tasks {scenarios.tasks}."
        )
    results = RelationResults(scenarios)
    folder = Path(args.output or Path(args.scenarios).parent)
    tell(results, folder, "relations.html", args.task)
    return 0


def tell(
    results: RelationResults,
    folder: Path,
    page: str,
    task: str | None = None,
) -> None:
    """Print all there is to say; write the page and its pictures.

    Arguments
    ---------
    results : RelationResults
        Of a card.
    folder : Path
        Of the page and pictures; without matplotlib there are none.
    page : str
        Name of the page.
    task : str, optional
        The only one to suggest auxiliaries for, at length.
    """
    print(explain(results, task))
    try:
        paths = write_relations_page(results, folder, page)
    except ImportError as error:  # pictures are an extra
        print(f"no page and pictures: {error}")
        return
    print("written:", *paths, sep="\n  ")


def explain(results: RelationResults, task: str | None = None) -> str:
    """Say all there is to say of relations, as text.

    Arguments
    ---------
    results : RelationResults
        Of a card.
    task : str, optional
        The only one to suggest auxiliaries for, at length.

    Returns
    -------
    text : str
    """
    parts = [scenario_table(results)]
    if results.gain_rows:
        parts.append(f"{gain_table(results)}\n({STAR})")
    parts.append(f"{together(results)} {joint_training(results)}".strip())
    if results.pairs:
        parts += [
            f"{matrix_table(results)}\n(above 0 it helps; {STAR})",
            relations_counted(results),
            "\n".join(
                suggestion(results, name)
                for name in ([task] if task else results.scenarios.tasks)
                if any(to == name for _, to, _ in results.pairs)
            ),
        ]
    else:
        parts.append(relations_counted(results))
    if task and results.pairs:
        parts.append(task_table(results, task))
    if results.foretold:
        again = results.repeatability
        parts.append(
            "Affinities of one run against the matrix; p by re-naming tasks:\n"
            + prediction_table(results)
            + (
                ""
                if again is None
                else f"\nmatrices of other seeds would agree to about "
                f"{again:.2f}"
            )
        )
    return "\n\n".join(parts)
