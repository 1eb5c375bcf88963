"""What the pages on selections say to type works, and their tables hold."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from speechbrain_mtl import __main__ as program
from speechbrain_mtl.selection import Selection, Selector

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    name: (DOCS / f"{name}.md").read_text(encoding="utf-8")
    for name in ("which_workers", "reading_a_selection")
}
COMMANDS = [
    command
    for text in PAGES.values()
    for command in re.findall(r"-m speechbrain_mtl ([^`\n]+)", text)
]
SNIPPETS = [
    snippet
    for text in PAGES.values()
    for snippet in re.findall(r"```python\n(.*?)```", text, re.S)
]
# manifest | label | .. | weights
ROWS = re.findall(
    r"^\| DATA/(\w+) \| (\w+) \|.*\| (\w+ [01]\.\d\d(?:, \w+ 0\.\d\d)*) \|$",
    PAGES["which_workers"],
    re.M,
)


def test_the_commands_snippets_and_rows_are_found():
    assert (len(COMMANDS), len(SNIPPETS), len(ROWS)) == (12, 2, 6)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_have_options_that_exist(command, monkeypatch):
    name, *words = shlex.split(command)
    module, _ = program.COMMANDS[name]
    parser = argparse.ArgumentParser(exit_on_error=False)
    __import__(module, fromlist=["configure"]).configure(parser)
    parser.parse_args(words)


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippets_run(snippet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights = {"f0": 0.25, "zcr": 0.75}
    Selection("digit", "sparsemax", weights).save("digit.json")
    exec(compile(snippet, "docs", "exec"), {})


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", PAGES[name])
    assert links
    for target, heading in links:
        file = DOCS / target if target else DOCS / f"{name}.md"
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
        slugs = {
            re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
            for title in headings
        }
        assert not heading or heading in slugs


@pytest.mark.slow
@pytest.mark.parametrize(("name", "label", "weights"), ROWS)
def test_weights_in_the_tables_are_those_measured(
    name, label, weights, shared_data
):
    manifest = shared_data(name) / "manifest.json"
    found = Selector().fit(manifest, label).weights
    found = {task: weight for task, weight in found.items() if weight > 0.005}
    said = (pair.split() for pair in weights.split(", "))
    assert found == pytest.approx(
        {task: float(weight) for task, weight in said}, abs=0.0151
    )
