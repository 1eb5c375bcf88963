from speechbrain_mtl.selection.table import legend, ranked_table

TASKS = {
    "zcr": {"ci": 0.2, "rank": [1, 2], "frequency": 0.6, "flags": []},
    "a_long_name": {
        "ci": 0.1,
        "interval": [0.04, 0.25],
        "rank": [1, 1],
        "frequency": 1.0,
        "leave_one_out": 0.1234,
        "flags": ["near-constant", "class-blind"],
    },
    "rms": {"ci": 0.3, "leave_one_out": None},
}
WEIGHTS = {"zcr": 0.0, "a_long_name": 1.0, "rms": 0.0}


def test_tasks_stand_by_weight_then_score():
    lines = ranked_table(WEIGHTS, TASKS).splitlines()
    names = [line.split()[0] for line in lines]
    assert names == ["task", "a_long_name", "zcr", "rms"]


def test_cells_stand_under_their_headings():
    head, first, second, third = ranked_table(WEIGHTS, TASKS).splitlines()
    for title, cells in {
        "weight": ("1.000", "0", "0"),
        "ci": ("0.100", "0.200", "0.300"),
        "of ci": ("0.04 0.250", "-", "-"),
        "rank": ("1", "1-2", "-"),
        "freq": ("100%", "60%", "-"),
        "loo": ("+12%", "-", "-"),
    }.items():
        end = head.index(f" {title} ") + len(title) + 1
        for line, cell in zip((first, second, third), cells):
            assert line[:end].endswith(f" {cell}"), title
    assert first.endswith("  near-constant, class-blind")


def test_columns_nobody_has_are_left_out_of_table_and_legend():
    assert "published" not in ranked_table(WEIGHTS, TASKS)
    assert "published" not in legend(TASKS)
    assert len(legend(TASKS).splitlines()) == 4
    full = {"zcr": {"reference": 0.5}}
    assert "published" in ranked_table({"zcr": 1.0}, full)
    assert "published" in legend(full)
