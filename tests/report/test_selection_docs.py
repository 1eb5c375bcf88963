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
# files that each snippet writes
MADE = [{"digit.html", "digit.png"}, set()]
# manifest | label | .. | weights
ROWS = re.findall(
    r"^\| DATA/(\w+) \| (\w+) \|.*\| (\w+ [01]\.\d\d(?:, \w+ 0\.\d\d)*) \|$",
    PAGES["which_workers"],
    re.M,
)


def test_the_commands_snippets_and_rows_are_found():
    assert (len(COMMANDS), len(SNIPPETS), len(ROWS)) == (12, 2, 6)
    assert [len(re.findall(r"^assert ", s, re.M)) for s in SNIPPETS] == [0, 1]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_have_options_that_exist(command):
    name, *words = shlex.split(command)
    module, _ = program.COMMANDS[name]
    parser = argparse.ArgumentParser(exit_on_error=False)
    __import__(module, fromlist=["configure"]).configure(parser)
    # A namespace that is filled already keeps defaults out.
    names = vars(parser.parse_args(words))
    args = parser.parse_args(words, argparse.Namespace(**dict.fromkeys(names)))
    typed = {k: v for k, v in vars(args).items() if v is not None}
    options = {w[2:].replace("-", "_") for w in words if w.startswith("--")}
    assert options < set(typed)
    assert len(typed) == len(options) + 1  # the manifest, or the folder
    values = [word for word in words if not word.startswith("--")]
    found = [v for v in typed.values() if v is not True]
    assert sorted(map(as_typed, found)) == sorted(values)


def as_typed(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize(("snippet", "made"), zip(SNIPPETS, MADE, strict=True))
def test_snippets_run(snippet, made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights = {"f0": 0.25, "zcr": 0.75}
    Selection("digit", "sparsemax", weights).save("digit.json")
    names = {}
    exec(compile(snippet, "docs", "exec"), names)
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {"digit.json", *made}
    selection = names.get("selection") or Selection.load("digit.json")
    assert names.get("weights", selection.weights) == weights


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
