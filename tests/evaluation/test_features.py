"""Frozen features: whole, in place, and free of padding."""

import pytest
import torch

from speechbrain_mtl.data.audio import read_audio
from speechbrain_mtl.evaluation.examples import (
    frame_examples,
    pool,
    segment_examples,
)
from speechbrain_mtl.evaluation.features import _batches, extract

CLASSES = ["0", "1", "2", "3"]


def test_features_equal_those_of_each_recording_alone(encoder, entries):
    features = extract(encoder, entries, batch_seconds=4.0, progress=False)
    assert features.frames.shape[1:] == (2, 2)
    for name, entry in entries.items():
        alone = encoder(read_audio(entry["wav"])[None], torch.ones(1))
        first, last = features.span(name)
        assert last - first == int(alone.lens[0])
        got = features.frames[first:last].float()
        torch.testing.assert_close(
            got[:, 0, :1], alone.layers[0][0], atol=1e-3, rtol=1e-3
        )
        assert (got[:, 0, 1] == 0).all()
        torch.testing.assert_close(
            got[:, 1], alone.layers[1][0], atol=1e-3, rtol=1e-3
        )


def test_batches_keep_every_recording_and_the_budget(entries):
    batches = list(_batches(entries, 4.0))
    names = [name for batch in batches for name in batch]
    assert sorted(names) == sorted(entries)
    for batch in batches:
        longest = max(entries[name]["duration"] for name in batch)
        assert len(batch) == 1 or longest * len(batch) <= 4.0


def test_spans_hold_the_frames_centred_in_them(encoder, entries):
    features = extract(encoder, entries, progress=False)
    generator = torch.Generator().manual_seed(0)
    for name in entries:
        times = features.times(name).tolist()
        for start, length in torch.rand(40, 2, generator=generator).tolist():
            start, stop = 1.2 * start, 1.2 * start + 0.5 * length**4
            inside = [i for i, t in enumerate(times) if start <= t < stop]
            first, last = features.span(name, start, stop)
            first, last = (x - features.begins[name] for x in (first, last))
            if inside:
                assert (first, last) == (inside[0], inside[-1] + 1)
            else:
                middle = (start + stop) / 2
                nearest = min(abs(t - middle) for t in times)
                assert last == first + 1
                assert abs(times[first] - middle) <= nearest + 1e-9


def test_frames_carry_the_label_of_their_segment(encoder, entries):
    features = extract(encoder, entries, progress=False)
    examples = frame_examples(features, entries, "phones", CLASSES)
    wanted, clusters = [], []
    for name, entry in entries.items():
        for time in features.times(name).tolist():
            for start, stop, label in entry["phones"]:
                if start <= time < stop:
                    wanted.append(CLASSES.index(label))
                    clusters.append(name)
    assert examples.y.tolist() == wanted
    assert examples.clusters == clusters
    # The level of a frame is its label's.
    levels = 0.1 * (examples.y + 1)
    torch.testing.assert_close(
        examples.x[:, 0, 0].float(), levels, atol=1e-3, rtol=0
    )


def test_labels_out_of_the_classes_are_left_out(encoder, entries):
    features = extract(encoder, entries, progress=False)
    some = frame_examples(features, entries, "phones", ["1", "2"])
    everything = frame_examples(features, entries, "phones", CLASSES)
    kept = [y for y in everything.y.tolist() if y in (1, 2)]
    assert some.y.tolist() == [y - 1 for y in kept]


def test_pooling_equals_torch_on_each_span(encoder, entries):
    features = extract(encoder, entries, progress=False)
    spans = [features.span(n, 0.1, 0.9) for n in entries]
    for pooling in ("mean", "stats"):
        pooled = pool(features, spans, pooling)
        for row, (first, last) in zip(pooled, spans):
            frames = features.frames[first:last].float()
            wanted = frames.mean(0)
            if pooling == "stats":
                std = frames.std(0, unbiased=False)
                wanted = torch.cat([wanted, std], dim=-1)
            torch.testing.assert_close(row, wanted, atol=2e-3, rtol=1e-3)


def test_clusters_are_speakers_or_else_recordings(encoder, entries):
    features = extract(encoder, entries, progress=False)
    several = segment_examples(features, entries, "phones", CLASSES)
    assert set(several.clusters) == {f"s{i}" for i in range(8)}
    one = {n: e for n, e in entries.items() if e["speaker"] == "s0"}
    alone = segment_examples(features, one, "phones", CLASSES)
    assert set(alone.clusters) == set(one)


@pytest.mark.parametrize("field", ["phones", "first"])
def test_null_fields_give_no_example(encoder, entries, field):
    features = extract(encoder, entries, progress=False)
    entries["u3"][field] = None
    examples = segment_examples(features, entries, field, CLASSES)
    without = {n: e for n, e in entries.items() if n != "u3"}
    same = segment_examples(features, without, field, CLASSES)
    assert torch.equal(examples.y, same.y)
