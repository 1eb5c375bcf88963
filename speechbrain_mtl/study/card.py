"""What a study found, as a card of numbers and as tables."""

from collections.abc import Mapping

from speechbrain_mtl.evaluation.intervals import seed_interval
from speechbrain_mtl.evaluation.prediction import agreement, reliability
from speechbrain_mtl.selection import Selection

# What each score promises: 1 when low values should mean low errors.
SCORES = {
    "reference": 1,
    "mean_similarity": 1,
    "centered": 1,
    "unbiased": 1,
    "normalised": 1,
    "z": 1,
    "within_class_spread": 1,
    "relevance": -1,
    "ci": 1,
}
NAMES = {
    "reference": "published score",
    "mean_similarity": "mean similarity (trivial)",
    "centered": "HSIC, centred",
    "unbiased": "HSIC, unbiased",
    "normalised": "HSIC, normalised",
    "z": "permutation z",
    "within_class_spread": "within-class spread",
    "relevance": "relevance (high is good)",
    "ci": "our score: dependence over relevance",
}


def study_card(
    selections: Mapping[str, Selection],
    singles: Mapping[str, Mapping[str, list[float]]],
    untrained: Mapping[str, list[float]],
    groups: Mapping[str, Mapping[str, list[float]]],
    weights: Mapping[str, Mapping[str, float]],
) -> dict:
    """Set scores against errors, and strategies against equal weights.

    Arguments
    ---------
    selections : dict
        Scores of all labels by downstream task.
    singles : dict
        ``{downstream: {label: [error of each seed]}}``; empty where groups
        only are compared.
    untrained : dict
        ``{downstream: [error of each seed]}`` of the untrained encoder.
    groups : dict
        ``{downstream: {strategy: [error of each seed]}}`` with "uniform".
    weights : dict
        Weights of every strategy.

    Returns
    -------
    card : dict
        Ready for JSON.
    """
    downstream = {}
    for name, errors in singles.items():
        tasks = selections[name].tasks
        labels = sorted(errors)
        columns = [errors[label] for label in labels]
        downstream[name] = {
            "scores": {n: {s: tasks[n][s] for s in SCORES} for n in labels},
            "errors": {label: errors[label] for label in labels},
            "untrained": untrained[name],
            "reliability": reliability(columns),
            "agreement": {
                score: agreement(
                    [sign * tasks[label][score] for label in labels], columns
                ).as_dict()
                for score, sign in SCORES.items()
            },
        }
    return {
        "downstream": downstream,
        "groups": {
            name: {
                strategy: {
                    "errors": values,
                    "gain_over_uniform": paired(errors["uniform"], values),
                }
                for strategy, values in errors.items()
            }
            for name, errors in groups.items()
        },
        "untrained": {name: list(row) for name, row in untrained.items()},
        "weights": {name: dict(row) for name, row in weights.items()},
    }


def paired(baseline: list[float], values: list[float]) -> dict:
    """Mean fall of the error against a baseline, seed by seed.

    Arguments
    ---------
    baseline, values : list of float
        Errors of the same seeds in the same order.

    Returns
    -------
    gain : dict
        "mean" and, from three seeds on, Student's 95 % "interval".

    Example
    -------
    >>> paired([0.5, 0.25], [0.25, 0.25])
    {'mean': 0.125, 'interval': None}
    """
    gains = [b - v for b, v in zip(baseline, values, strict=True)]
    interval = list(seed_interval(gains)) if len(gains) > 2 else None
    return {"mean": sum(gains) / len(gains), "interval": interval}


def study_tables(card: dict) -> str:
    """Lay a card out as Markdown.

    Arguments
    ---------
    card : dict
        From `study_card`.

    Returns
    -------
    text : str
        Which score predicts; which label is good for what; which strategy
        gains.
    """
    lines = []
    if card["downstream"]:
        lines = [*_score_table(card), "", *_label_table(card), ""]
    return "\n".join([*lines, *_group_table(card)]) + "\n"


def _score_table(card: dict) -> list[str]:
    tasks = list(card["downstream"])
    lines = [
        "Spearman correlation of score and error over "
        f"{len(card['downstream'][tasks[0]]['errors'])} labels, 95 % interval:",
        "",
        "| score | " + " | ".join(tasks) + " | mean |",
        "|---" * (len(tasks) + 2) + "|",
    ]
    for score, title in NAMES.items():
        found = [card["downstream"][t]["agreement"][score] for t in tasks]
        cells = [
            f"{a['spearman']:+.2f} [{a['interval'][0]:+.2f}, "
            f"{a['interval'][1]:+.2f}]"
            for a in found
        ]
        mean = sum(a["spearman"] for a in found) / len(found)
        lines.append(f"| {title} | " + " | ".join(cells) + f" | {mean:+.2f} |")
    ceiling = [card["downstream"][t]["reliability"] for t in tasks]
    cells = ["-" if c is None else f"{c:+.2f}" for c in ceiling]
    lines.append("| *errors with themselves* | " + " | ".join(cells) + " | |")
    return lines


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _label_table(card: dict) -> list[str]:
    tasks = list(card["downstream"])
    errors = {t: card["downstream"][t]["errors"] for t in tasks}
    first = errors[tasks[0]]
    lines = [
        "Error of the frozen probe after pretraining on one label alone, %, "
        "mean over seeds:",
        "",
        "| label | " + " | ".join(tasks) + " |",
        "|---" * (len(tasks) + 1) + "|",
    ]
    for label in sorted(first, key=lambda n: _mean(first[n])):
        cells = [f"{100 * _mean(errors[t][label]):.1f}" for t in tasks]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    cells = [
        f"{100 * _mean(card['downstream'][t]['untrained']):.1f}" for t in tasks
    ]
    return [*lines, "| *not trained* | " + " | ".join(cells) + " |"]


def _group_table(card: dict) -> list[str]:
    lines = [
        "Groups of labels beside the base: error, and how much lower than with "
        "equal weights, points of percent:",
        "",
        "| strategy | task | error | gain over equal weights |",
        "|---|---|---|---|",
    ]
    for task, strategies in card["groups"].items():
        order = sorted(
            strategies, key=lambda name: _mean(strategies[name]["errors"])
        )
        for name in order:
            row = strategies[name]
            gain = row["gain_over_uniform"]
            text = f"{100 * gain['mean']:+.1f}"
            if gain["interval"] is not None:
                low, high = (100 * end for end in gain["interval"])
                text += f" [{low:+.1f}, {high:+.1f}]"
            error = 100 * _mean(row["errors"])
            lines.append(f"| {name} | {task} | {error:.1f} | {text} |")
        error = 100 * _mean(card["untrained"][task])
        lines.append(f"| *not trained* | {task} | {error:.1f} | |")
    return lines
