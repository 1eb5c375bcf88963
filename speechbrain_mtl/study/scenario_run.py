"""A whole study of tasks trained together: every run, then its card."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.evaluation.scenarios import read_scenarios
from speechbrain_mtl.provenance import git_commit, versions
from speechbrain_mtl.report.relation_results import RelationResults
from speechbrain_mtl.report.relations_command import tell
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
        reads. Beside it lie ``report.html``, the page of that command, and
        ``metrics.json`` of the first seed: all tasks together, and each by
        itself.
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
    rows = first_seed(results, hparams["rule"])
    experiment.write_metrics(None, experiment.pretraining, rows, about)
    print(f"scenarios: {path}")
    tell(RelationResults(read_scenarios(path)), path.parent, "report.html")
    return path


def first_seed(
    results: Mapping[str, Mapping[int, Any]], rule: str
) -> dict[str, dict]:
    """Give test scores of the first seed in the form of `metrics.json`.

    Arguments
    ---------
    results : dict
        What `ScenarioExperiment.run` gave.
    rule : str
        How checkpoints were chosen, but for heads alone.

    Returns
    -------
    rows : dict
        Scores by "<task>/<metric>": ``"this"`` of all tasks together, or of
        heads alone where they were not; ``"alone"`` and ``"single"`` beside.
    """
    alone = results["alone"][0]["rules"][BEST_OF_EACH]["scores"]
    rows = {"this": alone}
    if "all" in results:
        rows = {"this": results["all"][0]["rules"][rule]["scores"]}
        rows["alone"] = alone
    if "single" in results:
        rows["single"] = {
            name: score
            for result in results["single"][0].values()
            for name, score in result["rules"][rule]["scores"].items()
        }
    return rows
