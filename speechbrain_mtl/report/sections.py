"""The sections of a report, each from the results it needs."""

import math
from collections.abc import Mapping
from html import escape
from itertools import zip_longest
from typing import Any

from speechbrain_mtl.report import figures
from speechbrain_mtl.report.markup import (
    ABSENT,
    bars,
    fact_list,
    figure,
    number,
    number_tiles,
    section,
    significant,
    table,
)
from speechbrain_mtl.report.results import THIS, Run
from speechbrain_mtl.report.verdict import best, tallies, verdict

# Columns of the selection table: field, heading, explanation.
SELECTION = {
    "weight": ("weight", "of the task's loss in pretraining"),
    "ci": ("score", "what ranks the tasks, lower is preferred"),
    "interval": ("95 % interval", "of the score"),
    "z": ("z", "dependence on the speech, in deviations from chance"),
    "p": ("p", "of that z under permutation within classes"),
    "relevance": ("relevance", "dependence on the downstream class"),
    "within_class_spread": ("spread", "of the label within classes"),
    "mean_similarity": ("similarity", "mean of the label's kernel"),
    "reference": ("published", "score of the original estimator"),
}
FLAGS = {
    "class-blind": "the class tells nothing of the label",
    "noise-like": "neither speech nor class tells anything of the label",
    "near-constant": "the label hardly varies",
}


def headline(run: Run) -> str:
    """What was trained, with what weights, and what came of it."""
    metrics = run.metrics
    train = metrics.get("train") or {}
    chosen = run.weights
    candidates = run.selection.get("tasks") or {}
    of = f" of {len(candidates)}" if candidates else ""
    tiles = number_tiles(
        ("audio heard", number(train.get("hours_of_audio"), 2, " h")),
        ("steps", number(train.get("steps"), 0)),
        ("tasks chosen", f"{len(chosen)}{of}"),
        ("seed", number(metrics.get("seed"), 0)),
    )
    note = (metrics.get("data") or {}).get("note")
    return f"""
<header>
<p class="kicker">speechbrain_mtl &middot; results of a run</p>
<h1>{escape(run.title)}</h1>
<p class="lead">{escape(verdict(run))}</p>
{f'<p class="callout">{escape(str(note))}</p>' if note else ""}
{_verdict_bars(run)}
{tiles}
{_weights(chosen)}
</header>"""


def selection(run: Run) -> str:
    """Scores of the candidate tasks as a picture and a table."""
    tasks = run.selection.get("tasks")
    if not tasks:
        return section("Which tasks, and why", f"<p>{ABSENT}</p>")
    columns = [
        key for key in SELECTION if any(key in t for t in tasks.values())
    ]
    flags = {flag for task in tasks.values() for flag in task.get("flags", ())}
    heads = ["task", *(SELECTION[key][0] for key in columns)]
    rows = [
        _candidate(name, tasks[name], columns, bool(flags))
        for name in sorted(tasks, key=lambda name: _rank(tasks[name]))
    ]
    legend = [SELECTION[key] for key in columns]
    legend += [(flag, why) for flag, why in FLAGS.items() if flag in flags]
    settings = {
        key: value
        for key, value in run.selection.items()
        if key not in ("format", "tasks", "weights")
    }
    return section(
        "Which tasks, and why",
        figure(
            figures.scores_figure(tasks),
            "Score of each candidate task with its 95 % interval. Those in "
            "colour were selected.",
        ),
        table([*heads, "flags"] if flags else heads, rows),
        '<p class="small">'
        + "; ".join(f"<b>{title}</b>: {why}" for title, why in legend)
        + ".</p>",
        fact_list(settings, "How it was selected"),
    )


def probes(run: Run) -> str:
    """Results on frozen features beside the baselines."""
    if not run.probes:
        return section("What the encoder knows", f"<p>{ABSENT}</p>")
    systems = run.systems
    rows = []
    for name in run.probes:
        metric, higher = run.metric(name)
        winners = best(run, name)
        items = systems[THIS].get(name, {}).get("n")
        cells = [
            _result(row.get(name), system in winners)
            for system, row in systems.items()
        ]
        rows.append(
            f"<tr><th>{escape(name)}</th>"
            f"<td>{escape(metric)} {'↑' if higher else '↓'}</td>"
            f"<td>{number(items, 0)}</td>{''.join(cells)}</tr>"
        )
    heads = ["probe", "metric, %", "n", *map(escape, systems)]
    return section(
        "What the encoder knows",
        figure(
            figures.probes_figure(run),
            "Small heads on frozen features, on unseen data. Marks are test "
            f"results, lines 95 % intervals{_heads(run)}.",
        ),
        table(heads, rows),
        '<p class="small">Best value of each row in colour. Brackets: 95 % '
        "interval.</p>",
    )


def training(run: Run) -> str:
    """Losses and gradient shares over audio."""
    if not run.log:
        return section("How training went", f"<p>{ABSENT}</p>")
    return section(
        "How training went",
        figure(
            figures.curves_figure(run.log),
            "Loss of each task. Line: training; circles: validation, with the "
            "last value.",
        ),
        "<h3>Who steered the encoder</h3>",
        figure(
            figures.shares_figure(run.log),
            "Share of each task's weighted gradient norm on the encoder. A "
            "weight says how much a loss counts, the share how hard it pulls.",
        ),
    )


def cost(run: Run) -> str:
    """Time and memory."""
    known = run.metrics.get("cost") or {}
    wall = known.get("wall_s") or {}
    total = sum(wall.values()) / 60 if wall else None
    tiles = number_tiles(
        ("time of all stages", number(total, 1, " min")),
        ("audio hours an hour", number(known.get("audio_hours_per_hour"), 0)),
        ("peak memory", number(known.get("peak_rss_mb"), 0, " MB")),
        ("peak GPU memory", number(known.get("peak_gpu_mb"), 0, " MB")),
    )
    return section(
        "What it cost",
        tiles,
        figure(
            figures.cost_figure(wall) if wall else "",
            "Time of each stage, when it was last run.",
        ),
    )


def reproducibility(run: Run) -> str:
    """Everything needed to get the numbers again."""
    metrics = run.metrics
    command = metrics.get("command")
    recorded = ("seed", "git", "versions", "data")
    facts = {
        key: "not recorded" if metrics.get(key) is None else metrics[key]
        for key in recorded
    }
    return section(
        "How to get it again",
        f"<pre>{escape(str(command))}</pre>" if command else f"<p>{ABSENT}</p>",
        fact_list(facts, ""),
    )


def _rank(task: Mapping[str, Any]) -> tuple[float, float]:
    """Heavy tasks first, then those with a low score, then the unscored."""
    score = task.get("ci")
    return -(task.get("weight") or 0), math.inf if score is None else score


def _candidate(
    name: str, task: Mapping[str, Any], columns: list[str], flagged: bool
) -> str:
    """A row of the selection table."""
    cells = []
    for key in columns:
        value = task.get(key)
        if key == "interval" and value:
            text = " – ".join(map(significant, value))
        elif key == "p" and value is not None:
            text = "&lt; 0.001" if value < 0.001 else number(value, 3)
        else:
            digits = {"weight": 3, "z": 1}.get(key)
            text = number(value, digits) if digits else significant(value)
        cells.append(f"<td>{text}</td>")
    if flagged:
        flags = "".join(f"<em>{escape(f)}</em>" for f in task.get("flags", ()))
        cells.append(f'<td class="flags">{flags}</td>')
    chosen = ' class="chosen"' if task.get("weight") else ""
    return f"<tr{chosen}><th>{escape(name)}</th>{''.join(cells)}</tr>"


def _heads(run: Run) -> str:
    """Which heads are drawn filled and which hollow."""
    heads = [
        [name.partition("/")[2] for name in names]
        for names in run.probe_heads.values()
    ]
    filled, *hollow = (
        " or ".join(dict.fromkeys(filter(None, place)))
        for place in zip_longest(*heads)
    )
    return f"; {filled} heads filled, {hollow[0]} hollow" if hollow else ""


def _weights(weights: Mapping[str, float]) -> str:
    """The chosen weights as bars whose lengths compare."""
    if not weights:
        return f"<p>Weights: {ABSENT}</p>"
    return f"<h3>Weights</h3>{bars(weights)}"


def _verdict_bars(run: Run) -> str:
    """Clearly better, undecided and clearly worse probes, a bar a baseline."""
    rows = "".join(
        f"<span>against {escape(system)}</span><div>"
        + "".join(
            f'<i class="{kind}" style="flex:{count}">{count}</i>'
            for kind, count in vars(tally).items()
            if count
        )
        + "</div>"
        for system, tally in tallies(run).items()
    )
    if not rows:
        return ""
    return (
        f'<div class="verdict">{rows}</div><p class="small">Number of probes '
        'on which this run is <i class="better">clearly better</i>, <i class='
        '"even">not apart</i>, <i class="worse">clearly worse</i>. Clearly: '
        "the 95 % intervals do not overlap.</p>"
    )


def _result(cell: Mapping[str, Any] | None, winner: bool) -> str:
    """A probe result in percent."""
    if not cell or cell.get("value") is None:
        return f"<td>{ABSENT}</td>"
    text = f"{100 * cell['value']:.1f}"
    if cell.get("interval"):
        low, high = (100 * end for end in cell["interval"])
        text += f" <small>[{low:.1f}, {high:.1f}]</small>"
    mark = ' class="best"' if winner else ""
    return f"<td{mark}>{text}</td>"
