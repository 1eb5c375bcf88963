"""ESC-50: 2000 environmental sounds of five seconds, 50 classes, five folds.

K. J. Piczak, ACM Multimedia 2015, https://github.com/karolpiczak/ESC-50.
CC BY-NC 3.0; the ten classes of ESC-10 are CC BY 3.0.
"""

import os
from pathlib import Path

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.layout import (
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
    "ESC-50",
    "https://github.com/karolpiczak/ESC-50",
    "CC BY-NC 3.0, its part ESC-10 CC BY 3.0",
    folders=("ESC-50-master", "ESC-50"),
)
TABLE = "meta/esc50.csv"
COLUMNS = ("filename", "fold", "target", "category", "esc10", "src_file")
FOLDS = (1, 2, 3, 4, 5)
# In the order of the column target.
CATEGORIES = (
    "dog rooster pig cow frog cat hen insects sheep crow "
    "rain sea_waves crackling_fire crickets chirping_birds water_drops wind "
    "pouring_water toilet_flush thunderstorm "
    "crying_baby sneezing clapping breathing coughing footsteps laughing "
    "brushing_teeth snoring drinking_sipping "
    "door_wood_knock mouse_click keyboard_typing door_wood_creaks can_opening "
    "washing_machine vacuum_cleaner clock_alarm clock_tick glass_breaking "
    "helicopter chainsaw siren car_horn engine train church_bells airplane "
    "fireworks hand_saw"
).split()


def prepare_esc50(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    fold: int = 1,
    esc10: bool = False,
) -> Path:
    """Write the manifest of a copy of ESC-50, one fold held out.

    Five calls, one a fold, give the five-fold result that is reported.
    Recordings cut from one source lie in one fold.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``meta/esc50.csv`` and ``audio/*.wav``, at once or in
        ``ESC-50-master/`` or ``ESC-50/``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    fold : int
        1 to 5: the one to test on. The next (after 5 comes 1) validates, the
        others train.
    esc10 : bool
        Only the ten classes, 400 recordings, of ESC-10.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, category, fold, source, split}}``.
        Load it with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus, files are missing, misnamed,
        unlisted or unreadable, or labels unknown (all are named), or there
        is no such fold.

    Example
    -------
    >>> prepare_esc50(getfixture("tmp_path"), "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ... Get ESC-50 from ...
    """
    if fold not in FOLDS:
        raise ManifestError(f"fold is {fold}. Choose one of 1 to 5.")
    data_folder, root, path = open_corpus(
        data_folder, output_folder, CORPUS, [TABLE, "audio"]
    )
    rows = read_table(root / TABLE, COLUMNS)
    problems = [problem for row in rows for problem in _row_problems(row)]
    there = {row["fold"] for row in rows}
    problems += [
        f"fold {number}: no recordings. {CORPUS.remedy}"
        for number in FOLDS
        if str(number) not in there
    ]
    problems += compare_names(
        [row["filename"] for row in rows],
        [
            file.name
            for file in (root / "audio").glob("*.wav")
            if not file.name.startswith(".")
        ],
        TABLE,
        CORPUS,
    )
    raise_problems(root, problems)

    splits = dict.fromkeys(FOLDS, "train")
    splits |= {fold: "test", fold % len(FOLDS) + 1: "valid"}
    chosen = {
        root / "audio" / row["filename"]: row
        for row in sorted(rows, key=lambda row: row["filename"])
        if not esc10 or row["esc10"] == "True"
    }
    entries = {}
    for file, header in read_headers(data_folder, chosen).items():
        row = chosen[file]
        entries[file.stem] = header | {
            "category": row["category"],
            "fold": int(row["fold"]),
            "source": row["src_file"],
            "split": splits[int(row["fold"])],
        }
    return save_manifest(path, entries)


def _row_problems(row: dict[str, str]) -> list[str]:
    """What is wrong with one line of the table."""
    name, problems = row["filename"], []
    if row["category"] not in CATEGORIES:
        problems.append(
            f"{name}: category is '{row['category']}', none of the 50. Copy "
            f"{TABLE} again."
        )
    elif row["target"] != str(CATEGORIES.index(row["category"])):
        problems.append(
            f"{name}: target is {row['target']}, that of "
            f"'{row['category']}' is {CATEGORIES.index(row['category'])}. "
            f"Copy {TABLE} again."
        )
    if row["fold"] not in map(str, FOLDS):
        problems.append(
            f"{name}: fold is {row['fold']}, not 1 to 5. Copy {TABLE} again."
        )
    if row["esc10"] not in ("True", "False"):
        problems.append(
            f"{name}: esc10 is '{row['esc10']}', not True or False. Copy "
            f"{TABLE} again."
        )
    parts = name.removesuffix(".wav").split("-")
    if len(parts) != 4 or (parts[0], parts[3]) != (row["fold"], row["target"]):
        problems.append(
            f"{name}: not named <fold>-<source>-<take>-<target>.wav with fold "
            f"{row['fold']} and target {row['target']}. Copy {TABLE} again."
        )
    return problems
