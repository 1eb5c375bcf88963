import json
import re
from html.parser import HTMLParser

import pytest

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.report import figures, write_report

SINGLE = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Text of a page without its pictures; complains of loose tags."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.words = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in SINGLE:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"svg", "style"} & set(self.open):
            self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    text = re.sub(r"\s+", " ", " ".join(reader.words))
    return text, reader.tags


@pytest.fixture
def no_pictures(monkeypatch):
    """Spare the time of drawing where only words are looked at."""
    for name in ("scores", "curves", "shares", "probes", "cost"):
        monkeypatch.setattr(figures, f"{name}_figure", lambda _: "")


def remove(folder, *path):
    *keys, last = path
    metrics = json.loads((folder / "metrics.json").read_text())
    inner = metrics
    for key in keys:
        inner = inner[key]
    del inner[last]
    (folder / "metrics.json").write_text(json.dumps(metrics))


def test_page_asks_nothing_of_the_network_and_runs_nothing(folder):
    page = write_report(folder)
    assert page == folder / "report.html"
    _, tags = read(page)
    names = {tag for tag, _ in tags}
    assert not names & {"script", "link", "iframe", "img", "object"}
    for _, attributes in tags:
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "xlink:href"):
            assert attributes.get(name, "#").startswith("#")
    css = page.read_text()
    assert "@import" not in css
    assert not re.findall(r"url\((?!#)", css)


def test_all_results_are_on_the_page(folder):
    text, tags = read(write_report(folder))
    for wanted in (
        "Sparsemax weights for words",
        "clearly better than log-mel with context on all of 4",
        "Not real speech.",
        "3.00 h",
        "1,234",
        "2 of 3",
        "80.0 [78.0, 82.0]",
        "phone error rate ↓",
        "accuracy ↑",
        "0 seed",
        "< 0.001",
        "0.250",
        "0.500 – 123 12.3",
        "class-blind : the class tells nothing",
        "4.2 min",
        "1,432 MB",
        "not measured peak GPU memory",
        "python train.py a.yaml --x='<y>'",
        "abc1234",
        "versions.torch 2.11.0",
        "kernel.variance f0 0.5",
    ):
        assert wanted in text, wanted
    # Only flags that occur are explained; weights are not listed twice.
    for unwanted in ("noise-like", "selection/1", "weights.f0"):
        assert unwanted not in text
    assert [tag for tag, _ in tags].count("svg") == 5


@pytest.mark.usefixtures("no_pictures")
def test_only_the_best_of_each_row_is_marked(folder):
    html = write_report(folder).read_text()
    marked = re.findall(r'<td class="best">([\d.]+)', html)
    # Phone twice and both error rates are shared by two systems.
    assert marked == ["80.0", "80.0", "81.0", "81.0", "30.0", "30.0", "70.0"]


@pytest.mark.usefixtures("no_pictures")
def test_chosen_tasks_come_first_and_are_marked(folder):
    html = write_report(folder).read_text()
    rows = re.findall(r"<tr( class=\"chosen\")?><th>(f0|hnr|zcr)<", html)
    assert [(bool(mark), name) for mark, name in rows] == [
        (True, "hnr"),
        (True, "f0"),
        (False, "zcr"),
    ]


def test_equal_results_make_equal_pages(folder):
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first


@pytest.mark.parametrize(
    ("take_away", "absent"),
    [
        ("selection.json", "Which tasks, and why not measured"),
        ("train_log.jsonl", "How training went not measured"),
    ],
)
def test_missing_file_is_called_not_measured(folder, take_away, absent):
    (folder / take_away).unlink()
    text, _ = read(write_report(folder))
    assert absent in text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (["baselines"], "stand alone"),
        (["probes"], "No probe was measured"),
        (["baselines", "uniform", "word/linear"], "not measured 60.0"),
        (["probes", "word/linear", "interval"], " 60.0 "),
    ],
)
def test_missing_result_is_never_invented(folder, path, said):
    remove(folder, *path)
    text, _ = read(write_report(folder))
    assert said in text


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("path", "said"),
    [
        (["weights"], "Weights: not measured"),
        (["cost"], "not measured time of all stages"),
        (["train"], "not measured audio heard"),
        (["git"], "git not recorded"),
        (["command"], "How to get it again not measured"),
        (["data", "note"], "data.corpus formants"),
    ],
)
def test_missing_number_is_never_invented(folder, path, said):
    remove(folder, *path)
    text, _ = read(write_report(folder))
    assert said in text


def test_empty_metrics_still_make_a_page(tmp_path):
    (tmp_path / "metrics.json").write_text("{}")
    text, tags = read(write_report(tmp_path))
    assert "Unnamed experiment" in text
    assert "svg" not in {tag for tag, _ in tags}
    assert not re.findall(r"\d\.\d", text.replace("95 %", ""))


def test_training_without_gradient_shares_says_so(folder, log):
    for line in log:
        for task in line["tasks"].values():
            task.pop("grad_share", None)
    lines = "".join(json.dumps(line) + "\n" for line in log)
    (folder / "train_log.jsonl").write_text(lines)
    text, _ = read(write_report(folder))
    assert "Who steered the encoder not measured" in text


def test_text_from_the_files_cannot_become_markup(folder, metrics, selection):
    evil = "<script>alert(1)</script>"
    metrics |= {"experiment": evil, "command": evil, "git": evil}
    metrics["data"]["note"] = evil
    metrics["weights"] = {evil: 1.0}
    metrics["probes"][evil] = metrics["probes"]["word/linear"]
    metrics["baselines"][evil] = metrics["probes"]
    metrics["cost"]["wall_s"][evil] = 1.0
    selection["tasks"][evil] = selection["tasks"]["f0"] | {"flags": [evil]}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "selection.json").write_text(json.dumps(selection))
    _, tags = read(write_report(folder))
    assert "script" not in {tag for tag, _ in tags}


def test_failed_page_leaves_the_old_one(folder):
    page = write_report(folder)
    old = page.read_bytes()
    (folder / "selection.json").write_text("{")
    with pytest.raises(ValueError, match=r"selection.json: not JSON"):
        write_report(folder)
    assert page.read_bytes() == old


def test_command_writes_the_page_and_says_where(folder, capsys):
    assert main(["report", str(folder)]) == 0
    assert f"report: {folder}/report.html" in capsys.readouterr().out
    assert (folder / "report.html").exists()


def test_command_without_a_run_fails_with_the_remedy(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 1
    assert "Give the output folder of a finished run" in capsys.readouterr().err
