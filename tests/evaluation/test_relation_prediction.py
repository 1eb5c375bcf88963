import numpy as np
import pytest

from speechbrain_mtl.evaluation.relation_prediction import (
    foretold,
    repeatability,
)
from speechbrain_mtl.evaluation.relations import Effect

TASKS = list("abcdef")


def effects_of(matrix, noise=0.0, seeds=1, tasks=TASKS):
    draw = np.random.default_rng(1)
    return {
        left: {
            task: None
            if i == j
            else Effect(
                tuple(matrix[i, j] + noise * draw.standard_normal(seeds))
            )
            for j, task in enumerate(tasks)
        }
        for i, left in enumerate(tasks)
    }


@pytest.fixture
def truth():
    return np.random.default_rng(0).standard_normal((6, 6))


def views(found):
    return {
        (one.affinity, one.view): one.agreement
        and round(one.agreement.correlation, 6)
        for one in found
    }


def test_direction_of_an_affinity_is_that_of_the_effect(truth):
    affinities = {"right": truth, "turned": truth.T}
    found = views(foretold(affinities, TASKS, effects_of(truth)))
    assert found["right", "directed"] == found["right", "per task"] == 1
    assert found["turned", "directed"] < 0.9
    # Both directions meaned are the same either way.
    assert found["right", "symmetric"] == found["turned", "symmetric"] == 1


def test_planted_agreement_is_found_and_none_is_not(truth):
    chance = np.random.default_rng(5).standard_normal((6, 6))
    affinities = {"good": truth + 0.1 * chance, "none": chance}
    found = foretold(affinities, TASKS, effects_of(truth))
    p = {(one.affinity, one.view): one.agreement.p for one in found}
    assert p["good", "directed"] < 0.01 < 0.05 < p["none", "directed"]


def test_order_of_tasks_changes_nothing(truth):
    affinity = truth + np.random.default_rng(5).standard_normal((6, 6))
    found = foretold({"x": affinity}, TASKS, effects_of(truth))
    order = [3, 1, 5, 0, 2, 4]
    turned = np.ix_(order, order)
    names = [TASKS[i] for i in order]
    effects = effects_of(truth[turned], tasks=names)
    assert foretold({"x": affinity[turned]}, names, effects) == found


def test_tasks_never_left_out_are_not_looked_at(truth):
    effects = effects_of(truth)
    for task in "ace":
        del effects[task]
    affinity = np.full((6, 6), 99.0)
    kept = np.ix_([1, 3, 5], [1, 3, 5])
    affinity[kept] = truth[kept]
    (directed, *_) = foretold({"x": affinity}, TASKS, effects)
    assert directed.agreement.items == 3
    assert directed.agreement.correlation == 1
    affinity[[0, 2]] = affinity[:, [0, 2]] = np.nan
    assert foretold({"x": affinity}, TASKS, effects_of(truth))[0].agreement
    assert foretold({"x": affinity}, TASKS, effects)[0] == directed
    affinity[1] = affinity[:, 1] = np.nan
    assert foretold({"x": affinity}, TASKS, effects) == []


def test_an_affinity_without_an_order_says_nothing(truth):
    found = views(foretold({"x": np.ones((6, 6))}, TASKS, effects_of(truth)))
    assert set(found.values()) == {None}


def test_repeatability_falls_with_noise(truth):
    levels = [
        repeatability(effects_of(truth, noise, seeds=3)) for noise in (0, 1, 30)
    ]
    assert levels[0] == pytest.approx(1)
    assert levels[0] > levels[1] > levels[2] >= 0
    assert repeatability(effects_of(truth)) is None


def test_opposite_seeds_repeat_nothing():
    row = {n: Effect((v, -v)) for n, v in zip("bcd", (0.1, 0.2, 0.3))}
    assert repeatability({"a": row}) == 0
    equal = {n: Effect((0.1, 0.1)) for n in "bcd"}
    assert repeatability({"a": equal}) is None
