"""Pretraining alone: whose weights, who watches, and what is refused early."""

import json

import pytest

from speechbrain_mtl.models import CRDNN
from speechbrain_mtl.pretraining import (
    PretrainingExperiment,
    checked_weights,
    watched_parts,
)
from speechbrain_mtl.report import write_report
from speechbrain_mtl.selection import Selection, SelectionError
from tests.helpers.encoders import small_crdnn


def experiment(folder, encoder=None, **changes):
    tasks = dict.fromkeys(["fbank", "f0", "zcr"])
    hparams = {
        "output_folder": folder,
        "threads": 1,
        "seed": 3,
        "strategy": "crdnn_tiny",
        "selection_file": None,
        "weights": {"f0": 0.4, "zcr": 0.0},
        "base_weights": {"fbank": 1.0},
        "encoder": encoder or small_crdnn(),
        "pretext": {"tasks": tasks, "layer_size": 16},
        **changes,
    }
    return PretrainingExperiment(hparams, {}, None)


def test_weights_are_the_yamls_or_those_of_a_selection(tmp_path):
    made = experiment(tmp_path)
    assert made.weights == {"f0": 0.4} and made.selection is None
    assert made.every == {"fbank": 1.0, "f0": 0.4}
    path = tmp_path / "selection.json"
    weights = {"f0": 0.0, "zcr": 1.0, "jitter": 0.0}
    Selection("word", "sparsemax", weights).save(path)
    made = experiment(tmp_path, selection_file=str(path))
    # What a selection gives no weight need not be known.
    assert made.weights == {"zcr": 1.0}
    assert made.selection.method == "sparsemax"


def test_a_selection_that_cannot_be_used_is_refused_at_once(tmp_path):
    gone = tmp_path / "gone.json"
    with pytest.raises(SelectionError, match="gone.json: no such selection"):
        experiment(tmp_path, selection_file=str(gone))
    path = tmp_path / "selection.json"
    Selection("word", "single_best", {"jitter": 1.0}).save(path)
    with pytest.raises(ValueError, match="selection.json: no task jitter.*f0"):
        experiment(tmp_path, selection_file=str(path))


@pytest.mark.parametrize(
    "weights, complaint",
    [
        (None, "weights: None holds no weights. Give --selection_file"),
        ("f0", "'f0' holds no weights"),
        ({"f0": -1}, "weight of 'f0' is -1"),
        ({"f0": "0.4"}, "weight of 'f0' is '0.4'"),
        ({"f0": True}, "weight of 'f0' is True"),
        ({"f0": float("nan")}, "weight of 'f0' is nan"),
        ({"pitch": 1.0}, "no task pitch in this YAML; it can weigh f0, zcr"),
    ],
)
def test_weights_that_cannot_be_trained_with_are_refused(weights, complaint):
    with pytest.raises(ValueError, match=complaint):
        checked_weights(weights, ["zcr", "f0"], "weights")


def test_a_base_task_is_not_weighed_twice(tmp_path):
    with pytest.raises(ValueError, match="no task fbank"):
        experiment(tmp_path, weights={"fbank": 0.5})


def test_nothing_to_train_on_is_refused(tmp_path):
    with pytest.raises(ValueError, match="every weight is 0"):
        experiment(tmp_path, weights={"f0": 0.0}, base_weights={})


def test_tasks_of_another_width_are_refused(tmp_path):
    encoder = small_crdnn(dnn_size=12)
    with pytest.raises(ValueError, match="tasks read 16 .*layer has 12"):
        experiment(tmp_path, encoder)


def test_an_encoder_unknown_to_huggingface_is_not_exported(tmp_path):
    with pytest.raises(ValueError, match=f"{CRDNN.__name__} has no counter"):
        experiment(tmp_path, export_folder=str(tmp_path / "hf"))


def speech(count, split=None, seconds=36.0):
    entry = {"duration": seconds} | ({"split": split} if split else {})
    return {
        f"{split}{i}": {**entry, "wav": f"/a/{split}{i}.wav"}
        for i in range(count)
    }


def test_official_parts_are_kept_and_watchers_are_few():
    entries = speech(30, "train") | speech(10, "valid") | speech(5, "test")
    entries["short"] = {"wav": "/a/short", "duration": 0.3, "split": "train"}
    train, valid = watched_parts(entries, 0.5, valid_hours=0.04)
    assert list(train) == list(speech(30, "train"))
    assert len(valid) == 4 and set(valid) < set(speech(10, "valid"))
    _, one = watched_parts(entries, 0.5, valid_hours=0.001)
    assert len(one) == 1 and set(one) < set(valid)


def test_without_parts_one_in_twenty_watches_and_nothing_is_lost():
    entries = speech(400)
    train, valid = watched_parts(entries, 0.5, valid_hours=1.0)
    assert 8 <= len(valid) <= 40
    assert set(train) | set(valid) == set(entries)
    assert not set(train) & set(valid)
    more, few = watched_parts(entries, 0.5, valid_hours=0.02)
    assert len(few) == 2 and len(more) == 398 and set(few) < set(valid)


def test_a_corpus_of_watchers_alone_is_refused():
    with pytest.raises(ValueError, match="all 3 recordings left are of split"):
        watched_parts(speech(3, "valid"), 0.5, 1.0)


def test_results_without_probes_make_a_page(tmp_path):
    made = experiment(tmp_path)
    made.wall = {"pretraining": 36.0}
    summary = {
        "hours_of_audio": 1.0,
        "steps": 10,
        "final": {"fbank": 0.5},
        "valid": {"fbank": 0.6},
    }
    page = made.finish(None, summary, {"this": {}}, {}, made.every)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["weights"] == {"fbank": 1.0, "f0": 0.4}
    assert metrics["experiment"] == "crdnn_tiny pretraining"
    assert metrics["probes"] == {} and metrics["baselines"] == {}
    assert metrics["cost"]["audio_hours_per_hour"] == 100.0
    text = page.read_text()
    assert "Crdnn_tiny pretraining" in text and "No probe was measured" in text
    assert page == write_report(tmp_path)
