"""The readable JSON files beside this one: words, phones, voices, scenes."""

import functools
import json
from pathlib import Path
from typing import Any


@functools.cache
def table(name: str) -> dict[str, Any]:
    """Load one of the data files of the corpus; treat it as read-only.

    Arguments
    ---------
    name : str
        ``"phones"``, ``"plan"``, ``"scenes"``, ``"texts"`` or ``"voices"``.

    Returns
    -------
    content : dict
        What the file holds.

    Example
    -------
    >>> table("phones")["arpabet"]["A@"]
    'AA R'
    """
    path = Path(__file__).with_name(f"{name}.json")
    return json.loads(path.read_text(encoding="utf-8"))
