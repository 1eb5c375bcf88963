"""wav2vec 2.0, units and a pretext task together: killed, and gone on with."""

import functools
import json

import pytest
import torch

from speechbrain_mtl.models import Wav2Vec2Encoder
from speechbrain_mtl.tasks import PretextTask, UnitTask, Wav2Vec2Task
from speechbrain_mtl.training import MultiTaskBrain, pretrain
from speechbrain_mtl.workers import F0, RandomProjectionUnits, WorkerBank
from tests.recipes.miniature import write_tones

pytest.importorskip("transformers")

WEIGHTS = {"wav2vec2": 1.0, "units": 0.5, "f0": 0.5}


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    """Sixteen tones of a second and a half."""
    names = [f"t{i}" for i in range(16)]
    paths = write_tones(tmp_path_factory.mktemp("tones"), names, 1.5)
    return {n: {"wav": str(p), "duration": 1.5} for n, p in paths.items()}


def run(entries, folder, **run_opts):
    torch.manual_seed(0)
    encoder = Wav2Vec2Encoder(
        16,
        2,
        2,
        32,
        conv_channels=8,
        position_kernel=8,
        position_groups=2,
        dropout=0.1,
    )
    tasks = {
        "wav2vec2": Wav2Vec2Task(
            16,
            8,
            codes=8,
            code_size=8,
            project_size=8,
            negatives=10,
            anneal_batches=20,
        ),
        "units": UnitTask("units", 16, 16, hidden_size=8, only_hidden=True),
        "f0": PretextTask("f0", 1, input_size=16, hidden_size=8),
    }
    bank = WorkerBank({"f0": F0(), "units": RandomProjectionUnits(16, stack=2)})
    names = list(entries)
    return pretrain(
        encoder,
        tasks,
        bank,
        WEIGHTS,
        {n: entries[n] for n in names[4:]},
        {n: entries[n] for n in names[:4]},
        folder,
        functools.partial(torch.optim.AdamW, lr=0.005),
        {"device": "cpu", "noprogressbar": True, **run_opts},
        hours=0.015,
        epoch_hours=0.005,
        batch_seconds=3.0,
        crop_seconds=1.5,
        grid_seconds=0.1,
        warmup_steps=3,
        log_every=2,
        grad_share_every=4,
        seed=5,
    )


def read_log(folder):
    lines = (folder / "train_log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


class Killed(Exception):
    pass


def test_killed_and_resumed_equals_undisturbed(entries, tmp_path, monkeypatch):
    options = {"ckpt_interval_steps": 3}
    whole = run(entries, tmp_path / "whole", **options)
    seen = []
    before = MultiTaskBrain.on_fit_batch_end

    def die(brain, *arguments):
        before(brain, *arguments)
        seen.append(brain.step)
        # In the middle of the second epoch, one step behind a checkpoint.
        if len(seen) == 10:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(MultiTaskBrain, "on_fit_batch_end", die)
        with pytest.raises(Killed):
            run(entries, tmp_path / "killed", **options)
    assert not (tmp_path / "killed" / "encoder.ckpt").exists()
    resumed = run(entries, tmp_path / "killed", **options)
    assert resumed == whole
    log = read_log(tmp_path / "killed")
    assert log == read_log(tmp_path / "whole")
    # The quantiser went on cooling, and had not begun anew.
    heat = [
        entry["tasks"]["wav2vec2"]["temperature"]
        for entry in log
        if entry["split"] == "train"
    ]
    assert heat == sorted(heat, reverse=True)
    # From 2 to .5 in 20 batches; the last line averages the last two of 18.
    last = (2 * 0.25 ** (16 / 20) + 2 * 0.25 ** (17 / 20)) / 2
    assert heat[-1] == pytest.approx(last, rel=1e-5)
