"""Cross-validation: the whole downstream experiment once a fold."""

import copy
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import fmean

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.downstream import DownstreamExperiment, unlabelled
from speechbrain_mtl.evaluation.intervals import seed_interval
from speechbrain_mtl.experiment import splits
from speechbrain_mtl.report import probe_table, write_report
from speechbrain_mtl.training.finetune import prepare_tasks
from speechbrain_mtl.training.stages import fingerprint
from speechbrain_mtl.training.start import Start

logger = logging.getLogger(__name__)

# Files of all folds; those of fold k lie in the folder fold_<k>.
FOLD = "fold_{}"


def cross_validate(
    started: Start,
    entries: dict[str, dict],
    fields: Mapping[str, str],
    data: str,
    note: dict,
) -> dict[str, dict]:
    """Select, pretrain, train and test once a fold; then average.

    Each fold is an experiment of its own, in ``<output_folder>/fold_<k>``,
    that sees nothing of its test part: selection looks at its training part,
    and pretraining leaves out its test recordings. Only where no labelled
    recording is pretrained on do folds share the encoder of equal weights.

    Arguments
    ---------
    started : Start
        The recipe's YAML, as for `DownstreamExperiment`; ``folds`` lists those
        to run, null for all.
    entries : dict
        The labelled manifest.
    fields : dict
        Manifest field with the split, train, valid or test, by fold.
    data : str
        Digest of the manifest.
    note : dict
        What the data are, for the record.

    Returns
    -------
    results : dict
        ``{row: {"<task>/<metric>": score}}``, means over folds.

    Raises
    ------
    ManifestError
        Before anything is pretrained, when a part of any fold is empty or
        entries do not fit a task.
    ValueError
        When there is no such fold.
    """
    hparams = dict(started.hparams)
    folder = Path(hparams["output_folder"])
    chosen = choose_folds(fields, hparams["folds"])
    parts = {fold: splits(entries, fields[fold]) for fold in chosen}
    apart = True
    if hparams["pretrain"] is not None and hparams["pretrained"] is None:
        for fold in chosen:
            tasks = copy.deepcopy(hparams["tasks"])
            prepare_tasks(tasks, hparams["encoder"].dims, parts[fold])
        # Once for all folds: large folders take minutes to look through.
        speech, manifest = unlabelled(hparams, folder)
        hparams["pretrain_manifest"] = manifest
        apart = files(speech).isdisjoint(files(entries))
    for fold in chosen:
        logger.info(f"fold {fold} of {', '.join(chosen)}")
        own = {**hparams, "output_folder": folder / FOLD.format(fold)}
        if "uniform_folder" in hparams and not apart:
            shared = Path(hparams["uniform_folder"])
            own["uniform_folder"] = shared / FOLD.format(fold)
        experiment = DownstreamExperiment(
            own, started.settings, started.run_opts
        )
        digest = fingerprint([data, fields[fold]])
        experiment.run(parts[fold], digest, {**note, "fold": fold})
    metrics = summarise(
        {fold: _metrics(folder / FOLD.format(fold)) for fold in chosen}
    )
    write_json(folder / "metrics.json", metrics)
    results = {"this": metrics["probes"], **metrics["baselines"]}
    print(probe_table(results))
    print(f"report of all folds: {write_report(folder)}")
    return results


def choose_folds(
    fields: Mapping[str, str], wanted: Iterable | None
) -> list[str]:
    """Name the folds to run, in their order.

    Arguments
    ---------
    fields : mapping
        Of all folds, by name.
    wanted : iterable, optional
        Some of the names; None for all.

    Returns
    -------
    folds : list of str

    Raises
    ------
    ValueError
        When none is wanted, or one that does not exist.

    Example
    -------
    >>> choose_folds({"1": "fold_1", "2": "fold_2", "3": "fold_3"}, [3, 1])
    ['1', '3']
    """
    if wanted is None:
        return list(fields)
    wanted = [str(fold) for fold in wanted]
    unknown = [fold for fold in wanted if fold not in fields]
    if unknown or not wanted:
        raise ValueError(
            f"folds is {wanted}; choose of {', '.join(fields)}, as "
            f"--folds=[{next(iter(fields))}], or leave it out for all"
        )
    return [fold for fold in fields if fold in wanted]


def files(entries: Mapping[str, Mapping]) -> set[Path]:
    """Name the recordings of a manifest, wherever links lead."""
    return {Path(entry["wav"]).resolve() for entry in entries.values()}


def mean_score(scores: Mapping[str, dict]) -> dict:
    """Average one score over folds.

    Arguments
    ---------
    scores : dict
        As in ``metrics.json``, by fold.

    Returns
    -------
    score : dict
        The mean with Student's 95 % interval over folds, cut at what a
        fraction can be; ``n`` is summed, ``folds`` holds each value. Folds
        train on much the same data, so that the interval of a new data set
        would be wider. One fold keeps its own interval.

    Example
    -------
    >>> score = {"metric": "accuracy", "n": 9, "higher_is_better": True}
    >>> folds = {"1": score | {"value": 0.5}, "2": score | {"value": 0.7}}
    >>> for fold in folds.values():
    ...     fold |= {"valid": 0.5, "interval": None}
    >>> mean = mean_score(folds)
    >>> round(mean["value"], 3), mean["n"], mean["interval"]
    (0.6, 18, [0.0, 1.0])
    """
    first = next(iter(scores.values()))
    values = {fold: score["value"] for fold, score in scores.items()}
    interval = first["interval"]
    if len(values) > 1:
        low, high = seed_interval(list(values.values()))
        # Error rates, unlike accuracies, may exceed 1.
        high = min(1.0, high) if first["higher_is_better"] else high
        interval = [max(0.0, low), high]
    return {
        **first,
        "value": fmean(values.values()),
        "valid": fmean(score["valid"] for score in scores.values()),
        "interval": interval,
        "n": sum(score["n"] for score in scores.values()),
        "folds": values,
    }


def summarise(folds: Mapping[str, dict]) -> dict:
    """Make one ``metrics.json`` of those of the folds.

    Arguments
    ---------
    folds : dict
        Content of ``metrics.json`` by fold.

    Returns
    -------
    metrics : dict
        Scores and weights are means over folds; audio, steps and time are
        sums. Time is without the baseline of equal weights, which folds may
        share.
    """
    each = list(folds.values())
    first = each[0]
    names = ", ".join(folds)

    def averaged(find: Callable[[dict], dict[str, dict]]) -> dict[str, dict]:
        return {
            name: mean_score({f: find(m)[name] for f, m in folds.items()})
            for name in find(first)
        }

    peaks = [m["cost"]["peak_gpu_mb"] for m in each]
    return {
        **first,
        "experiment": f"{first['experiment']}, folds {names}",
        "data": {
            **first["data"],
            "fold": names,
            "note": f"Means over folds {names}, weights too. Selection and "
            "training of fold k are told by fold_k/report.html.",
        },
        "weights": {
            name: fmean(metrics["weights"][name] for metrics in each)
            for name in first["weights"]
        },
        "train": {
            key: sum(metrics["train"][key] for metrics in each)
            for key in ("hours_of_audio", "steps")
            if key in first["train"]
        },
        "valid": {},
        "probes": averaged(lambda metrics: metrics["probes"]),
        "baselines": {
            row: averaged(lambda metrics, row=row: metrics["baselines"][row])
            for row in first["baselines"]
        },
        "cost": {
            "wall_s": {
                f"fold {fold}": sum(
                    seconds
                    for stage, seconds in metrics["cost"]["wall_s"].items()
                    if not stage.endswith("(uniform)")
                )
                for fold, metrics in folds.items()
            },
            "audio_hours_per_hour": None,
            "peak_rss_mb": max(m["cost"]["peak_rss_mb"] for m in each),
            "peak_gpu_mb": None if None in peaks else max(peaks),
        },
    }


def _metrics(folder: Path) -> dict:
    text = (folder / "metrics.json").read_text(encoding="utf-8")
    return json.loads(text)
