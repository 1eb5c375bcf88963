"""`python -m speechbrain_mtl report`: one page from a run's folder."""

import argparse
import json
from pathlib import Path

from speechbrain_mtl.evaluation.scenarios import read_scenarios
from speechbrain_mtl.report.grounding_page import (
    read_grounding,
    write_grounding_page,
)
from speechbrain_mtl.report.page import write_report
from speechbrain_mtl.report.relation_page import write_relations_page
from speechbrain_mtl.report.relation_results import RelationResults
from speechbrain_mtl.report.semi_supervised_page import (
    write_semi_supervised_page,
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "output_folder", help="folder of a run, with its metrics.json"
    )


def run(args: argparse.Namespace) -> int:
    """Write the page and say where it is."""
    folder = Path(args.output_folder)
    scenarios = folder / "scenarios.json"
    grounding = folder / "grounding.json"
    semi = folder / "semi_supervised.json"
    # Studies have pages of their own.
    if grounding.is_file():
        page = write_grounding_page(read_grounding(grounding), folder)
    elif scenarios.is_file():
        results = RelationResults(read_scenarios(scenarios))
        page = write_relations_page(results, folder, "report.html")[0]
    elif semi.is_file():
        card = json.loads(semi.read_text(encoding="utf-8"))
        page = write_semi_supervised_page(card, folder)
    else:
        page = write_report(folder)
    print(f"report: {page}")
    return 0
