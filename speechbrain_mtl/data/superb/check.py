"""All that is wrong with the data of nine tasks, before any of them trains."""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from speechbrain_mtl.data.corpora.silence import SILENCE
from speechbrain_mtl.data.manifest import raise_problems
from speechbrain_mtl.data.superb.layout import (
    PARTS,
    TASKS,
    Parts,
    answers,
    recording,
    voices,
)

logger = logging.getLogger(__name__)

NAMED = 5  # ids or classes a line spells out
ByPart = Mapping[str, Mapping[str, Mapping[str, Any]]]


def check_tasks(
    parts: Parts,
    tasks: tuple[str, ...] = tuple(TASKS),
    fields: Mapping[str, str] | None = None,
    known_voices: Collection[str] = (),
) -> None:
    """Stop when the data of a task is missing or cannot be learned from.

    What one task trains on and another tests on is no error, since official
    splits do it (VoxCeleb1's for identification and verification); it is
    logged, as results of joint training should mention it.

    Arguments
    ---------
    parts : dict
        ``{task: {"train", "valid", "test": entries}}``.
    tasks : tuple of str
        Which are wanted; all nine by default.
    fields : dict, optional
        The field of a task's answer where it is not that of `TASKS`, such as
        ``{"er": "emotion"}``.
    known_voices : collection of str
        Tasks whose validation may be by speakers who train; test speakers
        stay new.

    Raises
    ------
    ManifestError
        Naming at once all tasks and parts that are missing, fields that are
        empty, classes never trained on, speakers and recordings in two
        parts, and part of what is unfit for one task: transcripts and slots
        of unequal length, verification without pairs, mixtures not of two.

    Example
    -------
    >>> check_tasks({}, tasks=("ks", "er"))
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: data of the tasks: 2 \
problem(s)
      ks: no data for keyword spotting. Prepare Speech Commands v0.01, or \
leave the task out.
      er: no data for emotions. Prepare IEMOCAP, or leave the task out.
    """
    raise_problems(
        "data of the tasks", list_problems(parts, tasks, fields, known_voices)
    )
    warn_of_leaks(parts, tasks)


def list_problems(
    parts: Parts,
    tasks: tuple[str, ...] = tuple(TASKS),
    fields: Mapping[str, str] | None = None,
    known_voices: Collection[str] = (),
) -> list[str]:
    """Say all that `check_tasks` would raise, a line each.

    Arguments
    ---------
    parts, tasks, fields, known_voices
        See `check_tasks`.

    Returns
    -------
    problems : list of str
        Empty when the tasks can train.
    """
    unknown = sorted((set(parts) | set(tasks)) - set(TASKS))
    problems = [
        f"{task}: no task of SUPERB. There are {', '.join(TASKS)}."
        for task in unknown
    ]
    for task in tasks:
        if task in unknown:
            continue
        if not parts.get(task):
            problems.append(
                f"{task}: no data for {TASKS[task].name}. Prepare "
                f"{TASKS[task].corpus}, or leave the task out."
            )
            continue
        field = (fields or {}).get(task, TASKS[task].fields[0])
        problems += _task_problems(
            task, parts[task], field, task in known_voices
        )
    return problems


def _task_problems(
    task: str, by_part: ByPart, field: str, known: bool
) -> Iterator[str]:
    """All that is wrong with one task, a line each."""
    empty = [part for part in PARTS if not by_part.get(part)]
    for part in empty:
        yield (
            f"{task}: {part} is empty. Add recordings, or lengthen the corpus."
        )
    by_part = {part: by_part.get(part) or {} for part in PARTS}
    wanted = (field, *TASKS[task].fields[1:])
    lacking = False
    for part, entries in by_part.items():
        for name in wanted:
            bad = [
                i
                for i, e in entries.items()
                if e.get(name) in (None, "", {})
                # nobody may speak in a chunk of a conversation
                or (e[name] == [] and task != "sd")
            ]
            if bad:
                lacking = True
                yield (
                    f"{task}, {part}: {len(bad)} without {name}: "
                    f"{_few(bad)}. Label them, or leave them out."
                )
    yield from _shared(task, by_part, known)
    if not lacking:
        if TASKS[task].closed and by_part["train"]:
            yield from _never_trained(task, by_part, field)
        yield from _unfit(task, by_part, field)


def _never_trained(task: str, by_part: ByPart, field: str) -> Iterator[str]:
    """Classes of valid or test that training does not have."""
    found = {
        part: set().union(*(answers(task, e[field]) for e in entries.values()))
        for part, entries in by_part.items()
    }
    for part in ("valid", "test"):
        if new := sorted(found[part] - found["train"]):
            yield (
                f"{task}, {part}: {field} {_few(new)} never in train. Add "
                "such recordings to train, or leave these out."
            )


def _shared(task: str, by_part: ByPart, known: bool) -> Iterator[str]:
    """Speakers, where they must not, and recordings that are in two parts."""
    where: dict[tuple[str, Any], set[str]] = defaultdict(set)
    for part, entries in by_part.items():
        for entry in entries.values():
            where["recording", recording(entry)].add(part)
            # a noise's name stands for the speaker of silence
            if TASKS[task].new_voices and entry.get("keyword") != SILENCE:
                for voice in voices(entry):
                    where["speaker", voice].add(part)
    shared: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (what, which), there in where.items():
        if what == "speaker" and known and "test" not in there:
            continue
        if len(there) > 1:
            name = which if what == "speaker" else which[0]
            shared[what, " and ".join(p for p in PARTS if p in there)].append(
                str(name)
            )
    for (what, there), names in shared.items():
        yield (
            f"{task}: {len(names)} {what}(s) in {there}: "
            f"{_few(sorted(names))}. Keep each in one part."
        )


def _unfit(task: str, by_part: ByPart, field: str) -> Iterator[str]:
    """What single tasks ask beyond labels."""
    for part, entries in by_part.items():
        odd: list[str] = []
        what = ""
        if task == "sf":
            what = "not one tag a word"
            odd = [
                name
                for name, e in entries.items()
                if len(e[field]) != len(e["text"].split())
            ]
        elif task == "sd":
            what = "not of two speakers"
            odd = [name for name, e in entries.items() if len(voices(e)) != 2]
        if odd:
            yield (
                f"{task}, {part}: {len(odd)} {what}: {_few(odd)}. "
                "Correct them, or leave them out."
            )
        if task not in ("ks", "sid", "asv", "er") or not entries:
            continue
        count = Counter(str(e[field]) for e in entries.values())
        if part == "train" and len(count) < 2:
            yield f"{task}, train: {field} is always {_few([*count])}. Add another."
        elif task == "asv" and part != "train":
            if len(count) < 2 or max(count.values()) < 2:
                yield (
                    f"asv, {part}: {len(entries)} recording(s) of "
                    f"{len(count)} speaker(s) make no pairs. Add speakers, "
                    "one of them with two recordings."
                )


def warn_of_leaks(parts: Parts, tasks: tuple[str, ...]) -> None:
    """Log which tasks train on recordings that another one tests on.

    Arguments
    ---------
    parts, tasks
        See `check_tasks`; all of the tasks must be there.
    """
    heard = {
        task: {
            part: {recording(e) for e in parts[task][part].values()}
            for part in ("train", "test")
        }
        for task in tasks
    }
    for tested in tasks:
        for trained in tasks:
            both = heard[tested]["test"] & heard[trained]["train"]
            if both and tested != trained:
                logger.warning(
                    f"{len(both)} recordings that test {tested} train "
                    f"{trained}: joint training has heard them."
                )


def _few(names: list[str]) -> str:
    """The first of many."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(str, names[:NAMED])) + more
