import pytest

from speechbrain_mtl.report.results import Run, load_run


def test_baselines_come_from_the_weakest_to_this_run(folder):
    assert list(load_run(folder).systems) == [
        "log-mel with context",
        "random init",
        "uniform weights",
        "this run",
    ]


def test_baseline_of_another_name_keeps_it(metrics):
    metrics["baselines"]["wav2vec2"] = {}
    assert list(Run(metrics, {}, []).systems)[-2:] == ["wav2vec2", "this run"]


def test_probes_of_all_systems_are_named_those_of_this_run_first(metrics):
    metrics["baselines"]["uniform"]["extra"] = {}
    names = Run(metrics, {}, []).probes
    assert names == [*metrics["probes"], "extra"]


def test_heads_of_a_probe_belong_together(folder):
    heads = load_run(folder).probe_heads
    assert heads["phone"] == ["phone/linear", "phone/mlp"]
    assert list(heads) == ["phone", "phone_ctc", "word"]


def test_weights_above_zero_come_with_the_largest_first(folder):
    assert load_run(folder).weights == {"hnr": 0.75, "f0": 0.25}
    assert list(load_run(folder).weights) == ["hnr", "f0"]


def test_only_metrics_must_be_there(folder, metrics):
    (folder / "selection.json").unlink()
    (folder / "train_log.jsonl").unlink()
    assert load_run(folder) == Run(metrics, {}, [])


def test_log_line_cut_short_by_a_kill_is_left_out(folder):
    path = folder / "train_log.jsonl"
    path.write_text(path.read_text() + '{"step": 5, "ho')
    assert len(load_run(folder).log) == 6


def test_missing_metrics_say_what_to_give(tmp_path):
    with pytest.raises(ValueError, match="no metrics.json. Give the output"):
        load_run(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metrics.json", "{"),
        ("metrics.json", "[]"),
        ("selection.json", "nonsense"),
        ("train_log.jsonl", "{\n"),
    ],
)
def test_file_that_is_not_json_is_named(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(ValueError, match=name):
        load_run(folder)
