import dataclasses

import numpy as np
import pytest
import soundfile
import torch
from speechbrain.lobes.features import Fbank

from speechbrain_mtl.data.audio import read_audio
from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.selection import gaussian_downsample
from speechbrain_mtl.selection.features import measure
from speechbrain_mtl.selection.strata import stratify
from speechbrain_mtl.workers import MFCC, RMSEnergy, Worker, ZeroCrossingRate

WORKERS = {"rms": RMSEnergy(), "zcr": ZeroCrossingRate()}


class Loudest(Worker):
    """Units: by what power of ten a frame is weak, and its parity."""

    units = 5

    def __init__(self, dim=1, shift=0):
        super().__init__(dim, 400)
        self.shift = shift

    def label(self, analysis):
        energy = RMSEnergy().label(analysis)
        level = (-2 * energy.clamp(min=1e-9).log10()).floor().clamp(0, 4)
        both = torch.cat([level, level % 2], dim=2)[..., : self.dim]
        return both + self.shift


class Constant(Worker):
    """Label that never changes, or is broken in loud frames."""

    def __init__(self, value):
        super().__init__(1, 400)
        self.value = value

    def label(self, analysis):
        shape = (len(analysis.samples), analysis.rows, 1)
        return torch.full(shape, self.value)


def slow_frames(manifest, segments, worker):
    """Per segment: read, label alone, keep frames centred inside."""
    for key, start, end in zip(segments.ids, segments.starts, segments.ends):
        wav = read_audio(manifest[key]["wav"])
        label = worker(wav[None], torch.ones(1))[0].double()
        label = label[: int(worker.frame_lens(torch.tensor(len(wav))))]
        if start == start:  # not NaN: a part
            time = worker.offset + worker.hop * torch.arange(len(label))
            label = label[(time >= start - 1e-9) & (time < end - 1e-9)]
        yield label


def slow_scores(manifest, segments, worker):
    """z-scored frames of every segment."""
    frames = list(slow_frames(manifest, segments, worker))
    everything = torch.cat(frames)
    mean, deviation = everything.mean(0), everything.std(0, unbiased=False)
    return [(label - mean) / deviation for label in frames]


def slow_means(manifest, segments, worker):
    scores = slow_scores(manifest, segments, worker)
    return torch.stack([z.mean(0) for z in scores]) / worker.dim**0.5


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


@pytest.mark.parametrize("field", ["note", "halves"])
def test_trajectories_are_those_of_every_segment_alone(tone_corpus, field):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, field, min_per_class=4)
    workers = {"rms": RMSEnergy(), "mfcc": MFCC()}
    labels = measure(
        manifest, segments, workers, 6, batch_seconds=1.5, trajectory=True
    ).labels
    for name, worker in workers.items():
        scores = slow_scores(manifest, segments, worker)
        slow = torch.stack(
            [gaussian_downsample(z, 6).flatten() for z in scores]
        )
        slow /= (6 * worker.dim) ** 0.5
        assert labels[name].shape == (len(segments), 6 * worker.dim)
        torch.testing.assert_close(
            labels[name].double(), slow, rtol=1e-3, atol=1e-3
        )


def test_units_are_roots_of_histograms_of_every_segment_alone(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "halves", min_per_class=4)
    workers = {"one": Loudest(), "two": Loudest(dim=2)}
    labels = measure(manifest, segments, workers, batch_seconds=1.5).labels
    for name, worker in workers.items():
        rows = []
        for frames in slow_frames(manifest, segments, worker):
            counts = [
                sum(int(code) == unit for code in column) / len(frames)
                for column in frames.T
                for unit in range(5)
            ]
            rows.append([(c / worker.dim) ** 0.5 for c in counts])
        torch.testing.assert_close(labels[name], torch.tensor(rows))
    # Distances are twice squared Hellinger distances.
    p, q = labels["one"][0].square(), labels["one"][7].square()
    hellinger = 1 - (p * q).sqrt().sum()
    gap = (labels["one"][0] - labels["one"][7]).square().sum()
    torch.testing.assert_close(gap, 2 * hellinger)


def test_unit_trajectories_are_roots_of_downsampled_one_hots(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "halves", min_per_class=4)
    for dim in (1, 2):
        worker = Loudest(dim)
        labels = measure(
            manifest, segments, {"unit": worker}, 4, 1.5, trajectory=True
        ).labels["unit"]
        rows = []
        for frames in slow_frames(manifest, segments, worker):
            one_hot = (frames[..., None] == torch.arange(5)).float()
            row = gaussian_downsample(one_hot.flatten(1), 4)
            rows.append(row.sqrt().flatten() / (4 * dim) ** 0.5)
        torch.testing.assert_close(
            labels, torch.stack(rows), rtol=1e-4, atol=1e-4
        )


def test_a_segment_of_one_frame_has_one_unit_and_a_flat_course(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    for entry in manifest.values():
        entry["bits"] = [[0.1, 0.101, entry["note"]]]
    segments = stratify(manifest, "bits", min_per_class=4)
    workers = {"unit": Loudest(), **WORKERS}
    means = measure(manifest, segments, workers, 4).labels
    courses = measure(manifest, segments, workers, 4, trajectory=True).labels
    for name in workers:
        # The same distances, hence the same kernels at one bandwidth.
        torch.testing.assert_close(
            torch.cdist(means[name].float(), means[name].float()),
            torch.cdist(courses[name], courses[name]),
            rtol=1e-3,
            atol=1e-4,
        )
    assert ((means["unit"] == 0) | (means["unit"] == 1)).all()


def test_a_unit_that_never_changes_is_refused_by_name(tone_corpus):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "note", min_per_class=4)
    flat = Constant(3.0)
    flat.units = 5
    with pytest.raises(ValueError, match="'flat' gives one and the same unit"):
        measure(manifest, segments, {"flat": flat})


@pytest.mark.parametrize("shift", [-4, 1, 0.5])
def test_a_number_that_is_no_unit_is_refused_by_name(tone_corpus, shift):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "note", min_per_class=4)
    workers = {"odd": Loudest(shift=shift)}
    if shift == 1:
        workers["odd"].units = 3
    with pytest.raises(ValueError, match="'odd' gives .* none of its"):
        measure(manifest, segments, workers)


@pytest.mark.parametrize("trajectory", [False, True])
def test_batches_of_any_size_give_the_same(tone_corpus, trajectory):
    manifest = load_manifest(tone_corpus(classes=2, per_class=6))
    segments = stratify(manifest, "halves", min_per_class=4)
    workers = {**WORKERS, "unit": Loudest()}
    large = measure(
        manifest, segments, workers, batch_seconds=100, trajectory=trajectory
    )
    small = measure(
        manifest, segments, workers, batch_seconds=0.1, trajectory=trajectory
    )
    torch.testing.assert_close(large.mels, small.mels, rtol=1e-4, atol=1e-3)
    for name in workers:
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


def test_an_entry_that_names_a_part_is_measured_there_alone(tmp_path):
    random = np.random.default_rng(0)
    noise = 0.1 * random.standard_normal((8, 8000))
    manifest, cut = {}, {}
    soundfile.write(tmp_path / "long.wav", noise.flatten(), 16000)
    for i, wave in enumerate(noise):
        soundfile.write(tmp_path / f"{i}.wav", wave, 16000)
        part = {"duration": 4.0, "start": i / 2, "stop": (i + 1) / 2}
        more = {"loud": i % 2}
        wav = str(tmp_path / "long.wav")
        manifest[f"u{i}"] = {"wav": wav, **part, **more}
        wav = str(tmp_path / f"{i}.wav")
        cut[f"u{i}"] = {"wav": wav, "duration": 0.5, **more}
    found = []
    for entries in (manifest, cut):
        segments = stratify(entries, "loud", min_per_class=4)
        found.append(measure(entries, segments, {"rms": RMSEnergy()}, 4, 1.0))
    assert found[0].seconds == found[1].seconds == 4.0
    assert torch.equal(found[0].mels, found[1].mels)
    assert torch.equal(found[0].labels["rms"], found[1].labels["rms"])
