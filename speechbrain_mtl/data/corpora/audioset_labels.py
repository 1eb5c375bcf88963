"""AudioSet's ontology, and which of its labels each segment has."""

import csv
import json
from pathlib import Path
from typing import NamedTuple

from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import ManifestError, raise_problems

CORPUS = Corpus(
    "AudioSet",
    "https://research.google.com/audioset/download.html and "
    "https://github.com/audioset/ontology",
    "CC BY 4.0, the ontology CC BY-SA 4.0, the sound is its uploaders'",
)
INSTRUMENT = "/m/04szw"  # "Musical instrument"
Ontology = dict[str, tuple[str, list[str]]]


class Segment(NamedTuple):
    """Part of a video in seconds, and the ids of its labels."""

    start: float
    stop: float
    labels: list[str]


def read_ontology(path: Path) -> Ontology:
    """Read name and children of each label.

    Arguments
    ---------
    path : pathlib.Path
        ``ontology.json``: a list of objects with ``id``, ``name`` and
        ``child_ids``.

    Returns
    -------
    ontology : dict
        ``{id: (name, children)}``.

    Raises
    ------
    ManifestError
        When the file has another form or children without an entry.

    Example
    -------
    >>> path = getfixture("tmp_path") / "ontology.json"
    >>> _ = path.write_text('[{"id": "a", "name": "Harp", "child_ids": []}]')
    >>> read_ontology(path)
    {'a': ('Harp', [])}
    """
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
        ontology = {i["id"]: (i["name"], i["child_ids"]) for i in items}
    except (ValueError, TypeError, KeyError) as error:
        raise ManifestError(
            f"{path}: not a list of labels with id, name and child_ids "
            f"({error!r}). Copy it from https://github.com/audioset/ontology."
        ) from error
    raise_problems(
        path,
        [
            f"{name}: its child {child} has no entry. Copy the file again."
            for name, children in ontology.values()
            for child in children
            if child not in ontology
        ],
    )
    return ontology


def below(ontology: Ontology, root: str, path: Path) -> set[str]:
    """Collect a label and all that descend from it.

    Arguments
    ---------
    ontology : dict
        From `read_ontology`. A label may have several parents.
    root : str
        The label's id.
    path : pathlib.Path
        What messages call the ontology.

    Returns
    -------
    labels : set of str
        Their ids.

    Raises
    ------
    ManifestError
        When the ontology has no such label.

    Example
    -------
    >>> labels = {"a": ("Strings", ["b"]), "b": ("Harp", []), "c": ("Dog", [])}
    >>> sorted(below(labels, "a", "ontology.json"))
    ['a', 'b']
    """
    if root not in ontology:
        raise ManifestError(
            f"{path}: no label '{root}'. Copy the file again, or choose "
            "another root."
        )
    labels, left = {root}, [root]
    while left:
        new = set(ontology[left.pop()][1]) - labels
        labels |= new
        left += new
    return labels


def read_segments(
    path: Path, ontology: Ontology, wanted: set[str]
) -> dict[str, Segment]:
    """Read the segments of a file that have a wanted label.

    Arguments
    ---------
    path : pathlib.Path
        Lines ``id, start, stop, "label,label"``; those with "#" before them
        are comments.
    ontology : dict
        The labels there are.
    wanted : set of str
        Those a segment needs one of. The others are checked, but not kept:
        there are two million.

    Returns
    -------
    segments : dict
        ``{YouTube id: Segment}``, in the order of the file.

    Raises
    ------
    ManifestError
        Naming all lines of another form and all unknown labels.
    """
    segments: dict[str, Segment] = {}
    problems = []
    empty = True
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.reader(file, skipinitialspace=True):
            if not row or row[0].startswith("#"):
                continue
            empty = False
            try:
                clip, start, stop, names = row
                segment = Segment(float(start), float(stop), names.split(","))
            except ValueError:
                problems.append(
                    f"'{', '.join(row)}': not <id>, <start>, <stop>, "
                    '"<labels>". Copy the file again.'
                )
                continue
            problems += [
                f"{clip}: label '{name}' is not in the ontology. Copy both "
                "files again."
                for name in segment.labels
                if name not in ontology
            ]
            if clip in segments:
                problems.append(f"{clip}: stands twice. Copy the file again.")
            if wanted.intersection(segment.labels):
                segments[clip] = segment
    if empty:
        problems.append(f"no segments. {CORPUS.remedy}")
    raise_problems(path, problems)
    return segments
