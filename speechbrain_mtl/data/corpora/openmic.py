"""OpenMIC-2018: 20,000 clips of ten seconds, 20 instruments, some labelled.

E. J. Humphrey, S. Durand, B. McFee, ISMIR 2018,
https://zenodo.org/records/1432913. CC BY 4.0; each recording, of the Free
Music Archive, has its own licence, in ``openmic-2018-metadata.csv``.
"""

import json
import os
from pathlib import Path

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.layout import (
    audio_below,
    compare_names,
    lot,
    open_corpus,
)
from speechbrain_mtl.data.corpora.openmic_labels import (
    CORPUS,
    INSTRUMENTS,
    labels_of_arrays,
    labels_of_table,
)
from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

CLASSES = "class-map.json"
ARRAYS = "openmic-2018.npz"
TABLE = "openmic-2018-aggregated-labels.csv"
PARTS = {
    "partitions/split01_train.csv": "train",
    "partitions/split01_test.csv": "test",
}


def prepare_openmic(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    valid_share: float = 0.15,
    seed: int = 0,
) -> Path:
    """Write the manifest of a copy of OpenMIC-2018, its own test part kept.

    Labels come from ``openmic-2018.npz``. As published, its clip names are
    pickled objects, which can run code when read and are therefore not read:
    then the labels come from ``openmic-2018-aggregated-labels.csv``, of which
    the arrays were made.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``audio/<abc>/<clip>.ogg``, ``class-map.json``, ``partitions/``
        and the two files of labels, at once or in ``openmic-2018/``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    valid_share : float
        Share of the training part's tracks, drawn by a hash of their names,
        that validates.
    seed : int
        Another one draws other tracks.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, track, labels, label_mask,
        split}}``: for each of `INSTRUMENTS` the probability that it plays,
        and 1 where listeners were asked, else 0 beside a probability of 0.5.
        Load it with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus, files or labels are missing,
        misnamed, unknown or unreadable (all are named).

    Example
    -------
    >>> prepare_openmic(getfixture("tmp_path"), "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ...openmic-2018.npz: missing...
    """
    if not 0 < valid_share < 1:
        raise ManifestError(
            f"valid_share is {valid_share}. Choose a share between 0 and 1."
        )
    data_folder, root, path = open_corpus(
        data_folder,
        output_folder,
        CORPUS,
        ["audio", CLASSES, ARRAYS, TABLE, *PARTS],
    )
    _check_classes(root / CLASSES)
    labels = labels_of_arrays(root / ARRAYS)
    source = ARRAYS if labels else TABLE
    labels = labels or labels_of_table(root / TABLE)
    splits, problems = _splits(root)
    files = {file.stem: file for file in audio_below(root / "audio", [".ogg"])}
    problems += compare_names(
        [f"{clip}.ogg" for clip in splits],
        [f"{clip}.ogg" for clip in files],
        " and ".join(PARTS),
        CORPUS,
    )
    problems += [
        f"{clip}: no labels in {source}. Copy it from {CORPUS.url}."
        for clip in splits
        if clip not in labels
    ]
    raise_problems(root, problems)

    chosen = [files[clip] for clip in sorted(splits)]
    entries = {}
    for file, header in read_headers(data_folder, chosen).items():
        track = file.stem.split("_")[0]
        values, mask = labels[file.stem]
        split = splits[file.stem]
        if split == "train" and lot(track, seed) < valid_share:
            split = "valid"
        entries[file.stem] = header | {
            "track": track,
            "labels": values,
            "label_mask": mask,
            "split": split,
        }
    return save_manifest(path, entries)


def _check_classes(path: Path) -> None:
    """Refuse another list or order of instruments than ours."""
    expected = {name: i for i, name in enumerate(INSTRUMENTS)}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ManifestError(
            f"{path}: not JSON ({error}). Copy it from {CORPUS.url}."
        ) from error
    if found != expected:
        raise ManifestError(
            f"{path}: not the instruments {', '.join(INSTRUMENTS)} in this "
            f"order. Copy it from {CORPUS.url}."
        )


def _splits(root: Path) -> tuple[dict[str, str], list[str]]:
    """Part of each clip, from lists without a header, and what is wrong."""
    splits: dict[str, str] = {}
    problems = []
    for name, part in PARTS.items():
        clips = (root / name).read_text(encoding="utf-8").split()
        if not clips:
            problems.append(f"{name}: empty. Copy it from {CORPUS.url}.")
        for clip in clips:
            if splits.setdefault(clip, part) != part:
                problems.append(
                    f"{clip}: in both partitions. Copy them from {CORPUS.url}."
                )
    return splits, problems
