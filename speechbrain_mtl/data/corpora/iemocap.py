"""IEMOCAP: ten actors in five dialogues a pair, with emotions, 16 kHz.

C. Busso and others, University of Southern California; free for research
after signing its licence, https://sail.usc.edu/iemocap/
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.layout import lot
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

CORPUS = Corpus(
    "IEMOCAP",
    "https://sail.usc.edu/iemocap/",
    "free for research, after signing its licence",
    "Session1 to Session5, at once or in IEMOCAP_full_release/",
)
SESSIONS = range(1, 6)
# What the raters agreed on; xxx where they did not.
ANNOTATIONS = ("ang", "dis", "exc", "fea", "fru", "hap", "neu", "oth", "sad")
ANNOTATIONS += ("sur", "xxx")
FOUR_CLASSES = {  # 5531 utterances
    "ang": "ang",
    "exc": "hap",
    "hap": "hap",
    "neu": "neu",
    "sad": "sad",
}
UTTERANCES = 5531
NUMBER = r"-?\d+(?:\.\d+)?"
LABEL = re.compile(
    rf"\[{NUMBER} - {NUMBER}\]\t(?P<name>\S+)\t(?P<annotation>\S+)\t"
    rf"\[(?P<ratings>{NUMBER}, {NUMBER}, {NUMBER})\]\s*"
)
NAME = re.compile(
    r"(?P<dialog>Ses0(?P<session>[1-5])[FM]_(?P<kind>impro|script)\w+)"
    r"_(?P<gender>[FM])\w+"
)
STYLES = {"impro": "improvised", "script": "scripted"}


def prepare_iemocap(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    fold: int = 1,
    classes: Mapping[str, str] = FOUR_CLASSES,
    valid_share: float | None = None,
) -> Path:
    """Write the manifest of the utterances of IEMOCAP with a clear emotion.

    In each of five sessions another woman and another man speak, so folds
    go by sessions and no speaker is in two parts. In fold k session k is
    tested, both its speakers; the next session (after the fifth comes the
    first) validates; the other three train. Average the scores of all five
    folds. Many publications, SUPERB among them, validate on a random fifth of
    the training sessions instead, on voices known from training.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``Session<n>/sentences/wav/<dialog>/<utterance>.wav`` and
        ``Session<n>/dialog/EmoEvaluation/<dialog>.txt``, at once or in
        ``IEMOCAP_full_release/``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    fold : int
        1 to 5: which fold ``split`` gives. Fields ``fold_1`` to ``fold_5``
        give them all.
    classes : mapping
        Class of each annotation; others are left out. By default the usual
        four: excitement counts as happiness.
    valid_share : float, optional
        Of the four sessions that are not tested, the share of utterances
        that validates, by lot, 0.2 in SUPERB (another lot than here); no
        session validates then.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, emotion, annotation, valence,
        activation, dominance, speaker, gender, session, dialog, style,
        split, fold_1, ..., fold_5}}``; ratings go from 1 to 5, style is
        improvised or scripted. Load it with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus; when sessions or recordings are
        missing, labels unknown, or files unreadable (all are named).

    Example
    -------
    >>> prepare_iemocap("/gone", "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: /gone: no such folder. ...
    """
    data_folder, path = CORPUS.open(data_folder, output_folder)
    unknown = sorted(set(classes) - set(ANNOTATIONS))
    if valid_share is not None and not 0 < valid_share < 1:
        raise ManifestError(
            f"{data_folder}: valid_share is {valid_share}. Give a share above "
            "0 and below 1, or None for a session."
        )
    if fold not in SESSIONS or unknown or not classes:
        raise ManifestError(
            f"{data_folder}: fold is {fold!r}, unknown annotations in classes "
            f"are {unknown}. Give a fold of 1 to 5, and classes of any of "
            f"{', '.join(ANNOTATIONS)}."
        )
    root = data_folder / "IEMOCAP_full_release"
    root = root if root.is_dir() else data_folder
    _check_layout(root)
    entries: dict[Path, dict[str, Any]] = {}
    problems: list[str] = []
    for session in SESSIONS:
        for file in sorted(
            (root / f"Session{session}/dialog/EmoEvaluation").glob("[!.]*.txt")
        ):
            entries |= _dialog(root, session, file, classes, problems)
    raise_problems(root, problems)
    if not entries:
        raise ManifestError(
            f"{root}: no utterance is {' or '.join(classes)}. {CORPUS}"
        )
    if classes == FOUR_CLASSES:
        CORPUS.compare_size("four emotions", len(entries), UTTERANCES)
    manifest = {}
    for file, header in read_headers(data_folder, entries).items():
        entry = header | entries[file]
        parts = {
            k: _part(file.stem, entry["session"], k, valid_share)
            for k in SESSIONS
        }
        entry["split"] = parts[fold]
        entry |= {f"fold_{k}": part for k, part in parts.items()}
        manifest[file.stem] = entry
    return save_manifest(path, manifest)


def _check_layout(root: Path) -> None:
    """Refuse folders without all sessions, of both sounds and labels."""
    missing = [
        f"Session{session}/{place}"
        for session in SESSIONS
        for place in ("sentences/wav", "dialog/EmoEvaluation")
        if not (root / f"Session{session}" / place).is_dir()
    ]
    if missing:
        raise ManifestError(
            f"{root}: no folder {', '.join(missing)}. Each fold needs all "
            f"five sessions. {CORPUS}"
        )


def _dialog(
    root: Path,
    session: int,
    file: Path,
    classes: Mapping[str, str],
    problems: list[str],
) -> dict[Path, dict[str, Any]]:
    """Recordings of a dialogue that have a class, with their fields."""
    entries: dict[Path, dict[str, Any]] = {}
    text = file.read_text(encoding="utf-8", errors="replace")
    lines = [
        (f"{file.name}, line {number}", line)
        for number, line in enumerate(text.splitlines(), start=1)
        # The first line explains; votes of single raters follow each line.
        if line.startswith("[")
    ]
    if not lines:
        problems.append(f"{file.name}: no labels. Copy the file again.")
    for place, line in lines:
        label = LABEL.fullmatch(line)
        name = NAME.fullmatch(label["name"]) if label else None
        if name is None or (name["session"], name["dialog"]) != (
            str(session),
            file.stem,
        ):
            problems.append(
                f"{place}: {line!r:.80} is not [start - end], utterance of "
                "the dialogue, emotion, [ratings]. Copy the file again."
            )
            continue
        wav = root / (
            f"Session{session}/sentences/wav/{file.stem}/{label['name']}.wav"
        )
        if label["annotation"] not in ANNOTATIONS:
            problems.append(
                f"{place}: {label['annotation']!r} is none of "
                f"{', '.join(ANNOTATIONS)}. Copy the file again."
            )
        elif not wav.is_file():
            problems.append(
                f"{place}: no {wav.relative_to(root)}. Extract the archive "
                "again."
            )
        elif label["annotation"] in classes:
            ratings = [float(rating) for rating in label["ratings"].split(",")]
            entries[wav] = {
                "emotion": classes[label["annotation"]],
                "annotation": label["annotation"],
                **dict(zip(("valence", "activation", "dominance"), ratings)),
                "speaker": f"Ses0{session}{name['gender']}",
                "gender": name["gender"],
                "session": session,
                "dialog": file.stem,
                "style": STYLES[name["kind"]],
            }
    return entries


def _part(name: str, session: int, fold: int, share: float | None) -> str:
    """Part of an utterance in a fold."""
    if session == fold:
        return "test"
    if share is not None:
        return "valid" if lot(name, fold) < share else "train"
    return "valid" if session == fold % len(SESSIONS) + 1 else "train"
