"""Stages of an experiment: skipped when done, redone when settings change."""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speechbrain.utils.distributed import ddp_barrier, if_main_process

from speechbrain_mtl import __version__
from speechbrain_mtl.data.atomic import write_json

logger = logging.getLogger(__name__)


def fingerprint(settings: Any) -> str:
    """Give a short name to JSON-serialisable settings.

    Example
    -------
    >>> fingerprint({"a": 1}) == fingerprint({"a": 1.5})
    False
    """
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_digest(path: str | os.PathLike) -> str:
    """Give a short name to the bytes of a file.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a"
    >>> _ = path.write_bytes(b"x")
    >>> file_digest(path)
    '2d711642b726b044'
    """
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def differences(old: dict, new: dict, prefix: str = "") -> list[str]:
    """Name the settings that differ, with both values.

    Example
    -------
    >>> differences({"a": {"b": 1}}, {"a": {"b": 2}})
    ['a.b: 1 -> 2']
    """
    lines = []
    for key in sorted(set(old) | set(new)):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            lines += differences(before, after, f"{prefix}{key}.")
        else:
            lines.append(f"{prefix}{key}: {before} -> {after}")
    return lines


def stage(
    name: str,
    folder: str | os.PathLike,
    settings: dict,
    make: Callable[[], Any],
    redo: Callable[[], None] | None = None,
) -> Any:
    """Run one stage of an experiment, unless its result is already there.

    A stage's result is a JSON value kept in ``<folder>/<name>.stage.json``
    together with the settings that made it. Settings of a later stage hold
    the fingerprint of what it reads, so a change travels downstream.

    Arguments
    ---------
    name : str
        Shown to the user, and the file's name.
    folder : str or path-like
        Where the stage keeps its files.
    settings : dict
        Everything the result depends on, JSON-serialisable.
    make : callable
        Does the work and returns a JSON-serialisable result.
    redo : callable, optional
        Called before `make` when an old result was made with other settings,
        to clear what it left.

    Returns
    -------
    result : Any
        What `make` returned, now or earlier.
    """
    path = Path(folder) / f"{name}.stage.json"
    started = Path(folder) / f"{name}.started.json"
    # The round trip makes tuples lists, as they will be when read back.
    settings = json.loads(json.dumps({**settings, "version": __version__}))
    # Processes of a distributed run share the folder: the first looks after
    # it, the others wait.
    if if_main_process():
        _clear(name, path, started, settings, redo)
    ddp_barrier()
    if path.exists():
        return _result(path)
    begin = time.perf_counter()
    result = make()
    wall = round(time.perf_counter() - begin, 2)
    if if_main_process():
        record = {"settings": settings, "wall_s": wall, "result": result}
        write_json(path, record)
        started.unlink()
    ddp_barrier()
    return result


def _clear(
    name: str,
    path: Path,
    started: Path,
    settings: dict,
    redo: Callable[[], None] | None,
) -> None:
    """Remove what was made with other settings; note what begins."""
    for record in (path, started):
        if not record.exists():
            continue
        old = json.loads(record.read_text(encoding="utf-8"))
        if old["settings"] == settings:
            if record == path:
                logger.info(f"{name}: already there, {path.parent}")
                return
            logger.info(
                f"{name}: continuing what was interrupted, {path.parent}"
            )
            continue
        changed = "; ".join(differences(old["settings"], settings))
        logger.info(f"{name}: settings changed, made anew ({changed})")
        record.unlink()
        if redo is not None:
            redo()
    write_json(started, {"settings": settings})


def _result(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))["result"]


def discard_training(folder: str | os.PathLike) -> None:
    """Remove what an unfinished training of other settings left behind.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> for name in ("save", "phases"):
    ...     (folder / name).mkdir()
    >>> _ = (folder / "train_log.jsonl").write_text("{}")
    >>> discard_training(folder)
    >>> list(folder.iterdir())
    []
    """
    for left in ("save", "snapshots", "phases"):
        shutil.rmtree(Path(folder) / left, ignore_errors=True)
    for left in ("train_log.jsonl", "affinity.jsonl"):
        (Path(folder) / left).unlink(missing_ok=True)


def stage_seconds(name: str, folder: str | os.PathLike) -> float:
    """Tell how long a finished stage took, in seconds."""
    path = Path(folder) / f"{name}.stage.json"
    return json.loads(path.read_text(encoding="utf-8"))["wall_s"]
