"""A whole study: scores, single labels, groups, over seeds; then the card."""

import logging
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
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
        ``selector``, ``single_labels``, ``group_tasks``, ``strategies``,
        ``group_base`` and what `PretextExperiment` needs.
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
    labels = list(hparams["pretext"]["tasks"])
    selections = {}
    if not hparams["single_labels"]:
        labels = []
    else:
        selections = study.score(
            hparams["selector"],
            hparams["pretext"]["workers"],
            {
                "selector": settings["selector"],
                "workers": settings["pretext"]["workers"],
            },
        )
    weights = _group_weights(study, hparams, settings)
    runs = {name: {name: 1.0} for name in labels}
    names = name_runs(weights)
    for task, strategies in weights.items():
        for strategy, row in strategies.items():
            run = names[task][strategy]
            runs.setdefault(run, {**hparams["group_base"], **row})
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
        **_collect(study, selections, weights, names, labels, errors),
    }
    return _write(card, study.folder)


def name_runs(
    weights: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> dict[str, dict[str, str]]:
    """Name the run of every task and strategy; equal weights are one run.

    Arguments
    ---------
    weights : dict
        ``{task: {strategy: {label: weight}}}``.

    Returns
    -------
    names : dict
        ``{task: {strategy: run}}``.

    Example
    -------
    >>> even = {"even": {"f0": 1.0}}
    >>> name_runs({"word": even, "phone": even})
    {'word': {'even': 'group_word_even'}, 'phone': {'even': 'group_word_even'}}
    """
    found: dict[tuple, str] = {}
    return {
        task: {
            strategy: found.setdefault(
                tuple(sorted((n, round(w, 6)) for n, w in row.items())),
                f"group_{task}_{strategy.replace(' ', '_')}",
            )
            for strategy, row in strategies.items()
        }
        for task, strategies in weights.items()
    }


def _group_weights(
    study: SelectionStudy, hparams: dict, settings: dict
) -> dict[str, dict[str, dict[str, float]]]:
    """Weigh the candidates for each task whose groups are compared."""
    if "uniform" not in hparams["strategies"]:
        raise ValueError(
            f"strategies {list(hparams['strategies'])}: add 'uniform', which "
            "gains are measured against."
        )
    unknown = set(hparams["strategies"]) - set(STRATEGIES)
    if unknown:
        raise ValueError(
            f"strategies {sorted(unknown)}: choose from {list(STRATEGIES)}."
        )
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

        found = stage(
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
        weights[task] = {name: found[name] for name in hparams["strategies"]}
    return weights


def _collect(
    study: SelectionStudy,
    selections: dict[str, Selection],
    weights: dict,
    names: dict[str, dict[str, str]],
    labels: list[str],
    errors: dict,
) -> dict:
    """Sort errors into labels, strategies and the untrained encoder."""
    singles = {
        task: {name: errors[task][name] for name in labels}
        for task in (study.downstreams if labels else ())
    }
    groups = {
        task: {s: errors[task][run] for s, run in row.items()}
        for task, row in names.items()
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
