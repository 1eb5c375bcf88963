"""Training tasks with answers: what moves, what is tested, what survives."""

import functools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch

from speechbrain_mtl.data.audio import AudioError
from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.tasks import UtteranceClassification
from speechbrain_mtl.training import finetune
from tests.helpers.encoders import calibrated_crdnn
from tests.recipes.miniature import labelled_manifest

ROOT = Path(__file__).parents[2]
WORDS = ["yes", "no", "up"]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Tones whose pitch is the word."""
    folder = tmp_path_factory.mktemp("words")
    return labelled_manifest(folder, {"word": WORDS}, per_class=12)


def parts_of(manifest):
    entries = json.loads(Path(manifest).read_text())
    return {
        part: {n: e for n, e in entries.items() if e["split"] == part}
        for part in ("train", "valid", "test")
    }


def run(manifest, folder, encoder=None, parts=None, **settings):
    task = UtteranceClassification("word", layer="all", pooling="stats")
    settings = {
        "epochs": 3, "batch_seconds": 2.0, "log_every": 2, "seed": 1, **settings
    }  # fmt: skip
    run_opts = {"device": "cpu", "noprogressbar": True}
    run_opts |= settings.pop("run_opts", {})
    return finetune(
        encoder or calibrated_crdnn(),
        {"word": task},
        parts or parts_of(manifest),
        folder,
        functools.partial(torch.optim.AdamW, lr=0.02),
        run_opts,
        progressbar=False,
        **settings,
    )


def trained(folder, kind=max):
    """State of the newest checkpoint's model."""
    found = sorted(Path(folder, "save").glob("CKPT*"))
    return torch.load(kind(found) / "model.ckpt")


def log_of(folder):
    lines = Path(folder, "train_log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("store", [True, False])
def test_words_are_learned_on_a_frozen_encoder(manifest, tmp_path, store):
    results = run(manifest, tmp_path, store=store, epochs=20)
    score = results["word/accuracy"]
    assert score["value"] > 0.8 and score["n"] == 6
    assert score["higher_is_better"] and 0 <= score["valid"] <= 1
    answers = json.loads((tmp_path / "answers.json").read_text())
    right = [
        answers["test"]["word"][name] == entry["word"]
        for name, entry in parts_of(manifest)["test"].items()
    ]
    assert score["value"] == sum(right) / 6


def test_stored_layers_train_as_computed_ones_do(manifest, tmp_path):
    """Also when the encoder drops units: a frozen one does not."""
    runs = [
        run(
            manifest, tmp_path / str(store), calibrated_crdnn(dropout=0.5),
            store=store,
        )
        for store in (True, False)
    ]  # fmt: skip
    losses = [
        [e["loss"] for e in log_of(tmp_path / str(store))]
        for store in (True, False)
    ]
    # Stored in half precision.
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert runs[0].keys() == runs[1].keys()


def moved(before, folder):
    """Names of the encoder's parameters that training changed."""
    after = trained(folder)
    return {
        name
        for name, value in before.items()
        if not torch.equal(value, after[f"encoder.{name}"])
    }


def parameters(encoder):
    return {n: p.detach().clone() for n, p in encoder.named_parameters()}


def test_a_frozen_encoder_stays_bit_for_bit(manifest, tmp_path):
    encoder = calibrated_crdnn(dropout=0.5)
    before = {n: v.clone() for n, v in encoder.state_dict().items()}
    run(manifest, tmp_path, encoder, store=False)
    after = trained(tmp_path)
    for name, value in before.items():
        assert torch.equal(value, after[f"encoder.{name}"]), name


def test_a_finetuned_encoder_moves_but_for_what_shall_not(manifest, tmp_path):
    encoder = calibrated_crdnn()
    before = parameters(encoder)
    kept = {n for n in before if n.startswith("projection")}
    assert kept
    run(
        manifest, tmp_path, encoder, frozen=False,
        frozen_modules=["encoder.projection"],
    )  # fmt: skip
    assert moved(before, tmp_path) == before.keys() - kept
    # The caller's encoder is a pretrained one, that others may read again.
    assert all(torch.equal(p, before[n]) for n, p in encoder.named_parameters())


def test_the_encoder_waits_for_its_epochs(manifest, tmp_path):
    encoder = calibrated_crdnn()
    before = parameters(encoder)
    run(
        manifest, tmp_path / "waits", encoder, frozen=False,
        frozen_epochs=3, epochs=3,
    )  # fmt: skip
    assert not moved(before, tmp_path / "waits")
    run(
        manifest, tmp_path / "moves", encoder, frozen=False,
        frozen_epochs=2, epochs=3,
    )  # fmt: skip
    assert moved(before, tmp_path / "moves")


def test_the_encoders_rate_is_a_share_of_the_heads(manifest, tmp_path):
    distances = []
    for scale in (0.0, 0.01, 1.0):
        encoder = calibrated_crdnn()
        before = parameters(encoder)
        folder = tmp_path / str(scale)
        # Without decay Adam's first steps are as long as the rate.
        run(
            manifest, folder, encoder, frozen=False, epochs=1,
            encoder_lr_scale=scale,
        )  # fmt: skip
        after = trained(folder)
        distances.append(
            sum(
                (after[f"encoder.{n}"] - value).abs().sum()
                for n, value in before.items()
            ).item()
        )
    assert distances[0] == 0
    assert distances[1] < 0.1 * distances[2]


def test_the_best_checkpoint_is_tested_not_the_last(
    manifest, tmp_path, monkeypatch, caplog
):
    """Validation is told to be best after the first epoch."""
    calls = []

    def score(task, predictions, entries):
        result = plain(task, predictions, entries)
        if len(calls) < 3:
            value = [0.9, 0.2, 0.1][len(calls)]
            result = [type(result[0])("accuracy", value, 1)]
            calls.append(value)
        return result

    plain = UtteranceClassification.score
    monkeypatch.setattr(UtteranceClassification, "score", score)
    run(manifest, tmp_path)
    # Loaded last, for the test: the first of the two that are left.
    saved = sorted((tmp_path / "save").glob("CKPT*"))
    assert len(saved) == 2
    metas = [(folder / "CKPT.yaml").read_text() for folder in saved]
    assert "error: 0.09" in metas[0] and "error: 0.9" in metas[1]
    loaded = [m for m in caplog.messages if m.startswith("Loading a check")]
    assert len(loaded) == 2  # to validate and to test
    assert all(message.endswith(saved[0].name) for message in loaded)


def test_several_test_sets_are_reported_apart(manifest, tmp_path):
    parts = parts_of(manifest)
    parts["other"] = dict(list(parts["test"].items())[:3])
    results = run(manifest, tmp_path, parts=parts)
    assert {k: r["n"] for k, r in results.items()} == {
        "word.test/accuracy": 6,
        "word.other/accuracy": 3,
    }


KILLED = """
    import sys, torch, pathlib
    sys.path.insert(0, {root!r})
    torch.set_num_threads(1)
    from tests.training import test_finetune
    test_finetune.run({manifest!r}, pathlib.Path({folder!r}), **{settings!r})
"""
LONG = {
    "epochs": 6, "frozen": False, "batch_seconds": 1.0,
    "run_opts": {"ckpt_interval_steps": 2},
}  # fmt: skip


def test_killed_and_resumed_equals_undisturbed(manifest, tmp_path):
    folder = tmp_path / "killed"
    code = textwrap.dedent(KILLED).format(
        root=str(ROOT), manifest=str(manifest), folder=str(folder),
        settings=LONG,
    )  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", code])
    log = folder / "train_log.jsonl"
    while not log.exists() or len(log.read_text().splitlines()) < 9:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    resumed = run(manifest, folder, **LONG)
    undisturbed = run(manifest, tmp_path / "whole", **LONG)
    assert resumed == undisturbed
    assert log_of(folder) == log_of(tmp_path / "whole")


def test_a_recording_that_breaks_loses_nothing(manifest, tmp_path):
    """It is named; mended, training goes on and ends as if undisturbed."""
    parts = parts_of(manifest)
    undisturbed = run(manifest, tmp_path / "whole", store=False)
    steps = log_of(tmp_path / "whole")[-1]["step"]
    broken = tmp_path / "later.wav"
    victim = list(parts["train"])[7]
    source = Path(parts["train"][victim]["wav"])
    parts["train"][victim]["wav"] = str(broken)
    broken.write_bytes(b"no audio")
    with pytest.raises(AudioError, match=f"{victim}: .*not readable"):
        run(manifest, tmp_path / "broken", parts=parts, store=False)
    assert len(list((tmp_path / "broken" / "save").glob("CKPT*"))) == 1
    broken.write_bytes(source.read_bytes())
    resumed = run(manifest, tmp_path / "broken", parts=parts, store=False)
    assert resumed == undisturbed
    log = log_of(tmp_path / "broken")
    assert log == log_of(tmp_path / "whole") and log[-1]["step"] == steps


def test_labels_unfit_are_all_named_before_training(manifest, tmp_path):
    parts = parts_of(manifest)
    first, second = list(parts["valid"])[:2]
    parts["valid"][first]["word"] = ""
    parts["valid"][second]["word"] = "perhaps"
    with pytest.raises(ManifestError) as raised:
        run(manifest, tmp_path, parts=parts)
    message = str(raised.value)
    assert f"valid: {first}: word is ''" in message
    assert f"valid: {second}: word ['perhaps'] never occur" in message
    assert not (tmp_path / "save").exists()


def test_one_class_is_refused(manifest, tmp_path):
    parts = parts_of(manifest)
    for entry in parts["train"].values():
        entry["word"] = "yes"
    with pytest.raises(ValueError, match="1 class.* in 'word'"):
        run(manifest, tmp_path, parts=parts)


def test_a_part_without_entries_is_named(manifest, tmp_path):
    parts = parts_of(manifest)
    parts["valid"] = {}
    with pytest.raises(ManifestError, match="train, valid and a test set"):
        run(manifest, tmp_path, parts=parts)


def test_a_checkpoint_of_other_labels_is_refused(manifest):
    tasks = [UtteranceClassification("word") for _ in range(2)]
    for task, words in zip(tasks, (["a", "b"], ["a", "c"])):
        task.prepare((4,), {w: {"word": w} for w in words})
    with pytest.raises(ValueError, match="they differ in .*'b', 'c'"):
        tasks[1].load_state_dict(tasks[0].state_dict())
