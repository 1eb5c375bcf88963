"""A study of speech with images as one page: no network, no scripts."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.report import grounding_sections as sections
from speechbrain_mtl.report.grounding_figures import PICTURES
from speechbrain_mtl.report.markup import document

SECTIONS = (
    sections.headline,
    sections.runs,
    sections.phones,
    sections.forgetting,
    sections.claims,
    sections.orders,
)


def write_grounding_page(
    card: Mapping, folder: str | os.PathLike, name: str = "report.html"
) -> Path:
    """Write the page, with the pictures that lie in its folder inside it.

    Arguments
    ---------
    card : dict
        See `run_grounding`; what it lacks has no section.
    folder : str or path-like
        Has the pictures of `draw_grounding`, or some, or none.
    name : str
        Of the page.

    Returns
    -------
    page : Path

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> card = {"experiment": "a <b>", "runs": {}, "claims": []}
    >>> "<title>A &lt;b&gt;</title>" in write_grounding_page(
    ...     card, folder
    ... ).read_text()
    True
    """
    folder = Path(folder)
    found = {
        picture: path.read_bytes()
        for picture in PICTURES
        if (path := folder / f"{picture}.png").is_file()
    }
    parts = [make(card) for make in SECTIONS]
    parts += [sections.pictures(card, found), sections.record(card)]
    page = folder / name
    with atomic_path(page) as temporary:
        temporary.write_text(
            document(sections.title(card), "\n".join(filter(None, parts))),
            encoding="utf-8",
        )
    return page


def read_grounding(path: str | os.PathLike) -> dict:
    """Read the card of a study.

    Arguments
    ---------
    path : str or path-like
        ``grounding.json``.

    Returns
    -------
    card : dict

    Raises
    ------
    ValueError
        When it is no such card.

    Example
    -------
    >>> path = getfixture("tmp_path") / "grounding.json"
    >>> _ = path.write_text("[]")
    >>> read_grounding(path)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: ...grounding.json: no card of speech with images. Run the \
recipe again, it writes the card.
    """
    try:
        card = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # no text, or no JSON
        raise ValueError(f"{path}: not JSON ({error})") from error
    if not isinstance(card, dict) or not {"runs", "claims"} <= set(card):
        raise ValueError(
            f"{path}: no card of speech with images. Run the recipe again, it "
            "writes the card."
        )
    return card
