"""Free Spoken Digit Dataset: ten English digits, six speakers, 8 kHz.

Z. Jackson and contributors, CC BY-SA 4.0,
https://github.com/Jakobovski/free-spoken-digit-dataset
"""

import os
import re
from itertools import product
from pathlib import Path

from speechbrain_mtl.data.corpora.common import check_folders, read_headers
from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

SOURCE = "https://github.com/Jakobovski/free-spoken-digit-dataset"
WORDS = "zero one two three four five six seven eight nine".split()
NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[^_]+)_(?P<index>\d+)")


def prepare_fsdd(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    test_speaker: str = "theo",
) -> Path:
    """Write the manifest of a copy of the Free Spoken Digit Dataset.

    Each entry has three splits, because three questions need them:

    * ``split``: new speakers. One speaker is tested, the next in the
      alphabet (after the last comes the first) validates, the others train.
      Six calls, one a speaker, leave each speaker out once.
    * ``official_split``: known speakers. Index 0 to 4 test, the rest train.
    * ``utterance_split``: who speaks. As the official one, with 5 and 6 for
      validation.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``recordings/<digit>_<speaker>_<index>.wav``, at once or in
        ``free-spoken-digit-dataset/``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    test_speaker : str
        Speaker of the test part of ``split``.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, digit, speaker, index, split,
        official_split, utterance_split}}`` with the digit as a word. Load it
        with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus, files are missing, misnamed or
        unreadable (all are named), or there is no such speaker.

    Example
    -------
    >>> prepare_fsdd(getfixture("tmp_path"), "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ...no folder 'recordings'...
    """
    data_folder, path = check_folders(data_folder, output_folder)
    files = sorted(_recordings(data_folder).glob("*.wav"))
    _check_complete(data_folder, files)
    parsed = {file: NAME.fullmatch(file.stem) for file in files}
    speakers = sorted({match["speaker"] for match in parsed.values()})
    if test_speaker not in speakers or len(speakers) < 3:
        raise ManifestError(
            f"{data_folder}: cannot test on '{test_speaker}' with the speakers "
            f"{', '.join(speakers)}. Choose one of them; there must be three "
            "or more, to train, validate and test on."
        )
    turn = speakers.index(test_speaker)
    splits = dict.fromkeys(speakers, "train")
    splits[test_speaker] = "test"
    splits[speakers[(turn + 1) % len(speakers)]] = "valid"

    entries = {}
    for file, header in read_headers(data_folder, files).items():
        index, speaker = int(parsed[file]["index"]), parsed[file]["speaker"]
        official = "test" if index < 5 else "train"
        entries[file.stem] = header | {
            "digit": WORDS[int(parsed[file]["digit"])],
            "speaker": speaker,
            "index": index,
            "split": splits[speaker],
            "official_split": official,
            "utterance_split": "valid" if index in (5, 6) else official,
        }
    return save_manifest(path, entries)


def _recordings(data_folder: Path) -> Path:
    """Find the folder of recordings in one of the two layouts."""
    for place in ("recordings", "free-spoken-digit-dataset/recordings"):
        if (data_folder / place).is_dir():
            return data_folder / place
    raise ManifestError(
        f"{data_folder}: no folder 'recordings' in it. Get the corpus with "
        f"`git clone {SOURCE}` (CC BY-SA 4.0) and set data_folder to it."
    )


def _check_complete(data_folder: Path, files: list[Path]) -> None:
    """Refuse names of another form, and holes in the grid of recordings."""
    parsed = [NAME.fullmatch(file.stem) for file in files]
    problems = [
        f"{file.name}: not named <digit>_<speaker>_<index>.wav. Move it away."
        for file, match in zip(files, parsed)
        if match is None
    ]
    parsed = [match for match in parsed if match]
    grid = product(
        range(10),
        sorted({match["speaker"] for match in parsed}),
        sorted({int(match["index"]) for match in parsed}),
    )
    there = {file.stem for file in files}
    expected = [f"{digit}_{name}_{index}" for digit, name, index in grid]
    problems += [
        f"{stem}.wav: missing. Copy it from {SOURCE}."
        for stem in expected
        if stem not in there
    ]
    if not expected:
        problems.append(f"no WAV files. Get the corpus from {SOURCE}.")
    raise_problems(data_folder, problems)
