import dataclasses
import json

import pytest
import torch

from benchmarks import joint_step

TOY = dataclasses.replace(
    joint_step.PLANS["mini"],
    encoder={
        "hidden_size": 16, "layers": 1, "heads": 2, "feedforward_size": 16,
        "conv_channels": 8, "position_kernel": 8, "position_groups": 2,
    },
    heads=dict.fromkeys(joint_step.PLANS["mini"].heads, 8),
    shrink=0.1, batches=2, repetitions=2,
)  # fmt: skip


def test_nine_tasks_step_three_ways_alike(tmp_path, monkeypatch, capsys):
    pytest.importorskip("transformers")
    monkeypatch.setattr(joint_step, "PLANS", {"toy": TOY})
    # A fresh process of its own takes longer than all the rest.
    monkeypatch.setattr(joint_step, "memory", lambda plan, way: 1.0)
    threads = torch.get_num_threads()
    out = tmp_path / "card.json"
    try:
        joint_step.main(["--plans", "toy", f"--out={out}"])
    finally:
        torch.set_num_threads(threads)
    assert "task by task" in capsys.readouterr().out
    card = json.loads(out.read_text())["plans"]["toy"]
    assert card["losses_apart"] < 1e-3
    rows = card["rows"]
    assert rows["task by task"]["forwards"] == 9
    assert rows["all at once"]["forwards"] == 1
    packed = rows["packed"]
    assert 1 < packed["forwards"] < 9
    assert packed["times_packed"]["median"] == 1
    padded = {way: row["padded_seconds"] for way, row in rows.items()}
    assert card["audio_seconds"] <= padded["packed"] < padded["all at once"]


def test_a_step_hears_every_task_and_changes_all_weights():
    pytest.importorskip("transformers")
    steps = joint_step.Steps(TOY)
    before = {n: p.clone() for n, p in steps.model.named_parameters()}
    items = steps.items(1)
    count = dict.fromkeys(joint_step.SECONDS, 0)
    for task, item in items:
        count[task] += 1
        _, _, least, most = joint_step.SECONDS[task]
        assert 0.1 * least - 1e-6 <= item["seconds"] <= 0.1 * most + 1e-6
    assert count == {**dict.fromkeys(joint_step.SECONDS, 2), "sd": 1}
    losses, _, _ = steps("packed", items)
    assert all(0 < loss < float("inf") for loss in losses.values())
    still = {
        name
        for name, p in steps.model.named_parameters()
        if torch.equal(p, before[name])
    }
    # Of no use where nothing is hidden.
    assert still == {"encoder.network.masked_spec_embed"}
