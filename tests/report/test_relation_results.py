"""What joint training adds over training the encoder for one task."""

import math

import numpy as np
import pytest
from scipy import stats

from speechbrain_mtl.evaluation.scenarios import Scenarios
from speechbrain_mtl.report.relation_results import RelationResults
from speechbrain_mtl.report.relation_text import joint_training

TASKS = ["pr", "ks", "er"]


def results(single, joint, tasks=TASKS):
    card = Scenarios(
        tasks=tasks,
        metrics=dict.fromkeys(tasks, "WER"),
        alone={},
        joint=joint,
        without={},
        transfer={},
        rules={},
        affinity={},
        single=single,
    )
    return RelationResults(card)


def student(shares):
    """Mean and 95 % interval of a mean, with sums written out."""
    count = len(shares)
    mean = sum(shares) / count
    spread = math.sqrt(sum((s - mean) ** 2 for s in shares) / (count - 1))
    half = stats.t.ppf(0.975, count - 1) * spread / math.sqrt(count)
    return mean, (mean - half, mean + half)


def test_gain_of_joint_training_against_loops():
    draw = np.random.default_rng(0)
    single = {t: (0.1 + 0.3 * draw.random(4)).tolist() for t in TASKS}
    # The first three seeds alone were trained together.
    joint = {t: (0.1 + 0.3 * draw.random(3)).tolist() for t in TASKS}
    by_task = {}
    for task in TASKS:
        base = sum(single[task][:3]) / 3
        by_task[task] = [
            (single[task][seed] - joint[task][seed]) / base for seed in range(3)
        ]
    found = results(single, joint)
    assert list(found.joint_gains) == TASKS
    for task, shares in by_task.items():
        mean, interval = student(shares)
        assert found.joint_gains[task].value == pytest.approx(mean)
        assert found.joint_gains[task].interval == pytest.approx(interval)
    means = [sum(by_task[t][s] for t in TASKS) / len(TASKS) for s in range(3)]
    mean, interval = student(means)
    *cells, last = found.gain_rows["all, over single"]
    assert cells == [found.joint_gains[task] for task in TASKS]
    assert last.value == pytest.approx(mean)
    assert last.interval == pytest.approx(interval)


def test_a_task_without_single_has_no_gain_over_it():
    joint = {task: [0.1, 0.2] for task in TASKS}
    found = results({"ks": [0.2, 0.4]}, joint)
    row = found.gain_rows["all, over single"]
    assert row[0] is None and row[2] is None
    # Differences of 0.1 and 0.2 over a mean of 0.3.
    assert row[1].shares == row[3].shares == pytest.approx((1 / 3, 2 / 3))


def test_without_single_its_lack_is_told():
    found = results({}, {task: [0.1] for task in TASKS})
    assert not found.joint_gains and not found.gain_rows
    assert "not known" in joint_training(found)


def test_the_sentence_counts_what_is_clear_and_says_which_side():
    single = {"pr": [0.2, 0.21], "ks": [0.1, 0.11], "er": [0.5, 0.6]}
    joint = {"pr": [0.1, 0.1099], "ks": [0.2, 0.2101], "er": [0.4, 0.5001]}
    text = joint_training(results(single, joint))
    assert "2 of 3 tasks err clearly less" in text
    # Means of 0.1 / 0.205, -0.1 / 0.105 and 0.1 / 0.55, nearly.
    assert "1 clearly more" in text and "mean gain is -9.4 %" in text
    text = joint_training(
        results(
            {t: e[:1] for t, e in single.items()},
            {t: e[:1] for t, e in joint.items()},
        )
    )
    assert "2 of 3 tasks err less" in text and "one seed" in text
