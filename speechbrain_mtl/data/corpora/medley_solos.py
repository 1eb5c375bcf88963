"""Medley-solos-DB: eight instruments alone, 21,571 clips of three seconds.

V. Lostanlen, C. E. Cella, R. Bittner, S. Essid, CC BY 4.0,
https://zenodo.org/records/3464194. Training and validation clips come from
MedleyDB, test clips from solosDB: other recordings, other rooms.
"""

import os
from pathlib import Path

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.layout import (
    audio_below,
    compare_names,
    open_corpus,
    read_table,
)
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

CORPUS = Corpus(
    "Medley-solos-DB",
    "https://zenodo.org/records/3464194",
    "CC BY 4.0",
    folders=("Medley-solos-DB",),
)
TABLE = "Medley-solos-DB_metadata.csv"
COLUMNS = ("subset", "instrument", "instrument_id", "song_id", "uuid4")
SPLITS = {"training": "train", "validation": "valid", "test": "test"}
# In the order of the column instrument_id.
INSTRUMENTS = (
    "clarinet",
    "distorted electric guitar",
    "female singer",
    "flute",
    "piano",
    "tenor saxophone",
    "trumpet",
    "violin",
)


def prepare_medley_solos(
    data_folder: str | os.PathLike, output_folder: str | os.PathLike
) -> Path:
    """Write the manifest of a copy of Medley-solos-DB, its own split kept.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``Medley-solos-DB_metadata.csv``, at once or in
        ``annotation/``, and the clips
        ``Medley-solos-DB_<subset>-<instrument>_<uuid>.wav``, at once, in
        ``audio/`` or in ``Medley-solos-DB/``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, instrument, song, split}}``; the
        id is the clip's UUID. Load it with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus, clips are missing, misnamed or
        unreadable, or labels unknown (all are named).

    Example
    -------
    >>> prepare_medley_solos(
    ...     getfixture("tmp_path"), "out"
    ... )  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ... (CC BY 4.0) and set ...
    """
    data_folder, root, path = open_corpus(
        data_folder, output_folder, CORPUS, []
    )
    table = _table(data_folder)
    rows = read_table(table, COLUMNS)
    problems = [problem for row in rows for problem in _row_problems(row)]
    raise_problems(table, problems)
    files = {file.name: file for file in audio_below(root, [".wav"])}
    by_name = {_clip(row): row for row in rows}
    problems = compare_names(by_name, files, TABLE, CORPUS)
    if len(by_name) < len(rows):
        problems.append(
            f"{len(rows) - len(by_name)} clip(s) listed twice. Copy {TABLE} "
            f"from {CORPUS.url}."
        )
    lacking = set(SPLITS) - {row["subset"] for row in rows}
    problems += [
        f"{subset}: no clips. {CORPUS.remedy}" for subset in sorted(lacking)
    ]
    raise_problems(root, problems)

    chosen = [files[name] for name in sorted(by_name)]
    entries = {}
    for file, header in read_headers(data_folder, chosen).items():
        row = by_name[file.name]
        entries[row["uuid4"]] = header | {
            "instrument": row["instrument"],
            "song": row["song_id"],
            "split": SPLITS[row["subset"]],
        }
    return save_manifest(path, entries)


def _table(data_folder: Path) -> Path:
    """Find the table where it is unpacked or downloaded to."""
    for folder in ("", "annotation", "Medley-solos-DB"):
        if (data_folder / folder / TABLE).is_file():
            return data_folder / folder / TABLE
    raise ManifestError(f"{data_folder}: no {TABLE} in it. {CORPUS.remedy}")


def _clip(row: dict[str, str]) -> str:
    """Name of a row's recording."""
    return (
        f"Medley-solos-DB_{row['subset']}-{row['instrument_id']}_"
        f"{row['uuid4']}.wav"
    )


def _row_problems(row: dict[str, str]) -> list[str]:
    """What is wrong with one line of the table."""
    clip, problems = row["uuid4"], []
    if row["subset"] not in SPLITS:
        problems.append(
            f"{clip}: subset is '{row['subset']}', not "
            f"{', '.join(SPLITS)}. Copy the table from {CORPUS.url}."
        )
    if row["instrument"] not in INSTRUMENTS:
        problems.append(
            f"{clip}: instrument is '{row['instrument']}', not "
            f"{', '.join(INSTRUMENTS)}. Copy the table from {CORPUS.url}."
        )
    elif row["instrument_id"] != str(INSTRUMENTS.index(row["instrument"])):
        problems.append(
            f"{clip}: instrument_id is {row['instrument_id']}, that of "
            f"'{row['instrument']}' is {INSTRUMENTS.index(row['instrument'])}. "
            f"Copy the table from {CORPUS.url}."
        )
    return problems
