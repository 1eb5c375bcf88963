"""Make the embedded corpus: plan, shards, manifest, certificate."""

import hashlib
import importlib.metadata
import json
import platform
import shutil
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from speechbrain_mtl.data.atomic import atomic_path, write_json
from speechbrain_mtl.data.manifest import save_manifest
from speechbrain_mtl.data.synthetic import shards
from speechbrain_mtl.data.synthetic.abx_items import HEADER, abx_items
from speechbrain_mtl.data.synthetic.channel import SAMPLE_RATE
from speechbrain_mtl.data.synthetic.plan import (
    DEFAULT_MINUTES,
    DEFAULT_SPEAKERS,
    SCENE,
    Plan,
)
from speechbrain_mtl.data.synthetic.speakers import speaker
from speechbrain_mtl.data.synthetic.utterance import engine

VERSION = 1  # of the generator: raise it when the same seed sounds different
CERTIFICATE = "corpus.json"
MANIFEST = "manifest.json"
ABX_ITEMS = "triphone.item"
LIBRARIES = ("espeakng-loader", "numpy", "scipy")
_CPU_SECONDS_PER_ITEM = 0.01  # measured


class CorpusError(ValueError):
    """A folder that cannot take the wanted corpus; says why and what to do."""


@dataclass(frozen=True)
class Summary:
    """What is in the folder now.

    Arguments
    ---------
    out : Path
        The folder.
    manifest : Path
        Its manifest.
    items : dict
        Recordings of each kind.
    minutes : dict
        Audio of each kind.
    digest : str
        SHA-256 over the SHA-256 of all recordings.
    seconds : float
        Time it took.
    made : int
        Recordings made now; 0 when the corpus was there already.
    """

    out: Path
    manifest: Path
    items: dict[str, int]
    minutes: dict[str, float]
    digest: str
    seconds: float
    made: int


def generate(
    out: str | Path,
    minutes: float = DEFAULT_MINUTES,
    speakers: int = DEFAULT_SPEAKERS,
    seed: int = 0,
    workers: int = 1,
    progress: bool = True,
    mixtures: int | None = None,
    scenes: int | None = None,
) -> Summary:
    """Make the embedded corpus, or finish one that was interrupted.

    Same settings, same bytes, whatever the number of workers and however
    often it was interrupted. `manifest.json` and `corpus.json` come last: a
    folder without them is not a corpus yet.

    Arguments
    ---------
    out : str or Path
        Folder of the corpus; made when missing.
    minutes : float
        About how much audio.
    speakers : int
        Of eight, five are for training, one to validate and two to test.
    seed : int
        Another seed: other speakers and sentences.
    workers : int
        Processes. With more than one, call this from under
        ``if __name__ == "__main__":``.
    progress : bool
        Print an estimate and a bar.
    mixtures : int, optional
        How many mixtures of two speakers; as many as `minutes` implies (one
        for five minutes) by default. The other recordings are the same.
    scenes : int, optional
        How many pictures with five spoken captions each, none by default.
        They come on top of `minutes`; the other recordings are the same, and
        all entries have a field ``image_id``.

    Returns
    -------
    summary : Summary
        Counts, minutes, digest.

    Raises
    ------
    CorpusError
        When the folder holds other data or a corpus of other settings.
    ImportError
        When eSpeak NG is missing.
    ValueError
        When a setting makes no corpus.

    Example
    -------
    >>> out = getfixture("tmp_path") / "corpus"
    >>> summary = generate(out, minutes=0.1, speakers=4, progress=False)
    >>> sum(summary.items.values()) == summary.made
    True
    >>> generate(out, minutes=0.1, speakers=4, progress=False).made
    0
    """
    began = time.perf_counter()
    out = Path(out)
    plan = Plan(float(minutes), speakers, seed, mixtures, scenes)
    if workers < 1:
        raise ValueError(f"workers is {workers}; it must be at least 1.")
    settings = {"version": VERSION, **asdict(plan)}
    for later in ("mixtures", "scenes"):
        if settings[later] is None:  # corpora from before it stay the same
            del settings[later]
    if (out / CERTIFICATE).is_file():
        found = json.loads((out / CERTIFICATE).read_text(encoding="utf-8"))
        _refuse_other(out, found["settings"], settings)
        # an interruption may have come between the last file and this
        shutil.rmtree(out / shards.UNFINISHED, ignore_errors=True)
        return _summary(out, found, began, made=0)
    if not engine().forgets():
        warnings.warn(
            "eSpeak NG cannot be reset on this system: the labels are exact, "
            "but the same seed will not give the same samples again."
        )
    _claim(out, settings)
    parts = shards.shards(plan)
    missing = [part for part in parts if not shards.is_finished(out, part)]
    made = sum(map(len, missing))
    if progress:
        _print_estimate(plan, made, min(workers, len(missing) or 1))
    with tqdm(
        total=len(plan),
        initial=len(plan) - made,
        desc="synth",
        unit="rec",
        disable=not progress,
    ) as bar:
        for part in shards.make_shards(plan, out, missing, workers):
            bar.update(len(part))
    certificate = _merge(out, plan, parts, settings)
    write_json(out / CERTIFICATE, certificate)
    shutil.rmtree(out / shards.UNFINISHED)
    return _summary(out, certificate, began, made)


def _refuse_other(
    out: Path, found: dict[str, Any], wanted: dict[str, Any]
) -> None:
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise CorpusError(
                f"{out} holds a corpus with {name} = {found.get(name)}, not "
                f"{wanted.get(name)}. Choose another folder, repeat the old "
                f"settings, or remove {out} first."
            )


def _claim(out: Path, settings: dict[str, Any]) -> None:
    """Mark a folder as that of an unfinished corpus with these settings."""
    if (out / MANIFEST).exists() and not (out / shards.UNFINISHED).exists():
        raise CorpusError(
            f"{out / MANIFEST} is not of this program and would be "
            "overwritten. Choose another folder."
        )
    mark = out / shards.UNFINISHED / "settings.json"
    # parts made with different libraries would not fit together
    wanted = settings | _made_with()
    if mark.is_file():
        _refuse_other(out, json.loads(mark.read_text()), wanted)
    else:
        write_json(mark, wanted)


def _made_with() -> dict[str, str]:
    """All that may change a sample: libraries and kind of machine."""
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    machine = f"{platform.system()} {platform.machine()}"
    return {**versions, "machine": machine}


def _merge(
    out: Path, plan: Plan, parts: list[range], settings: dict[str, Any]
) -> dict[str, Any]:
    """Write manifest and ABX items; return the certificate's content."""
    digest = hashlib.sha256()
    items: Counter = Counter()
    seconds: Counter = Counter()
    splits: Counter = Counter()

    def entries(file: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        file.write(HEADER)
        for part in parts:
            for name, entry in shards.read_shard(out, part):
                digest.update(entry["sha256"].encode())
                items[entry["kind"]] += 1
                seconds[entry["kind"]] += entry["duration"]
                splits[entry["split"]] += entry["duration"]
                if entry["kind"] != SCENE:  # read speech, whatever is shown
                    file.writelines(abx_items(name, entry))
                yield name, entry

    with atomic_path(out / ABX_ITEMS) as temporary:
        with open(temporary, "w", encoding="utf-8") as file:
            save_manifest(out / MANIFEST, entries(file))
    voices = [speaker(plan.seed, i) for i in range(plan.speakers)]
    return {
        "about": "Synthetic formant speech: it shows that something runs and "
        "learns, and says nothing about real speech.",
        "settings": settings,
        "made_with": _made_with(),
        "sample_rate": SAMPLE_RATE,
        "items": dict(items),
        "minutes": {k: round(s / 60, 4) for k, s in seconds.items()},
        "split_minutes": {k: round(s / 60, 4) for k, s in splits.items()},
        "hours": round(sum(seconds.values()) / 3600, 6),
        "speakers": {
            v.name: {"gender": v.gender, "accent": v.accent, "split": v.split}
            for v in voices
        },
        "digest": digest.hexdigest(),
    }


def _print_estimate(plan: Plan, made: int, workers: int) -> None:
    seconds = plan.expected_seconds
    megabytes = seconds * SAMPLE_RATE * 2 / 1e6
    work = made * _CPU_SECONDS_PER_ITEM / workers + (workers > 1)
    print(
        f"about {seconds / 60:.0f} minutes of audio in {len(plan)} "
        f"recordings, {megabytes:.0f} MB; {made} to make, {work:.0f} s with "
        f"{workers} worker(s)",
        flush=True,
    )


def _summary(
    out: Path, certificate: dict[str, Any], began: float, made: int
) -> Summary:
    return Summary(
        out=out,
        manifest=out / MANIFEST,
        items=certificate["items"],
        minutes=certificate["minutes"],
        digest=certificate["digest"],
        seconds=time.perf_counter() - began,
        made=made,
    )
