"""A whole study: scores, single labels, groups, over seeds; then the card."""

import logging
import sys
import time
from collections import defaultdict
from pathlib import Path

from hyperpyyaml import load_hyperpyyaml

from speechbrain_mtl.data.atomic import atomic_path, write_json
from speechbrain_mtl.experiment import PretextExperiment
from speechbrain_mtl.provenance import git_commit, versions
from speechbrain_mtl.report.study_figures import draw_study
from speechbrain_mtl.selection import Selection
from speechbrain_mtl.study.card import study_card, study_tables
from speechbrain_mtl.study.strategies import STRATEGIES, strategy_weights
from speechbrain_mtl.study.study import UNTRAINED, SelectionStudy
from speechbrain_mtl.training.settings import read_settings
from speechbrain_mtl.training.stages import stage
from speechbrain_mtl.training.start import Start

logger = logging.getLogger(__name__)


def run_study(study: SelectionStudy, started: Start, data: dict) -> str:
    """Make every run of a study that is not there yet, and its card.

    Arguments
    ---------
    study : SelectionStudy
        What to ask, of which data.
    started : Start
        The YAML, loaded anew for every seed; with ``seeds``, ``pretext``,
        ``selector``, ``group_tasks``, ``group_base`` and what
        `PretextExperiment` needs.
    data : dict
        What the study was made on, for the record.

    Returns
    -------
    text : str
        The tables; also written as ``study.md`` beside ``study.json`` and
        ``study.png``.
    """
    began = time.perf_counter()
    hparams, settings = started.hparams, started.settings
    selections = study.score(
        hparams["selector"],
        hparams["pretext"]["workers"],
        {
            "selector": settings["selector"],
            "workers": settings["pretext"]["workers"],
        },
    )
    weights = _group_weights(study, hparams, settings)
    runs = {name: {name: 1.0} for name in hparams["pretext"]["tasks"]}
    base = hparams["group_base"]
    for task, strategies in weights.items():
        for strategy, row in strategies.items():
            runs[_group(task, strategy)] = {**base, **row}
    seeds, hours = range(hparams["seeds"]), settings["pretrain"]["hours"]
    logger.info(
        f"{len(runs)} runs of {hours} h of audio, {len(seeds)} seeds: "
        f"{len(runs) * len(seeds) * hours:.1f} h of audio in all"
    )
    errors = defaultdict(lambda: defaultdict(list))
    for seed in seeds:
        seeded = f"{started.overrides}\nseed: {seed}"
        with open(started.hparams_file, encoding="utf-8") as fin:
            experiment = PretextExperiment(
                load_hyperpyyaml(fin, seeded),
                read_settings(started.hparams_file, seeded),
                started.run_opts,
            )
        found = study.errors(experiment, seed, runs)
        for task, row in found.items():
            for run, error in row.items():
                errors[task][run].append(error)
        spent = (time.perf_counter() - began) / 60
        left = spent / (seed + 1) * (len(seeds) - seed - 1)
        logger.info(f"{spent:.0f} minutes spent, about {left:.0f} to go")
    card = {
        "experiment": "does the score predict?",
        "command": "python " + " ".join(sys.argv),
        "git": git_commit(),
        "versions": versions(),
        "data": data,
        "hours_of_audio": hours,
        "seeds": list(seeds),
        **_collect(study, selections, weights, errors, hparams),
    }
    return _write(card, study.folder)


def _group(task: str, strategy: str) -> str:
    """Name the run of one strategy's weights for one downstream task."""
    return f"group_{task}_{strategy.replace(' ', '_')}"


def _group_weights(
    study: SelectionStudy, hparams: dict, settings: dict
) -> dict[str, dict[str, dict[str, float]]]:
    """Weigh the candidates for each task whose groups are compared."""
    base, selector = hparams["group_base"], hparams["selector"]
    workers = {
        name: worker
        for name, worker in hparams["pretext"]["workers"].items()
        if name not in base
    }
    weights = {}
    for task in hparams["group_tasks"]:
        asked = study.downstreams[task]

        def make(asked=asked):  # noqa: ANN001, ANN202
            return strategy_weights(
                asked.labelled, asked.field, workers, selector
            )

        weights[task] = stage(
            f"weights_{task}",
            study.folder,
            {
                "data": asked.data,
                "field": asked.field,
                "selector": settings["selector"],
                "workers": settings["pretext"]["workers"],
                "base": base,
                "strategies": STRATEGIES,
            },
            make,
        )
    return weights


def _collect(
    study: SelectionStudy,
    selections: dict[str, Selection],
    weights: dict,
    errors: dict,
    hparams: dict,
) -> dict:
    """Sort errors into labels, strategies and the untrained encoder."""
    labels = list(hparams["pretext"]["tasks"])
    singles = {t: {n: errors[t][n] for n in labels} for t in study.downstreams}
    groups = {
        task: {s: errors[task][_group(task, s)] for s in strategies}
        for task, strategies in weights.items()
    }
    untrained = {t: errors[t][UNTRAINED] for t in study.downstreams}
    return study_card(selections, singles, untrained, groups, weights)


def _write(card: dict, folder: Path) -> str:
    """Write the card, its tables and its picture; give the tables."""
    text = study_tables(card)
    write_json(folder / "study.json", card)
    with atomic_path(folder / "study.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    draw_study(card, folder / "study.png")
    return text + f"written to {folder}"
