"""Cross-validation: what folds share, what they must not see, and means."""

import json
from pathlib import Path

import pytest

from speechbrain_mtl import folds
from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.data.splits import numbered_folds
from speechbrain_mtl.folds import (
    choose_folds,
    cross_validate,
    mean_score,
    summarise,
)
from speechbrain_mtl.tasks import UtteranceClassification
from speechbrain_mtl.training.start import Start
from tests.helpers.encoders import small_crdnn
from tests.helpers.trees import write_tone


def score(value, n=50, **more):
    cell = {"metric": "accuracy", "value": value, "n": n, "valid": value / 2}
    return {**cell, "interval": None, "higher_is_better": True, **more}


def metrics(value, wall, weights, **more):
    return {
        "experiment": "sparsemax weights for sound",
        "seed": 3,
        "data": {"labelled": "20 sounds", "fold": "?"},
        "weights": weights,
        "train": {"hours_of_audio": 3.0, "steps": 10, "final": {"f0": 1.0}},
        "valid": {"f0": 1.0},
        "probes": {"sound/accuracy": score(value)},
        "baselines": {"random_init": {"sound/accuracy": score(value / 2)}},
        "cost": {
            "wall_s": {"selection": wall, "pretraining (uniform)": 900.0},
            "audio_hours_per_hour": 9.0,
            "peak_rss_mb": 10 * wall,
            "peak_gpu_mb": None,
        },
        **more,
    }


def test_the_mean_has_students_interval_over_folds():
    values = {"1": score(0.5), "2": score(0.7, 60), "3": score(0.6)}
    mean = mean_score(values)
    # 4.303 is Student's quantile of 2 degrees; the deviation is 0.1.
    half = 4.30265 * 0.1 / 3**0.5
    assert mean["value"] == pytest.approx(0.6)
    assert mean["interval"] == pytest.approx([0.6 - half, 0.6 + half])
    assert (mean["n"], mean["valid"]) == (160, pytest.approx(0.3))
    assert mean["folds"] == {"1": 0.5, "2": 0.7, "3": 0.6}


# Student's quantile of one degree is 12.706; an error rate may exceed 1.
@pytest.mark.parametrize(("higher", "top"), [(True, 1.0), (False, 2.0706)])
def test_an_interval_ends_where_a_fraction_does(higher, top):
    values = {str(v): score(v, higher_is_better=higher) for v in (0.9, 0.7)}
    interval = mean_score(values)["interval"]
    assert interval == pytest.approx([0.0, top], abs=1e-4)


def test_one_fold_keeps_its_own_interval():
    mean = mean_score({"4": score(0.5, interval=[0.4, 0.6])})
    assert mean["interval"] == [0.4, 0.6] and mean["folds"] == {"4": 0.5}


def test_one_page_of_all_folds():
    both = summarise(
        {
            "1": metrics(0.5, 10.0, {"f0": 0.2, "zcr": 0.8}),
            "5": metrics(0.7, 20.0, {"f0": 0.4, "zcr": 0.6}),
        }
    )
    assert both["experiment"] == "sparsemax weights for sound, folds 1, 5"
    assert both["weights"] == pytest.approx({"f0": 0.3, "zcr": 0.7})
    assert both["train"] == {"hours_of_audio": 6.0, "steps": 20}
    assert both["probes"]["sound/accuracy"]["value"] == pytest.approx(0.6)
    untrained = both["baselines"]["random_init"]["sound/accuracy"]
    assert (untrained["value"], untrained["n"]) == (pytest.approx(0.3), 100)
    # The baseline's own pretraining may be the same one in both.
    assert both["cost"]["wall_s"] == {"fold 1": 10.0, "fold 5": 20.0}
    assert both["cost"]["peak_rss_mb"] == 200.0
    assert both["cost"]["peak_gpu_mb"] is None
    assert both["data"]["labelled"] == "20 sounds"
    assert "1, 5" in both["data"]["note"]


def test_encoders_that_come_pretrained_have_nothing_to_sum():
    plain = {"train": {}, "baselines": {}}
    both = summarise({k: metrics(0.5, 9.0, {}, **plain) for k in "12"})
    assert both["weights"] == both["train"] == both["baselines"] == {}


@pytest.mark.parametrize("wanted", [[7], [1, "x"], []])
def test_folds_that_do_not_exist_are_named(wanted):
    with pytest.raises(ValueError, match="choose of 1, 2, as --folds=.1."):
        choose_folds({"1": "fold_1", "2": "fold_2"}, wanted)
    assert choose_folds({"1": "a", "2": "b"}, None) == ["1", "2"]


def test_numbered_folds_test_everything_once():
    entries = {f"u{i}": {"fold": 1 + i % 4} for i in range(12)}
    fields = numbered_folds(entries)
    assert list(fields) == ["1", "2", "3", "4"]
    for entry in entries.values():
        parts = [entry[field] for field in fields.values()]
        assert sorted(parts) == ["test", "train", "train", "valid"]
        assert parts[entry["fold"] - 1] == "test"
    for bad in (None, "2"):
        entries["u5"]["fold"] = bad
        with pytest.raises(ValueError, match=rf"u5 and 0 .*fold is {bad!r}"):
            numbered_folds(entries)
    with pytest.raises(ValueError, match=r"\[1, 2\]: one tests"):
        numbered_folds({"a": {"fold": 1}, "b": {"fold": 2}})


@pytest.fixture
def sounds(tmp_path):
    """Two classes, three folds; a folder of other audio."""
    entries = {}
    for fold in (1, 2, 3):
        for label in ("dog", "rain"):
            path = tmp_path / "esc" / f"{label}{fold}.wav"
            write_tone(path)
            entry = {"wav": str(path), "duration": 0.1, "sound": label}
            entries[f"{label}{fold}"] = {**entry, "fold": fold}
    for name in "abc":
        write_tone(tmp_path / "speech" / f"{name}.wav", seconds=1.0)
    return entries


@pytest.fixture
def ran(monkeypatch):
    """What each fold's experiment was given; it writes made-up metrics."""
    calls = []

    class Experiment:
        def __init__(self, hparams, settings, run_opts):
            self.hparams = hparams

        def run(self, parts, data, note):
            calls.append((self.hparams, parts, data, note))
            folder = Path(self.hparams["output_folder"])
            folder.mkdir(parents=True)
            made = metrics(0.1 * len(calls), 1.0, {"f0": 1.0}, data=note)
            (folder / "metrics.json").write_text(json.dumps(made))

    monkeypatch.setattr(folds, "DownstreamExperiment", Experiment)
    return calls


def started(tmp_path, speech, **more):
    hparams = {
        "output_folder": str(tmp_path / "out"),
        "uniform_folder": str(tmp_path / "equal"),
        "pretrain_folder": str(tmp_path / speech),
        "pretrain_manifest": None,
        "pretrained": None,
        "pretrain": print,
        "encoder": small_crdnn(),
        "tasks": {"sound": UtteranceClassification("sound")},
        "folds": None,
        **more,
    }
    return Start("", "", hparams, {}, {})


@pytest.mark.parametrize("speech", ["speech", "esc"])
def test_folds_share_equal_weights_only_if_no_label_is_heard(
    sounds, ran, tmp_path, speech
):
    fields = numbered_folds(sounds)
    asked = started(tmp_path, speech)
    results = cross_validate(asked, sounds, fields, "digest", {"labelled": "x"})
    equal = [str(hparams["uniform_folder"]) for hparams, *_ in ran]
    base = str(tmp_path / "equal")
    shared = [base] * 3 if speech == "speech" else None
    assert equal == (shared or [f"{base}/fold_{k}" for k in (1, 2, 3)])
    outputs = [Path(hparams["output_folder"]).name for hparams, *_ in ran]
    assert outputs == ["fold_1", "fold_2", "fold_3"]
    # Looked through once, and what the recipe was given is as it was.
    lists = {hparams["pretrain_manifest"] for hparams, *_ in ran}
    assert lists == {tmp_path / "out" / "speech" / "manifest.json"}
    assert asked.hparams["pretrain_manifest"] is None
    assert len({data for _, _, data, _ in ran}) == 3
    for fold, (_, parts, _, note) in enumerate(ran, start=1):
        assert note == {"labelled": "x", "fold": str(fold)}
        assert set(parts["test"]) == {f"dog{fold}", f"rain{fold}"}
        assert not parts["test"].keys() & parts["train"].keys()
    assert results["this"]["sound/accuracy"]["value"] == pytest.approx(0.2)
    assert (tmp_path / "out" / "report.html").is_file()


def test_chosen_folds_alone_are_run(sounds, ran, tmp_path):
    asked = started(tmp_path, "speech", folds=[3])
    cross_validate(asked, sounds, numbered_folds(sounds), "digest", {})
    assert len(ran) == 1 and set(ran[0][1]["test"]) == {"dog3", "rain3"}


def test_bad_labels_of_the_last_fold_stop_the_first(sounds, ran, tmp_path):
    fields = numbered_folds(sounds)
    parts = {"fold_1": "unused", "fold_2": "unused", "fold_3": "test"}
    sounds["hail"] = {**sounds["rain3"], "sound": "hail", **parts}
    with pytest.raises(ManifestError, match=r"hail: sound \['hail'\] never"):
        cross_validate(started(tmp_path, "speech"), sounds, fields, "x", {})
    assert not ran


def test_a_manifest_without_folds_is_refused(sounds, ran, tmp_path):
    fields = {"1": "fold_1"}
    with pytest.raises(ManifestError, match=r"no entry has fold_1 in"):
        cross_validate(started(tmp_path, "speech"), sounds, fields, "x", {})
