"""Who helps whom: what leaving a task out does to the errors of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from speechbrain_mtl.evaluation.intervals import seed_interval
from speechbrain_mtl.evaluation.scenarios import Errors


@dataclass(frozen=True)
class Effect:
    """A relative change of an error, turned so that above 0 is good.

    Arguments
    ---------
    shares : tuple of float
        Of the error, one a seed.

    Example
    -------
    >>> Effect((0.1, 0.12, 0.11)).verdict, Effect((0.1,)).verdict
    ('helps', 'unclear')
    """

    shares: tuple[float, ...]

    @property
    def value(self) -> float:
        """The mean over seeds."""
        return float(np.mean(self.shares))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Student's 95 % interval of the mean; None for a single seed."""
        return seed_interval(self.shares) if len(self.shares) > 1 else None

    @property
    def verdict(self) -> str:
        """The side of 0 the interval lies on: helps, hurts or unclear."""
        low, high = self.interval or (0.0, 0.0)
        return "helps" if low > 0 else "hurts" if high < 0 else "unclear"


# By the task left out and the task looked at; None on the diagonal.
Effects = Mapping[str, Mapping[str, Effect | None]]


def relative_rise(
    errors: Sequence[float], reference: Sequence[float]
) -> Effect:
    """By what share errors lie above a reference, seed by seed.

    Every seed's difference is divided by the reference's mean over seeds, so
    that one lucky seed does not count for many, and the verdict is that of a
    paired t-test of the differences.

    Arguments
    ---------
    errors, reference : sequence of float
        One a seed, of the same seeds in the same order; the longer is cut.

    Returns
    -------
    rise : Effect
        Above 0 where the errors are higher. A reference without any error has
        no share to rise by: there the differences stay unscaled.

    Example
    -------
    >>> relative_rise([0.3, 0.5], [0.1, 0.3, 0.9]).value
    1.0
    >>> relative_rise([0.25], [0.0]).value
    0.25
    """
    seeds = min(len(errors), len(reference))
    base = np.asarray(reference[:seeds], dtype=float)
    rise = np.asarray(errors[:seeds], dtype=float) - base
    return Effect(tuple((rise / (base.mean() or 1.0)).tolist()))


def leave_one_out(joint: Errors, without: Mapping[str, Errors]) -> Effects:
    """Measure what each task does for each other.

    Arguments
    ---------
    joint : dict
        ``{task: [error of each seed]}`` of all tasks together.
    without : dict
        ``{left out: {task: [...]}}``; the first seeds are paired.

    Returns
    -------
    effects : dict
        ``effects[left][task]``: (without - all) / all, above 0 where `left`
        helps `task`; None where they are the same, or nothing was measured.

    Example
    -------
    >>> joint = {"pr": [0.1], "sid": [0.2]}
    >>> without = {"sid": {"pr": [0.12]}, "pr": {"sid": [0.1]}}
    >>> effects = leave_one_out(joint, without)
    >>> (
    ...     round(effects["sid"]["pr"].value, 3),
    ...     round(effects["pr"]["sid"].value, 3),
    ... )
    (0.2, -0.5)
    >>> effects["pr"]["pr"] is None
    True
    """
    return {
        left: {
            task: relative_rise(without[left][task], errors)
            if task != left and task in without[left]
            else None
            for task, errors in joint.items()
        }
        for left in joint
        if left in without
    }


def suggest_auxiliaries(effects: Effects, task: str) -> list[str]:
    """Name the tasks whose presence helps a primary task, the best first.

    Arguments
    ---------
    effects : dict
        From `leave_one_out`.
    task : str
        The primary task.

    Returns
    -------
    auxiliaries : list of str
        Those that help clearly. With a single seed nothing is clear: then all
        with an effect above 0, to be tried with more seeds.

    Raises
    ------
    ValueError
        For a task whose error was never measured without another.

    Example
    -------
    >>> effects = {"pr": {"sid": Effect((-0.5,))}}
    >>> effects["ks"] = {"sid": Effect((0.1,))}
    >>> suggest_auxiliaries(effects, "sid")
    ['ks']
    """
    found = {
        left: row[task]
        for left, row in effects.items()
        if row.get(task) is not None
    }
    if not found:
        raise ValueError(
            f"'{task}' was never measured with another task left out. Known: "
            f"{sorted({t for row in effects.values() for t in row if row[t]})}."
        )
    helpful = [
        left
        for left, effect in found.items()
        if effect.verdict == "helps"
        or (effect.interval is None and effect.value > 0)
    ]
    return sorted(helpful, key=lambda left: -found[left].value)


def gains(errors: Errors, reference: Errors) -> dict[str, Effect]:
    """By what share each task's error lies below that of another scenario.

    Arguments
    ---------
    errors, reference : dict
        ``{task: [error of each seed]}``; tasks that one lacks are left out.

    Returns
    -------
    gains : dict
        By task; above 0 where it is better than the reference.

    Example
    -------
    >>> round(gains({"pr": [0.06]}, {"pr": [0.08], "ks": [0.1]})["pr"].value, 3)
    0.25
    """
    return {
        task: Effect(
            tuple(-s for s in relative_rise(found, reference[task]).shares)
        )
        for task, found in errors.items()
        if task in reference
    }


def mean_effect(effects: Sequence[Effect]) -> Effect:
    """Average effects seed by seed, over the seeds that all of them have.

    Of the gains of all tasks, with equal numbers of seeds, it is `mean_gain`
    of the errors' means.

    Example
    -------
    >>> mean_effect([Effect((0.25, 0.5)), Effect((0.75,))]).shares
    (0.5,)
    """
    seeds = min(len(effect.shares) for effect in effects)
    table = np.array([effect.shares[:seeds] for effect in effects])
    return Effect(tuple(table.mean(axis=0).tolist()))


def mean_without(without: Mapping[str, Errors]) -> dict[str, list[float]]:
    """Average each task's errors over all runs that lack some other task.

    Example
    -------
    >>> mean_without({"a": {"c": [0.25, 0.5]}, "b": {"c": [0.75]}})
    {'c': [0.5]}
    """
    tables: dict[str, list] = {}
    for found in without.values():
        for task, errors in found.items():
            tables.setdefault(task, []).append(errors)
    return {
        task: np.mean(
            [errors[: min(map(len, table))] for errors in table], axis=0
        ).tolist()
        for task, table in tables.items()
    }
