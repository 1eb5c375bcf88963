"""Input that cannot be weighed is refused, naming what and the remedy."""

import json

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.selection import Selector
from speechbrain_mtl.workers import F0, RMSEnergy, ZeroCrossingRate

WORKERS = {"f0": F0(), "rms": RMSEnergy(), "zcr": ZeroCrossingRate()}


@pytest.fixture
def corpus(tone_corpus):
    path = tone_corpus(classes=2, per_class=10)
    return path, load_manifest(path)


def fit(manifest, field="note"):
    return Selector(draws=10).fit(manifest, field, WORKERS)


def test_a_class_of_one_recording_is_left_out_and_said(corpus):
    _, manifest = corpus
    next(iter(manifest.values()))["note"] = "rare"
    selection = Selector(draws=10, min_per_class=9).fit(
        manifest, "note", WORKERS
    )
    assert selection.data["dropped_classes"] == ["rare"]
    assert selection.data["samples"] == {"n0": 9, "n1": 10}


@pytest.mark.parametrize(
    "field, message",
    [
        ("pitch", "no entry .* label in 'pitch'. Fields there: .*note"),
        ("same", "all 20 segments are of one class, 'x'"),
        ("duration", "0 class.es. with at least 10 segments"),
    ],
)
def test_labels_that_make_no_two_classes_are_refused(corpus, field, message):
    _, manifest = corpus
    for entry in manifest.values():
        entry["same"] = "x"
    with pytest.raises(ValueError, match=message):
        fit(manifest, field)


def test_a_segment_beyond_the_audio_is_refused_whatever_the_manifest_says(
    corpus,
):
    _, manifest = corpus
    entry = manifest["u003"]
    entry["duration"] += 1
    entry["halves"][1][1] = entry["duration"]
    with pytest.raises(ValueError, match="u003: a segment .* beyond"):
        fit(manifest, "halves")


def test_segments_of_a_frame_or_less_are_compared_and_counted(corpus):
    _, manifest = corpus
    for index, entry in enumerate(manifest.values()):
        start = 0.02 + 0.005 * (index % 7)
        length = 0.01 if index % 2 else 0.004
        entry["bits"] = [[start, start + length, entry["note"]]]
    selector = Selector(draws=10)
    measured = selector.measure(manifest, "bits", WORKERS)
    assert measured.segments.short == 10
    assert measured.measurements.mels.isfinite().all()
    for label in measured.labels.values():
        assert label.isfinite().all()
    course = Selector(draws=10, trajectory=True)
    for label in course.measure(manifest, "bits", WORKERS).labels.values():
        assert label.isfinite().all()


def test_audio_with_nan_is_refused_by_its_file(corpus):
    _, manifest = corpus
    path = manifest["u005"]["wav"]
    wave, rate = soundfile.read(path, dtype="float32")
    wave[100] = np.nan
    soundfile.write(path, wave, rate, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"5.wav: holds NaN .* remove"):
        fit(manifest)


def silence(manifest, keys):
    for key in keys:
        samples = round(16000 * manifest[key]["duration"])
        soundfile.write(manifest[key]["wav"], np.zeros(samples), 16000)


def test_a_silent_recording_is_a_recording(corpus):
    _, manifest = corpus
    silence(manifest, ["u004"])
    measured = Selector().measure(manifest, "note", WORKERS)
    assert all(torch.isfinite(z).all() for z in measured.labels.values())


def test_recordings_that_are_all_silent_are_refused(corpus):
    _, manifest = corpus
    silence(manifest, manifest)
    with pytest.raises(ValueError, match="all 20 recordings are silent. Check"):
        fit(manifest)
    # An estimate hears a part only, and says nothing of the whole.
    assert Selector().estimate(manifest, "note", WORKERS).segments == 20


def test_an_id_that_stands_twice_is_refused(corpus):
    path, manifest = corpus
    first = json.dumps(next(iter(manifest.values())))
    text = path.read_text().rstrip()
    path.write_text(f'{text[:-1]}, "u000": {first}}}')
    with pytest.raises(ValueError, match="u000: the id stands more than once"):
        fit(path)


def test_a_label_that_never_changes_is_refused_by_name(corpus):
    _, manifest = corpus
    for entry in manifest.values():  # noise has no pitch
        samples = round(16000 * entry["duration"])
        noise = 0.1 * np.random.default_rng(samples).standard_normal(samples)
        soundfile.write(entry["wav"], noise, 16000)
    with pytest.raises(ValueError, match="'f0' is constant over all 20 seg"):
        fit(manifest)
