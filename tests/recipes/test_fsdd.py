"""The FSDD recipe from end to end, on generated tones."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes" / "FSDD" / "PretextSelection"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Three speakers, all digits, ten takes: a tone's pitch is the digit."""
    folder = tmp_path_factory.mktemp("fsdd")
    (folder / "recordings").mkdir()
    rng = np.random.default_rng(0)
    for speaker, base in (("ann", 110), ("bob", 140), ("theo", 170)):
        for digit in range(10):
            for take in range(10):
                t = np.arange(int(8000 * rng.uniform(0.2, 0.5))) / 8000
                pitch = base * (1 + 0.1 * digit)
                wav = 0.2 * np.sin(2 * np.pi * pitch * t)
                wav *= 1 + 0.3 * np.sin(2 * np.pi * rng.uniform(3, 9) * t)
                wav += 0.01 * rng.standard_normal(len(t))
                name = f"{digit}_{speaker}_{take}.wav"
                soundfile.write(folder / "recordings" / name, wav, 8000)
    return folder


def load_script():
    spec = importlib.util.spec_from_file_location("fsdd", RECIPE / "train.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def train(digits, output, *options):
    probe = {"epochs": 2, "heads": ["linear"], "lrs": [0.01]}
    probes = {"probes": {"digit": probe, "speaker": probe}}
    command = [
        sys.executable,
        str(RECIPE / "train.py"),
        str(RECIPE / "hparams" / "sparsemax.yaml"),
        f"--data_folder={digits}",
        f"--output_folder={output / 'this'}",
        f"--uniform_folder={output / 'uniform'}",
        "--pretrain={hours: 0.02, epoch_hours: 0.01, statistics_minutes: 1}",
        f"--probes={json.dumps(probes)}",
        *options,
    ]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def test_the_recipe_ends_with_digits_and_speakers(digits, tmp_path):
    done = train(digits, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    metrics = json.loads((tmp_path / "this" / "metrics.json").read_text())
    rows = [metrics["probes"], *metrics["baselines"].values()]
    assert len(rows) == 4
    for row in rows:
        assert set(row) == {"digit/linear", "speaker/linear"}
        # Five test takes of ten digits of three speakers.
        assert row["digit/linear"]["n"] == 150
        folds = row["digit/linear"]["folds"].values()
        assert row["digit/linear"]["value"] == pytest.approx(sum(folds) / 3)
    assert (tmp_path / "this" / "report.html").exists()
    again = train(digits, tmp_path)
    assert again.returncode == 0
    assert (again.stdout + again.stderr).count("already there") == 7


def test_no_test_clip_is_trained_on_and_no_speaker_is_on_both_sides():
    entries = {
        f"{s}{i}": {
            "speaker": s,
            "official_split": "test" if i < 5 else "train",
        }
        for s in "abcd"
        for i in range(10)
    }
    fields = load_script().leave_one_speaker_out(entries)
    assert len(fields) == 4
    tested = set()
    for field in fields:
        parts = {}
        for name, entry in entries.items():
            parts.setdefault(entry[field], []).append((name, entry))
        speakers = {
            part: {e["speaker"] for _, e in parts[part]}
            for part in ("train", "valid", "test")
        }
        assert not speakers["test"] & (speakers["train"] | speakers["valid"])
        assert not speakers["train"] & speakers["valid"]
        for part in ("train", "valid"):
            assert all(e["official_split"] == "train" for _, e in parts[part])
        assert all(e["official_split"] == "test" for _, e in parts["test"])
        tested |= {name for name, _ in parts["test"]}
    assert len(tested) == 20


def speech(*names, seconds=1.0):
    return {n: {"wav": f"/fsdd/{n}.wav", "duration": seconds} for n in names}


def test_no_tested_clip_is_pretrained_on_wherever_it_lies():
    entries = speech(*(f"{i}_ann_{take}" for i in range(10) for take in "059"))
    tested = {i: e for i, e in entries.items() if i.endswith("_0")}
    # A folder inside the corpus gives other ids to the same files.
    inside = {f"recordings/{i}": dict(e) for i, e in entries.items()}
    for entry in inside.values():
        entry["wav"] = entry["wav"].replace("/fsdd/", "/fsdd/../fsdd/")
    train, valid = load_script().pretraining_parts(inside, tested, 0.1)
    assert train and valid and not train.keys() & valid.keys()
    assert {i.split("/")[1] for i in [*train, *valid]} == (
        entries.keys() - tested.keys()
    )


def test_recordings_too_short_for_a_crop_are_named(caplog):
    entries = speech("a", "b", "c") | speech("tick", seconds=0.08)
    train, valid = load_script().pretraining_parts(entries, {}, 0.1)
    assert train.keys() | valid.keys() == {"a", "b", "c"}
    assert "1 recording(s) shorter than 0.1 s" in caplog.text
    assert "tick" in caplog.text


def test_nothing_left_to_pretrain_on_is_an_error():
    entries = speech("a", "b")
    tested = {"b": entries["b"]}
    with pytest.raises(ValueError, match="1 recording.* give two or more"):
        load_script().pretraining_parts(entries, tested, 0.1)


def test_who_watches_depends_on_the_name_alone():
    many = speech(*(f"u{i}" for i in range(400)))
    script = load_script()
    _, valid = script.pretraining_parts(many, {}, 0.1)
    assert 8 <= len(valid) <= 40
    half = dict(list(many.items())[::2])
    _, fewer = script.pretraining_parts(half, {}, 0.1)
    assert fewer.keys() == valid.keys() & half.keys()


def test_the_mean_over_speakers_claims_no_single_folds_settings():
    fields = ["digit_a", "digit_b", "digit_c"]
    fold = {"metric": "accuracy", "head": "linear", "higher_is_better": True}
    results = {
        f"{field}/linear": {**fold, "value": value, "n": 50, "lr": 0.01}
        for field, value in zip(fields, (0.5, 0.7, 0.9))
    }
    results["speaker/linear"] = {"value": 1.0}
    averaged = load_script().average_folds(results, fields)
    digit = averaged["digit/linear"]
    assert averaged["speaker/linear"] == {"value": 1.0}
    assert (digit["value"], digit["n"]) == (pytest.approx(0.7), 150)
    # Mean -+ 4.303 * 0.2 / sqrt(3), cut at 1.
    assert digit["interval"] == [pytest.approx(0.2032, abs=1e-4), 1.0]
    assert "lr" not in digit
    assert list(digit["folds"].values()) == [0.5, 0.7, 0.9]


def test_a_wrong_label_field_is_named(digits, tmp_path):
    done = train(digits, tmp_path, "--label_field=colour")
    assert done.returncode != 0
    assert "--label_field=colour is neither digit nor speaker" in done.stderr
