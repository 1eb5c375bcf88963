"""VoxCeleb1: 1251 celebrities in videos, 16 kHz.

A. Nagrani, J. S. Chung and A. Zisserman, CC BY 4.0 (the videos' own terms
hold besides), https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox1.html
"""

import os
import re
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

CORPUS = Corpus(
    "VoxCeleb1",
    "https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox1.html",
    "CC BY 4.0, the videos' own terms besides",
    "wav/<speaker>/<video>/*.wav, or dev/wav and test/wav, and the lists "
    "veri_test.txt and iden_split.txt",
)
PLACES = ("wav", "dev/wav", "test/wav", "vox1_dev_wav/wav", "vox1_test_wav/wav")
# The speakers of the official trials; all others may train.
TEST_SPEAKERS = frozenset(f"id{number}" for number in range(10270, 10310))
FILE = re.compile(r"(?P<id>(?P<speaker>id\d{5})/(?P<video>[^/]+)/\d{5})\.wav")
PARTS = {"1": "train", "2": "valid", "3": "test"}
RECORDINGS = 153516  # of speech, in dev and test together


def prepare_voxceleb1(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    trials: str | os.PathLike | None = "veri_test.txt",
    identification: str | os.PathLike | None = "iden_split.txt",
    valid_speakers: int = 0,
) -> Path:
    """Write the manifest of VoxCeleb1, and its trials beside it.

    Each entry has two splits, because two questions need them:

    * ``split``: verification, new speakers. The forty of the official trials
      test, the others train; some of these validate if asked for.
    * ``identification_split``: known speakers, new videos; as
      ``iden_split.txt`` says.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``<speaker>/<video>/<number>.wav`` in ``wav/``, or in
        ``dev/wav/`` and ``test/wav/``, or in ``vox1_dev_wav/wav/`` and
        ``vox1_test_wav/wav/``.
    output_folder : str or path-like
        Where ``manifest.json`` and ``trials.json`` are written; not the
        corpus itself.
    trials : str or path-like, optional
        The list of trials, in `data_folder` or anywhere: ``veri_test.txt``,
        the 37720 of most papers, or ``veri_test2.txt``, cleaned. None when
        verification is not wanted.
    identification : str or path-like, optional
        The list of the identification split. None when it is not wanted.
    valid_speakers : int
        Training speakers, the last by number, that validate instead. The
        corpus itself has none, and who chooses by the test scores the test.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, speaker, video, split[,
        identification_split]}}``; an id is ``id10270/5r0dWxy17C8/00001``.
        Load it with ``data_root=data_folder``. ``trials.json`` is a list of
        ``[1 or 0, id, id]``, 1 for one speaker.

    Raises
    ------
    ManifestError
        When the folder is not the corpus, half of it is missing, files are
        misnamed or unreadable, or lists name files that are not there or
        speakers that train (all are named).

    Example
    -------
    >>> prepare_voxceleb1("/gone", "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: /gone: no such folder. ...
    """
    data_folder, path = CORPUS.open(data_folder, output_folder)
    files, problems = _recordings(data_folder)
    pairs = (
        None
        if trials is None
        else _trials(_list(data_folder, trials), set(files), problems)
    )
    parts = (
        None
        if identification is None
        else _parts(_list(data_folder, identification), set(files), problems)
    )
    raise_problems(data_folder, problems)
    splits = _splits(
        data_folder, {name.split("/")[0] for name in files}, valid_speakers
    )
    CORPUS.compare_size("all speakers", len(files), RECORDINGS)

    headers = read_headers(data_folder, files.values())
    entries: dict[str, dict[str, Any]] = {}
    for name, file in files.items():
        speaker, video, _ = name.split("/")
        entries[name] = headers[file] | {
            "speaker": speaker,
            "video": video,
            "split": splits[speaker],
        }
        if parts is not None:
            entries[name]["identification_split"] = parts[name]
    if pairs is not None:
        write_json(path.parent / "trials.json", pairs)
    return save_manifest(path, entries)


def _recordings(data_folder: Path) -> tuple[dict[str, Path], list[str]]:
    """All recordings by id, and those of wrong names; both halves."""
    roots = [data_folder / p for p in PLACES if (data_folder / p).is_dir()]
    if not roots:
        raise ManifestError(
            f"{data_folder}: no folder {', '.join(PLACES)}. {CORPUS}"
        )
    files: dict[str, Path] = {}
    problems = []
    for root in roots:
        for file in sorted(root.rglob("[!.]*.wav")):
            place = file.relative_to(root).as_posix()
            match = FILE.fullmatch(place)
            if match is None:
                problems.append(
                    f"{place}: not id<5 digits>/<video>/<5 digits>.wav. Move "
                    "it away, or get the corpus with ids for names."
                )
            elif match["id"] in files:
                problems.append(
                    f"{place}: lies in two places. Move one of them away."
                )
            else:
                files[match["id"]] = file
    speakers = {name.split("/")[0] for name in files}
    for half, there in [
        ("dev", speakers - TEST_SPEAKERS),
        ("test", speakers & TEST_SPEAKERS),
    ]:
        if not there:
            problems.append(
                f"no recordings of the {half} speakers. Extract "
                f"vox1_{half}_wav.zip. {CORPUS}"
            )
    return dict(sorted(files.items())), problems


def _list(data_folder: Path, name: str | os.PathLike) -> Path:
    """Find a list in the corpus, or where its path leads."""
    path = data_folder / name  # an absolute path stays what it is
    path = path if path.is_file() else Path(name)
    if not path.is_file():
        raise ManifestError(
            f"{data_folder}: no file {name}. Get it from {CORPUS.url}, give "
            "its path, or None if you can do without."
        )
    return path


def _rows(
    path: Path, columns: int, first: tuple[str, ...], problems: list[str]
) -> list[tuple[str, list[str]]]:
    """Lines of a list, each with its place; others become problems."""
    rows = []
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        fields, place = line.split(), f"{path.name}, line {number}"
        if not fields:
            continue
        if (
            len(fields) != columns
            or fields[0] not in first
            or not all(FILE.fullmatch(field) for field in fields[1:])
        ):
            problems.append(
                f"{place}: {line!r:.80} is not {' or '.join(first)} and "
                f"{columns - 1} file(s) id.../.../....wav. Get the list "
                f"again from {CORPUS.url}."
            )
        else:
            names = [field.removesuffix(".wav") for field in fields[1:]]
            rows.append((place, [fields[0], *names]))
    return rows


def _trials(
    path: Path, known: set[str], problems: list[str]
) -> list[tuple[int, str, str]]:
    """The trials as they are; what is wrong with them becomes problems."""
    pairs = []
    for place, (same, *names) in _rows(path, 3, ("0", "1"), problems):
        speakers = [name.split("/")[0] for name in names]
        if missing := [name for name in names if name not in known]:
            problems.append(
                f"{place}: no {' and no '.join(missing)}.wav. Extract "
                "vox1_test_wav.zip again."
            )
        elif training := set(speakers) - TEST_SPEAKERS:
            problems.append(
                f"{place}: {', '.join(sorted(training))} would train. Take "
                "veri_test.txt or veri_test2.txt: the larger lists are for "
                "training on other corpora."
            )
        elif (speakers[0] == speakers[1]) != (same == "1"):
            problems.append(
                f"{place}: {same} for {' and '.join(names)}. Get the list "
                "again."
            )
        pairs.append((int(same), *names))
    if not pairs:
        problems.append(f"{path.name}: no trials. Get the list again.")
    return pairs


def _parts(path: Path, known: set[str], problems: list[str]) -> dict[str, str]:
    """Part of each recording in the identification split."""
    parts = {}
    for place, (part, name) in _rows(path, 2, tuple(PARTS), problems):
        if name not in known:
            problems.append(
                f"{place}: no {name}.wav. Extract the archives again."
            )
        parts[name] = PARTS[part]
    problems += [
        f"{name}.wav: not in {path.name}. Get the list again, or move the "
        "recording away."
        for name in sorted(known - set(parts))
    ]
    return parts


def _splits(
    data_folder: Path, speakers: set[str], valid_speakers: int
) -> dict[str, str]:
    """Who trains, validates and tests in verification."""
    training = sorted(speakers - TEST_SPEAKERS)
    if not 0 <= valid_speakers < len(training):
        raise ManifestError(
            f"{data_folder}: {valid_speakers} of {len(training)} training "
            f"speakers cannot validate. Give 0 to {len(training) - 1}."
        )
    splits = dict.fromkeys(speakers & TEST_SPEAKERS, "test")
    splits |= dict.fromkeys(training, "train")
    validating = training[len(training) - valid_speakers :]
    return splits | dict.fromkeys(validating, "valid")
