"""A small finished run, as its files lie in a folder."""

import json

import pytest


def cell(value, half=0.02, higher=True, n=500):
    return {
        "metric": "accuracy" if higher else "per",
        "higher_is_better": higher,
        "n": n,
        "value": value,
        "interval": [value - half, value + half],
        "head": "linear",
        "lr": 0.01,
    }


def probes(phone, ctc, word):
    return {
        "phone/linear": cell(phone),
        "phone/mlp": cell(phone + 0.01),
        "phone_ctc/linear": cell(ctc, higher=False),
        "word/linear": cell(word),
    }


def log_line(step, split="train", shares=True):
    tasks = {
        "fbank": {"loss": 2.0 / step, "weight": 1.0},
        "f0": {"loss": 1.0 / step, "weight": 0.25},
    }
    if split == "train" and shares:
        tasks["fbank"]["grad_share"] = 0.75
        tasks["f0"]["grad_share"] = 0.25
    loss = sum(task["loss"] * task["weight"] for task in tasks.values())
    return {
        "step": step,
        "hours": step / 10,
        "epoch": 1,
        "split": split,
        "lr": 0.001,
        "loss": loss,
        "tasks": tasks,
    }


@pytest.fixture
def metrics():
    return {
        "experiment": "sparsemax weights for words",
        "seed": 0,
        "git": "abc1234",
        "versions": {"torch": "2.11.0"},
        "command": "python train.py a.yaml --x='<y>'",
        "data": {"corpus": "formants", "note": "Not real speech."},
        "weights": {"f0": 0.25, "zcr": 0.0, "hnr": 0.75},
        "train": {"hours_of_audio": 3.0, "steps": 1234, "final": {"f0": 0.1}},
        "valid": {"f0": 0.2},
        "probes": probes(0.80, 0.30, 0.60),
        "baselines": {
            "uniform": probes(0.80, 0.30, 0.70),
            "fbank_context": probes(0.60, 0.50, 0.40),
            "random_init": probes(0.70, 0.31, 0.59),
        },
        "cost": {
            "wall_s": {"selection": 12.5, "pretraining": 240.0},
            "audio_hours_per_hour": 45.0,
            "peak_rss_mb": 1432.4,
            "peak_gpu_mb": None,
        },
    }


@pytest.fixture
def selection():
    task = {
        "interval": [0.5, 123.0],
        "z": 12.34,
        "p": 0.0001,
        "relevance": 0.111,
        "within_class_spread": 0.222,
        "flags": [],
    }
    return {
        "format": "speechbrain_mtl/selection/1",
        "label_field": "words",
        "method": "sparsemax",
        "weights": {"f0": 0.25, "zcr": 0.0, "hnr": 0.75},
        "tasks": {
            "f0": task | {"ci": 0.9, "weight": 0.25},
            "zcr": task | {"ci": 1.5, "weight": 0.0, "flags": ["class-blind"]},
            "hnr": task | {"ci": 1.0, "weight": 0.75, "p": 0.25},
        },
        "kernel": {"centering": "centered", "variance": {"f0": 0.5}},
        "seed": 0,
    }


@pytest.fixture
def log():
    return [
        log_line(1),
        log_line(2),
        log_line(2, "valid"),
        log_line(3),
        log_line(4),
        log_line(4, "valid"),
    ]


@pytest.fixture
def folder(tmp_path, metrics, selection, log):
    """A folder with all three files; a test may take some away."""
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "selection.json").write_text(json.dumps(selection))
    (tmp_path / "train_log.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in log)
    )
    return tmp_path
