"""The corpus in parts: what is finished survives an interruption."""

import concurrent.futures
import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.data.synthetic.plan import Plan
from speechbrain_mtl.data.synthetic.recording import WAV_HEADER, record

SHARD = 32  # items
UNFINISHED = ".unfinished"  # folder of the parts, until the corpus is whole


def shards(plan: Plan) -> list[range]:
    """Cut a plan into ranges of items.

    Example
    -------
    >>> shards(Plan(minutes=2, speakers=8))[0]
    range(0, 32)
    """
    last = len(plan)
    return [range(i, min(i + SHARD, last)) for i in range(0, last, SHARD)]


def shard_path(out: Path, part: range) -> Path:
    """Tell where the entries of a shard are kept: one JSON a line."""
    return out / UNFINISHED / f"{part.start:08d}.jsonl"


def make_shard(plan: Plan, out: Path, part: range) -> None:
    """Make the items of a shard, its entries last and at once."""
    with atomic_path(shard_path(out, part)) as temporary:
        with open(temporary, "w", encoding="utf-8") as file:
            for index in part:
                item = plan[index]
                entry = record(item, plan.seed, out)
                file.write(json.dumps([item.name, entry]) + "\n")


def read_shard(out: Path, part: range) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the ids and entries of a shard, one after the other."""
    with open(shard_path(out, part), encoding="utf-8") as file:
        for line in file:
            name, entry = json.loads(line)
            yield name, entry


def is_finished(out: Path, part: range) -> bool:
    """Whether a shard and all its files are there, in their full sizes."""
    if not shard_path(out, part).is_file():
        return False
    try:
        entries = [entry for _, entry in read_shard(out, part)]
    except json.JSONDecodeError:
        return False
    return len(entries) == len(part) and all(
        _has_files(out, entry) for entry in entries
    )


def _has_files(out: Path, entry: dict[str, Any]) -> bool:
    paths = [
        Path(entry[field].format(data_root=out))
        for field in ("wav", "image", "rttm")
        if entry[field]
    ]
    samples = round(entry["duration"] * entry["sample_rate"])
    return (
        all(path.is_file() for path in paths)
        and paths[0].stat().st_size == WAV_HEADER + 2 * samples
    )


def make_shards(
    plan: Plan, out: Path, parts: list[range], workers: int
) -> Iterator[range]:
    """Make shards, and give each when it is finished.

    Arguments
    ---------
    plan : Plan
        What to make.
    out : Path
        The corpus's folder.
    parts : list of range
        The shards to make.
    workers : int
        Processes; 1 works in this one. The result is the same.

    Yields
    ------
    part : range
        In any order.
    """
    if workers == 1 or len(parts) == 1:
        for part in parts:
            make_shard(plan, out, part)
            yield part
        return
    # spawned processes, never threads: the library breaks when two threads
    # share it, and a fork would copy the parent's
    pool = concurrent.futures.ProcessPoolExecutor(
        min(workers, len(parts)),
        mp_context=multiprocessing.get_context("spawn"),
    )
    try:
        jobs = {pool.submit(make_shard, plan, out, p): p for p in parts}
        for job in concurrent.futures.as_completed(jobs):
            job.result()
            yield jobs[job]
    except concurrent.futures.process.BrokenProcessPool as error:
        raise ChildProcessError(
            "A process that makes the corpus was ended from outside "
            "(memory?). What is finished is kept: run the same command again."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
