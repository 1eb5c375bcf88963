"""The test sets of Speech Commands: twelve classes, equally often.

An archive of its own beside each version, in which others are ``_unknown_``
and silence is cut already:
http://download.tensorflow.org/data/speech_commands_test_set_v0.01.tar.gz
(v0.02 likewise), CC BY 4.0. SUPERB tests on v0.01's, 3081 clips by the papers
that use it.
"""

import os
import re
from collections.abc import Collection
from pathlib import Path

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.silence import SILENCE
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import ManifestError, raise_problems

UNKNOWN = "_unknown_"
CORPUS = Corpus(
    "the test set of Speech Commands",
    "http://download.tensorflow.org/data/speech_commands_test_set_v0.01.tar.gz",
    "CC BY 4.0",
)
CLIPS = 3081
NAME = re.compile(r"(?:(?P<word>[a-z]+)_)?(?P<speaker>[0-9a-f]+)_nohash_\d+")


def read_test_set(
    data_folder: Path, test_folder: str | os.PathLike, words: Collection[str]
) -> dict[str, dict]:
    """Give an entry for each clip of a test set.

    Arguments
    ---------
    data_folder : pathlib.Path
        The corpus; becomes ``{data_root}`` for what lies in it.
    test_folder : str or path-like
        In `data_folder` or anywhere: holds ``<class>/*.wav``, for each word,
        ``_unknown_`` and ``_silence_``.
    words : collection of str
        Classes of their own.

    Returns
    -------
    entries : dict
        ``{id: {wav, duration, sample_rate, word, speaker, split, keyword,
        start, stop}}``. The word of an unknown one is in its name, if
        anywhere.

    Raises
    ------
    ManifestError
        When the folder or classes are missing, or clips are misnamed or
        unreadable (all are named).
    """
    folder = data_folder / test_folder  # an absolute path stays what it is
    folder = folder if folder.is_dir() else Path(test_folder)
    if not folder.is_dir():
        raise ManifestError(
            f"{data_folder}: no folder {test_folder}. Get {CORPUS.name} from "
            f"{CORPUS.url} ({CORPUS.licence}), extract it into a folder of "
            "that name, or leave test_folder out."
        )
    classes = [*words, UNKNOWN, SILENCE]
    clips = {
        keyword: [
            file
            for file in sorted((folder / keyword).glob("*.wav"))
            if not file.name.startswith(".")
        ]
        for keyword in classes
    }
    problems = [
        f"{keyword}/: no clips. Extract {CORPUS.url} again."
        for keyword, found in clips.items()
        if not found
    ]
    found = {path.name for path in folder.iterdir() if path.is_dir()}
    problems += [
        f"{name}/: none of {', '.join(classes)}. Move the folder away."
        for name in sorted(found - set(classes))
    ]
    entries = {}
    for keyword, files in clips.items():
        for file in files:
            name = NAME.fullmatch(file.stem)
            if name is None and keyword != SILENCE:
                problems.append(
                    f"{keyword}/{file.name}: not named [<word>_]<speaker>"
                    "_nohash_<n>.wav. Move it away."
                )
                continue
            word = name["word"] if name and keyword == UNKNOWN else None
            entries[file] = {
                "word": word or keyword,
                "speaker": name["speaker"] if name else SILENCE,
                "split": "test",
                "keyword": keyword,
                "start": 0.0,
            }
    raise_problems(folder, problems)
    CORPUS.compare_size("twelve classes", len(entries), CLIPS)
    return {
        f"test_{entries[file]['keyword']}_{file.stem}": header
        | entries[file]
        | {"stop": header["duration"]}
        for file, header in read_headers(data_folder, entries).items()
    }
