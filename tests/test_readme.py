"""What the README says to type works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


COMMANDS = [
    line
    for block in blocks("bash")
    for line in block.replace("\\\n", " ").splitlines()
    if line.strip()
]


SNIPPETS = blocks("python")


def test_the_commands_and_snippets_are_found():
    assert len(COMMANDS) == 14, COMMANDS
    assert len(SNIPPETS) == 1, SNIPPETS


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.startswith("make ")]
)
def test_make_targets_exist(command):
    done = subprocess.run(
        [*command.split(), "--dry-run"], cwd=ROOT, capture_output=True
    )
    assert done.returncode == 0


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.startswith("python train.py")]
)
def test_train_commands_name_files_and_options_that_exist(command):
    words = command.split()[2:]
    text = (ROOT / words[0]).read_text()
    for option in words[1:]:
        key = option.removeprefix("--").split("=")[0]
        assert re.search(rf"^{key}:", text, re.M)


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.startswith("python recipes/")]
)
def test_recipe_commands_name_files_that_exist(command):
    assert all((ROOT / word).is_file() for word in command.split()[1:])


def test_the_relations_command_reads_what_the_recipe_writes():
    [command] = [c for c in COMMANDS if " relations " in c]
    [recipe] = [c for c in COMMANDS if "all_tasks.yaml" in c]
    folder = Path(command.split()[-1]).parent
    assert (
        f"output_folder: {folder}\n" in (ROOT / recipe.split()[-1]).read_text()
    )


def test_commands_on_a_corpus_run_as_written(tmp_path):
    """The corpus is made smaller, everything else is as written."""
    module = [c for c in COMMANDS if "-m speechbrain_mtl" in c]
    order = ["synth", "check", "select", "units"]
    chosen = [next(c for c in module if f" {name} " in c) for name in order]
    chosen.append(next(c for c in module if ".pt" in c and " select " in c))
    for command in chosen:
        command = command.replace("--minutes 32", "--minutes 4 --speakers 8")
        words = [sys.executable, *command.split()[1:]]
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stderr[-2000:])
    assert (tmp_path / "selection.json").exists()


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_python_snippets_run(snippet):
    names = {}
    exec(compile(snippet, "README.md", "exec"), names)
    # The line that claims a shape is checked, and so is what it leaves open.
    assert "\nassert labels" in snippet
    labels = names["labels"]
    assert names["bank"].dims == {"f0": 1, "mfcc": 60}
    assert {name: len(x) for name, x in labels.items()} == {"f0": 2, "mfcc": 2}
    assert labels["mfcc"].shape[2] == 60
    assert all(values.isfinite().all() for values in labels.values())


def test_links_to_files_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
