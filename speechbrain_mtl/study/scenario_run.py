"""A whole study of tasks trained together: every run, then its card."""

import sys
from collections.abc import Mapping
from pathlib import Path

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.provenance import git_commit, versions
from speechbrain_mtl.report import probe_table
from speechbrain_mtl.study.scenario_card import scenario_card
from speechbrain_mtl.study.scenarios import ScenarioExperiment
from speechbrain_mtl.training.joint_data import TaskParts
from speechbrain_mtl.training.joint_results import BEST_OF_EACH
from speechbrain_mtl.training.start import Start


def run_scenarios(
    started: Start,
    parts: TaskParts,
    data: str,
    about: Mapping,
    unlabelled: tuple[dict[str, dict], dict[str, dict]] | None = None,
) -> Path:
    """Make every run that is not there yet, and write the card.

    Arguments
    ---------
    started : Start
        The YAML; see `ScenarioExperiment`, and ``rule``, by which
        checkpoints are chosen in the table.
    parts : dict
        Entries by task and part.
    data : str
        Digest of them.
    about : dict
        What they are, for the record.
    unlabelled : tuple of dict, optional
        What to pretrain on, and to watch.

    Returns
    -------
    path : Path
        Of ``scenarios.json``, which ``python -m speechbrain_mtl relations``
        reads. Beside it lie ``metrics.json`` and ``report.html`` of the first
        seed: all tasks together, and each alone.
    """
    hparams = started.hparams
    experiment = ScenarioExperiment(hparams, started.settings, started.run_opts)
    results = experiment.run(parts, data, unlabelled)
    affinities = [
        experiment.folder / f"seed_{seed}" / "all" / "affinity.jsonl"
        for seed in results.get("all", {})
    ]
    card = {
        "experiment": experiment.title,
        "command": "python " + " ".join(sys.argv),
        "git": git_commit(),
        "versions": versions(),
        "data": {**about, "digest": data},
        "utterances": {
            task: {part: len(found) for part, found in by_part.items()}
            for task, by_part in parts.items()
        },
        **scenario_card(
            results, list(hparams["tasks"]), hparams["rule"], affinities
        ),
        "wall_s": experiment.wall,
    }
    path = experiment.folder / "scenarios.json"
    write_json(path, card)
    rows = {
        name: results[scenario][0]["rules"][rule]["scores"]
        for name, scenario, rule in (
            ("this", experiment.wanted[:2][-1], hparams["rule"]),
            ("alone", "alone", BEST_OF_EACH),
        )
        if rule in results[scenario][0]["rules"]
    }
    rows = {"this": rows["alone"], **rows}
    print(probe_table(rows))
    page = experiment.finish(None, experiment.pretraining, rows, about)
    print(f"scenarios: {path}\nreport: {page}")
    return path
