import pytest

pytest.importorskip("espeakng_loader")

from speechbrain_mtl.__main__ import main


def test_the_command_estimates_makes_and_reports(tmp_path, capsys):
    out = str(tmp_path / "corpus")
    words = ["synth", out, "--hours=0.005", "--speakers=4", "--workers=1"]
    assert main(words) == 0
    printed, bar = capsys.readouterr()
    first, *_, manifest, digest = printed.splitlines()
    assert first.startswith("about 1 minutes of audio in")
    assert "MB" in first and " s with 1 worker" in first
    assert manifest.endswith("corpus/manifest.json")
    assert len(digest.split()[1]) == 64
    assert "synth: 100%" in bar

    assert main(words) == 0
    again = capsys.readouterr().out
    assert "is finished already; nothing to do" in again
    assert digest in again


def test_other_settings_are_an_error_without_a_traceback(tmp_path, capsys):
    out = str(tmp_path / "corpus")
    words = ["synth", out, "--minutes=0.1", "--speakers=4", "--workers=1"]
    assert main(words) == 0
    assert main([*words, "--seed=9"]) == 1
    assert "error: " in (message := capsys.readouterr().err)
    assert "seed = 0, not 9" in message


def test_mixtures_are_as_many_as_wanted(tmp_path, capsys):
    out = str(tmp_path / "corpus")
    words = ["synth", out, "--minutes=0.1", "--speakers=4", "--workers=1"]
    assert main([*words, "--mixtures=2"]) == 0
    assert "mixture        2 items" in capsys.readouterr().out


def test_scenes_are_as_many_as_wanted(tmp_path, capsys):
    out = str(tmp_path / "corpus")
    words = ["synth", out, "--minutes=0.1", "--speakers=4", "--workers=1"]
    assert main([*words, "--scenes=2"]) == 0
    assert "scene         10 items" in capsys.readouterr().out


def test_minutes_and_hours_exclude_each_other(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["synth", str(tmp_path), "--minutes=1", "--hours=1"])
    assert "not allowed with" in capsys.readouterr().err
