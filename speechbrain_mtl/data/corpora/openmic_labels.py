"""Labels of OpenMIC-2018: what listeners heard, and what they were asked."""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from speechbrain_mtl.data.corpora.layout import read_table
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import ManifestError, raise_problems

CORPUS = Corpus(
    "OpenMIC-2018",
    "https://zenodo.org/records/1432913",
    "CC BY 4.0, recordings under licences of their own",
    folders=("openmic-2018",),
)
INSTRUMENTS = (
    "accordion banjo bass cello clarinet cymbals drums flute guitar "
    "mallet_percussion mandolin organ piano saxophone synthesizer trombone "
    "trumpet ukulele violin voice"
).split()
UNKNOWN = 0.5  # probability of what nobody was asked about
Labels = dict[str, tuple[list[float], list[int]]]
UNREADABLE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile)


def labels_of_arrays(path: Path) -> Labels:
    """Read the labels as arrays, unless clip names are pickled.

    Arguments
    ---------
    path : pathlib.Path
        ``openmic-2018.npz`` with ``Y_true``, ``Y_mask`` and ``sample_key``.

    Returns
    -------
    labels : dict
        ``{clip: (probabilities, mask)}``; empty when names are pickled.

    Raises
    ------
    ManifestError
        When the file is not what it should be.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            true, mask = arrays["Y_true"], arrays["Y_mask"]
            try:
                clips = arrays["sample_key"]
            except ValueError:  # numpy's answer to pickled objects
                return {}
    except UNREADABLE as error:
        raise ManifestError(
            f"{path}: not readable ({error}). Copy it from {CORPUS.url}."
        ) from error
    shape = (len(clips), len(INSTRUMENTS))
    if true.shape != shape or mask.shape != shape:
        raise ManifestError(
            f"{path}: Y_true is {true.shape} and Y_mask {mask.shape} for "
            f"{shape[0]} clips and {shape[1]} instruments. Copy it from "
            f"{CORPUS.url}."
        )
    mask = mask.astype(bool)
    true = np.where(mask, true.astype(float), UNKNOWN)
    raise_problems(
        path,
        [
            f"{clip}: probabilities beyond 0 to 1. Copy it from {CORPUS.url}."
            for clip, row in zip(clips, true)
            if not ((row >= 0) & (row <= 1)).all()
        ],
    )
    rows = zip(clips, true.tolist(), mask.astype(int).tolist())
    return {str(clip): (values, asked) for clip, values, asked in rows}


def labels_of_table(path: Path) -> Labels:
    """Read the labels as a table of clips, instruments and probabilities.

    Arguments
    ---------
    path : pathlib.Path
        ``openmic-2018-aggregated-labels.csv`` with the columns
        ``sample_key``, ``instrument`` and ``relevance``.

    Returns
    -------
    labels : dict
        ``{clip: (probabilities, mask)}``.

    Raises
    ------
    ManifestError
        Naming unknown instruments and what is no probability.
    """
    number = {name: i for i, name in enumerate(INSTRUMENTS)}
    labels: Labels = {}
    problems = []
    for row in read_table(path, ("sample_key", "instrument", "relevance")):
        clip, name = row["sample_key"], row["instrument"].replace(" ", "_")
        try:
            value = float(row["relevance"])
        except ValueError:
            value = math.nan
        if name not in number:
            problems.append(
                f"{clip}: instrument is '{row['instrument']}', none of the "
                f"{len(INSTRUMENTS)}. Copy the file again."
            )
        elif not 0 <= value <= 1:
            problems.append(
                f"{clip}: relevance of {name} is '{row['relevance']}', not 0 "
                "to 1. Copy the file again."
            )
        else:
            values, mask = labels.setdefault(
                clip, ([UNKNOWN] * len(number), [0] * len(number))
            )
            values[number[name]], mask[number[name]] = value, 1
    raise_problems(path, problems)
    return labels


def surest(values: Sequence[float], mask: Sequence[int]) -> str | None:
    """Name the instrument that listeners were surest to hear in a clip.

    Arguments
    ---------
    values : sequence of float
        Probability of each of `INSTRUMENTS`.
    mask : sequence of int
        1 where listeners were asked, else 0.

    Returns
    -------
    instrument : str or None
        The first of them where several are equally sure; None where none was
        heard more likely than not.

    Example
    -------
    >>> asked = [1, 0, 1] + [0] * 17
    >>> surest([0.6, 0.9, 0.8] + [0.5] * 17, asked)
    'bass'
    >>> surest([0.4, 0.9, 0.3] + [0.5] * 17, asked) is None
    True
    """
    heard = {
        name: value
        for name, value, asked in zip(INSTRUMENTS, values, mask)
        if asked and value >= UNKNOWN
    }
    return max(heard, key=heard.__getitem__) if heard else None
