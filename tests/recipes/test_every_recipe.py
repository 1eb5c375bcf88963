"""Every recipe with every YAML runs from end to end, on seconds of tones.

Recipes are found by walking the folder; each needs a `make` function in
``tests/recipes/minis/<dataset>_<task>.py``, that writes a miniature of its data
and gives the options to find it.
"""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recipes.miniature import shrink

ROOT = Path(__file__).parents[2]
# Studies and the tutorial on digits have tests of their own.
OWN_TESTS = {"PretextSelection", "SelectionStudy"}
YAMLS = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "recipes").glob("*/*/hparams/*.yaml")
    if path.parts[-3] not in OWN_TESTS
)
RECIPES = sorted({path.parts[1:3] for path in YAMLS})
# One of each recipe in every run of the tests, in turn of all kinds.
QUICK = {
    recipe: [p for p in YAMLS if p.parts[1:3] == recipe] for recipe in RECIPES
}
QUICK = {
    paths[place % len(paths)] for place, paths in enumerate(QUICK.values())
}


def test_every_recipe_has_a_miniature_and_a_story():
    folders = sorted(
        path.parent.parts[-2:]
        for path in (ROOT / "recipes").glob("*/*/train.py")
        if path.parent.name not in OWN_TESTS
    )
    assert folders == RECIPES
    for dataset, task in RECIPES:
        folder = ROOT / "recipes" / dataset / task
        assert (folder / "README.md").is_file()
        assert (folder / "extra_requirements.txt").is_file()
        assert len((folder / "train.py").read_text().splitlines()) <= 250
        assert callable(miniature(dataset, task))


def miniature(dataset, task):
    name = f"tests.recipes.minis.{dataset}_{task}".lower()
    return importlib.import_module(name).make


@pytest.fixture(scope="session")
def minis(tmp_path_factory):
    """Options of each recipe's miniature data, made once."""
    made = {}

    def options(dataset, task):
        if (dataset, task) not in made:
            folder = tmp_path_factory.mktemp(f"{dataset}_{task}")
            made[dataset, task] = miniature(dataset, task)(folder)
        return made[dataset, task]

    return options


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(p, marks=[] if p in QUICK else pytest.mark.slow, id=str(p))
        for p in YAMLS
    ],
)
def test_it_runs(path, minis, wav2vec2_checkpoint, tmp_path):
    text = (ROOT / path).read_text()
    options = minis(*path.parts[1:3]) + shrink(text)
    known = set(re.findall(r"^(\w+):", text, re.M))
    # A miniature names all that any of its YAMLs may ask for.
    options = [o for o in options if o[2:].split("=")[0] in known]
    for source in {"wav2vec2_source", "hubert_source"} & known:
        options.append(f"--{source}={wav2vec2_checkpoint}")
    if "uniform_folder" in known:
        options.append(f"--uniform_folder={tmp_path / 'uniform'}")
    command = [
        sys.executable,
        str(ROOT / path.parent.parent / "train.py"),
        str(ROOT / path),
        f"--output_folder={tmp_path / 'out'}",
        *options,
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["probes"] or metrics["train"]["hours_of_audio"] > 0
    for result in metrics["probes"].values():
        assert 0 <= result["value"] and result["n"] > 0
    assert (tmp_path / "out" / "report.html").is_file()
