import dataclasses
import json

import pytest
import torch

from speechbrain_mtl.data.manifest import load_manifest, subset
from speechbrain_mtl.selection import Selection, Selector
from speechbrain_mtl.selection.simplex import MAPPINGS
from speechbrain_mtl.workers import F0, RMSEnergy, Worker, ZeroCrossingRate

DRAWS = {"draws": 20}


class Noise(Worker):
    """One random number a recording, from its samples: the same each time."""

    def __init__(self):
        super().__init__(1, 400)

    def label(self, analysis):
        keys = analysis.wavs.abs().sum(1) * 1e4
        value = torch.frac(torch.sin(keys) * 43758.5453)
        return value[:, None, None].expand(-1, analysis.rows, 1)


def workers():
    return {
        "f0": F0(),
        "noise": Noise(),
        "rms": RMSEnergy(),
        "zcr": ZeroCrossingRate(),
    }


def test_the_label_that_sets_the_class_is_weighed_and_noise_is_not(
    tone_corpus,
):
    selection = Selector(**DRAWS).fit(
        tone_corpus(per_class=20), "note", workers()
    )
    assert selection.weights["noise"] == selection.weights["rms"] == 0
    assert sum(selection.weights.values()) == pytest.approx(1)
    tasks = selection.tasks
    assert tasks["noise"]["flags"] and tasks["rms"]["flags"]
    assert not tasks["f0"]["flags"] and not tasks["zcr"]["flags"]
    assert selection.solver["converged"]


def test_a_selection_has_all_that_reports_and_training_read(
    tone_corpus, tmp_path
):
    manifest = tone_corpus()
    selection = Selector(**DRAWS).fit(manifest, "halves", workers())
    path = tmp_path / "selection.json"
    selection.save(path)
    assert Selection.load(path) == selection
    content = json.loads(path.read_text())
    assert content["method"] == "sparsemax"
    assert set(content["tasks"]["f0"]) == {
        "weight",
        "ci",
        "interval",
        "rank",
        "frequency",
        "leave_one_out",
        "z",
        "p",
        "relevance_p",
        "reference",
        "centered",
        "unbiased",
        "normalised",
        "relevance",
        "within_class_spread",
        "spread",
        "mean_similarity",
        "flags",
    }
    data = content["data"]
    assert data["strata"] == 6 and data["segments"] == 72
    assert data["speakers"] == 4 and data["manifest"] == str(manifest)
    assert data["label_field"] == content["label_field"] == "halves"
    assert len(data["manifest_sha256"]) == 64
    assert {"min_per_class", "max_per_class", "dropped_classes"} <= set(data)
    entries = load_manifest(manifest)
    hours = sum(entry["duration"] for entry in entries.values()) / 3600
    assert data["hours"] == pytest.approx(hours)
    assert data["samples"] == dict.fromkeys(
        ("a0", "a1", "a2", "b0", "b1", "b2"), 12
    )
    assert data["effective_strata"] == pytest.approx(6)
    assert -1 <= data["split_half_agreement"] <= 1
    solver = content["solver"]
    assert {"gap", "objective", "evaluations", "name"} <= set(solver)
    path = solver["path"]
    assert path["temperature"][6] == solver["temperature"] == 2
    for name, weights in path["weights"].items():
        assert len(weights) == 13
        weight = selection.weights[name]
        assert weights[6] == pytest.approx(weight, abs=1e-4)
    for task in content["tasks"].values():
        assert 1 <= task["rank"][0] <= task["rank"][1] <= 4
        assert 0 <= task["frequency"] <= 1
        assert task["weight"] > 0 or task["leave_one_out"] == 0
    assert content["cost"]["wall_s"] > 0


def strip(selection):
    return dataclasses.replace(selection, cost={}, data={})


def test_the_same_seed_gives_the_same_selection(tone_corpus):
    manifest = tone_corpus()
    first = Selector(seed=3, **DRAWS).fit(manifest, "note", workers())
    again = Selector(seed=3, **DRAWS).fit(manifest, "note", workers())
    assert strip(first) == strip(again)


def test_order_of_entries_and_workers_changes_nothing(tone_corpus):
    manifest = load_manifest(tone_corpus())
    first = Selector(**DRAWS).fit(manifest, "note", workers())
    backwards = dict(reversed(list(manifest.items())))
    turned = dict(reversed(list(workers().items())))
    again = Selector(**DRAWS).fit(backwards, "note", turned)
    assert strip(first) == strip(again)


def test_a_manifest_may_be_cut_before(tone_corpus):
    manifest = load_manifest(tone_corpus(per_class=24))
    for index, entry in enumerate(manifest.values()):
        entry["split"] = "test" if index % 8 < 3 else "train"
    train = subset(manifest, split="train")
    selection = Selector(**DRAWS).fit(train, "note", workers())
    assert selection.data["segments"] == len(train) < len(manifest)
    assert selection.data["manifest"] is None


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("centering", ["centered", "reference"])
def test_every_mapping_ends_on_the_simplex(tone_corpus, mapping, centering):
    selector = Selector(mapping=mapping, centering=centering, **DRAWS)
    selection = selector.fit(tone_corpus(), "note", workers())
    assert selection.method == mapping
    assert sum(selection.weights.values()) == pytest.approx(1)
    assert min(selection.weights.values()) >= 0
    kernel = selection.kernel
    assert kernel["centering"] == centering
    assert (kernel["floor"] == -10) == (centering == "reference")
    has_path = centering == "centered" and mapping != "simplex"
    assert ("path" in selection.solver) == has_path
    ranked = {name: task["ci"] for name, task in selection.tasks.items()}
    if centering == "reference":
        published = {n: t["reference"] for n, t in selection.tasks.items()}
        assert ranked == published


def test_the_published_solver_nears_our_minimum_of_its_objective(tone_corpus):
    manifest = tone_corpus()
    ours, published = (
        Selector(centering="reference", solver=solver, **DRAWS).fit(
            manifest, "note", workers()
        )
        for solver in ("projected", "reference")
    )
    objective = ours.solver["objective"]
    assert objective <= published.solver["objective"] + 1e-7
    assert published.solver["evaluations"] == 1000


def test_one_measurement_serves_several_selections(tone_corpus):
    manifest = tone_corpus()
    measured = Selector(**DRAWS).measure(manifest, "note", workers())
    assert list(measured.labels) == ["f0", "noise", "rms", "zcr"]
    assert len(measured.classes) == len(measured.labels["f0"]) == 36
    assert int(measured.clusters.max()) == 3
    for mapping in ("softmax", "sparsemax"):
        selector = Selector(mapping=mapping, **DRAWS)
        apart = selector.fit(manifest, "note", workers())
        together = selector.weigh(measured)
        assert dataclasses.replace(together, cost={}) == dataclasses.replace(
            apart, cost={}
        )


def test_courses_and_bandwidths_reach_the_estimator(tone_corpus):
    manifest = tone_corpus(per_class=10)
    plain = Selector(**DRAWS).fit(manifest, "note", workers())
    course = Selector(trajectory=True, **DRAWS)
    measured = course.measure(manifest, "note", workers())
    assert measured.labels["f0"].shape == (30, measured.n_samples)
    assert course.weigh(measured).kernel["trajectory"]
    multi = Selector(bandwidth="multi", **DRAWS)
    scored = multi.fit(manifest, "note", workers())
    assert scored.kernel["bandwidth"] == "multi"
    assert scored.tasks["f0"]["ci"] != plain.tasks["f0"]["ci"]


def test_few_pairs_are_enough(tone_corpus):
    manifest = tone_corpus(per_class=60, seconds=0.2)
    full = Selector(mapping="softmax", **DRAWS)
    cut = dataclasses.replace(full, max_pairs=1800)
    one = full.fit(manifest, "note", workers())
    other = cut.fit(manifest, "note", workers())
    for name in one.weights:
        assert other.weights[name] == pytest.approx(one.weights[name], abs=0.1)


def test_temperature_follows_the_mapping_unless_given():
    assert Selector().temperature_used == 2
    assert Selector(mapping="softmax").temperature_used == 1
    assert Selector(mapping="entmax").temperature_used == 1
    assert Selector(mapping="simplex").temperature_used == 0
    assert Selector(centering="reference").temperature_used == 0
    assert Selector(temperature=0.3).temperature_used == 0.3


def test_wrong_settings_are_refused_at_once():
    for wrong in (
        {"mapping": "argmax"},
        {"bandwidth": "mean"},
        {"centering": "central"},
        {"solver": "sgd"},
    ):
        with pytest.raises(ValueError, match="choose from"):
            Selector(**wrong)
    with pytest.raises(ValueError, match="centering='reference'"):
        Selector(solver="reference")
    with pytest.raises(ValueError, match="published procedure knows"):
        Selector("entmax", centering="reference", solver="reference")
    with pytest.raises(ValueError, match="has no temperature"):
        Selector(centering="reference", temperature=1.0)


def test_wrong_input_is_refused_before_audio_is_read(tone_corpus):
    manifest = load_manifest(tone_corpus())
    for entry in manifest.values():
        entry["wav"] = "/nowhere.wav"
    with pytest.raises(ValueError, match="unknown|Choose each once"):
        Selector().fit(manifest, "note", "pitch")
    with pytest.raises(ValueError, match="no entry of the manifest"):
        Selector().fit(manifest, "nothing", "f0")


def test_an_estimate_names_sizes_and_reads_a_part(tone_corpus):
    manifest = tone_corpus(per_class=11)
    estimate = Selector().estimate(manifest, "note", workers())
    assert estimate.recordings == estimate.segments == 33
    assert estimate.strata == 3 and estimate.labels == 4
    assert estimate.seconds > 0 and estimate.memory_mb > 0
    assert "33 segments of 3 classes" in str(estimate)


def test_the_sample_of_an_estimate_is_short(tone_corpus, monkeypatch):
    from speechbrain_mtl.selection import estimate, features

    read = []
    monkeypatch.setattr(estimate, "SAMPLE_SECONDS", 2.0)
    monkeypatch.setattr(
        features,
        "read_entry",
        lambda name, entry, read_entry=features.read_entry: (
            read.append(name) or read_entry(name, entry)
        ),
    )
    Selector().estimate(tone_corpus(per_class=20), "note", workers())
    assert 4 <= len(read) <= 8  # of 60


def test_words_and_speakers_of_real_speech_choose_different_tasks(shared_data):
    folder = shared_data("fsdd")
    manifest = load_manifest(folder / "manifest.json")
    some = dict(list(manifest.items())[::5])
    choose = Selector(**DRAWS).fit
    digits = choose(some, "digit").weights
    speakers = choose(some, "speaker").weights
    # Which digit it is shows in the spectrum's shape and in periodicity; who
    # speaks in pitch and, in this set, in the level of the recording.
    assert digits["alpha_ratio"] + digits["log_hnr"] + digits["voicing"] > 0.5
    assert speakers["rms"] + speakers["loudness"] + speakers["f0"] > 0.5
    distance = sum(abs(digits[name] - speakers[name]) for name in digits)
    assert distance > 1
