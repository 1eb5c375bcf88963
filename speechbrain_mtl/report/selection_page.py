"""A selection as one page and one picture: no network, no scripts."""

import os
from pathlib import Path

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.report import selection_sections as sections
from speechbrain_mtl.report.markup import document
from speechbrain_mtl.report.selection_figures import summary_picture
from speechbrain_mtl.report.selection_words import answer, summary
from speechbrain_mtl.selection.selection import Selection

SECTIONS = (
    sections.headline,
    sections.trade_off,
    sections.doubts,
    sections.temperature,
    sections.numbers,
    sections.data,
    sections.method,
)


def write_selection_page(selection: Selection, path: str | os.PathLike) -> Path:
    """Explain a selection in one HTML file, and its answer in a PNG beside it.

    Arguments
    ---------
    selection : Selection
        Measured, or a baseline: sections without numbers are left out.
    path : str or path-like
        The page; the picture has its name, ending in ``.png``.

    Returns
    -------
    path : pathlib.Path
        The page.

    Raises
    ------
    ValueError
        When the path does not end in ``.html``.
    ImportError
        When matplotlib is missing, saying how to install it.

    Example
    -------
    >>> selection = Selection("word", "uniform", {"f0": 0.5, "zcr": 0.5})
    >>> page = getfixture("tmp_path") / "selection.html"
    >>> page = write_selection_page(selection, page)
    >>> "<h1>Predict F0 and ZCR, weighted alike</h1>" in page.read_text()
    True
    """
    path = Path(path)
    if path.suffix != ".html":
        raise ValueError(
            f"{path}: the page and its picture share a name; give the page's, "
            "ending in .html."
        )
    body = "\n".join(make(selection) for make in SECTIONS)
    summary_picture(selection, summary(selection), path.with_suffix(".png"))
    with atomic_path(path) as temporary:
        temporary.write_text(
            document(answer(selection), body), encoding="utf-8"
        )
    return path
