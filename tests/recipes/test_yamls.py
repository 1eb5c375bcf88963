"""Every experiment file loads, says how it is run, and has no dead key."""

import re
from pathlib import Path

import pytest
from hyperpyyaml import load_hyperpyyaml

ROOT = Path(__file__).parents[2]
YAMLS = sorted(
    path.relative_to(ROOT)
    for folder in ("hparams", "recipes")
    for path in (ROOT / folder).rglob("*.yaml")
    if path.parent.name == "hparams"
)
BLOCKS = sorted((ROOT / "hparams" / "blocks").glob("*.yaml"))


def script_of(path):
    return ROOT / path.parent.parent / "train.py"


def test_all_experiments_are_found():
    recipes = {path.parents[1] for path in YAMLS}
    stories = [ROOT / "train.py", *ROOT.glob("recipes/*/*/train.py")]
    assert recipes == {p.parent.relative_to(ROOT) for p in stories}
    assert len(YAMLS) >= 19
    assert all(script_of(path).is_file() for path in YAMLS)


@pytest.mark.parametrize("path", YAMLS, ids=str)
def test_every_object_is_built(path, wav2vec2_checkpoint):
    text = (ROOT / path).read_text()
    placeholders = re.findall(r"^(\w+): !PLACEHOLDER", text, re.M)
    overrides = "".join(f"{key}: somewhere\n" for key in placeholders)
    for source in ("wav2vec2_source", "hubert_source"):
        if f"\n{source}:" in text:
            overrides += f"{source}: {wav2vec2_checkpoint}\n"
    with open(ROOT / path) as file:
        hparams = load_hyperpyyaml(file, overrides)
    if "pretext" not in hparams:
        assert hparams["pretrain"] is None and hparams["tasks"]
        return
    pretext = hparams["pretext"]
    assert pretext["tasks"].keys() >= hparams["base_weights"].keys()
    assert set(pretext["workers"]) == set(pretext["bank"])


@pytest.mark.parametrize("path", YAMLS, ids=str)
def test_header_gives_the_command_and_the_cost(path):
    lines = (ROOT / path).read_text().splitlines()
    header = " ".join(
        line.lstrip("# ") for line in lines if line.startswith("#")
    )
    script = script_of(path).relative_to(ROOT)
    assert f"python {script} {path}" in header
    assert "Cost:" in header and "Shrink it" in header


@pytest.mark.parametrize("path", YAMLS, ids=str)
def test_every_key_is_used(path):
    text = (ROOT / path).read_text()
    code = script_of(path).read_text()
    package = ROOT / "speechbrain_mtl"
    for shared in (*package.glob("*.py"), *package.glob("study/*.py")):
        code += shared.read_text()
    code = code.replace("'", '"')
    for match in re.finditer(r"^(\w+):(.*)", text, re.M):
        key, below = match[1], text[match.end() :]
        used = f"<{key}" in below or f'"{key}"' in code
        assert used or "!apply" in match[2], f"{path}: {key} is never used"


@pytest.mark.parametrize("path", BLOCKS, ids=lambda path: path.name)
def test_every_block_says_what_it_is_and_is_used(path):
    assert path.read_text().startswith("#")
    users = [(ROOT / y).read_text() for y in YAMLS]
    users.append((ROOT / "README.md").read_text())
    assert any(path.name in text for text in users)


def test_the_reference_geometry_is_built(tmp_path):
    block = ROOT / "hparams" / "blocks" / "crdnn_reference.yaml"
    (tmp_path / "a.yaml").write_text(f"encoder: !include:{block}\n")
    with open(tmp_path / "a.yaml") as file:
        encoder = load_hyperpyyaml(file)["encoder"]
    # Projection, four bidirectional layers of 1024 a direction, two of 512.
    assert encoder.dims == (512, 2048, 2048, 2048, 2048, 512, 512)
    assert encoder.hop == 0.01
