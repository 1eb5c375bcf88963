"""What docs/speech_and_images.md says to type is there."""

import ast
import importlib
import inspect
import re
from pathlib import Path

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.training.alpha import VARIANTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "speech_and_images.md").read_text(encoding="utf-8")


def commands():
    blocks = re.findall("```bash\n(.*?)```", PAGE, re.S)
    return [line for block in blocks for line in block.splitlines()]


def test_recipes_and_commands_are_there(tmp_path, monkeypatch, capsys):
    scripts = [c.split() for c in commands() if "recipes/" in c]
    assert len(scripts) == 2
    assert all((ROOT / word).is_file() for c in scripts for word in c[1:])
    study = (ROOT / scripts[1][2]).read_text()
    [report] = [c for c in commands() if " report " in c]
    assert f"output_folder: {report.split()[-1]}\n" in study
    # The words are understood: what is missing are the files.
    monkeypatch.chdir(tmp_path)
    regions, patches = [c for c in commands() if "image-features" in c]
    for command in (regions, patches):
        assert main(command.split()[3:]) == 1
    assert "usage" not in capsys.readouterr().err


def test_the_snippet_calls_what_there_is():
    [snippet] = re.findall("```python\n(.*?)```", PAGE, re.S)
    tree = ast.parse(snippet)
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            known |= {a.name: getattr(module, a.name) for a in node.names}
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in known
    ]
    assert len(calls) == 6
    for call in calls:
        if call.func.id == "partial":
            continue  # takes anything
        names = {keyword.arg: None for keyword in call.keywords}
        inspect.signature(known[call.func.id]).bind(*call.args, **names)
    for file in re.findall(r"hparams/blocks/\w+\.yaml", PAGE):
        assert (ROOT / file).is_file()


def test_all_orders_are_listed():
    rows = re.findall(r'^\| `"?(.*?)"?` \|', PAGE, re.M)
    assert rows[0] == "--variant"
    assert rows[1:] == [name.strip("()") for name in VARIANTS]


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
