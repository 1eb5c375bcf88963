import json
import os
import stat

import pytest

from speechbrain_mtl.data.atomic import atomic_path, write_json


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("power cut")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_reader_sees_the_old_file_until_the_block_ends(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_missing_folders_are_made_and_the_ending_is_kept(tmp_path):
    target = tmp_path / "deep" / "er" / "a.wav"
    with atomic_path(target) as temporary:
        assert temporary.suffix == ".wav"
        assert temporary.parent == target.parent
    assert target.exists()


def test_file_has_the_rights_of_an_ordinary_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_path(tmp_path / "atomic"):
        pass
    rights = [
        stat.S_IMODE((tmp_path / name).stat().st_mode)
        for name in ("plain", "atomic")
    ]
    assert rights[0] == rights[1]


def test_json_comes_back_equal_with_letters_as_they_are(tmp_path):
    value = {"é": [1, 2.5, None, True], "a": {"b": "c"}}
    write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "é" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_is_not_json_is_refused_and_the_old_file_kept(tmp_path, value):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises((ValueError, TypeError)):
        write_json(tmp_path / "a.json", {"x": value})
    assert (tmp_path / "a.json").read_text() == "1\n"
