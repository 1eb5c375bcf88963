"""The nine tasks on the data sets of SUPERB, from their official layouts."""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.corpora import (
    audio_snips,
    fluent_speech_commands,
    iemocap,
    libri2mix,
    librispeech,
    speech_commands,
    voxceleb1,
)
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import ManifestError, raise_problems
from speechbrain_mtl.data.ready import ready_manifest
from speechbrain_mtl.data.superb.check import list_problems, warn_of_leaks
from speechbrain_mtl.data.superb.chunks import chunk_mixtures
from speechbrain_mtl.data.superb.layout import PARTS, TASKS

CHUNK = 20.0  # s; what the paper on multi-task finetuning trains SD on
KNOWN_VOICES = ("er",)  # validated on a random fifth of what may train


@dataclass(frozen=True)
class Source:
    """A data set of SUPERB.

    Arguments
    ---------
    corpus : Corpus
        Where to get it.
    prepare : callable
        Makes its manifest.
    tasks : tuple of str
        Which are on it.
    options : dict
        Of `prepare`, for SUPERB's splits.
    """

    corpus: Corpus
    prepare: Callable[..., Path]
    tasks: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


SOURCES = {
    "librispeech": Source(
        librispeech.CORPUS, librispeech.prepare_librispeech, ("pr", "asr")
    ),
    "audio_snips": Source(
        audio_snips.CORPUS, audio_snips.prepare_audio_snips, ("sf",)
    ),
    "speech_commands": Source(
        speech_commands.CORPUS,
        speech_commands.prepare_speech_commands,
        ("ks",),
        {"twelve": True, "test_folder": "speech_commands_test_set_v0.01"},
    ),
    "fluent_speech_commands": Source(
        fluent_speech_commands.CORPUS,
        fluent_speech_commands.prepare_fluent_speech_commands,
        ("ic",),
    ),
    # SUPERB has nobody to validate verification on, and chooses by the test.
    "voxceleb1": Source(
        voxceleb1.CORPUS,
        voxceleb1.prepare_voxceleb1,
        ("sid", "asv"),
        {"valid_speakers": 40},
    ),
    "libri2mix": Source(libri2mix.CORPUS, libri2mix.prepare_libri2mix, ("sd",)),
    "iemocap": Source(
        iemocap.CORPUS, iemocap.prepare_iemocap, ("er",), {"valid_share": 0.2}
    ),
}


def official_superb(
    data_folders: Mapping[str, str | os.PathLike],
    output_folder: str | os.PathLike,
    tasks: tuple[str, ...] = tuple(TASKS),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    chunk_seconds: float = CHUNK,
) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Make the manifests of SUPERB's data sets and part them for its tasks.

    The splits are SUPERB's, with two exceptions: forty training speakers of
    VoxCeleb1 validate verification, and the fifth of IEMOCAP that validates
    is another one, as its lot is another.

    Arguments
    ---------
    data_folders : dict
        Where each data set is, by the names of `SOURCES`: ``librispeech``
        (phones and speech recognition), ``audio_snips`` (slots),
        ``speech_commands`` (keywords), ``fluent_speech_commands`` (intents),
        ``voxceleb1`` (both speaker tasks), ``libri2mix`` (diarization),
        ``iemocap`` (emotions). Those that no task is on are not looked at.
    output_folder : str or path-like
        Where ``<data set>/manifest.json`` are written, and the official
        trials: ``voxceleb1/trials.json``.
    tasks : tuple of str
        Which are wanted, by the names of `TASKS`; all nine by default.
    options : dict, optional
        More options of the ``prepare_*`` functions, by data set. Phone
        recognition needs ``{"librispeech": {"lexica": [...]}}``; another
        fold of IEMOCAP is ``{"iemocap": {"fold": 2}}``.
    chunk_seconds : float
        Mixtures to train on are cut into chunks of this length at most.
        Others stay whole, as they are scored.

    Returns
    -------
    parts : dict
        ``{task: {"train", "valid", "test": entries}}``, with the fields of
        `TASKS`, as `mini_superb` gives them.

    Raises
    ------
    ManifestError
        Naming at once all data sets that are missing or not whole, options
        that do not exist, and what `check_tasks` finds.

    Example
    -------
    >>> official_superb({}, "out", tasks=("ks",))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: data of the tasks: 1 \
problem(s)
      speech_commands: no folder given, but ks needs it. Get Speech ...
    """
    given = _options(tasks, options or {})
    problems = _unknown(tasks, data_folders, options or {})
    if "pr" in tasks and given["librispeech"].get("lexica") is None:
        problems.append(
            "pr: no lexica to tell phones by. Give options librispeech: "
            "lexica, or leave the task out."
        )
        tasks = tuple(task for task in tasks if task != "pr")
    parts: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for name, source in SOURCES.items():
        wanted = [task for task in source.tasks if task in tasks]
        if not wanted:
            continue
        if not data_folders.get(name):
            problems.append(
                f"{name}: no folder given, but {' and '.join(wanted)} "
                f"need{'s' if len(wanted) == 1 else ''} it. "
                f"{source.corpus.remedy}"
            )
            continue
        if not set(given[name]) <= set(_names(source)):
            continue  # named already
        try:
            entries, _ = ready_manifest(
                source.prepare,
                data_folders[name],
                Path(output_folder) / name,
                **given[name],
            )
        except ManifestError as error:
            problems.append(f"{name}: {error}")
            continue
        for task in wanted:
            parts[task] = _parts(task, entries, chunk_seconds)
    ready = tuple(task for task in TASKS if task in parts)
    problems += list_problems(parts, ready, known_voices=KNOWN_VOICES)
    raise_problems("data of the tasks", problems)
    warn_of_leaks(parts, ready)
    return {task: parts[task] for task in ready}


def _options(
    tasks: tuple[str, ...], options: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Options of each data set; lists that no task reads are not asked for."""
    given = {
        name: {**source.options, **options.get(name, {})}
        for name, source in SOURCES.items()
    }
    if "asv" not in tasks:
        given["voxceleb1"] |= {"trials": None}
    if "sid" not in tasks:
        given["voxceleb1"] |= {"identification": None}
    return given


def _unknown(
    tasks: tuple[str, ...],
    data_folders: Mapping[str, Any],
    options: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Tasks, data sets and options that there are not."""
    problems = [
        f"{task}: no task of SUPERB. There are {', '.join(TASKS)}."
        for task in tasks
        if task not in TASKS
    ]
    problems += [
        f"{name}: no data set of SUPERB. There are {', '.join(SOURCES)}."
        for name in sorted({*data_folders, *options} - set(SOURCES))
    ]
    for name in [name for name in SOURCES if name in options]:
        known = _names(SOURCES[name])
        problems += [
            f"{name}: no option {option}. There are {', '.join(known)}."
            for option in sorted(set(options[name]) - set(known))
        ]
    return problems


def _names(source: Source) -> list[str]:
    """Options of a data set, besides its two folders."""
    return list(inspect.signature(source.prepare).parameters)[2:]


def _parts(
    task: str, entries: Mapping[str, Mapping[str, Any]], chunk_seconds: float
) -> dict[str, dict[str, dict[str, Any]]]:
    """Entries of each part of a task, with the fields the task reads."""
    split = "identification_split" if task == "sid" else "split"
    parts: dict[str, dict[str, dict[str, Any]]] = {part: {} for part in PARTS}
    for name, entry in entries.items():
        own = {**entry, "split": entry[split]}
        if task == "pr":
            own["phones"] = own["pronunciation"]
        elif task == "er":
            own["emotion_label"] = own["emotion"]
        parts[own["split"]][name] = own
    if task == "sd":
        parts["train"] = chunk_mixtures(parts["train"], chunk_seconds)
    return parts
