import pytest

from speechbrain_mtl.report.results import Run
from speechbrain_mtl.report.verdict import (
    Tally,
    best,
    compare,
    tallies,
    verdict,
)


def cell(low, high, higher=True):
    return {
        "value": (low + high) / 2,
        "interval": [low, high],
        "higher_is_better": higher,
    }


@pytest.mark.parametrize(
    ("own", "other", "higher", "sign"),
    [
        ((0.7, 0.8), (0.5, 0.6), True, 1),
        ((0.5, 0.6), (0.7, 0.8), True, -1),
        ((0.5, 0.7), (0.6, 0.8), True, 0),
        ((0.5, 0.6), (0.6, 0.8), True, 0),
        ((0.6, 0.8), (0.5, 0.6), True, 0),
        ((0.7, 0.8), (0.5, 0.6), False, -1),
        ((0.5, 0.6), (0.7, 0.8), False, 1),
    ],
)
def test_results_are_apart_when_their_intervals_are(own, other, higher, sign):
    assert compare(cell(*own, higher), cell(*other, higher)) == sign


def test_nothing_is_clear_without_both_intervals():
    bare = {"value": 0.1, "higher_is_better": True, "interval": None}
    assert compare(cell(0.8, 0.9), bare) == 0
    assert compare(bare, cell(0.8, 0.9)) == 0
    del bare["interval"]
    assert compare(bare, cell(0.8, 0.9)) == 0


def test_tallies_count_every_probe_once(metrics):
    assert tallies(Run(metrics, {}, [])) == {
        "log-mel with context": Tally(better=4, even=0, worse=0),
        "random init": Tally(better=2, even=2, worse=0),
        "uniform weights": Tally(better=0, even=3, worse=1),
    }


def test_probe_that_a_baseline_lacks_is_not_counted(metrics):
    del metrics["baselines"]["uniform"]["phone/mlp"]
    assert tallies(Run(metrics, {}, []))["uniform weights"].total == 3


def test_verdict_is_made_of_the_counts(metrics):
    assert verdict(Run(metrics, {}, [])) == (
        "On frozen features this run is clearly better than log-mel with "
        "context on all of 4, than random init on 2 of 4 and than uniform "
        "weights on none of 4 (clearly worse on 1) probes."
    )


def test_verdict_over_one_baseline(metrics):
    metrics["baselines"] = {"random_init": metrics["baselines"]["random_init"]}
    assert verdict(Run(metrics, {}, [])) == (
        "On frozen features this run is clearly better than random init on 2 "
        "of 4 probes."
    )


def test_verdict_without_baselines_or_probes_claims_nothing(metrics):
    metrics["baselines"] = {}
    assert "stand alone" in verdict(Run(metrics, {}, []))
    del metrics["probes"]
    assert "No probe was measured" in verdict(Run(metrics, {}, []))


def test_best_is_the_highest_accuracy_and_the_lowest_error_rate(metrics):
    run = Run(metrics, {}, [])
    assert best(run, "word/linear") == {"uniform weights"}
    metrics["baselines"]["uniform"]["phone_ctc/linear"]["value"] = 0.29
    assert best(run, "phone_ctc/linear") == {"uniform weights"}


def test_best_names_all_that_share_the_place(metrics):
    run = Run(metrics, {}, [])
    assert best(run, "phone/linear") == {"this run", "uniform weights"}


def test_nobody_is_best_alone(metrics):
    metrics["baselines"] = {}
    assert best(Run(metrics, {}, []), "word/linear") == set()


def test_value_that_was_not_measured_is_not_best(metrics):
    metrics["baselines"]["uniform"]["word/linear"]["value"] = None
    assert best(Run(metrics, {}, []), "word/linear") == {"this run"}
