"""All that a page on relations of tasks tells, computed once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from speechbrain_mtl.evaluation.relation_prediction import (
    Foretold,
    foretold,
    repeatability,
)
from speechbrain_mtl.evaluation.relations import (
    Effect,
    Effects,
    gains,
    leave_one_out,
    mean_effect,
    mean_without,
)
from speechbrain_mtl.evaluation.scenarios import Errors, Scenarios

JOINT_GAIN = "all, over single"


@dataclass(frozen=True)
class RelationResults:
    """What follows from the errors of scenarios.

    Arguments
    ---------
    scenarios : Scenarios
        The errors.
    """

    scenarios: Scenarios

    @cached_property
    def rows(self) -> dict[str, Errors]:
        """Errors by the name of the scenario, as tables have them."""
        card = self.scenarios
        # The rule that gave the joint errors need not be said twice.
        same = [rule for rule, e in card.rules.items() if e == card.joint]
        joint = f"all, {same[0]}" if same else "all"
        rows = {
            "alone": card.alone,
            "single": card.single,
            joint: card.joint,
            **{f"all, {rule}": e for rule, e in card.rules.items()},
            **{
                f"without {task}": card.without[task]
                for task in card.tasks
                if task in card.without
            },
            "transfer": card.transfer,
        }
        return {name: errors for name, errors in rows.items() if errors}

    @cached_property
    def effects(self) -> Effects:
        """What leaving each task out does to the others."""
        return leave_one_out(self.scenarios.joint, self.scenarios.without)

    @cached_property
    def pairs(self) -> list[tuple[str, str, Effect]]:
        """Task left out, task looked at, and the effect of all pairs."""
        return [
            (left, task, effect)
            for left, row in self.effects.items()
            for task, effect in row.items()
            if effect is not None
        ]

    @cached_property
    def gains(self) -> dict[str, dict[str, Effect]]:
        """Gains over heads alone by scenario and task."""
        card = self.scenarios
        scenarios = {
            "single": card.single,
            "all": card.joint,
            "without one, mean": mean_without(card.without),
            "transfer": card.transfer,
        }
        found = {n: gains(e, card.alone) for n, e in scenarios.items()}
        return {name: gain for name, gain in found.items() if gain}

    @cached_property
    def joint_gains(self) -> dict[str, Effect]:
        """What joint training adds, by task: gains of "all" over "single"."""
        return gains(self.scenarios.joint, self.scenarios.single)

    @cached_property
    def gain_rows(self) -> dict[str, list[Effect | None]]:
        """All gains by row, as tables have them: a task each, then the mean."""
        rows = dict(self.gains)
        if self.joint_gains:
            rows[JOINT_GAIN] = self.joint_gains
        return {
            name: [
                *map(found.get, self.scenarios.tasks),
                mean_effect(list(found.values())),
            ]
            for name, found in rows.items()
        }

    @cached_property
    def foretold(self) -> list[Foretold]:
        """How affinities of one run agree with the effects."""
        card = self.scenarios
        return foretold(card.affinity, card.tasks, self.effects)

    @cached_property
    def repeatability(self) -> float | None:
        """How the effects agree with themselves."""
        return repeatability(self.effects)

    def count(self, verdict: str) -> int:
        """How many pairs of tasks have a verdict."""
        return sum(effect.verdict == verdict for *_, effect in self.pairs)

    def percent(self, task: str, error: float) -> float:
        """An error, or the accuracy where that is the metric, in percent."""
        higher = self.scenarios.higher_is_better(task)
        return 100 * (1 - error if higher else error)


def with_arrow(scenarios: Scenarios) -> Mapping[str, str]:
    """Metrics by task, with the direction that is better."""
    return {
        task: f"{metric} {'↑' if scenarios.higher_is_better(task) else '↓'}"
        for task, metric in scenarios.metrics.items()
    }
