"""Runs with and without unlabelled speech: what differs, what is made again."""

import json
import sys
from pathlib import Path

import pytest
import torch

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.study import semi_supervised
from speechbrain_mtl.study.semi_supervised import (
    SemiSupervisedExperiment,
    run_semi_supervised,
)
from speechbrain_mtl.training.start import start
from tests.recipes.miniature import labelled_manifest, write_tones

YAML = """
seed: 0
runs: [[own, energy], []]
seeds: 2
processes: 1
threads: 1
output_folder: null
pretrain: null
base_weights: {}
encoder: !apply:tests.helpers.encoders.calibrated_crdnn
    mask_prob: 0.0
bank: !new:speechbrain_mtl.workers.WorkerBank
    workers:
        energy: !new:speechbrain_mtl.workers.RMSEnergy
tasks:
    word: !new:speechbrain_mtl.tasks.CTCTask
        tokens: !new:speechbrain_mtl.tasks.tokens.LabelTokens
            field: word
        layer: all
        hidden_size: 4
        dropout: 0.0
unlabelled:
    energy: !new:speechbrain_mtl.tasks.PretextTask
        worker: energy
        dim: 1
        input_size: 12
        hidden_size: 4
    own: !new:speechbrain_mtl.tasks.SelfTraining
        teacher: word
        threshold: 0.0
train: !name:speechbrain_mtl.training.train_jointly
    opt_class: !name:torch.optim.AdamW
        lr: 0.02
    bank: !ref <bank>
    epochs: 1
    steps_per_epoch: 3
    batch_seconds:
        word: 2.0
        own: 1.0
        energy: 1.0
    rules: [last]
    log_every: 1
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A whole small study, and how to run it again."""
    folder = tmp_path_factory.mktemp("semi")
    manifest = labelled_manifest(folder / "a", {"word": ["yes", "no"]}, 8)
    entries = json.loads(Path(manifest).read_text())
    for entry in entries.values():
        entry["word"] = [entry["word"]]
    parts = {
        part: {n: e for n, e in entries.items() if e["split"] == part}
        for part in ("train", "valid", "test")
    }
    paths = write_tones(folder / "more", [f"t{i}" for i in range(8)])
    heard = {n: {"wav": str(p), "duration": 0.4} for n, p in paths.items()}
    names = list(heard)
    speech = (
        {n: heard[n] for n in names[2:]},
        {n: heard[n] for n in names[:2]},
    )
    (folder / "study.yaml").write_text(YAML)

    def again(*options):
        arguments = [
            str(folder / "study.yaml"),
            f"--output_folder={folder / 'out'}",
            "--device=cpu",
            *options,
        ]
        path = run_semi_supervised(
            start(arguments), {"word": parts}, speech, {"corpus": "tones"}
        )
        return json.loads(path.read_text())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py"])
        card = again()
    return folder / "out", card, again


def log_of(folder):
    lines = (folder / "train_log.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [entry for entry in found if entry["split"] == "train"]


def test_runs_differ_in_what_they_learn_without_answers(study):
    folder, card, _ = study
    assert list(card["runs"]) == ["answers + own + energy", "answers"]
    learnt = {
        "answers_own_energy": {"word", "own", "energy"},
        "answers": {"word"},
    }
    for seed in (0, 1):
        logs = {name: log_of(folder / f"seed_{seed}" / name) for name in learnt}
        for name, tasks in learnt.items():
            assert [set(entry["tasks"]) for entry in logs[name]] == [tasks] * 3
        # Before the first update they are one: same answers, same weights.
        first = [log[0]["tasks"]["word"]["loss"] for log in logs.values()]
        assert first[0] == pytest.approx(first[1], rel=1e-5)
        ends = [
            torch.load(folder / f"seed_{seed}" / name / "encoder.ckpt")
            for name in learnt
        ]
        assert any(not torch.equal(ends[0][n], ends[1][n]) for n in ends[0])


def test_the_card_holds_every_score_and_what_was_measured(study):
    folder, card, _ = study
    for run, found in card["runs"].items():
        values = found["scores"]["word/PER"]
        for seed, value in enumerate(values):
            name = run.replace(" + ", "_")
            path = folder / f"seed_{seed}" / name / "training.stage.json"
            result = json.loads(path.read_text())["result"]
            scores = result["rules"]["last"]["scores"]
            assert scores["word/PER"]["value"] == value
        assert len(values) == 2
    own = card["runs"]["answers + own + energy"]["measured"][1]["own"]
    assert own["share"] == pytest.approx(1.0)
    metrics = json.loads((folder / "metrics.json").read_text())
    whole, alone = (found["scores"] for found in card["runs"].values())
    assert metrics["probes"]["word/PER"]["value"] == whole["word/PER"][0]
    assert (
        metrics["baselines"]["answers"]["word/PER"]["value"]
        == (alone["word/PER"][0])
    )
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "a semi-supervised study" in page
    assert "at the last validation" in page
    (folder / "report.html").unlink()
    assert main(["report", str(folder)]) == 0
    assert (folder / "report.html").read_text(encoding="utf-8") == page


def test_what_is_there_is_not_made_again(study, monkeypatch):
    folder, card, again = study
    made = []
    before = semi_supervised.run_joint

    def counted(train, arguments, heads):
        made.append(Path(arguments["folder"]).relative_to(folder).parts)
        return before(train, arguments, heads)

    monkeypatch.setattr(semi_supervised, "run_joint", counted)
    assert again()["runs"] == card["runs"] and made == []
    # What only some runs learn concerns the others nothing.
    again("--unlabelled={own: {threshold: 0.5}}", "--seeds=1")
    assert made == [("seed_0", "answers_own_energy")]
    again("--runs=[[]]", "--seeds=3")
    assert made[1:] == [("seed_2", "answers")]


@pytest.mark.parametrize("runs", [[["none"]], [], [["own"], ["own"]]])
def test_runs_that_cannot_be_are_refused(runs):
    hparams = {
        "output_folder": "out", "processes": 1, "threads": 1, "encoder": None,
        "unlabelled": {"own": None}, "runs": runs,
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"unlabelled, which are \['own'\]"):
        SemiSupervisedExperiment(hparams, {}, None)
