"""Speech Commands v0.01 and v0.02: single English words, thousands of voices.

P. Warden, arXiv 1804.03209, CC BY 4.0,
http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz (v0.01: 30
words, 64,727 clips; v0.02: 35 words, 105,829 clips).
"""

import logging
import math
import os
import re
from collections import defaultdict
from pathlib import Path

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.layout import open_corpus
from speechbrain_mtl.data.corpora.silence import NOISE, silence_entries
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.corpora.speech_commands_test_set import (
    UNKNOWN,
    read_test_set,
)
from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

logger = logging.getLogger(__name__)

CORPUS = Corpus(
    "Speech Commands",
    "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
    "CC BY 4.0",
    folders=(
        "speech_commands_v0.01",
        "speech_commands_v0.02",
        "SpeechCommands/speech_commands_v0.01",
        "SpeechCommands/speech_commands_v0.02",
    ),
)
LISTS = {"validation_list.txt": "valid", "testing_list.txt": "test"}
KEYWORDS = "yes no up down left right on off stop go".split()
WORDS_V1 = [
    *KEYWORDS,
    *"zero one two three four five six seven eight nine bed bird cat dog happy "
    "house marvin sheila tree wow".split(),
]
ADDED = "backward follow forward learn visual".split()
WORDS_V2 = [*WORDS_V1, *ADDED]
NAME = re.compile(r"(?P<speaker>[0-9a-f]+)_nohash_\d+")
SILENCE_SHARE = 0.1  # of the keywords' clips; so do its authors' programs


def prepare_speech_commands(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    twelve: bool = False,
    test_folder: str | os.PathLike | None = None,
) -> Path:
    """Write the manifest of a copy of Speech Commands, its own split kept.

    Which version it is shows in its words. A third list, of training clips,
    does not exist, so that a lost training clip goes unnoticed unless its
    whole word is lost.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``<word>/<speaker>_nohash_<n>.wav``, ``validation_list.txt`` and
        ``testing_list.txt``, at once or in ``speech_commands_v0.0x/``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    twelve : bool
        Also the task of twelve classes, in the field ``keyword``: ten words,
        ``_unknown_`` for all others, which outnumber the rest (draw classes
        evenly when training), and ``_silence_``: seconds cut from the
        recordings in ``_background_noise_``, one for ten clips of the ten
        words. Of each noise the first 80 % train, the next 10 % validate and
        the last 10 % test; within a part cuts may overlap.
    test_folder : str or path-like, optional
        The test set of twelve classes that its authors made, in `data_folder`
        or anywhere: ``speech_commands_test_set_v0.01``. It tests in place of
        the clips of ``testing_list.txt``, as in SUPERB; only with `twelve`.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, word, speaker, split}}``, with
        ``keyword``, ``start`` and ``stop`` if `twelve`: the ``duration`` is
        that of the file, so read ``read_audio(wav, start=start, stop=stop)``.
        In silence the noise's name stands for the speaker. Load it with
        ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus, files or whole words are missing,
        unknown, misnamed or unreadable (all are named).

    Example
    -------
    >>> prepare_speech_commands(
    ...     getfixture("tmp_path"), "out"
    ... )  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ... (CC BY 4.0) and set ...
    """
    if test_folder is not None and not twelve:
        raise ManifestError(
            f"{test_folder}: a test set of twelve classes. Ask for twelve, or "
            "leave test_folder out."
        )
    data_folder, root, path = open_corpus(
        data_folder,
        output_folder,
        CORPUS,
        [*LISTS, *KEYWORDS, *([NOISE] if twelve else [])],
    )
    files = sorted(
        file
        for file in root.glob("*/*.wav")
        if file.parent.name != NOISE and not file.name.startswith(".")
    )
    parts, problems = _listed_parts(root)
    raise_problems(root, problems + _file_problems(root, files, parts))
    tests = (
        read_test_set(data_folder, test_folder, KEYWORDS)
        if test_folder is not None
        else {}
    )

    entries = {}
    for file, header in read_headers(data_folder, files).items():
        word = file.parent.name
        entries[f"{word}_{file.stem}"] = header | {
            "word": word,
            "speaker": NAME.fullmatch(file.stem)["speaker"],
            "split": parts.get(f"{word}/{file.name}", "train"),
        }
    _warn_of_shared_speakers(entries)
    if twelve:
        counts = dict.fromkeys(("train", "valid", "test"), 0)
        for entry in entries.values():
            known = entry["word"] in KEYWORDS
            counts[entry["split"]] += known
            entry["keyword"] = entry["word"] if known else UNKNOWN
            entry |= {"start": 0.0, "stop": entry["duration"]}
        wanted = {p: math.ceil(SILENCE_SHARE * n) for p, n in counts.items()}
        entries |= silence_entries(data_folder, root / NOISE, wanted)
    if tests:
        entries = {
            name: entry
            for name, entry in entries.items()
            if entry["split"] != "test"
        } | tests
    return save_manifest(path, entries)


def _listed_parts(root: Path) -> tuple[dict[str, str], list[str]]:
    """Part of each clip that a list names, and clips that both name."""
    parts: dict[str, str] = {}
    problems = []
    for name, part in LISTS.items():
        for clip in (root / name).read_text(encoding="utf-8").split():
            if parts.setdefault(clip, part) != part:
                problems.append(
                    f"{clip}: in both lists. Copy {' and '.join(LISTS)} again."
                )
    return parts, problems


def _file_problems(
    root: Path, files: list[Path], parts: dict[str, str]
) -> list[str]:
    """Words and clips that are missing, unknown or misnamed."""
    there = {file.parent.name for file in files}
    version = WORDS_V2 if there & set(ADDED) else WORDS_V1
    problems = [
        f"{word}/: no clips of this word. {CORPUS.remedy}"
        for word in version
        if word not in there
    ]
    problems += [
        f"{word}/: no word of this data set. Move the folder away."
        for word in sorted(there - set(WORDS_V2))
    ]
    problems += [
        f"{file.relative_to(root).as_posix()}: not named "
        "<speaker>_nohash_<n>.wav. Move it away."
        for file in files
        if not NAME.fullmatch(file.stem)
    ]
    names = {file.relative_to(root).as_posix() for file in files}
    problems += [
        f"{clip}: missing, though a list names it. Copy it from {CORPUS.url}."
        for clip in parts
        if clip not in names
    ]
    if found := [n for n, part in LISTS.items() if part not in parts.values()]:
        problems.append(
            f"{' and '.join(found)}: empty. Copy from {CORPUS.url}."
        )
    return problems


def _warn_of_shared_speakers(entries: dict[str, dict]) -> None:
    """Say which voices are in two parts: the lists hold every one in one."""
    parts = defaultdict(set)
    for entry in entries.values():
        parts[entry["speaker"]].add(entry["split"])
    shared = sorted(s for s, where in parts.items() if len(where) > 1)
    if shared:
        logger.warning(
            f"{len(shared)} speaker(s) in more than one part, such as "
            f"{', '.join(shared[:5])}: are validation_list.txt and "
            "testing_list.txt whole, and of this version?"
        )
