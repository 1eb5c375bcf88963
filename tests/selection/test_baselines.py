import pytest

from speechbrain_mtl.selection import (
    Selection,
    equal_shares,
    everything,
    lowest_spread,
    naive_top_k,
    random_weights,
    single_best,
    uniform,
)

NAMES = ["f0", "rms", "zcr", "noise"]
MEASURED = Selection(
    "words",
    "sparsemax",
    dict.fromkeys(NAMES, 0.25),
    {
        "f0": {"ci": 0.3, "flags": [], "within_class_spread": 0.7},
        "rms": {
            "ci": 0.2,
            "flags": ["near-constant"],
            "within_class_spread": 0.02,
        },
        "zcr": {"ci": 0.5, "flags": [], "within_class_spread": 0.4},
        "noise": {
            "ci": 0.01,
            "flags": ["noise-like"],
            "within_class_spread": 0.3,
        },
    },
    data={"strata": 4},
)


@pytest.mark.parametrize(
    "baseline",
    [
        uniform,
        random_weights,
        single_best,
        lambda measured: naive_top_k(measured, k=3),
        lambda measured: lowest_spread(measured, k=3),
        lambda measured: equal_shares(measured, ["zcr", "f0"], "mrmr"),
    ],
)
def test_weights_sum_to_one_and_evidence_is_kept(baseline):
    selection = baseline(MEASURED)
    assert sum(selection.weights.values()) == pytest.approx(1)
    assert list(selection.weights) == NAMES
    assert selection.data == {"strata": 4}
    assert selection.tasks["f0"]["ci"] == 0.3
    assert selection.method != "sparsemax"


def test_everything_weighs_one_each_and_uniform_is_its_share():
    assert everything(NAMES).weights == dict.fromkeys(NAMES, 1.0)
    assert uniform(NAMES).weights == dict.fromkeys(NAMES, 0.25)


def test_random_weights_depend_on_the_seed_and_not_on_the_order():
    first = random_weights(NAMES, seed=3)
    again = random_weights(NAMES[::-1], seed=3)
    assert first.weights == again.weights
    assert first.weights != random_weights(NAMES, seed=4).weights
    assert first.solver == {"seed": 3}


def test_random_weights_are_even_over_the_simplex():
    draws = [random_weights(NAMES[:3], seed=s).weights for s in range(2000)]
    for name in NAMES[:3]:
        values = [draw[name] for draw in draws]
        mean = sum(values) / 2000
        # Dirichlet(1, 1, 1): mean 1/3, and P(w > 1/2) = (1/2)^2.
        assert mean == pytest.approx(1 / 3, abs=0.02)
        above = sum(value > 0.5 for value in values) / 2000
        assert above == pytest.approx(0.25, abs=0.03)


def test_the_naive_choice_is_the_best_single_scores_but_no_noise():
    assert naive_top_k(MEASURED, k=2).weights == {
        "f0": 0.5,
        "rms": 0.5,
        "zcr": 0.0,
        "noise": 0.0,
    }


def test_the_single_best_is_the_first_of_the_naive_choice():
    selection = single_best(MEASURED)
    assert selection.method == "single_best"
    assert selection.weights == {"f0": 0, "rms": 1, "zcr": 0, "noise": 0}


def test_the_lowest_spread_asks_for_nothing_else():
    selection = lowest_spread(MEASURED, k=2)
    assert selection.method == "lowest_spread"
    assert selection.weights == {"f0": 0, "rms": 0.5, "zcr": 0, "noise": 0.5}


def test_equal_shares_go_to_those_named_and_names_are_checked():
    weights = equal_shares(NAMES, ["zcr", "rms"], "rfe").weights
    assert weights == {"f0": 0, "rms": 0.5, "zcr": 0.5, "noise": 0}
    for wrong in ([], ["pitch"], ["zcr", "zcr"]):
        with pytest.raises(ValueError, match="name each once"):
            equal_shares(NAMES, wrong, "rfe")


def test_too_many_and_unmeasured_tasks_are_refused():
    with pytest.raises(ValueError, match="k is 4, but 3"):
        naive_top_k(MEASURED, k=4)
    with pytest.raises(ValueError, match="measure a selection first"):
        naive_top_k(uniform(NAMES), k=1)
    for tasks in ([], "f0"):
        with pytest.raises(ValueError, match="list of names"):
            uniform(tasks)


def test_every_baseline_can_be_saved_and_loaded(tmp_path):
    for baseline in (uniform, everything, random_weights):
        path = tmp_path / "selection.json"
        selection = baseline(NAMES)
        selection.save(path)
        assert Selection.load(path).weights == selection.weights
