"""A run's results as one page: no network, no server, no scripts."""

import os
from pathlib import Path

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.report import sections
from speechbrain_mtl.report.markup import document
from speechbrain_mtl.report.results import load_run

SECTIONS = (
    sections.headline,
    sections.probes,
    sections.selection,
    sections.training,
    sections.cost,
    sections.reproducibility,
)


def write_report(output_folder: str | os.PathLike) -> Path:
    """Turn the result files of a run into ``report.html`` beside them.

    Arguments
    ---------
    output_folder : str or path-like
        Holds ``metrics.json`` and, if they were made, ``selection.json`` and
        ``train_log.jsonl``. What is not there is called "not measured".

    Returns
    -------
    page : pathlib.Path
        The file: one page with everything inside it.

    Raises
    ------
    ValueError
        When ``metrics.json`` is missing or a file is not JSON.
    ImportError
        When matplotlib is missing, saying how to install it.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "metrics.json").write_text('{"experiment": "a <b>"}')
    >>> "<title>A &lt;b&gt;</title>" in write_report(folder).read_text()
    True
    """
    run = load_run(output_folder)
    body = "\n".join(make(run) for make in SECTIONS)
    page = Path(output_folder) / "report.html"
    with atomic_path(page) as temporary:
        temporary.write_text(
            document(run.title, body),
            encoding="utf-8",
        )
    return page
