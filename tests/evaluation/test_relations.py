import numpy as np
import pytest
from scipy import stats

from speechbrain_mtl.evaluation.choice import mean_gain
from speechbrain_mtl.evaluation.relations import (
    Effect,
    gains,
    leave_one_out,
    mean_effect,
    mean_without,
    relative_rise,
    suggest_auxiliaries,
)

TASKS = ("pr", "asr", "sid", "asv", "er")
# Who is helped (above 0) or hurt by whom, as a share of its error.
PLANTED = {("pr", "asr"): 0.3, ("sid", "asv"): 0.5, ("asv", "pr"): -0.25}


def planted(seeds=4, noise=0.002, order=TASKS):
    errors = {
        (seed, task): 0.1 + 0.05 * seed / 10
        for seed in range(seeds)
        for task in TASKS
    }
    draw = np.random.default_rng(0)
    wobble = {
        (seed, left, task): draw.normal(scale=noise)
        for seed in range(seeds)
        for left in TASKS
        for task in TASKS
    }
    joint = {t: [errors[s, t] for s in range(seeds)] for t in order}
    without = {
        left: {
            t: [
                errors[s, t] * (1 + PLANTED.get((left, t), 0))
                + wobble[s, left, t] * errors[s, t]
                for s in range(seeds)
            ]
            for t in order
            if t != left
        }
        for left in order
    }
    return joint, without


def test_matrix_against_a_computation_by_hand():
    joint = {"a": [0.2, 0.4], "b": [0.5, 0.5, 0.9], "c": [0.1, 0.1]}
    without = {
        "a": {"b": [0.25, 0.75], "c": [0.05]},
        "b": {"a": [0.3, 0.6], "c": [0.1, 0.1]},
    }
    effects = leave_one_out(joint, without)
    assert list(effects) == ["a", "b"]
    assert effects["a"]["a"] is None and effects["b"]["b"] is None
    # (0.25 - 0.5) / 0.5 and (0.75 - 0.5) / 0.5; the third seed has no pair.
    assert effects["a"]["b"].shares == pytest.approx((-0.5, 0.5))
    assert effects["a"]["b"].value == pytest.approx(0)
    assert effects["a"]["b"].verdict == "unclear"
    # One pair of seeds: a value, and no interval.
    assert effects["a"]["c"].value == pytest.approx(-0.5)
    assert effects["a"]["c"].interval is None
    # Differences of 0.1 and 0.2 over a mean of 0.3; t is 12.706 with two.
    assert effects["b"]["a"].value == pytest.approx(0.5)
    half = 12.7062 * (0.1 / 0.3 / 2**0.5) / 2**0.5
    low, high = effects["b"]["a"].interval
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-4)
    assert effects["b"]["c"].verdict == "unclear"


def test_verdict_is_that_of_a_paired_t_test():
    draw = np.random.default_rng(1)
    verdicts = set()
    for _ in range(50):
        before, after = 0.3 + 0.1 * draw.random((2, 4))
        after = after + 0.15 * draw.choice([-1, 0, 1])
        p = stats.ttest_rel(after, before).pvalue
        effect = relative_rise(after.tolist(), before.tolist())
        sign = "helps" if effect.value > 0 else "hurts"
        assert effect.verdict == (sign if p < 0.05 else "unclear")
        verdicts.add(effect.verdict)
    assert verdicts == {"helps", "hurts", "unclear"}


def test_planted_relations_are_found():
    effects = leave_one_out(*planted())
    for pair, share in PLANTED.items():
        assert effects[pair[0]][pair[1]].value == pytest.approx(share, abs=0.01)
        expected = "helps" if share > 0 else "hurts"
        assert effects[pair[0]][pair[1]].verdict == expected
    others = [
        effect.verdict
        for left, row in effects.items()
        for task, effect in row.items()
        if effect is not None and (left, task) not in PLANTED
    ]
    assert others.count("unclear") >= len(others) - 3  # 17, 0.85 by chance


def test_order_of_tasks_changes_nothing():
    effects = leave_one_out(*planted())
    turned = leave_one_out(*planted(order=TASKS[::-1]))
    assert list(turned) == list(TASKS[::-1])
    assert turned == effects


def test_auxiliaries_are_those_that_help_the_best_first():
    strong, weak = Effect((0.4, 0.41)), Effect((0.1, 0.1001))
    unclear, bad = Effect((0.9, -0.5)), Effect((-0.4, -0.41))
    effects = {
        "a": {"x": weak},
        "b": {"x": unclear},
        "c": {"x": strong},
        "d": {"x": bad},
        "x": {"x": None},
    }
    assert suggest_auxiliaries(effects, "x") == ["c", "a"]
    single = {n: {"x": Effect((v,))} for n, v in zip("abc", (0.1, -1, 0.3))}
    assert suggest_auxiliaries(single, "x") == ["c", "a"]
    with pytest.raises(ValueError, match=r"'y' was never.*\['x'\]"):
        suggest_auxiliaries(effects, "y")


def test_without_an_error_to_rise_from_differences_stay_unscaled():
    effect = relative_rise([0.25, 0.5], [0.0, 0.0])
    assert effect.shares == (0.25, 0.5)
    assert relative_rise([0.0, 0.0], [0.0, 0.0]).verdict == "unclear"
    # One seed without errors does no harm: the mean divides.
    assert relative_rise([0.5, 0.75], [0.0, 0.5]).shares == (2.0, 1.0)


def test_mean_gain_is_that_of_the_mean_errors():
    draw = np.random.default_rng(2)
    alone = {t: draw.random(3).tolist() for t in "abc"} | {"d": [0.0] * 3}
    joint = {t: draw.random(3).tolist() for t in "abcd"}
    found = gains(joint, alone)
    means = [{t: np.mean(e) for t, e in x.items()} for x in (joint, alone)]
    mean = mean_effect(list(found.values()))
    assert mean.value == pytest.approx(mean_gain(*means))
    assert found["a"].value == pytest.approx(
        1 - np.mean(joint["a"]) / np.mean(alone["a"])
    )


def test_mean_over_runs_that_lack_another_task():
    without = {
        "a": {"b": [0.1, 0.3], "c": [0.5]},
        "b": {"a": [0.2], "c": [0.7, 0.9]},
    }
    found = mean_without(without)
    assert found == {"b": [0.1, 0.3], "c": [0.6], "a": [0.2]}
