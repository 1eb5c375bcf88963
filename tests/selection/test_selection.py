import json

import pytest

from speechbrain_mtl.selection import Selection, SelectionError

TASKS = {
    "f0": {"weight": 0.25, "ci": 0.5, "interval": [0.4, 0.7], "z": 12.0},
    "zcr": {"weight": 0.75, "ci": 0.1, "flags": ["near-constant"]},
}
SELECTION = Selection(
    label_field="words",
    method="sparsemax",
    weights={"f0": 0.25, "zcr": 0.75},
    tasks=TASKS,
    data={"strata": 3},
    kernel={"variance": 0.05},
    solver={"gap": 1e-9},
    seed=7,
    cost={"wall_s": 1.5},
)


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "new" / "selection.json"
    SELECTION.save(path)
    assert Selection.load(path) == SELECTION
    content = json.loads(path.read_text())
    assert content["format"] == "speechbrain_mtl/selection/1"
    assert list(tmp_path.joinpath("new").iterdir()) == [path]


def test_a_selection_without_evidence_is_a_selection(tmp_path):
    path = tmp_path / "selection.json"
    Selection("", "uniform", {"f0": 0.5, "zcr": 0.5}).save(path)
    loaded = Selection.load(path)
    assert loaded.weights == {"f0": 0.5, "zcr": 0.5}
    assert loaded.tasks["f0"] == {"weight": 0.5}
    assert "0.5" in loaded.table()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"format": "other/1"}, "format"),
        ({"weights": {}}, "same tasks"),
        ({"weights": {"f0": 1.0}}, "same tasks"),
        ({"weights": {"f0": -0.25, "zcr": 0.75}}, "'f0' is -0.25"),
        ({"weights": {"f0": "0.25", "zcr": 0.75}}, "'f0' is '0.25'"),
        ({"weights": {"f0": True, "zcr": 0.75}}, "'f0' is True"),
        ({"weights": {"f0": 0.5, "zcr": 0.75}}, "'f0' and 'weights' disagree"),
        ({"weights": [1, 2]}, "'weights' is not an object"),
        ({"solver": None}, "'solver' is not an object"),
        ({"surplus": 1}, "surplus"),
        ({"seed": None, "data": 3}, "'data' is not an object"),
    ],
)
def test_a_file_of_another_form_is_refused_by_name(tmp_path, change, message):
    path = tmp_path / "selection.json"
    SELECTION.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(SelectionError, match=message) as caught:
        Selection.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_field_and_weights_all_zero_are_refused(tmp_path):
    path = tmp_path / "selection.json"
    SELECTION.save(path)
    content = json.loads(path.read_text())
    del content["kernel"]
    path.write_text(json.dumps(content))
    with pytest.raises(SelectionError, match="missing: .'kernel'"):
        Selection.load(path)
    SELECTION.reweighted("none", {"f0": 0.0, "zcr": 0.0}).save(path)
    with pytest.raises(SelectionError, match="all weights are zero"):
        Selection.load(path)


def test_a_missing_file_and_broken_json_are_told_apart(tmp_path):
    with pytest.raises(SelectionError, match="no such selection"):
        Selection.load(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"format": ')
    with pytest.raises(SelectionError, match="not JSON"):
        Selection.load(tmp_path / "half.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(SelectionError, match="format"):
        Selection.load(tmp_path / "list.json")


def test_the_table_has_a_line_a_task_the_heaviest_first():
    lines = SELECTION.table().splitlines()
    assert [line.split()[0] for line in lines] == ["task", "zcr", "f0"]
    assert lines[1].endswith("near-constant")
    assert "0.400 0.700" in lines[2]


def test_other_weights_keep_the_evidence_and_leave_the_first_alone():
    other = SELECTION.reweighted("uniform", {"f0": 0.5, "zcr": 0.5})
    assert other.tasks["zcr"] == {**TASKS["zcr"], "weight": 0.5}
    assert other.solver == {} and other.data == SELECTION.data
    assert SELECTION.tasks["zcr"]["weight"] == 0.75
