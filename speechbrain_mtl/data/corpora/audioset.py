"""AudioSet, its musical instruments: ten seconds each, of YouTube.

J. F. Gemmeke et al., ICASSP 2017,
https://research.google.com/audioset/download.html. Segments and labels
CC BY 4.0, ontology CC BY-SA 4.0; the sound belongs to those who uploaded it.
"""

import logging
import os
import re
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from speechbrain_mtl.data.corpora.audioset_labels import (
    CORPUS,
    INSTRUMENT,
    Segment,
    below,
    read_ontology,
    read_segments,
)
from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.folder import EXTENSIONS
from speechbrain_mtl.data.corpora.layout import audio_below, open_corpus
from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

logger = logging.getLogger(__name__)

ONTOLOGY = "ontology.json"
SPLITS = {
    "balanced_train": "train",
    "unbalanced_train": "train",
    "eval": "test",
}
# A YouTube id has eleven signs, "-" and "_" among them.
NAME = re.compile(
    r"Y?(?P<clip>[\w-]{11})(_(?P<start>\d+(\.\d+)?)(_\d+(\.\d+)?)?)?"
)
LONGER = 1.0  # s that a file may hold beyond its segment; cutting is not exact


def prepare_audioset(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    parts: Collection[str] = tuple(SPLITS),
    root: str = INSTRUMENT,
    max_missing: float = 0.5,
) -> Path:
    """Write the manifest of AudioSet's clips of musical instruments.

    Many clips are no longer on YouTube. How many are missing is logged as a
    warning, and is an error beyond `max_missing`.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``ontology.json``, ``<part>_segments.csv`` and, anywhere below,
        the audio of single segments: ``<id>.wav``, ``Y<id>.wav`` or
        ``<id>_<start>[_<end>].wav`` with times in seconds or milliseconds
        (or FLAC, Ogg, Opus, MP3).
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    parts : collection of str
        Of ``balanced_train``, ``unbalanced_train`` and ``eval``.
    root : str
        Label whose descendants in the ontology are taken, "Musical
        instrument" by default.
    max_missing : float
        Share of a part's clips that may be missing.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, labels, part, split}}`` with the
        names of all labels under `root`; ``split`` is test for ``eval``,
        else train. The id is YouTube's. Load it with
        ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus, too much audio is missing, or
        files are misnamed, there twice, not cut to their segment, unreadable
        or of unknown labels (all are named).

    Example
    -------
    >>> prepare_audioset(getfixture("tmp_path"), "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ...ontology.json: missing...
    """
    parts = list(dict.fromkeys(parts))
    unknown = [part for part in parts if part not in SPLITS]
    if unknown or not parts or not 0 <= max_missing <= 1:
        raise ManifestError(
            f"parts are {', '.join(parts) or 'none'}, max_missing is "
            f"{max_missing}. Choose of {', '.join(SPLITS)}, and a share of 0 "
            "to 1."
        )
    data_folder, _, path = open_corpus(
        data_folder,
        output_folder,
        CORPUS,
        [ONTOLOGY, *(f"{part}_segments.csv" for part in parts)],
    )
    ontology = read_ontology(data_folder / ONTOLOGY)
    wanted = below(ontology, root, data_folder / ONTOLOGY)
    segments: dict[str, tuple[str, Segment]] = {}
    for part in parts:
        table = data_folder / f"{part}_segments.csv"
        found = read_segments(table, ontology, wanted)
        segments |= {clip: (part, segment) for clip, segment in found.items()}
    files = _files(data_folder, segments)
    _check_missing(data_folder, segments, files, max_missing)

    headers = read_headers(data_folder, files.values())
    entries, problems = {}, []
    for clip, file in files.items():
        part, segment = segments[clip]
        header = headers[file]
        if header["duration"] > segment.stop - segment.start + LONGER:
            problems.append(
                f"{file.name}: {header['duration']:g} s, its segment lasts "
                f"{segment.stop - segment.start:g} s. Cut {segment.start:g} "
                f"to {segment.stop:g} s out of the video."
            )
        entries[clip] = header | {
            "labels": [ontology[n][0] for n in segment.labels if n in wanted],
            "part": part,
            "split": SPLITS[part],
        }
    raise_problems(data_folder, problems)
    return save_manifest(path, entries)


def _files(
    folder: Path, segments: dict[str, tuple[str, Segment]]
) -> dict[str, Path]:
    """Recording of each segment, as far as there is one, sorted by id."""
    files: dict[str, Path] = {}
    problems = []
    for file in audio_below(folder, EXTENSIONS):
        match = NAME.fullmatch(file.stem)
        if match is None:
            problems.append(
                f"{file.name}: not named <YouTube id>, Y<YouTube id> or "
                "<YouTube id>_<start>. Rename it, or move it away."
            )
        elif (clip := match["clip"]) in segments:
            start = segments[clip][1].start
            named = float(match["start"] or start)
            if named not in (start, 1000 * start):
                problems.append(
                    f"{file.name}: begins at {named:g}, the segment at "
                    f"{start:g} s. Cut it out of the video again."
                )
            if clip in files:
                problems.append(
                    f"{file.name}: {files[clip].name} is there too. Move one "
                    "of them away."
                )
            files[clip] = file
    raise_problems(folder, problems)
    return {clip: files[clip] for clip in sorted(files)}


def _check_missing(
    folder: Path,
    segments: dict[str, tuple[str, Segment]],
    files: dict[str, Path],
    max_missing: float,
) -> None:
    """Count the clips of each part that are missing; refuse too many."""
    clips = defaultdict(list)
    for clip, (part, _) in segments.items():
        clips[part].append(clip)
    problems = []
    for part, names in clips.items():
        gone = [name for name in names if name not in files]
        if not gone:
            continue
        share = len(gone) / len(names)
        what = (
            f"{part}: {len(gone)} of {len(names)} clips ({share:.1%}) have no "
            f"audio, such as {', '.join(gone[:3])}"
        )
        if share > max_missing:
            problems.append(
                f"{what}. Download them, raise max_missing, or leave the part "
                "out."
            )
        else:
            logger.warning(f"{folder}: {what}.")
    if not clips:
        problems.append("no segment has such a label. Choose another root.")
    raise_problems(folder, problems)
