import copy
import json

import numpy as np
import pytest

from speechbrain_mtl.evaluation.scenarios import read_scenarios

CARD = {
    "tasks": ["pr", "ks", "er"],
    "metrics": {"pr": "PER", "ks": "accuracy", "er": "accuracy with x"},
    "seeds": [0, 1],
    "errors": {
        "alone": {"pr": [0.2, 0.3], "ks": [0.1, 0.1]},
        "single": {"ks": [0.15, 0.1], "pr": [0.1, 0.3]},
        "all": {"er": [0.5, 0.4], "ks": [0.2, 0.2], "pr": [0.1, 0.2]},
        "without": {"ks": {"pr": [0.1], "er": [0.6]}},
        "transfer": {"er": [0.9]},
        "all_by_rule": {"last": {"pr": [0.3, 0.3]}},
    },
    "affinity": {
        "tasks": ["er", "pr", "ks"],
        "cosines": [[1, 0.1, 0.2], [0.3, 1, 0.4], [0.5, 0.6, 1]],
        "lookahead": None,
        "steps": 7,
    },
    "git": "abc",
}


@pytest.fixture
def read(tmp_path):
    def read(card):
        path = tmp_path / "scenarios.json"
        path.write_text(card if isinstance(card, str) else json.dumps(card))
        return read_scenarios(path)

    return read


def changed(path, value):
    card = copy.deepcopy(CARD)
    *keys, last = path.split("/")
    inner = card
    for key in keys:
        inner = inner[key]
    inner[last] = value
    return card


def test_everything_of_a_card_is_read(read):
    found = read(CARD)
    assert list(found.joint) == ["pr", "ks", "er"]
    assert found.joint["er"] == [0.5, 0.4]
    assert found.single == {"pr": [0.1, 0.3], "ks": [0.15, 0.1]}
    assert found.without == {"ks": {"pr": [0.1], "er": [0.6]}}
    assert found.transfer == {"er": [0.9]}
    assert found.rules == {"last": {"pr": [0.3, 0.3]}}
    assert [found.higher_is_better(t) for t in found.tasks] == [0, 1, 1]
    assert found.measurements == 7
    assert found.record == {"seeds": [0, 1], "git": "abc"}


def test_affinities_are_put_in_the_order_of_the_tasks(read):
    found = read(CARD).affinity
    assert list(found) == ["cosines"]
    # A row of er stays a row of er, now the last.
    expected = [[1, 0.4, 0.3], [0.6, 1, 0.5], [0.1, 0.2, 1]]
    np.testing.assert_array_equal(found["cosines"], expected)


def test_affinities_of_some_tasks_have_their_places(read):
    card = changed("affinity/tasks", ["er", "pr"])
    card["affinity"]["cosines"] = [[1, 0.1], [0.3, 1]]
    gap = np.nan
    expected = [[1, gap, 0.3], [gap] * 3, [0.1, gap, 1]]
    np.testing.assert_array_equal(read(card).affinity["cosines"], expected)


def test_what_was_not_measured_may_be_missing(read):
    found = read(
        {k: CARD[k] for k in ("tasks", "metrics")}
        | {"errors": {"all": CARD["errors"]["all"]}}
    )
    assert not found.alone and not found.single
    assert not found.without and not found.affinity


def test_tasks_that_were_never_together_and_one_task_are_read(read):
    card = changed("errors", {"alone": CARD["errors"]["alone"]})
    assert not read(card).joint and read(card).alone["ks"] == [0.1, 0.1]
    card = changed("errors", {"alone": {"ks": [0.1]}, "all": {"ks": [0.2]}})
    assert read({**card, "tasks": ["ks"], "affinity": None}).joint == {
        "ks": [0.2]
    }


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("[1]", "no JSON object"),
        ("{", "not JSON"),
        ({"probes": {}}, r"lacks \['tasks', 'metrics', 'errors'\]"),
        (changed("tasks", []), "need a name"),
        (changed("tasks", ["pr", "pr"]), "each new"),
        (changed("tasks", [1, 2]), "need a name"),
        (changed("metrics/ks", "score"), "metric of ks is 'score'"),
        (changed("errors", {}), "neither alone nor all"),
        (changed("errors/single", {"xy": [0.1]}), r"single has \['xy'\]"),
        (changed("errors/all", {"pr": [0.1]}), r"all lacks \['er', 'ks'\]"),
        (changed("errors/all/ks", []), "all.ks is"),
        (changed("errors/all/ks", [float("nan")]), "numbers from 0"),
        (changed("errors/all/ks", [True]), "numbers from 0"),
        (changed("errors/all/ks", [-0.1]), "numbers from 0"),
        (changed("errors/all/xy", [0.1]), r"has \['xy'\]"),
        (changed("errors/alone", [0.1]), "errors.alone is"),
        (changed("errors/without/ks/ks", [0.1]), "not all tasks but ks"),
        (changed("errors/without/xy", {"pr": [0.1]}), r"leaves out \['xy'\]"),
        (changed("affinity/tasks", ["pr", "xy", "ks"]), "affinity.tasks"),
        (changed("affinity/tasks", ["pr", "ks"]), r"shape \(3, 3\)"),
        (changed("affinity/cosines", [[1, 0], [0, 1]]), r"shape \(2, 2\)"),
        (changed("affinity/cosines", [[1], [0, 1]]), "is no matrix"),
    ],
)
def test_what_is_no_card_is_refused_by_name(read, card, message):
    with pytest.raises(ValueError, match=message) as error:
        read(card)
    assert "scenarios.json" in str(error.value)
