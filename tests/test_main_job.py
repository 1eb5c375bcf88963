"""The main job, shrunk: every stage runs, and runs once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from speechbrain_mtl.inference import MTLEncoder

ROOT = Path(__file__).parents[1]
PROBES = {
    name: {"epochs": 1, "heads": ["linear"], "lrs": [0.01]}
    for name in ("phone", "phone_few", "phone_ctc", "speaker", "emotion")
}
PROBES["word"] = {"epochs": 1, "heads": ["linear"], "lrs": [0.01], "least": 2}
SHRUNK = [
    "--minutes=4",
    "--speakers=8",
    "--pretrain={hours: 0.02, epoch_hours: 0.01, statistics_minutes: 1}",
    f"--probes={json.dumps({'probes': PROBES})}",
]


def train(folder, *options, hparams="sparsemax"):
    command = [
        sys.executable,
        "train.py",
        f"hparams/{hparams}.yaml",
        *SHRUNK,
        f"--data_folder={folder / 'corpus'}",
        f"--output_folder={folder / 'this'}",
        f"--uniform_folder={folder / 'uniform'}",
        *options,
    ]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=400
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("main_job")
    done = train(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done


def test_all_results_are_there(finished):
    folder, done = finished
    metrics = json.loads((folder / "this" / "metrics.json").read_text())
    rows = {"fbank_context", "random_init", "uniform"}
    assert set(metrics["baselines"]) == rows
    for results in (metrics["probes"], *metrics["baselines"].values()):
        assert {name.split("/")[0] for name in results} == set(PROBES)
        for result in results.values():
            low, high = result["interval"]
            assert 0 <= low <= result["value"] <= high
    assert sum(metrics["weights"].values()) == pytest.approx(1)
    page = (folder / "this" / "report.html").read_text()
    script = (folder / "this" / "train.py").read_text()
    assert script == (ROOT / "train.py").read_text()
    encoder = MTLEncoder.from_hparams(
        folder / "this", savedir=folder / "fetched"
    )
    assert encoder.encode_batch(torch.randn(1, 16000)).lens.tolist() == [49]
    assert page.startswith("<!doctype html>")
    # Self-contained: nothing is fetched (name spaces of SVG are no links).
    assert 'src="http' not in page and 'href="http' not in page
    assert "report: " in done.stdout and "weights: " in done.stdout
    log = (folder / "this" / "train_log.jsonl").read_text().splitlines()
    splits = {json.loads(line)["split"] for line in log}
    assert splits == {"train", "valid"}


def test_a_second_run_redoes_nothing(finished):
    folder, first = finished
    made = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*.stage.json")
    }
    assert len(made) == 7
    again = train(folder)
    assert again.returncode == 0, again.stderr[-3000:]
    for path, time in made.items():
        assert path.stat().st_mtime_ns == time
    table = first.stdout[first.stdout.index("weights: ") :]
    assert table in again.stdout


def test_another_downstream_redoes_what_depends_on_it(finished):
    folder, first = finished
    uniform = folder / "uniform" / "pretraining.stage.json"
    before = uniform.stat().st_mtime_ns
    other = train(folder, "--downstream=speaker")
    assert other.returncode == 0, other.stderr[-3000:]
    assert "label_field: words -> speaker" in other.stdout + other.stderr
    assert uniform.stat().st_mtime_ns == before
    metrics = json.loads((folder / "this" / "metrics.json").read_text())
    assert metrics["experiment"] == "sparsemax weights for speaker"


def test_an_unknown_downstream_is_named(tmp_path):
    done = train(tmp_path, "--downstream=music")
    assert done.returncode != 0
    assert "--downstream=music is none of" in done.stderr
    assert not (tmp_path / "corpus").exists()


def test_an_unknown_key_is_named(tmp_path):
    done = train(tmp_path, "--hourz=3")
    assert done.returncode != 0
    assert "hourz" in done.stderr
