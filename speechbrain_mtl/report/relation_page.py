"""Relations of tasks as one page and three pictures: no network, no scripts."""

import os
from pathlib import Path

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.report import relation_sections as sections
from speechbrain_mtl.report.markup import document
from speechbrain_mtl.report.relation_figures import GAINS, GRAPH, MATRIX
from speechbrain_mtl.report.relation_results import RelationResults

SECTIONS = (
    sections.headline,
    sections.scenarios,
    sections.relations,
    sections.auxiliaries,
    sections.prediction,
    sections.record,
)
PICTURES = {
    "relation_matrix.png": MATRIX,
    "relation_graph.png": GRAPH,
    "relation_gains.png": GAINS,
}


def write_relations_page(
    results: RelationResults,
    folder: str | os.PathLike,
    name: str = "relations.html",
) -> list[Path]:
    """Write the page, and its pictures as files of their own.

    Arguments
    ---------
    results : RelationResults
        What was not measured is called so.
    folder : str or path-like
        Made when missing.
    name : str
        Of the page.

    Returns
    -------
    paths : list of Path
        The page, then the pictures there was something for.

    Raises
    ------
    ImportError
        When matplotlib is missing, saying how to install it.
    """
    folder = Path(folder)
    page = folder / name
    body = "\n".join(make(results) for make in SECTIONS)
    with atomic_path(page) as temporary:
        temporary.write_text(
            document(sections.title(results), body), encoding="utf-8"
        )
    drawn = [
        folder / picture
        for picture, drawing in PICTURES.items()
        if drawing.save(results, folder / picture)
    ]
    return [page, *drawn]
