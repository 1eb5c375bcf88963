import json
import os

import pytest

from speechbrain_mtl.data.manifest import (
    ManifestError,
    load_manifest,
    save_manifest,
    subset,
)

ENTRY = {
    "wav": "{data_root}/a.wav",
    "duration": 1.5,
    "speaker": "é",
    "words": [[0.0, 0.5, "so"], [0.5, 1.5, ""]],
}


def test_saved_manifest_loads_equal_but_for_the_root(tmp_path):
    path = save_manifest(tmp_path / "m.json", {"b": ENTRY, "a": ENTRY})
    manifest = load_manifest(path)
    assert list(manifest) == ["b", "a"]
    assert manifest["a"] == ENTRY | {"wav": f"{tmp_path}/a.wav"}


@pytest.mark.parametrize("root", ["/data", "/data/", 'odd "name" \\ é'])
def test_given_root_replaces_the_mark_in_every_field(tmp_path, root):
    entry = ENTRY | {"images": ["{data_root}/1.png", "{data_root}/2.png"]}
    path = save_manifest(tmp_path / "m.json", {"a": entry})
    loaded = load_manifest(path, data_root=root)["a"]
    root = root.rstrip("/")
    assert loaded["wav"] == f"{root}/a.wav"
    assert loaded["images"] == [f"{root}/1.png", f"{root}/2.png"]


def test_iterator_and_mapping_give_equal_bytes(tmp_path):
    entries = {f"u{i}": ENTRY | {"n": i} for i in range(5)}
    one = save_manifest(tmp_path / "1.json", entries)
    two = save_manifest(tmp_path / "2.json", iter(entries.items()))
    assert one.read_bytes() == two.read_bytes()


def test_speechbrain_loads_what_we_save(tmp_path):
    from speechbrain.dataio.dataset import DynamicItemDataset

    path = save_manifest(tmp_path / "m.json", {"a": ENTRY})
    theirs = DynamicItemDataset.from_json(
        str(path), replacements={"data_root": str(tmp_path)}
    )
    ours = DynamicItemDataset(load_manifest(path))
    for dataset in (theirs, ours):
        dataset.set_output_keys(["id", "wav", "duration", "words"])
    assert theirs[0] == ours[0]
    assert ours[0]["wav"] == f"{tmp_path}/a.wav"


def test_all_repeated_ids_of_the_file_are_named(tmp_path):
    entry = json.dumps(ENTRY)
    path = tmp_path / "m.json"
    path.write_text(
        f'{{"a": {entry}, "b": {entry}, "a": {entry}, "c": {entry}, "b": {entry}}}'
    )
    with pytest.raises(ManifestError) as raised:
        load_manifest(path)
    message = str(raised.value)
    assert f"{path}: 2 problem(s)" in message
    assert "a: the id stands more than once" in message
    assert "b: the id stands more than once" in message
    assert "c:" not in message


def test_field_given_twice_inside_an_entry_is_no_repeated_id(tmp_path):
    path = tmp_path / "m.json"
    path.write_text('{"a": {"wav": "x", "wav": "y", "duration": 1}}')
    assert load_manifest(path) == {"a": {"wav": "y", "duration": 1}}


BAD_FIELDS = [
    ({"wav": 3}, "wav is 3"),
    ({"wav": ""}, "wav is ''"),
    ({"duration": None}, "duration is None"),
    ({"duration": "1.5"}, "duration is '1.5'"),
    ({"duration": 0}, "duration is 0"),
    ({"duration": True}, "duration is True"),
    ({"duration": float("nan")}, "duration is nan"),
    ({"id": "a"}, "a field 'id', which SpeechBrain keeps"),
    ({"words": "so"}, "words is not a list of [start, end, label]"),
    ({"words": [[0, 1]]}, "words is not a list of [start, end, label]"),
    ({"phones": [["0", 1, "a"]]}, "phones is not a list"),
    ({"phones": [[0, 1, 7]]}, "phones is not a list"),
]


@pytest.mark.parametrize(("change", "message"), BAD_FIELDS)
def test_entry_of_a_wrong_form_is_named_on_both_ways(tmp_path, change, message):
    bad = ENTRY | change
    (tmp_path / "m.json").write_text(json.dumps({"good": ENTRY, "u7": bad}))
    with pytest.raises(ManifestError) as loading:
        load_manifest(tmp_path / "m.json")
    with pytest.raises(ManifestError) as saving:
        save_manifest(tmp_path / "n.json", {"good": ENTRY, "u7": bad})
    for raised in (loading, saving):
        assert f"u7: {'has ' if 'id' in change else ''}{message}" in str(
            raised.value
        )
        assert "good:" not in str(raised.value)
    assert os.listdir(tmp_path) == ["m.json"]


def test_all_problems_come_at_once_and_beyond_twenty_are_counted(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(json.dumps({f"u{i}": {} for i in range(15)}))
    with pytest.raises(ManifestError) as raised:
        load_manifest(path)
    lines = str(raised.value).splitlines()
    assert "30 problem(s)" in lines[0]
    assert len(lines) == 22
    assert lines[-1].strip() == "... and 10 more"


def test_entry_that_is_no_object_is_named(tmp_path):
    path = tmp_path / "m.json"
    path.write_text('{"u1": "a.wav"}')
    with pytest.raises(ManifestError, match="u1: is 'a.wav'. Give it fields"):
        load_manifest(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[]", "non-empty object"), ("{}", "non-empty object")],
)
def test_file_that_is_no_manifest_says_so(tmp_path, text, message):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(ManifestError, match=f"m.json: .*{message}"):
        load_manifest(tmp_path / "m.json")


def test_missing_manifest_says_how_to_make_one(tmp_path):
    with pytest.raises(ManifestError, match="no such manifest.*prepare"):
        load_manifest(tmp_path / "m.json")


def test_saving_refuses_repeated_ids_and_keeps_the_old_file(tmp_path):
    path = save_manifest(tmp_path / "m.json", {"old": ENTRY})
    with pytest.raises(ManifestError, match="a: the id comes more than once"):
        save_manifest(path, [("a", ENTRY), ("b", ENTRY), ("a", ENTRY)])
    assert list(load_manifest(path)) == ["old"]


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_saving_names_the_entry_that_is_not_json(tmp_path, value):
    with pytest.raises(ManifestError, match="u1: not JSON"):
        save_manifest(tmp_path / "m.json", {"u1": ENTRY | {"x": value}})


def test_saving_no_entries_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="no entries. Check the folder"):
        save_manifest(tmp_path / "m.json", {})


def test_subset_keeps_what_has_all_wanted_values_in_order():
    manifest = {
        "c": {"split": "train", "speaker": 1},
        "a": {"split": "test", "speaker": 1},
        "b": {"split": "train", "speaker": 2},
    }
    assert list(subset(manifest, split="train")) == ["c", "b"]
    assert list(subset(manifest, split="train", speaker={2, 3})) == ["b"]
    assert list(subset(manifest)) == ["c", "a", "b"]
    assert subset(manifest, split="test")["a"] is manifest["a"]


def test_empty_subset_names_the_values_there_are():
    manifest = {"a": {"split": "train"}, "b": {"split": "test"}, "c": {}}
    with pytest.raises(ManifestError) as raised:
        subset(manifest, split="dev")
    assert "no entry has split in ['dev']" in str(raised.value)
    assert "'test', 'train', None" in str(raised.value)
