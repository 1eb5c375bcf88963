"""Fluent Speech Commands: spoken orders with action, object and location.

L. Lugosch and others, Interspeech 2019, arXiv 1904.03670. 16 kHz; under the
Fluent Speech Commands Public License, for academic research only.
https://fluent.ai/fluent-speech-commands-a-dataset-for-spoken-language-understanding-research/
The direct link that programs used to load it by is dead: ask there. Sizes of
its parts are as public programs give them, not counted here.
"""

import os
from collections import Counter, defaultdict
from pathlib import Path

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.layout import open_corpus, read_table
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import raise_problems, save_manifest

CORPUS = Corpus(
    "Fluent Speech Commands",
    "https://fluent.ai/fluent-speech-commands-a-dataset-for-spoken-language-"
    "understanding-research/",
    "Fluent Speech Commands Public License, academic research only",
    "data/train_data.csv, data/valid_data.csv, data/test_data.csv and wavs/",
    folders=("fluent_speech_commands_dataset",),
)
TABLES = {part: f"data/{part}_data.csv" for part in ("train", "valid", "test")}
SLOTS = ("action", "object", "location")
COLUMNS = ("path", "speakerId", "transcription", *SLOTS)
SIZES = {"train": 23132, "valid": 3118, "test": 3793}


def prepare_fluent_speech_commands(
    data_folder: str | os.PathLike, output_folder: str | os.PathLike
) -> Path:
    """Write the manifest of Fluent Speech Commands, its own split kept.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``data/{train,valid,test}_data.csv``, with columns ``path``,
        ``speakerId``, ``transcription``, ``action``, ``object`` and
        ``location``, and the recordings they name, at once or in
        ``fluent_speech_commands_dataset/``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, speaker, text, intent, split}}``;
        an intent is ``{"action", "object", "location"}``, as the tables write
        them, ``"none"`` included. Load it with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus; when recordings are missing, listed
        twice or unreadable, or speakers are in two parts (all are named).

    Example
    -------
    >>> prepare_fluent_speech_commands(
    ...     getfixture("tmp_path"), "out"
    ... )  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ... academic research only...
    """
    data_folder, root, path = open_corpus(
        data_folder, output_folder, CORPUS, [*TABLES.values(), "wavs"]
    )
    labels = {}
    problems = []
    speakers = defaultdict(set)
    names: Counter = Counter()
    for part, table in TABLES.items():
        rows = read_table(root / table, COLUMNS)
        CORPUS.compare_size(part, len(rows), SIZES[part])
        for row in rows:
            file = root / row["path"]
            if not file.is_file():
                problems.append(
                    f"{row['path']}: missing, though {table} lists it. "
                    "Extract the archive again."
                )
            names[file.stem] += 1
            speakers[row["speakerId"]].add(part)
            labels[file] = {
                "speaker": row["speakerId"],
                "text": row["transcription"],
                "intent": {slot: row[slot] for slot in SLOTS},
                "split": part,
            }
    problems += [
        f"{name}: listed {count} times. Copy the tables again."
        for name, count in names.items()
        if count > 1
    ]
    problems += [
        f"{speaker}: speaks in {' and '.join(sorted(there))}. Copy the tables "
        "again."
        for speaker, there in sorted(speakers.items())
        if len(there) > 1
    ]
    raise_problems(root, problems)
    return save_manifest(
        path,
        {
            file.stem: header | labels[file]
            for file, header in read_headers(data_folder, labels).items()
        },
    )
