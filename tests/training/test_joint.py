"""Joint training: every task learns from its own data, on one encoder."""

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

import pytest
import torch

from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.tasks import UtteranceClassification
from speechbrain_mtl.training.joint_training import train_jointly
from tests.helpers.encoders import calibrated_crdnn
from tests.recipes.miniature import labelled_manifest

ROOT = Path(__file__).parents[2]
LABELS = {"word": ["yes", "no", "up"], "mood": ["calm", "glad"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tones whose pitch is the answer, another set of them for each task."""
    folder = tmp_path_factory.mktemp("joint")
    parts = {}
    for name, labels in LABELS.items():
        manifest = labelled_manifest(folder / name, {name: labels}, 10)
        entries = json.loads(Path(manifest).read_text())
        parts[name] = {
            part: {n: e for n, e in entries.items() if e["split"] == part}
            for part in ("train", "valid", "test")
        }
    (folder / "parts.json").write_text(json.dumps(parts))
    return folder


def parts_in(folder):
    return json.loads((folder / "parts.json").read_text())


def classifiers(*names):
    return {
        name: UtteranceClassification(name, layer="all", pooling="stats")
        for name in names
    }


def run(parts, folder, tasks=None, encoder=None, **settings):
    settings = {
        "epochs": 2, "steps_per_epoch": 5, "batch_seconds": 2.0,
        "pack_seconds": 4.0, "log_every": 1, "seed": 1, **settings,
    }  # fmt: skip
    run_opts = {"device": "cpu", "noprogressbar": True}
    run_opts |= settings.pop("run_opts", {})
    lr = settings.pop("lr", 0.02)
    return train_jointly(
        encoder or calibrated_crdnn(),
        tasks or classifiers(*parts),
        parts,
        folder,
        functools.partial(torch.optim.AdamW, lr=lr),
        run_opts,
        progressbar=False,
        **settings,
    )


def log_of(folder, split="train"):
    lines = Path(folder, "train_log.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [entry for entry in found if entry["split"] == split]


def losses_of(folder, task, split="train"):
    return [entry["tasks"][task]["loss"] for entry in log_of(folder, split)]


@pytest.mark.parametrize("frozen", [True, False])
def test_all_tasks_are_learned(folder, tmp_path, frozen):
    parts = parts_in(folder)
    found = run(
        parts, tmp_path, frozen=frozen, epochs=4, steps_per_epoch=20,
        encoder_lr_scale=0.1,
    )  # fmt: skip
    for rule in ("mean_error", "best_of_each"):
        scores = found["rules"][rule]["scores"]
        assert set(scores) == {"word/accuracy", "mood/accuracy"}
        assert all(score["value"] > 0.8 for score in scores.values())
        epochs = found["rules"][rule]["epoch"]
        for name in LABELS:
            epoch = epochs if rule == "mean_error" else epochs[name]
            error = found["validations"][str(epoch)][name]
            valid = scores[f"{name}/accuracy"]["valid"]
            assert valid == pytest.approx(1 - error)
    assert found["steps"] == 80 and found["hours"] > 0
    assert (tmp_path / "encoder.ckpt").exists() != frozen


def test_on_a_frozen_encoder_tasks_train_as_they_would_alone(folder, tmp_path):
    parts = parts_in(folder)
    both = run(parts, tmp_path / "both", frozen=True)
    for name in LABELS:
        own = {name: parts[name]}
        torch.manual_seed(1)
        alone = run(own, tmp_path / name, frozen=True)
        start = {name: torch.load(tmp_path / name / "heads.ckpt")[name]}
        assert alone["errors"][name] <= 1 and start[name]
    # Heads are drawn one after the other: the first is the same in both.
    first = next(iter(LABELS))
    assert losses_of(tmp_path / "both", first) == pytest.approx(
        losses_of(tmp_path / first, first), rel=1e-5
    )
    assert both["errors"].keys() == LABELS.keys()


def test_packing_changes_no_loss(folder, tmp_path):
    """One forward a recording, or one for all: to rounding."""
    parts = parts_in(folder)
    losses = []
    for seconds in (0.01, 1000.0):
        out = tmp_path / str(seconds)
        run(parts, out, pack_seconds=seconds, epochs=1, lr=0.001)
        losses.append(losses_of(out, "word") + losses_of(out, "mood"))
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_heads_begin_where_others_ended(folder, tmp_path):
    parts = parts_in(folder)
    run(parts, tmp_path / "a", frozen=True, epochs=4, steps_per_epoch=20)
    heads = torch.load(tmp_path / "a" / "heads.ckpt")
    run(parts, tmp_path / "b", heads=heads, lr=1e-4, epochs=1)
    cold = run(parts, tmp_path / "c", lr=1e-4, epochs=1)
    warm_loss = losses_of(tmp_path / "b", "word")[0]
    assert warm_loss < 0.5 * losses_of(tmp_path / "c", "word")[0]
    assert cold["errors"]["word"] > 0


def test_one_validation_has_no_mean(folder, tmp_path):
    found = run(parts_in(folder), tmp_path, epochs=1, averaged=3)
    assert set(found["rules"]) == {"mean_error", "best_of_each"}


def test_averaged_and_interpolated_weights_are_tested(folder, tmp_path):
    found = run(
        parts_in(folder), tmp_path, epochs=3, averaged=2,
        interpolated=[0.0, 0.5, 1.0],
    )  # fmt: skip
    rules = found["rules"]
    assert rules["mean of last 2"]["epoch"] == [2, 3]
    assert rules["interpolated encoder"]["share"] in (0.0, 0.5, 1.0)
    for rule in rules.values():
        assert set(rule["scores"]) == {"word/accuracy", "mood/accuracy"}


@pytest.mark.parametrize(
    "settings",
    [
        {"sampling": "round_robin"},
        {"sampling": "temperature"},
        {"batch_seconds": {"word": 1.0, "mood": 3.0}},
        {"chunk_seconds": {}, "frozen_epochs": 1},
    ],
)
def test_other_ways_to_sample_run(folder, tmp_path, settings):
    found = run(parts_in(folder), tmp_path, **settings)
    assert found["steps"] == 10
    trained = [set(entry["tasks"]) for entry in log_of(tmp_path)]
    if settings.get("sampling") == "round_robin":
        assert trained[:4] == [{"word"}, {"mood"}] * 2


def test_affinities_are_measured_and_disturb_nothing(folder, tmp_path):
    parts = parts_in(folder)
    run(parts, tmp_path / "with", affinity_every=3)
    run(parts, tmp_path / "without")
    assert log_of(tmp_path / "with") == log_of(tmp_path / "without")
    lines = (tmp_path / "with" / "affinity.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert [one["step"] for one in found] == [0, 3, 6, 9]
    for one in found:
        assert one["tasks"] == ["word", "mood"]
        own = [one["lookahead"][i][i] for i in range(2)]
        assert [one["cosines"][i][i] for i in range(2)] == pytest.approx([1, 1])
        # A step down a task's own gradient lowers its loss.
        assert all(share > 0 for share in own)


KILLED = """
    import sys
    from pathlib import Path

    import torch

    torch.set_num_threads(1)
    sys.path.insert(0, {root!r})
    from tests.training.test_joint import parts_in, run
    run(parts_in(Path({folder!r})), {out!r}, **{settings!r})
"""
LONG = {
    "epochs": 3, "steps_per_epoch": 12, "affinity_every": 5,
    "sampling": "temperature",
    "run_opts": {"ckpt_interval_minutes": 1e-6},
}  # fmt: skip


def test_killed_and_resumed_equals_undisturbed(folder, tmp_path):
    out = tmp_path / "killed"
    code = textwrap.dedent(KILLED).format(
        root=str(ROOT), folder=str(folder), out=str(out), settings=LONG
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    log = out / "train_log.jsonl"
    while not log.exists() or len(log.read_text().splitlines()) < 17:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    parts = parts_in(folder)
    resumed = run(parts, out, **LONG)
    undisturbed = run(parts, tmp_path / "whole", **LONG)
    assert resumed == undisturbed
    for split in ("train", "valid"):
        assert log_of(out, split) == log_of(tmp_path / "whole", split)
    affinities = [
        (at / "affinity.jsonl").read_text() for at in (out, tmp_path / "whole")
    ]
    assert affinities[0] == affinities[1]


class Broken(UtteranceClassification):
    """Its third loss is no number."""

    def forward(self, encoded, inputs):
        self.calls = getattr(self, "calls", 0) + self.training
        loss = super().forward(encoded, inputs)
        return loss * float("nan") if self.calls == 3 else loss


def test_a_loss_that_is_no_number_is_left_out(folder, tmp_path, caplog):
    tasks = {**classifiers("word"), "mood": Broken("mood", layer="all")}
    with caplog.at_level(logging.WARNING):
        found = run(parts_in(folder), tmp_path, tasks)
    assert found["skipped"] == {"mood": 1}
    assert "step 2: the loss of task 'mood' is not finite" in caplog.text
    trained = [set(entry["tasks"]) for entry in log_of(tmp_path)]
    assert all(names >= {"word"} for names in trained)
    third = log_of(tmp_path)[2]["tasks"]
    assert third["mood"] == {"skipped": 1} and "loss" in third["word"]
    assert all(torch.isfinite(torch.tensor(losses_of(tmp_path, "word"))))


class AlwaysBroken(UtteranceClassification):
    def forward(self, encoded, inputs):
        return super().forward(encoded, inputs) * float("nan")


def test_where_no_loss_is_a_number_training_ends(folder, tmp_path):
    parts = {"mood": parts_in(folder)["mood"]}
    tasks = {"mood": AlwaysBroken("mood", layer="all")}
    with pytest.raises(ValueError, match="no loss of .'mood'. is finite"):
        run(parts, tmp_path, tasks)


def test_all_that_is_wrong_is_named_at_once(folder, tmp_path):
    parts = parts_in(folder)
    parts["word"]["valid"] = {}
    first = next(iter(parts["mood"]["test"]))
    parts["mood"]["test"][first]["mood"] = "never heard of"
    del parts["word"]["test"]
    with pytest.raises(ManifestError) as caught:
        run(parts, tmp_path)
    text = str(caught.value)
    assert "word: valid is empty" in text and "word: test is empty" in text
    assert f"mood, test: {first}" in text and "never heard of" in text
    with pytest.raises(ManifestError, match="other: train is empty"):
        run(parts_in(folder), tmp_path, classifiers("word", "other"))


def test_unknown_names_in_settings_are_refused(folder, tmp_path):
    parts = parts_in(folder)
    with pytest.raises(ValueError, match="batch_seconds of .'ks'."):
        run(parts, tmp_path, batch_seconds={"word": 1, "mood": 1, "ks": 1})
    with pytest.raises(ValueError, match="lr_scales of .'ks'.: the tasks"):
        run(parts, tmp_path, lr_scales={"ks": 2.0})
    with pytest.raises(ValueError, match="batch_seconds of .'mood'. is not"):
        run(parts, tmp_path, batch_seconds={"word": 1})
