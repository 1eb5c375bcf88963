import math
import re

import pytest

from speechbrain_mtl.report import figures
from speechbrain_mtl.report.results import Run


def texts(svg):
    return re.findall(r">([^<>]+)</text>", svg)


def test_scores_name_all_candidates_best_on_top(selection):
    shown = texts(figures.scores_figure(selection["tasks"]))
    names = [text for text in shown if text in selection["tasks"]]
    # Ticks are drawn from below.
    assert names == ["zcr", "hnr", "f0"]
    assert "weight 0.750" in shown
    assert "weight 0.250" in shown
    assert not [text for text in shown if text == "weight 0.000"]


def test_scores_over_decades_are_drawn_on_a_logarithmic_axis(selection):
    for task, ci in zip(selection["tasks"].values(), (0.01, 1.0, 100.0)):
        task |= {"ci": ci, "interval": [ci / 2, ci * 2]}
    shown = texts(figures.scores_figure(selection["tasks"]))
    assert {"0.01", "1", "100"} <= set(shown)


@pytest.mark.parametrize("low", [0.0, -0.1])
def test_scores_that_have_no_logarithm_are_drawn_on_a_plain_axis(
    selection, low
):
    selection["tasks"]["f0"]["interval"] = [low, 50.0]
    assert "20" in texts(figures.scores_figure(selection["tasks"]))


def test_candidates_without_score_are_left_out_of_the_picture():
    tasks = {"f0": {"weight": 0.5}, "zcr": {"weight": 0.5}}
    assert figures.scores_figure(tasks) == ""
    shown = texts(figures.scores_figure(tasks | {"hnr": {"ci": 1.0}}))
    assert "hnr" in shown
    assert "f0" not in shown


def test_curves_have_a_panel_a_task_and_the_last_validation_loss(log):
    after = log[0] | {"hours": 0.5}
    shown = texts(figures.curves_figure([*log, after]))
    assert {"weighted sum of all", "fbank", "f0"} <= set(shown)
    assert {"0.5", "0.25", "0.562"} <= set(shown)


@pytest.mark.parametrize("split", ["train", "valid"])
def test_curves_need_only_one_of_training_and_validation(log, split):
    assert "<svg" in figures.curves_figure(
        [line for line in log if line["split"] == split]
    )


def test_run_that_diverged_is_still_drawn(log):
    log[-1]["loss"] = log[-1]["tasks"]["f0"]["loss"] = math.nan
    log[-2]["tasks"]["f0"]["grad_share"] = math.nan
    assert "nan" in texts(figures.curves_figure(log))
    assert "<svg" in figures.shares_figure(log)


def test_shares_are_named_with_their_last_value_and_the_weight(log):
    shown = texts(figures.shares_figure(log))
    assert "fbank 75% · weight 1.00" in shown
    assert "f0 25% · weight 0.25" in shown


def test_shares_that_were_not_measured_are_not_drawn(log):
    for line in log:
        line["tasks"]["f0"].pop("grad_share", None)
    assert figures.shares_figure(log) == ""
    assert figures.shares_figure(log[:1]) == ""


def test_shares_of_changing_tasks_are_not_stacked(log):
    del log[0]["tasks"]["f0"]
    assert figures.shares_figure(log) == ""


def test_probes_have_a_panel_a_probe_and_say_which_way_is_better(metrics):
    shown = texts(figures.probes_figure(Run(metrics, {}, [])))
    assert {"phone", "phone_ctc", "word"} <= set(shown)
    assert shown.count("accuracy, % · better →") == 2
    assert shown.count("phone error rate, % · ← better") == 1
    assert "uniform weights" in shown


@pytest.mark.parametrize("lack", ["value", "interval"])
def test_probes_with_holes_are_drawn(metrics, lack):
    metrics["probes"]["word/linear"][lack] = None
    del metrics["baselines"]["uniform"]["phone/mlp"]
    assert "<svg" in figures.probes_figure(Run(metrics, {}, []))


def test_cost_names_stages_in_their_order_with_readable_times():
    shown = texts(figures.cost_figure({"make_data": 12.54, "train": 240.0}))
    assert shown.index("train") < shown.index("make data")
    assert {"12.5 s", "4.0 min"} <= set(shown)
