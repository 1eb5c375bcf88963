"""Random parts of long utterances: of waveforms and of stored layers."""

import functools
import json

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.evaluation.features import extract
from speechbrain_mtl.models import ContextFbank
from speechbrain_mtl.tasks import SpeakerVerification, UtteranceClassification
from speechbrain_mtl.training import finetune
from speechbrain_mtl.training.chunks import random_chunk
from speechbrain_mtl.training.utterances import (
    UtteranceBatchSampler,
    utterance_dataset,
    utterance_loader,
)
from tests.helpers.encoders import calibrated_crdnn


def test_chunks_lie_anywhere_inside_and_depend_on_all_that_is_given():
    spans = [random_chunk(f"u{i}", 10.0, 3.0, 0, 1) for i in range(300)]
    starts = np.array([start for start, _ in spans])
    assert all(stop - start == pytest.approx(3) for start, stop in spans)
    assert starts.min() >= 0 and max(stop for _, stop in spans) <= 10
    assert np.histogram(starts, bins=5, range=(0, 7))[0].min() > 30
    others = [("u1", 0, 1), ("u2", 0, 1), ("u1", 1, 1), ("u1", 0, 2)]
    drawn = [random_chunk(n, 10.0, 3.0, s, e) for n, s, e in others]
    assert len(set(drawn)) == 4
    assert random_chunk("u1", 10.0, 3.0, 0, 1) == drawn[0]


@pytest.fixture
def entries(tmp_path):
    """Recordings whose samples say which they are; one a part of a file."""
    found = {}
    for number, seconds in enumerate([1.5, 0.3, 2.0]):
        path = tmp_path / f"u{number}.wav"
        ramp = np.arange(round(seconds * 16000)) / 2**16 - 0.5
        soundfile.write(path, ramp, 16000, subtype="FLOAT")
        found[f"u{number}"] = {
            "wav": str(path), "duration": seconds, "speaker": f"s{number}",
        }  # fmt: skip
    found["u2"] |= {"start": 0.5, "stop": 1.9}
    return found


def read(entries, epoch, features=None, chunk_seconds=0.5, workers=0):
    task = SpeakerVerification()
    task.prepare((1,), entries)
    sampler = UtteranceBatchSampler(
        [0.5, 0.3, 0.5], batch_seconds=0.5, shuffle=False, seed=4
    )
    sampler.set_epoch(epoch)
    dataset = utterance_dataset(
        entries, {"v": task}, sampler, features, chunk_seconds
    )
    loader = utterance_loader(dataset, sampler, workers)
    return {batch.id[0]: batch for batch in loader}


@pytest.mark.parametrize("workers", [0, 1])
def test_the_loader_reads_the_chunk_alone(entries, workers):
    batches = read(entries, epoch=2, workers=workers)
    for name, begin, seconds in [
        ("u0", 0, 1.5),
        ("u1", 0, 0.3),
        ("u2", 0.5, 1.4),
    ]:
        start, stop = random_chunk(name, seconds, 0.5, 4, 2)
        wav = batches[name].sig.data[0]
        first = round((begin + start) * 16000)
        assert len(wav) == pytest.approx((stop - start) * 16000, abs=1)
        assert round(float(wav[0] + 0.5) * 2**16) == first
        assert batches[name].seconds[0] == pytest.approx(stop - start)


def test_another_epoch_another_chunk(entries):
    one, two, again = (read(entries, epoch) for epoch in (1, 2, 1))
    assert not torch.equal(one["u0"].sig.data[:, :1], two["u0"].sig.data[:, :1])
    assert torch.equal(one["u0"].sig.data, again["u0"].sig.data)
    assert torch.equal(one["u1"].sig.data, two["u1"].sig.data)


def test_without_chunks_utterances_are_whole(entries):
    batches = read(entries, epoch=1, chunk_seconds=None)
    assert batches["u0"].sig.data.shape == (1, 24000)
    assert batches["u2"].seconds == [pytest.approx(1.4)]


def test_stored_layers_are_cut_at_the_same_times(entries):
    encoder = ContextFbank(n_mels=8)
    encoder.calibrate(torch.randn(1, 16000), torch.ones(1))
    features = extract(encoder, entries, progress=False)
    batches = read(entries, epoch=3, features=features)
    for name, seconds in [("u0", 1.5), ("u2", 1.4)]:
        start, stop = random_chunk(name, seconds, 0.5, 4, 3)
        times = features.times(name)
        wanted = (
            features.begins[name]
            + torch.where((times >= start) & (times < stop))[0]
        )
        torch.testing.assert_close(
            batches[name].sig.data[0], features.frames[wanted]
        )
        assert len(wanted) * features.hop == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("task", "seconds"),
    [(UtteranceClassification("word"), 1.0), (SpeakerVerification(), 0.0)],
)
def test_chunks_that_make_no_sense_are_refused(tmp_path, task, seconds):
    with pytest.raises(ValueError, match=f"chunk_seconds is {seconds}: give"):
        finetune(
            calibrated_crdnn(), {"t": task}, {}, tmp_path, torch.optim.AdamW,
            chunk_seconds=seconds,
        )  # fmt: skip


def test_training_resumes_on_the_same_chunks(entries, tmp_path):
    """One run of two epochs, and one that is called twice."""
    parts = {part: {} for part in ("train", "valid", "test")}
    for part in parts:
        for name, entry in entries.items():
            parts[part][f"{part}-{name}"] = entry
            parts[part][f"{part}-{name}-again"] = entry

    def logged(folder, epochs):
        finetune(
            calibrated_crdnn(),
            {"v": SpeakerVerification(sizes={"channels": [4] * 5})},
            parts, folder, functools.partial(torch.optim.SGD, lr=0.0),
            {"device": "cpu", "noprogressbar": True}, epochs=epochs,
            batch_seconds=1.0, chunk_seconds=0.5, log_every=1,
            progressbar=False,
        )  # fmt: skip
        lines = (folder / "train_log.jsonl").read_text().splitlines()
        lines = map(json.loads, lines)
        return [e["loss"] for e in lines if e["split"] == "train"]

    whole = logged(tmp_path / "whole", 2)
    begun = logged(tmp_path / "cut", 1)
    cut = logged(tmp_path / "cut", 2)
    assert cut[: len(begun)] == begun
    assert cut == pytest.approx(whole, rel=1e-5)
    assert whole[: len(begun)] != whole[len(begun) :]
