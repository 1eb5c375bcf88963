import pytest

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.report import selection_page
from speechbrain_mtl.selection import Selection, Selector
from speechbrain_mtl.selection.command import BASELINES
from speechbrain_mtl.selection.criterion import RULE
from speechbrain_mtl.selection.table import legend


@pytest.fixture
def manifest(tone_corpus):
    return str(tone_corpus(per_class=12))


def run(manifest, tmp_path, *options):
    out = str(tmp_path / "out.json")
    words = ["select", manifest, "--label", "note", "--workers", "f0,rms,zcr"]
    return main([*words, "--out", out, *options]), out


def test_it_prints_the_table_and_writes_the_file(manifest, tmp_path, capsys):
    code, out = run(manifest, tmp_path)
    assert code == 0
    selection = Selection.load(out)
    assert list(selection.weights) == ["f0", "rms", "zcr"]
    printed = capsys.readouterr().out
    assert selection.table() in printed and out in printed
    # First what it will take, then what it is.
    size = "36 segments of 3 classes"
    assert printed.startswith(f"{size} in 36 recordings")
    assert printed.index("labels: about") < printed.index("task ")
    assert f"{size} (3.0 effective)" in printed
    assert f"rule: {RULE}" in printed and legend(selection.tasks) in printed
    for flag in ("noise-like", "class-blind"):
        flagged = any(flag in t["flags"] for t in selection.tasks.values())
        assert (f"{flag}: " in printed) == flagged


def test_a_page_and_a_picture_come_beside_the_file(manifest, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    run(manifest, tmp_path, "--mapping", "entmax")
    page = tmp_path / "out.html"
    assert str(page) in capsys.readouterr().out
    assert "<html" in page.read_text()
    assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"


def test_without_pictures_the_weights_are_written_all_the_same(
    manifest, tmp_path, capsys, monkeypatch
):
    def missing(selection, path):
        raise ImportError("pip install 'speechbrain_mtl[plots]'")

    monkeypatch.setattr(selection_page, "write_selection_page", missing)
    code, out = run(manifest, tmp_path)
    assert code == 0 and Selection.load(out)
    assert "speechbrain_mtl[plots]" in capsys.readouterr().out


TOTALS = dict.fromkeys(BASELINES, 1) | {"all": 3}


def test_baselines_come_with_the_same_evidence(manifest, tmp_path, monkeypatch):
    measured, page = [], []
    measure, weigh = Selector.measure, Selector.weigh

    # Measured once, for all of them.
    def remember(self, *args):
        if not measured:
            measured.append(measure(self, *args))
            measured.append(weigh(self, measured[0]))
        return measured[0]

    monkeypatch.setattr(Selector, "measure", remember)
    monkeypatch.setattr(Selector, "weigh", lambda *_: measured[1])
    monkeypatch.setattr(Selector, "estimate", lambda *_: "soon")
    monkeypatch.setattr(
        selection_page, "write_selection_page", lambda *both: page.append(both)
    )
    for mapping, total in TOTALS.items():
        options = ("--top-k", "2") if mapping in ("mrmr", "rfe") else ()
        code, out = run(manifest, tmp_path, "--mapping", mapping, *options)
        selection = Selection.load(out)
        assert code == 0 and selection.method == mapping
        assert sum(selection.weights.values()) == pytest.approx(total)
        assert "relevance" in selection.tasks["rms"]
        if options:
            kept = [w for w in selection.weights.values() if w]
            assert kept == [0.5, 0.5]
    assert len(page) == len(BASELINES)


def test_options_reach_the_selector(manifest, tmp_path):
    _, out = run(
        manifest,
        tmp_path,
        *("--centering", "reference", "--mapping", "softmax", "--seed", "5"),
        *("--max-per-class", "11", "--min-per-class", "9"),
        *("--trajectory", "--bandwidth", "multi"),
    )
    selection = Selection.load(out)
    assert selection.kernel["centering"] == "reference"
    assert selection.kernel["trajectory"]
    assert selection.method == "softmax" and selection.seed == 5
    assert selection.data["segments"] == 33
    assert selection.data["min_per_class"] == 9


def test_an_estimate_writes_nothing(manifest, tmp_path, capsys):
    code, _ = run(manifest, tmp_path, "--estimate")
    assert code == 0 and not (tmp_path / "out.json").exists()
    assert "36 segments of 3 classes" in capsys.readouterr().out


def test_bad_input_is_one_line_and_code_one(manifest, tmp_path, capsys):
    for options in (
        ("--label", "nothing"),
        ("--workers", "pitch"),
        ("--split", "train"),
        ("--min-per-class", "1000"),
        ("--out", str(tmp_path / "weights")),
    ):
        code, _ = run(manifest, tmp_path, *options)
        error = capsys.readouterr().err.splitlines()[-1]
        assert code == 1 and error.startswith("error: "), options
