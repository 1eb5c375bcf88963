"""The whole training loop on generated tones: learning, resuming, phases."""

import functools
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.tasks import PretextTask
from speechbrain_mtl.training import pretrain
from speechbrain_mtl.training.pretrain import load_encoder
from speechbrain_mtl.workers import F0, MFCC, RMSEnergy, WorkerBank
from tests.helpers.encoders import small_crdnn

ROOT = Path(__file__).parents[2]
WEIGHTS = {"mfcc": 1.0, "f0": 0.5, "rms": 0.5}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Forty short tones whose pitch and level vary."""
    folder = tmp_path_factory.mktemp("tones")
    rng = np.random.default_rng(0)
    entries = {}
    for number in range(40):
        seconds = rng.uniform(0.5, 2.0)
        t = np.arange(int(16000 * seconds)) / 16000
        tone = (
            rng.uniform(0.05, 0.5)
            * np.sin(2 * np.pi * rng.uniform(100, 300) * t)
            * (1 + 0.5 * np.sin(2 * np.pi * 2 * t))
        )
        path = folder / f"{number}.wav"
        noise = 0.003 * rng.standard_normal(len(t))
        soundfile.write(path, tone + noise, 16000)
        entries[str(number)] = {"wav": str(path), "duration": len(t) / 16000}
    (folder / "entries.json").write_text(json.dumps(entries))
    return folder


def parts():
    torch.manual_seed(0)
    encoder = small_crdnn(dropout=0.1, mask_prob=0.1, mask_span=4)
    workers = {"f0": F0(), "mfcc": MFCC(), "rms": RMSEnergy()}
    tasks = {
        name: PretextTask(name, worker.dim, input_size=16, hidden_size=8)
        for name, worker in workers.items()
    }
    return encoder, tasks, WorkerBank(workers)


def run(corpus, folder, weights=None, **settings):
    entries = json.loads((corpus / "entries.json").read_text())
    names = list(entries)
    encoder, tasks, bank = parts()
    settings = {
        "hours": 0.06, "epoch_hours": 0.02, "batch_seconds": 6.0,
        "crop_seconds": 1.0, "grid_seconds": 0.1, "warmup_steps": 3,
        "log_every": 4, "grad_share_every": 4, "seed": 5, **settings,
    }  # fmt: skip
    run_opts = {"device": "cpu", "noprogressbar": True}
    run_opts |= settings.pop("run_opts", {})
    summary = pretrain(
        encoder, tasks, bank, weights or WEIGHTS,
        {n: entries[n] for n in names[:32]},
        {n: entries[n] for n in names[32:]},
        folder, functools.partial(torch.optim.AdamW, lr=0.01),
        run_opts, **settings,
    )  # fmt: skip
    return summary, encoder


def read_log(folder):
    lines = (folder / "train_log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_training_lowers_the_loss_and_logs_all_there_is(corpus, tmp_path):
    summary, encoder = run(corpus, tmp_path, hours=0.12)
    log = read_log(tmp_path)
    valid = [entry for entry in log if entry["split"] == "valid"]
    assert valid[-1]["loss"] < 0.9 * valid[0]["loss"]
    for entry in valid:
        parts = entry["tasks"].values()
        total = sum(part["loss"] * part["weight"] for part in parts)
        assert entry["loss"] == pytest.approx(total, rel=1e-4)
    assert summary["hours_of_audio"] == pytest.approx(0.12, rel=0.1)
    shares = [
        sum(task["grad_share"] for task in entry["tasks"].values())
        for entry in log
        if any("grad_share" in task for task in entry["tasks"].values())
    ]
    assert shares and shares == pytest.approx([1.0] * len(shares), abs=1e-5)
    twin = load_encoder(encoder, tmp_path / "initial.ckpt")
    done = load_encoder(encoder, tmp_path / "encoder.ckpt")
    moved = twin.projection.weight - done.projection.weight
    assert moved.abs().max() > 1e-3
    assert torch.equal(done.projection.weight, encoder.projection.weight)
    assert torch.equal(
        twin.features.normalizer.mean, done.features.normalizer.mean
    )


def test_same_seed_same_numbers_other_seed_others(corpus, tmp_path):
    one, _ = run(corpus, tmp_path / "one", hours=0.02)
    two, _ = run(corpus, tmp_path / "two", hours=0.02)
    other, _ = run(corpus, tmp_path / "other", hours=0.02, seed=6)
    assert one == two and one != other


KILLED = """
    import sys, torch, pathlib
    sys.path.insert(0, {root!r})
    torch.set_num_threads(1)
    from tests.training import test_pretrain
    test_pretrain.run(
        pathlib.Path({corpus!r}), pathlib.Path({folder!r}),
        run_opts={{"ckpt_interval_steps": 3}},
    )
"""


def test_killed_and_resumed_equals_undisturbed(corpus, tmp_path):
    folder = tmp_path / "killed"
    code = textwrap.dedent(KILLED).format(
        root=str(ROOT), corpus=str(corpus), folder=str(folder)
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    log = folder / "train_log.jsonl"
    # Past the first epoch and in the middle of the second.
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if log.exists() and log.read_text().count("\n") >= 5:
            break
        time.sleep(0.01)
    assert process.poll() is None, "the run ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "encoder.ckpt").exists()
    resumed, _ = run(corpus, folder, run_opts={"ckpt_interval_steps": 3})
    undisturbed, _ = run(corpus, tmp_path / "whole")
    assert resumed == undisturbed
    assert read_log(folder) == read_log(tmp_path / "whole")


def test_weights_of_undefined_tasks_are_refused(corpus, tmp_path):
    with pytest.raises(ValueError, match=r"does not define: \['jitter'\]"):
        run(corpus, tmp_path, weights={"jitter": 1.0})


def test_a_step_budget_is_announced(corpus, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        summary, _ = run(corpus, tmp_path, hours=0.02)
    assert f"{summary['steps']} updates of about " in caplog.text
    assert "(1 process(es), 1 batch(es) of " in caplog.text
    assert "each), 0.02 h in 1 epochs" in caplog.text


def test_accumulated_batches_are_whole_updates(corpus, tmp_path, monkeypatch):
    plain, _ = run(corpus, tmp_path / "plain")
    updates = -(-plain["steps"] // 3 // 5) * 3  # three epochs
    assert plain["steps"] % 15  # there would be batches left over
    stepped, rates = [], []
    step = torch.optim.AdamW.step

    def count(optimizer, *arguments, **more):
        stepped.append(1)
        rates.append(optimizer.param_groups[0]["lr"])
        return step(optimizer, *arguments, **more)

    monkeypatch.setattr(torch.optim.AdamW, "step", count)
    options = {"grad_accumulation_factor": 5}
    summary, _ = run(corpus, tmp_path / "summed", run_opts=options)
    assert summary["steps"] == 5 * updates and len(stepped) == updates
    assert max(rates) == pytest.approx(0.01)
    assert rates.index(max(rates)) == 2  # the third, as warmup_steps says
    assert rates[-1] < 0.003


def test_accumulating_runs_resume_between_updates(corpus, tmp_path):
    options = {"grad_accumulation_factor": 4, "ckpt_interval_steps": 3}
    whole, _ = run(corpus, tmp_path / "whole", run_opts=options)

    class Killed(Exception):
        pass

    from speechbrain_mtl.training.brain import MultiTaskBrain

    seen = []
    before = MultiTaskBrain.on_fit_batch_end

    def die(brain, batch, outputs, loss, should_step):
        before(brain, batch, outputs, loss, should_step)
        seen.append(brain.step)
        if len(seen) == 18:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MultiTaskBrain, "on_fit_batch_end", die)
        with pytest.raises(Killed):
            run(corpus, tmp_path / "killed", run_opts=options)
    resumed, _ = run(corpus, tmp_path / "killed", run_opts=options)
    assert resumed == whole
    assert read_log(tmp_path / "killed") == read_log(tmp_path / "whole")
