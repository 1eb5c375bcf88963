"""A whole study of speech with images: every run, then card and pictures."""

import sys
from collections.abc import Mapping
from pathlib import Path

from speechbrain_mtl.data.atomic import atomic_path, write_json
from speechbrain_mtl.data.pictures import Images
from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.provenance import git_commit, versions
from speechbrain_mtl.report.grounding_figures import draw_grounding
from speechbrain_mtl.report.grounding_page import write_grounding_page
from speechbrain_mtl.report.grounding_text import grounded_table
from speechbrain_mtl.study.grounded import GroundedExperiment
from speechbrain_mtl.study.grounded_card import grounded_card
from speechbrain_mtl.training.start import Start


def run_grounding(
    started: Start,
    parts: Mapping[str, Mapping[str, dict]],
    images: Images,
    data: str,
    about: Mapping,
) -> Path:
    """Make every run that is not there yet, and write the card.

    Arguments
    ---------
    started : Start
        The YAML; see `GroundedExperiment`.
    parts : dict
        See `train_grounded`.
    images : Images
        Of all captions.
    data : str
        Digest of both.
    about : dict
        What they are, for the record.

    Returns
    -------
    path : Path
        Of ``grounding.json``. Beside it lie its table, ``grounding.txt``, the
        pictures of the first seed, if matplotlib is there, ``metrics.json``
        of the first seed and ``report.html``.
    """
    experiment = GroundedExperiment(started)
    results = experiment.run(parts, images, data)
    first = {name: found[0] for name, found in results.items()}
    card = {
        "experiment": experiment.title,
        "command": "python " + " ".join(sys.argv),
        "git": git_commit(),
        "versions": versions(),
        "data": {**about, "digest": data},
        "captions": {part: len(entries) for part, entries in parts.items()},
        "pools": next(iter(first.values()))["pools"],
        "chance": {
            way: found["chance"]
            for way, found in next(iter(first.values()))["test"].items()
        },
        **grounded_card(results),
        "forgetting": {
            name: [result["forgetting"] for result in found]
            for name, found in results.items()
        },
        "ends": {name: found["ends"] for name, found in first.items()},
        "hours_of_audio": {
            name: [result["hours_of_audio"] for result in found]
            for name, found in results.items()
        },
        "wall_s": experiment.wall,
    }
    path = experiment.folder / "grounding.json"
    write_json(path, card)
    table = grounded_table(card)
    with atomic_path(path.with_suffix(".txt")) as temporary:
        temporary.write_text(table + "\n", encoding="utf-8")
    print(table)
    rows = {name: recall_scores(found) for name, found in first.items()}
    *_, last = rows
    rows["this"] = rows.pop(last)
    experiment.write_metrics(None, None, rows, about)
    try:
        draw_grounding(first, experiment.folder)
    except ImportError as error:  # pictures are an extra
        print(f"no pictures: {error}")
    page = write_grounding_page(card, experiment.folder)
    print(f"card: {path}\nreport: {page}")
    return path


def recall_scores(result: Mapping) -> dict[str, dict]:
    """Give recalls on the test part in the form of `metrics.json`.

    Example
    -------
    >>> way = {"recall": {"1": 0.5}, "interval": {"1": [0.2, 0.8]}}
    >>> way["queries"] = 10
    >>> recall_scores({"test": {"speech_to_image": way}})
    {'speech_to_image/R@1': {'metric': 'recall', 'value': 0.5, 'n': 10, \
'interval': [0.2, 0.8], 'higher_is_better': True}}
    """
    return {
        f"{way}/R@{k}": Score(
            "recall", value, found["queries"], list(found["interval"][k])
        ).as_dict()
        for way, found in result["test"].items()
        for k, value in found["recall"].items()
    }
