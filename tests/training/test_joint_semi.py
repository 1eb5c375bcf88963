"""Answers, self-supervision and self-training in one run, on tones."""

import functools
import json

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.data.audio import read_entry
from speechbrain_mtl.models import ContextFbank, Wav2Vec2Encoder
from speechbrain_mtl.tasks import (
    CTCTask,
    PretextTask,
    SelfTraining,
    UnitTask,
    UtteranceClassification,
    Wav2Vec2Task,
)
from speechbrain_mtl.tasks.tokens import LabelTokens
from speechbrain_mtl.training.joint import JointBrain
from speechbrain_mtl.training.joint_training import train_jointly
from speechbrain_mtl.training.packed_model import PackedModel
from speechbrain_mtl.workers import F0, RandomProjectionUnits, WorkerBank
from tests.helpers.joint import LABELS, batch
from tests.helpers.tones import harmonic_tone

PITCHES = {"do": 110, "mi": 175, "so": 280}
TONE = 2400  # samples


def write_phrases(folder, count, seed):
    """Recordings of two to four tones, and which they are."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    entries = {}
    for number in range(count):
        phones = random.choice(list(PITCHES), random.integers(2, 5)).tolist()
        gap = 1e-3 * random.standard_normal(800)
        parts = [gap]
        for phone in phones:
            parts += [harmonic_tone(random, PITCHES[phone], TONE), gap]
        wave = np.concatenate(parts)
        path = folder / f"{number}.wav"
        soundfile.write(path, wave, 16000)
        name = f"{folder.name}{number}"
        entries[name] = {
            "wav": str(path), "duration": len(wave) / 16000, "phones": phones,
        }  # fmt: skip
    return entries


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Few phrases with answers, and many without."""
    folder = tmp_path_factory.mktemp("phrases")
    sizes = {"train": 8, "valid": 4, "test": 12}
    labelled = {
        part: write_phrases(folder / part, size, seed)
        for seed, (part, size) in enumerate(sizes.items())
    }
    heard = {
        name: {"wav": entry["wav"], "duration": entry["duration"]}
        for name, entry in write_phrases(folder / "more", 24, 3).items()
    }
    names = list(heard)
    unlabelled = {
        "train": {n: heard[n] for n in names[4:]},
        "valid": {n: heard[n] for n in names[:4]},
    }
    return {"labelled": labelled, "unlabelled": unlabelled}


def every_task():
    """All that a run may have, each small."""
    return {
        "asr": CTCTask(LabelTokens("phones"), hidden_size=8),
        "wav2vec2": Wav2Vec2Task(
            16, 8, codes=8, code_size=8, project_size=8, negatives=10,
            anneal_batches=20,
        ),
        "units": UnitTask("units", 16, 16, hidden_size=8, only_hidden=True),
        "f0": PretextTask("f0", 1, input_size=16, hidden_size=8),
        "own": SelfTraining("asr", threshold=0.05, warmup_batches=2),
    }  # fmt: skip


def workers():
    return WorkerBank({"f0": F0(), "units": RandomProjectionUnits(16, stack=2)})


def small_wav2vec2():
    pytest.importorskip("transformers")
    torch.manual_seed(0)
    return Wav2Vec2Encoder(
        16, 2, 2, 32, conv_channels=8, position_kernel=8, position_groups=2,
    )  # fmt: skip


def run(parts, folder, tasks=None, encoder=None, **settings):
    tasks = every_task() if tasks is None else tasks
    settings = {
        "epochs": 2, "steps_per_epoch": 5, "batch_seconds": 2.0,
        "pack_seconds": 4.0, "log_every": 1, "seed": 1, "bank": workers(),
        **settings,
    }  # fmt: skip
    run_opts = {"device": "cpu", "noprogressbar": True}
    run_opts |= settings.pop("run_opts", {})
    lr = settings.pop("lr", 0.005)
    return train_jointly(
        encoder or small_wav2vec2(),
        tasks,
        {
            name: parts["labelled" if name == "asr" else "unlabelled"]
            for name in tasks
        },
        folder,
        functools.partial(torch.optim.AdamW, lr=lr),
        run_opts,
        progressbar=False,
        **settings,
    )


def log_of(folder, split="train"):
    lines = (folder / "train_log.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [entry for entry in found if entry["split"] == split]


def column(folder, task, what, split="train"):
    return [entry["tasks"][task][what] for entry in log_of(folder, split)]


def test_all_kinds_of_tasks_train_in_one_run(parts, tmp_path):
    found = run(parts, tmp_path)
    for rule in found["rules"].values():
        assert set(rule["scores"]) == {"asr/PER"}
    assert set(found["errors"]) == {"asr"}
    for split in ("train", "valid"):
        for entry in log_of(tmp_path, split):
            assert set(entry["tasks"]) == set(every_task())
            for task in entry["tasks"].values():
                assert task["loss"] >= 0 and np.isfinite(task["loss"])
    assert column(tmp_path, "own", "share")[:2] == [0.0, 0.0]
    assert all(0 <= c <= 1 for c in column(tmp_path, "own", "confidence"))
    # 0.7 of hidden frames, each with one of 16 units, are not guessed at once.
    assert column(tmp_path, "units", "accuracy")[0] < 0.9
    state = torch.load(tmp_path / "snapshots" / "2.ckpt")
    assert not any(name.startswith("bank.") for name in state)
    assert int(state["tasks.own.batches"]) == 10
    assert set(torch.load(tmp_path / "heads.ckpt")) == {"asr"}


def test_targets_are_measured_on_each_tasks_own_data(parts, tmp_path):
    run(parts, tmp_path, epochs=1, steps_per_epoch=1)
    state = torch.load(tmp_path / "snapshots" / "1.ckpt")
    bank, values, units = workers(), [], torch.zeros(16)
    for name, entry in parts["unlabelled"]["train"].items():
        wav = read_entry(name, entry)[None]
        labels = bank(wav, torch.ones(1))
        values.append(labels["f0"].flatten().double())
        units += torch.bincount(labels["units"].long().flatten(), minlength=16)
    values = torch.cat(values)
    assert int(state["tasks.f0.normalizer.count"]) == len(values)
    torch.testing.assert_close(
        state["tasks.f0.normalizer.mean"],
        values.mean()[None],
        rtol=1e-4,
        atol=0,
    )
    assert state["tasks.units.counts"].sum() == units.sum()
    # All but rounding at borders of units.
    off = (state["tasks.units.counts"][0] - units).abs().sum()
    assert off <= 0.02 * units.sum()
    short = tmp_path / "short"
    run(parts, short, epochs=1, steps_per_epoch=1, statistics_minutes=0.01)
    state = torch.load(short / "snapshots" / "1.ckpt")
    assert 0 < int(state["tasks.f0.normalizer.count"]) < len(values) / 2


class Killed(Exception):
    pass


def test_killed_and_resumed_equals_undisturbed(parts, tmp_path, monkeypatch):
    """Also the temperature of the codes and the warm-up, and with affinities
    measured on the way, which disturb neither."""
    options = {"run_opts": {"ckpt_interval_steps": 3}, "steps_per_epoch": 4}
    whole = run(parts, tmp_path / "whole", **options)
    options["affinity_every"] = 2
    seen = []
    before = JointBrain.on_fit_batch_end

    def die(brain, *arguments):
        before(brain, *arguments)
        seen.append(brain.step)
        if len(seen) == 6:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(JointBrain, "on_fit_batch_end", die)
        with pytest.raises(Killed):
            run(parts, tmp_path / "killed", **options)
    assert run(parts, tmp_path / "killed", **options) == whole
    log = log_of(tmp_path / "killed")
    assert log == log_of(tmp_path / "whole")
    heat = column(tmp_path / "killed", "wav2vec2", "temperature")
    expected = [2 * 0.25 ** (step / 20) for step in range(8)]
    assert heat == pytest.approx(expected, rel=1e-5)
    lines = (tmp_path / "killed" / "affinity.jsonl").read_text().splitlines()
    assert len(lines) == 4
    for line in lines:
        table = torch.tensor(json.loads(line)["lookahead"])
        assert torch.isfinite(table).all()


def tones(threshold):
    head = CTCTask(
        LabelTokens("phones"), projection=16, hidden_size=16, pooling=4
    )
    if threshold is None:
        return {"asr": head}
    return {"asr": head, "own": SelfTraining("asr", threshold, 20)}


def test_a_head_grows_surer_of_unlabelled_speech(parts, tmp_path):
    """On a frozen encoder, whose layers are stored: steps cost little."""
    torch.manual_seed(0)
    encoder = ContextFbank()
    for name, entry in parts["labelled"]["train"].items():
        encoder.calibrate(read_entry(name, entry)[None], torch.ones(1))
    found = run(
        parts, tmp_path, tones(0.5), encoder, frozen=True, lr=0.01, epochs=3,
        steps_per_epoch=25, log_every=5,
    )  # fmt: skip
    share = column(tmp_path, "own", "share")
    sure = column(tmp_path, "own", "confidence")
    losses = column(tmp_path, "own", "loss")
    assert share[:4] == losses[:4] == [0.0] * 4
    assert share[-1] > 0.8 and sure[-1] > sure[0] + 0.5
    begun = next(place for place, value in enumerate(share) if value)
    assert begun >= 4 and losses[-1] < 0.7 * losses[begun]
    assert found["errors"]["asr"] < 0.5


def test_what_cannot_be_is_refused_before_training(parts, tmp_path):
    tasks = {**tones(0.5), "own": SelfTraining("pr")}
    with pytest.raises(ValueError, match="'own' learns from 'pr'"):
        run(parts, tmp_path, tasks)
    tasks = {**tones(None), "f0": every_task()["f0"]}
    with pytest.raises(ValueError, match=r"\['f0'\] make labels .* store: Fal"):
        run(parts, tmp_path, tasks, frozen=True)
    with pytest.raises(ValueError, match="wants labels of worker 'f0'"):
        run(parts, tmp_path, tasks, bank=None)
    with pytest.raises(ValueError, match=r"none of the tasks \['f0'\] has ans"):
        run(parts, tmp_path, {"f0": tasks["f0"]})
    assert not (tmp_path / "train_log.jsonl").exists()


@pytest.mark.parametrize("allowed", [True, False])
def test_frames_are_hidden_only_from_tasks_that_allow_it(allowed):
    tasks = every_classifier()
    tasks["word"].allows_hidden = allowed
    model = PackedModel(small_wav2vec2(), tasks).train()
    encoded = model.encode(batch(["word"]), ["word"])
    assert all((pack.hidden is not None) == allowed for pack in encoded.packs)


def every_classifier():
    tasks = {}
    for name, labels in LABELS.items():
        tasks[name] = UtteranceClassification(name)
        tasks[name].prepare((16,) * 3, {a: {name: a} for a in labels})
    return tasks
