"""What a run left in its folder, read once for all sections."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from speechbrain_mtl.training.progress import JsonLinesLog

THIS = "this run"
METRICS = {"per": "phone error rate"}
TITLES = {
    "fbank_context": "log-mel with context",
    "random_init": "random init",
    "uniform": "uniform weights",
}


@dataclasses.dataclass(frozen=True)
class Run:
    """The results of one run.

    Arguments
    ---------
    metrics : dict
        Content of ``metrics.json``.
    selection : dict
        Content of ``selection.json``, empty when there is none.
    log : list of dict
        Lines of ``train_log.jsonl``, empty when there is none.
    """

    metrics: dict[str, Any]
    selection: dict[str, Any]
    log: list[dict[str, Any]]

    @property
    def title(self) -> str:
        """What was run, as a heading."""
        title = str(self.metrics.get("experiment") or "unnamed experiment")
        return title[:1].upper() + title[1:]

    @property
    def systems(self) -> dict[str, dict[str, dict]]:
        """Probe results by system: the baselines, then this run."""
        baselines = self.metrics.get("baselines") or {}
        order = [name for name in TITLES if name in baselines]
        order += [name for name in baselines if name not in TITLES]
        rows = {TITLES.get(name, name): baselines[name] for name in order}
        return {**rows, THIS: self.metrics.get("probes") or {}}

    @property
    def probes(self) -> list[str]:
        """Names of all probes that any system has, this run's first."""
        own, *others = reversed(self.systems.values())
        return list(dict.fromkeys([*own, *(n for o in others for n in o)]))

    @property
    def probe_heads(self) -> dict[str, list[str]]:
        """Names of probes by what stands before the slash and the head."""
        heads: dict[str, list[str]] = {}
        for name in self.probes:
            heads.setdefault(name.split("/")[0], []).append(name)
        return heads

    def metric(self, probe: str) -> tuple[str, bool]:
        """Name a probe's metric, and whether more of it is better."""
        cell = next(row[probe] for row in self.systems.values() if probe in row)
        name = cell["metric"]
        return METRICS.get(name, name), cell["higher_is_better"]

    @property
    def weights(self) -> dict[str, float]:
        """Weights above 0, the largest first."""
        weights = (self.metrics.get("weights") or {}).items()
        positive = [(name, weight) for name, weight in weights if weight > 0]
        return dict(sorted(positive, key=lambda pair: -pair[1]))


def load_run(folder: str | os.PathLike) -> Run:
    """Read a run's result files.

    Arguments
    ---------
    folder : str or path-like
        The run's output folder. Only ``metrics.json`` must be there.

    Returns
    -------
    run : Run
        What was found.

    Raises
    ------
    ValueError
        When ``metrics.json`` is missing, or a file is not JSON.
    """
    folder = Path(folder)
    if not (folder / "metrics.json").is_file():
        raise ValueError(
            f"{folder}: no metrics.json. Give the output folder of a finished "
            "run, such as results/sparsemax_word/0."
        )
    return Run(
        metrics=_read(folder / "metrics.json"),
        selection=_read(folder / "selection.json"),
        log=_read_log(folder / "train_log.jsonl"),
    )


def _read(path: Path) -> dict[str, Any]:
    """A JSON object, empty when there is no file."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON ({error}). Run anew.") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path}: is no JSON object. Run anew.")
    return value


def _read_log(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a log."""
    try:
        return JsonLinesLog(path).entries()
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}: a line is not JSON ({error}). Remove the line."
        ) from error
