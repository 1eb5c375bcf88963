"""The study, shrunk: every run is made, once, and the card is complete."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes" / "Synthetic" / "SelectionStudy"
SHRUNK = [
    "--minutes=4",
    "--speakers=8",
    "--seeds=1",
    "--group_tasks=[speaker]",
    "--pretrain={hours: 0.004, epoch_hours: 0.004, statistics_minutes: 0.2}",
    "--probes={probes: {word: {least: 2}}}",
]


@pytest.mark.slow
def test_the_study_runs_once_and_judges_every_score(tmp_path):
    command = [
        sys.executable,
        RECIPE / "train.py",
        RECIPE / "hparams" / "study.yaml",
        *SHRUNK,
        f"--data_folder={tmp_path / 'corpus'}",
        f"--output_folder={tmp_path / 'study'}",
    ]

    def run():
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=900
        )

    done = run()
    assert done.returncode == 0, done.stderr[-3000:]
    card = json.loads((tmp_path / "study" / "study.json").read_text())
    assert set(card["downstream"]) == {"phone", "word", "speaker"}
    errors = card["downstream"]["phone"]["errors"]
    assert {"f0", "units", "mfcc"} <= set(errors)
    assert all(0 <= value <= 1 for row in errors.values() for value in row)
    assert {"sparsemax", "uniform", "random 1"} <= set(
        card["groups"]["speaker"]
    )
    assert (tmp_path / "study" / "study.png").is_file()
    made = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.stage.json")}
    assert run().returncode == 0
    assert made == {p: p.stat().st_mtime_ns for p in made}
