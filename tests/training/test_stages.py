"""Stages: skipped when done, continued when cut, redone when changed."""

import pytest

from speechbrain_mtl.training.settings import read_settings
from speechbrain_mtl.training.stages import stage, stage_seconds


class Work:
    def __init__(self):
        self.calls = 0
        self.cleared = 0

    def make(self):
        self.calls += 1
        return {"answer": self.calls}

    def clear(self):
        self.cleared += 1


def run(folder, work, **settings):
    return stage("work", folder, settings, work.make, work.clear)


def test_a_finished_stage_is_not_repeated(tmp_path):
    work = Work()
    first = run(tmp_path, work, lr=0.1, sizes=(1, 2))
    assert run(tmp_path, work, lr=0.1, sizes=(1, 2)) == first
    assert work.calls == 1 and work.cleared == 0
    assert stage_seconds("work", tmp_path) >= 0


def test_changed_settings_clear_and_redo_and_say_what(tmp_path, caplog):
    work = Work()
    run(tmp_path, work, lr=0.1, net={"size": 3})
    with caplog.at_level("INFO"):
        again = run(tmp_path, work, lr=0.1, net={"size": 4})
    assert again == {"answer": 2} and work.cleared == 1
    assert "net.size: 3 -> 4" in caplog.text


def interrupt(folder, work, **settings):
    def killed():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage("work", folder, settings, killed, work.clear)


def test_an_interrupted_stage_continues_without_clearing(tmp_path):
    work = Work()
    interrupt(tmp_path, work, lr=1)
    assert run(tmp_path, work, lr=1) == {"answer": 1}
    assert work.cleared == 0


def test_an_interrupted_stage_with_other_settings_is_cleared(tmp_path):
    work = Work()
    interrupt(tmp_path, work, lr=1)
    run(tmp_path, work, lr=2)
    assert work.cleared == 1


def test_settings_follow_overrides_and_includes(tmp_path):
    (tmp_path / "net.yaml").write_text(
        "!new:torch.nn.Linear\nin_features: 3\nout_features: 4\n"
    )
    path = tmp_path / "main.yaml"
    path.write_text(
        "n: 5\nnet: !include:net.yaml\n    out_features: !ref <n>\n"
        "opt: !name:torch.optim.SGD\n    lr: 1e-3\n"
    )
    settings = read_settings(str(path), "n: 6")
    assert settings["net"] == {
        "!": "!new:torch.nn.Linear",
        "in_features": 3,
        "out_features": 6,
    }
    assert settings["opt"] == {"!": "!name:torch.optim.SGD", "lr": 0.001}
