"""Relations of tasks as text: tables for a terminal, and sentences."""

import math
from collections.abc import Mapping, Sequence

from speechbrain_mtl.evaluation.intervals import seed_interval
from speechbrain_mtl.evaluation.relations import (
    Effect,
    mean_effect,
    suggest_auxiliaries,
)
from speechbrain_mtl.report.relation_results import RelationResults, with_arrow

ABSENT = "-"
CHANCE = 0.05  # of an interval of 95 % to exclude 0 where nothing is


def scenario_table(results: RelationResults) -> str:
    """Lay the errors of all scenarios out, a column a task, in percent.

    Arguments
    ---------
    results : RelationResults
        Of a card.

    Returns
    -------
    table : str
        Means over seeds and half of their 95 % intervals.
    """
    heads = with_arrow(results.scenarios)
    rows = [["%", *heads], ["", *heads.values()]]
    for name, errors in results.rows.items():
        cells = [
            percent_text(results, task, errors[task])
            if task in errors
            else ABSENT
            for task in heads
        ]
        rows.append([name, *cells])
    return _columns(rows)


def gain_table(results: RelationResults) -> str:
    """Lay gains over heads alone out as text, starred where clear.

    Arguments
    ---------
    results : RelationResults
        With gains.

    Returns
    -------
    table : str
        A row a scenario, a column a task; last what joint training adds to
        "single".
    """
    rows = [["gain over alone, %", *results.scenarios.tasks, "mean"]]
    for name, cells in results.gain_rows.items():
        rows.append([name, *map(starred, cells)])
    return _columns(rows)


def matrix_table(results: RelationResults) -> str:
    """Lay the effects of leaving tasks out out as text, starred where clear.

    Arguments
    ---------
    results : RelationResults
        With effects.

    Returns
    -------
    table : str
        A row a task left out, a column each other.
    """
    tasks = results.scenarios.tasks
    rows = [["rise of the error, %, without", *tasks, "mean"]]
    for left, row in results.effects.items():
        known = [effect for effect in row.values() if effect is not None]
        cells = [row[task] for task in tasks] + [mean_effect(known)]
        rows.append([left, *map(starred, cells)])
    return _columns(rows)


def suggestion(results: RelationResults, task: str) -> str:
    """Say in one line which tasks to train a task with, and which not.

    Arguments
    ---------
    results : RelationResults
        With effects on the task.
    task : str
        The primary task.

    Returns
    -------
    line : str

    Raises
    ------
    ValueError
        When no other task was ever left out.
    """
    names = suggest_auxiliaries(results.effects, task)
    others = others_of(results, task)
    if all(effect.interval is None for _, effect in others):
        listed = _listed([o for o in others if o[0] in names])
        return f"{task}: one seed, nothing is clear; to try: {listed}"
    hurting = [o for o in others[::-1] if o[1].verdict == "hurts"]
    return (
        f"{task}: helped by {_listed([o for o in others if o[0] in names])}; "
        f"hurt by {_listed(hurting)}"
    )


def task_table(results: RelationResults, task: str) -> str:
    """Lay out what each other task does for one, the best first.

    Arguments
    ---------
    results : RelationResults
        With effects on the task.
    task : str
        The primary task.

    Returns
    -------
    table : str
        With the affinities of the joint run, where they were measured.
    """
    card = results.scenarios
    place = card.tasks.index(task)
    rows = [["left out", "rise, %", "95 % interval", "", *card.affinity]]
    for left, effect in others_of(results, task):
        affinities = [
            matrix[card.tasks.index(left), place]
            for matrix in card.affinity.values()
        ]
        cells = [
            f"{value:+.4f}" if math.isfinite(value) else ABSENT
            for value in affinities
        ]
        value = f"{100 * effect.value:+.1f}"
        rows.append([left, value, _interval(effect), effect.verdict, *cells])
    return _columns(rows)


def prediction_table(results: RelationResults) -> str:
    """Lay out how affinities of one run agree with the effects.

    Arguments
    ---------
    results : RelationResults
        With affinities.

    Returns
    -------
    table : str
        A row an affinity and view of it.
    """
    rows = [["affinity", "view", "rank correlation", "p", "tasks"]]
    for one in results.foretold:
        found = one.agreement
        cells = (
            [ABSENT] * 3
            if found is None
            else [
                f"{found.correlation:+.2f}",
                f"{found.p:.4f}",
                str(found.items),
            ]
        )
        rows.append([one.affinity, one.view, *cells])
    return _columns(rows)


def others_of(results: RelationResults, task: str) -> list[tuple[str, Effect]]:
    """What each task left out does to one, the most helpful first."""
    found = [(left, e) for left, to, e in results.pairs if to == task]
    return sorted(found, key=lambda other: -other[1].value)


def together(results: RelationResults) -> str:
    """Say what training together gains over heads alone."""
    if not results.scenarios.joint:
        return "No run trained all tasks together, so no gain is known."
    if "all" not in results.gains:
        return "No task was trained alone, so no gain is known."
    found = results.gains["all"]
    return _told("Trained together", found, "than alone", "the error alone")


def joint_training(results: RelationResults) -> str:
    """Say what of it is joint training: the gain over "single"."""
    if not results.scenarios.joint:
        return ""
    if not results.joint_gains:
        return (
            "What of it is joint training is not known: the encoder was not "
            "trained for each task by itself (single)."
        )
    start = "Against an encoder trained for each task by itself (single)"
    return _told(start, results.joint_gains, "together", "that error")


def relations_counted(results: RelationResults) -> str:
    """Say how many relations are clear, and how many would be by chance."""
    tested = sum(effect.interval is not None for *_, effect in results.pairs)
    if not results.scenarios.without:
        return "No task was left out, so no relation is known."
    if not results.pairs:
        return "No run had all tasks, so no relation is known."
    if not tested:
        return (
            f"{len(results.pairs)} relations were measured with one seed: none "
            "can be told from chance."
        )
    return (
        f"Of {tested} relations, {results.count('helps')} clearly help and "
        f"{results.count('hurts')} clearly hurt; about {CHANCE * tested:.1f} "
        "would seem clear by chance."
    )


def percent_text(
    results: RelationResults,
    task: str,
    errors: Sequence[float],
    form: str = "{} ±{}",
) -> str:
    """Mean of seeds in percent, with half its interval where there is one."""
    text = f"{results.percent(task, sum(errors) / len(errors)):.2f}"
    if len(errors) < 2:
        return text
    low, high = seed_interval(errors)
    return form.format(text, f"{50 * (high - low):.2f}")


def percent_with_interval(effect: Effect) -> str:
    """An effect in percent, with its interval where it has one.

    Example
    -------
    >>> percent_with_interval(Effect((0.125,)))
    '+12.5 %'
    """
    text = f"{100 * effect.value:+.1f} %"
    return text if effect.interval is None else f"{text} {_interval(effect)}"


def starred(effect: Effect | None) -> str:
    """A percentage, with a place for the star so that columns are even.

    Example
    -------
    >>> starred(Effect((0.5, 0.5))), starred(Effect((0.5,))), starred(None)
    ('+50.0*', '+50.0 ', '- ')
    """
    if effect is None:
        return f"{ABSENT} "
    star = " " if effect.verdict == "unclear" else "*"
    return f"{100 * effect.value:+.1f}{star}"


def _told(start: str, found: Mapping[str, Effect], how: str, whole: str) -> str:
    """A sentence on gains by task and their mean, a share of a whole."""
    mean = mean_effect(list(found.values()))
    gain = f"the mean gain is {percent_with_interval(mean)} of {whole}"
    if mean.interval is None:
        better = sum(effect.value > 0 for effect in found.values())
        return (
            f"{start}, {better} of {len(found)} tasks err less {how}; {gain}. "
            "With one seed, no interval tells it from chance."
        )
    verdicts = [effect.verdict for effect in found.values()]
    return (
        f"{start}, {verdicts.count('helps')} of {len(found)} tasks err clearly "
        f"less {how} and {verdicts.count('hurts')} clearly more; {gain}."
    )


def _interval(effect: Effect) -> str:
    if effect.interval is None:
        return ABSENT
    low, high = effect.interval
    return f"[{100 * low:+.1f}, {100 * high:+.1f}]"


def _listed(others: Sequence[tuple[str, Effect]]) -> str:
    """Names with their effects, or that there is none."""
    return (
        ", ".join(f"{n} ({percent_with_interval(e)})" for n, e in others)
        or "none"
    )


def _columns(rows: Sequence[Sequence[str]]) -> str:
    """Align columns, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(w) for cell, w in zip(row[1:], widths[1:])]
        ).rstrip()
        for row in rows
    )
