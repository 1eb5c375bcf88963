import pytest

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.selection import Selection


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
    assert selection.table() in printed
    assert "36 segments of 3 classes" in printed and out in printed


@pytest.mark.parametrize(
    "mapping, total", [("uniform", 1), ("all", 3), ("random", 1), ("naive", 1)]
)
def test_baselines_come_with_the_same_evidence(
    manifest, tmp_path, mapping, total
):
    code, out = run(manifest, tmp_path, "--mapping", mapping)
    selection = Selection.load(out)
    assert code == 0 and selection.method == mapping
    assert sum(selection.weights.values()) == pytest.approx(total)
    assert "relevance" in selection.tasks["rms"]


def test_options_reach_the_selector(manifest, tmp_path):
    _, out = run(
        manifest,
        tmp_path,
        *("--centering", "reference", "--mapping", "softmax", "--seed", "5"),
        *("--max-per-class", "11", "--min-per-class", "9"),
    )
    selection = Selection.load(out)
    assert selection.kernel["centering"] == "reference"
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
    ):
        code, _ = run(manifest, tmp_path, *options)
        error = capsys.readouterr().err.splitlines()[-1]
        assert code == 1 and error.startswith("error: "), options
