"""Two processes on one machine: the same update as one, the same end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.recipes.miniature import speech_folder, write_tones
from tests.training.two_processes import batch, calibrated, gradients

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def torchrun(*arguments):
    """Two processes, one thread each."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*launcher, "--nproc_per_node=2", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done


def test_two_halves_have_the_gradient_of_the_whole(tmp_path):
    torchrun("tests/training/two_processes.py", "one_step", tmp_path)
    whole = gradients(calibrated(), batch())
    half = gradients(calibrated(), batch()[:2])
    shared = [torch.load(tmp_path / f"gradients{r}.pt") for r in (0, 1)]
    assert set(shared[0]) == set(shared[1]) == set(whole)
    apart = 0.0
    for name, expected in whole.items():
        for one in shared:
            torch.testing.assert_close(
                one[name], expected, rtol=1e-4, atol=1e-5
            )
        apart = max(apart, float((half[name] - expected).abs().max()))
    # Else the processes might not have spoken to each other.
    assert apart > 1e-3


def test_both_processes_end_with_the_same_encoder(tmp_path):
    paths = write_tones(tmp_path / "wavs", [f"t{i}" for i in range(16)], 2.0)
    entries = {n: {"wav": str(p), "duration": 2.0} for n, p in paths.items()}
    (tmp_path / "entries.json").write_text(json.dumps(entries))
    torchrun("tests/training/two_processes.py", "several_steps", tmp_path)
    one, two = (torch.load(tmp_path / f"rank{r}.pt") for r in (0, 1))
    assert len(one["ids"]) == len(two["ids"]) == one["summary"]["steps"] >= 6
    # They heard different crops, and counted both.
    assert one["ids"] != two["ids"]
    assert one["summary"] == two["summary"]
    assert one["summary"]["hours_of_audio"] == pytest.approx(0.01, rel=0.3)
    saved = torch.load(tmp_path / "run" / "encoder.ckpt")
    first = torch.load(tmp_path / "run" / "initial.ckpt")
    moved = 0.0
    for name, value in saved.items():
        assert torch.equal(one["encoder"][name], value), name
        assert torch.equal(two["encoder"][name], value), name
        moved = max(moved, float((first[name] - value).abs().max()))
    assert moved > 1e-3


def test_a_recipe_runs_twice_over_two_processes(tmp_path):
    recipe = "recipes/Folder/Pretraining"
    command = [
        f"{recipe}/train.py",
        f"{recipe}/hparams/crdnn_small.yaml",
        f"--data_folder={speech_folder(tmp_path / 'audio')}",
        f"--output_folder={tmp_path / 'out'}",
        "--pretrain={hours: 0.01, epoch_hours: 0.005, statistics_minutes: 0.1}",
        "--threads=1",
        "--device=cpu",
        "--distributed_backend=gloo",
    ]
    first = torchrun(*command)
    assert first.stdout.count("report: ") == 1
    made = (tmp_path / "out" / "pretraining.stage.json").read_bytes()
    assert not list((tmp_path / "out").glob("*.started.json"))
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["weights"]["f0"] == 0.3745
    torchrun(*command)
    assert (tmp_path / "out" / "pretraining.stage.json").read_bytes() == made
    # Other settings clear the old result, once.
    torchrun(*command, "--seed=1")
    assert (tmp_path / "out" / "pretraining.stage.json").read_bytes() != made
