import dataclasses

import pytest
import torch
from speechbrain.lobes.features import Fbank

from speechbrain_mtl.data.audio import read_audio
from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.selection import gaussian_downsample
from speechbrain_mtl.selection.features import measure
from speechbrain_mtl.selection.strata import stratify
from speechbrain_mtl.workers import MFCC, RMSEnergy, Worker, ZeroCrossingRate

WORKERS = {"rms": RMSEnergy(), "zcr": ZeroCrossingRate()}


class Constant(Worker):
    """Label that never changes, or is broken in loud frames."""

    def __init__(self, value):
        super().__init__(1, 400)
        self.value = value

    def label(self, analysis):
        shape = (len(analysis.samples), analysis.rows, 1)
        return torch.full(shape, self.value)


def slow_means(manifest, segments, worker):
    """Per segment: read, label alone, keep frames centred inside, mean."""
    means, frames = [], []
    for key, start, end in zip(segments.ids, segments.starts, segments.ends):
        wav = read_audio(manifest[key]["wav"])
        label = worker(wav[None], torch.ones(1))[0].double()
        label = label[: int(worker.frame_lens(torch.tensor(len(wav))))]
        if start == start:  # not NaN: a part
            time = worker.offset + worker.hop * torch.arange(len(label))
            label = label[(time >= start - 1e-9) & (time < end - 1e-9)]
        means.append(label.mean(0))
        frames.append(label)
    everything = torch.cat(frames)
    mean, deviation = everything.mean(0), everything.std(0, unbiased=False)
    return (torch.stack(means) - mean) / deviation / worker.dim**0.5


@pytest.mark.parametrize("field", ["note", "halves"])
def test_measurements_are_those_of_every_segment_alone(tone_corpus, field):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, field, min_per_class=4)
    workers = {**WORKERS, "mfcc": MFCC()}
    measured = measure(manifest, segments, workers, 6, batch_seconds=1.5)
    for name, worker in workers.items():
        slow = slow_means(manifest, segments, worker)
        torch.testing.assert_close(
            measured.labels[name], slow, rtol=1e-3, atol=1e-4
        )
    fbank = Fbank(n_mels=40)
    for i, key in enumerate(segments.ids):
        wav = read_audio(manifest[key]["wav"])
        mels = fbank(wav[None])[0]
        if not segments.whole:
            time = torch.arange(len(mels)) / 100
            mels = mels[
                (time >= segments.starts[i] - 1e-9)
                & (time < segments.ends[i] - 1e-9)
            ]
        torch.testing.assert_close(
            measured.mels[i],
            gaussian_downsample(mels, 6),
            rtol=1e-3,
            atol=1e-2,
        )
    total = sum(manifest[key]["duration"] for key in set(segments.ids))
    assert measured.seconds == pytest.approx(total)


def test_batches_of_any_size_give_the_same(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "halves", min_per_class=4)
    large = measure(manifest, segments, WORKERS, batch_seconds=100)
    small = measure(manifest, segments, WORKERS, batch_seconds=0.1)
    torch.testing.assert_close(large.mels, small.mels, rtol=1e-4, atol=1e-3)
    for name in WORKERS:
        torch.testing.assert_close(
            large.labels[name], small.labels[name], rtol=1e-4, atol=1e-5
        )


def test_labels_are_z_scored_over_the_frames_used(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "note", min_per_class=4)
    z = measure(manifest, segments, WORKERS).labels["rms"]
    # Recordings differ in level and hardly within: means vary as frames do.
    assert z.std() == pytest.approx(1, abs=0.3)
    assert z.mean().abs() < 0.3


def test_a_segment_of_one_frame_is_measured(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    for entry in manifest.values():
        note = entry["note"]
        entry["bits"] = [[0.1, 0.101, note], [0.2, 0.211, note]]
    segments = stratify(manifest, "bits", min_per_class=4)
    measured = measure(manifest, segments, WORKERS)
    assert measured.mels.isfinite().all()
    assert all(z.isfinite().all() for z in measured.labels.values())
    # One frame: every row of the embedding is that frame.
    first = measured.mels[0]
    torch.testing.assert_close(first, first[:1].expand(10, 40))


def test_a_constant_label_is_refused_by_name(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "note", min_per_class=4)
    for value in (0.0, 7.3):
        with pytest.raises(ValueError, match="'flat' is constant over all 12"):
            measure(manifest, segments, {**WORKERS, "flat": Constant(value)})


def test_a_label_that_is_not_finite_is_refused_by_name(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "note", min_per_class=4)
    workers = {**WORKERS, "broken": Constant(float("nan"))}
    with pytest.raises(ValueError, match="u0.*'broken' gives NaN"):
        measure(manifest, segments, workers)


def test_a_segment_beyond_its_recording_is_refused(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "halves", min_per_class=4)
    ends = segments.ends.copy()
    ends[3] = 9.0
    long = dataclasses.replace(segments, ends=ends)
    with pytest.raises(ValueError, match=f"{segments.ids[3]}.*9.000 s"):
        measure(manifest, long, WORKERS)


def test_a_missing_recording_is_named(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    manifest["u003"]["wav"] = "/nowhere/a.wav"
    segments = stratify(manifest, "note", min_per_class=4)
    with pytest.raises(ValueError, match="/nowhere/a.wav: no such file"):
        measure(manifest, segments, WORKERS)
