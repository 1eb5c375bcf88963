"""The command on a small card: what it prints, writes and refuses."""

import json
import re
import sys

import pytest

from speechbrain_mtl.__main__ import main

TASKS = ["pr", "ks", "er"]
CARD = {
    "tasks": TASKS,
    "metrics": {"pr": "PER", "ks": "accuracy", "er": "accuracy"},
    "seeds": [0, 1, 2],
    "errors": {
        "alone": {"pr": [0.2] * 3, "ks": [0.1, 0.11, 0.12], "er": [0.5] * 3},
        "single": {
            "pr": [0.12, 0.132, 0.144],
            "ks": [0.1, 0.105, 0.11],
            "er": [0.5, 0.4, 0.6],
        },
        "all": {
            "pr": [0.1, 0.11, 0.12],
            "ks": [0.2, 0.21, 0.22],
            "er": [0.4, 0.5, 0.6],
        },
        "without": {
            "pr": {"ks": [0.3, 0.311, 0.319], "er": [0.4, 0.52, 0.58]},
            "ks": {"pr": [0.05, 0.061, 0.069], "er": [0.45, 0.55, 0.6]},
            "er": {"pr": [0.1, 0.112, 0.119], "ks": [0.2, 0.214, 0.216]},
        },
        "transfer": {"pr": [0.3, 0.31, 0.32]},
        "all_by_rule": {
            "mean_gain": {
                "pr": [0.1, 0.11, 0.12],
                "ks": [0.2, 0.21, 0.22],
                "er": [0.4, 0.5, 0.6],
            },
            "last": {"pr": [0.15] * 3},
        },
    },
    "affinity": {
        "tasks": TASKS,
        "cosines": [[1, 0.4, 0.1], [-0.5, 1, 0.2], [0.0, 0.1, 1]],
        "lookahead": [[1, 0.4, 0.2], [-0.5, 1, 0.3], [0.0, 0.1, 1]],
        "steps": 12,
    },
    "command": "python study.py --x='<y>'",
    "git": "abc1234",
}
PICTURES = ("relation_matrix.png", "relation_graph.png", "relation_gains.png")


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "study" / "scenarios.json"
    path.parent.mkdir()
    path.write_text(json.dumps(CARD))
    return path


@pytest.fixture
def no_matplotlib(monkeypatch):
    """Spare the time of drawing where only words are looked at."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)


def test_page_and_pictures_are_written(card, capsys):
    pytest.importorskip("matplotlib")
    assert main(["relations", str(card)]) == 0
    folder, out = card.parent, capsys.readouterr().out
    for name in PICTURES:
        assert (folder / name).read_bytes()[1:4] == b"PNG"
        assert str(folder / name) in out
    page = (folder / "relations.html").read_text()
    assert page.count("<svg") == 3
    assert not re.search(r"<(script|link|img|iframe)\b|src=|@import", page)
    assert "python study.py --x=&#x27;&lt;y&gt;&#x27;" in page
    for wanted in (
        "err clearly less than alone",
        "all, over single",
        "Of 6 relations, 1 clearly help and 1 clearly hurt",
        "<em>pr +47.6 % [",
        "means of 12 measurements",
        "abc1234",
        "11.00<small>±2.48",  # PER of all
        "79.00<small>±2.48",  # accuracy of all
    ):
        assert wanted in page, wanted


def test_equal_cards_make_equal_files(card, tmp_path):
    pytest.importorskip("matplotlib")
    main(["relations", str(card)])
    main(["relations", str(card), "--output", str(tmp_path / "new")])
    for name in (*PICTURES, "relations.html"):
        first, second = card.parent / name, tmp_path / "new" / name
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.usefixtures("no_matplotlib")
def test_tables_are_printed_without_matplotlib(card, capsys):
    assert main(["relations", str(card)]) == 0
    out = capsys.readouterr().out
    rows = {
        re.split(r"  +", line)[0]: line.split() for line in out.splitlines()
    }
    assert rows["alone"][1] == "20.00"
    # Rules are named; the one that gave "all" is not listed twice.
    assert rows["all, mean_gain"][2:5] == ["11.00", "±2.48", "79.00"]
    assert rows["all, last"][2:] == ["15.00", "±0.00", "-", "-"]
    assert rows["without pr"][2] == "-"
    assert rows["without pr"][3] == "69.00"
    assert rows["transfer"][1:] == ["-55.0*", "-", "-", "-55.0*"]
    # (0.132 - 0.11) / 0.132, (0.105 - 0.21) / 0.105, and the same errors.
    assert rows["all, over single"][3:] == [
        "+16.7*",
        "-100.0*",
        "+0.0",
        "-27.8*",
    ]
    assert "Against an encoder trained for each task by itself" in out
    assert "relation_matrix" not in out
    assert "pip install 'speechbrain_mtl[plots]'" in out
    # The matrix: ks hurts pr, pr helps ks; stars where it is clear.
    matrix = out[out.index("rise of the error") :]
    rows = {line.split()[0]: line.split() for line in matrix.splitlines()[:4]}
    assert rows["pr"][1:3] == ["-", "+47.6*"]
    assert rows["ks"][1:3] == ["-45.5*", "-"]
    assert rows["er"][1] == "+0.3"
    assert "ks: helped by pr (+47.6 % [" in out
    assert "pr: helped by none; hurt by ks (-45.5 % [" in out
    assert re.search(r"lookahead +per task +[+-]\d\.\d\d +\d\.\d{4} +3", out)


@pytest.mark.usefixtures("no_matplotlib")
def test_one_task_is_told_at_length(card, capsys):
    assert main(["relations", str(card), "--task", "ks"]) == 0
    out = capsys.readouterr().out
    assert "ks: helped by" in out and "pr: helped by" not in out
    assert re.search(r"pr +\+47\.6 +\[.*\] +helps +\+0\.4000 +\+0\.4000", out)
    assert re.search(r"er +\+0\.0 +\[.*\] +unclear +\+0\.1000", out)


@pytest.mark.usefixtures("no_matplotlib")
def test_one_seed_is_called_unclear(card, capsys):
    text = json.dumps(CARD)
    text = re.sub(r"\[(0\.\d+), 0\.\d+, 0\.\d+\]", r"[\1]", text)
    card.write_text(text)
    assert main(["relations", str(card)]) == 0
    out = capsys.readouterr().out
    assert "ks: one seed, nothing is clear; to try: pr (+50.0 %)" in out
    assert "6 relations were measured with one seed" in out
    assert "*" not in out.replace("*: the", "") and "±" not in out


def test_a_card_of_joint_runs_alone_is_enough(card, capsys):
    pytest.importorskip("matplotlib")
    errors = {"all": CARD["errors"]["all"]}
    least = {"tasks": TASKS, "metrics": CARD["metrics"], "errors": errors}
    card.write_text(json.dumps(least))
    assert main(["relations", str(card)]) == 0
    out = capsys.readouterr().out
    assert "No task was left out" in out and "No task was trained alone" in out
    assert not list(card.parent.glob("*.png"))
    page = (card.parent / "relations.html").read_text()
    # One section says so, not one empty section after the other.
    assert page.count("No task was left out") == 2
    assert "With what to train" not in page and "one run have" not in page


@pytest.mark.parametrize("scenario", ["alone", "single", "without"])
def test_a_card_without_joint_runs_is_told_too(card, capsys, scenario):
    pytest.importorskip("matplotlib")
    errors = {"alone": CARD["errors"]["alone"]}
    errors[scenario] = CARD["errors"][scenario]
    card.write_text(json.dumps({**CARD, "errors": errors}))
    assert main(["relations", str(card)]) == 0
    out = capsys.readouterr().out
    assert "No run trained all tasks together" in out
    assert "No run trained all" in (card.parent / "relations.html").read_text()


def test_the_report_of_a_study_is_the_page_on_relations(card, capsys):
    pytest.importorskip("matplotlib")
    assert main(["report", str(card.parent)]) == 0
    page = card.parent / "report.html"
    assert f"report: {page}" in capsys.readouterr().out
    assert "all, over single" in page.read_text()
    assert not (card.parent / "relations.html").exists()


def test_bad_input_is_told_and_nothing_is_written(card, capsys):
    assert main(["relations", str(card), "--task", "xy"]) == 1
    assert "--task xy is none of the card's" in capsys.readouterr().err
    assert main(["relations", str(card.parent / "no.json")]) == 1
    assert "no.json" in capsys.readouterr().err
    card.write_text('{"probes": {}}')
    assert main(["relations", str(card)]) == 1
    assert "no card of scenarios" in capsys.readouterr().err
    assert [path.name for path in card.parent.iterdir()] == [card.name]
