import numpy as np
import pytest
import torch

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.evaluation import abx_score
from tests.helpers.abx_worlds import world, write_world


@pytest.fixture
def made():
    return world(0, strength=0.5)


def expected(features, items, **options):
    scores = {s: abx_score(features, items, s, **options) for s in SPEAKERS}
    return [
        f"{name:7} {100 * score.error:6.2f} %  {score.cells} cells"
        for name, score in scores.items()
    ]


SPEAKERS = ("within", "across")


@pytest.mark.parametrize("form", ["npy", "pt", "npz"])
def test_both_errors_are_printed_with_their_cells(made, form, tmp_path, capsys):
    items = write_world(tmp_path, *made)
    place = tmp_path
    if form != "npy":
        for path in tmp_path.glob("*.npy"):
            path.unlink()
    if form == "pt":
        for name, frames in made[0].items():
            (tmp_path / "deeper").mkdir(exist_ok=True)
            torch.save(frames, tmp_path / "deeper" / f"{name}.pt")
    if form == "npz":
        place = tmp_path / "all.npz"
        np.savez(place, **{n: f.numpy() for n, f in made[0].items()})
    command = ["abx", str(place), str(items), "--slicing", "librilight"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    for line in expected(*made, slicing="librilight"):
        assert line in printed


def test_every_option_reaches_the_measure(made, tmp_path, capsys):
    items = write_world(tmp_path, *made)
    options = {"distance": "euclidean", "hop": 0.021, "offset": 0.002}
    options |= {"most_tokens": 3, "most_speakers": 1, "seed": 4}
    words = []
    for name, value in options.items():
        words += ["--" + name.replace("_", "-"), str(value)]
    assert main(["abx", str(tmp_path), str(items), *words]) == 0
    printed = capsys.readouterr().out
    for line in expected(*made, **options):
        assert line in printed


def test_one_speaker_is_measured_within_and_told_about_across(tmp_path, capsys):
    items = write_world(tmp_path, *world(0, speakers=1))
    assert main(["abx", str(tmp_path), str(items)]) == 0
    printed = capsys.readouterr().out
    assert "across  none: no ABX test across speakers" in printed
    assert "within   " in printed
    command = ["abx", str(tmp_path), str(items), "--speaker", "across"]
    assert main(command) == 1
    assert "no ABX test across" in capsys.readouterr().err


def broken(folder, features, case):
    path = folder / "f1.npy"
    if case == "missing":
        path.unlink()
    elif case == "nan":
        np.save(path, features["f1"].numpy() * np.nan)
    elif case == "text":
        path.write_text("features")
    elif case == "twice":
        (folder / "more").mkdir()
        np.save(folder / "more" / "f1.npy", features["f1"].numpy())
    elif case == "dictionary":
        path.unlink()
        torch.save({"frames": features["f1"]}, folder / "f1.pt")


@pytest.mark.parametrize(
    "case, told",
    [
        ("missing", "f1: named by items, but has no features"),
        ("nan", "f1: "),
        ("text", "f1.npy is no array or tensor"),
        ("twice", "f1: features are in"),
        ("dictionary", "it holds a dict"),
    ],
)
def test_what_is_wrong_is_said(made, case, told, tmp_path, capsys):
    items = write_world(tmp_path, *made)
    broken(tmp_path, made[0], case)
    assert main(["abx", str(tmp_path), str(items)]) == 1
    assert told in capsys.readouterr().err


def test_a_folder_without_features_is_said(made, tmp_path, capsys):
    items = write_world(tmp_path / "there", *made)
    (tmp_path / "empty").mkdir()
    assert main(["abx", str(tmp_path / "empty"), str(items)]) == 1
    assert "no features" in capsys.readouterr().err
