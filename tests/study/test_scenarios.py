"""Scenarios: what builds on what, what is made again, what the card says."""

import json
import sys
from pathlib import Path

import pytest
import torch

from speechbrain_mtl.study import scenarios
from speechbrain_mtl.study.scenario_card import mean_affinity, scenario_card
from speechbrain_mtl.study.scenario_run import run_scenarios
from speechbrain_mtl.training.start import start
from tests.recipes.miniature import labelled_manifest

LABELS = {"word": ["yes", "no", "up"], "mood": ["calm", "glad"]}
YAML = """
seed: 0
scenarios: [alone, single, all, without, transfer]
left_out: null
seeds: 2
left_out_seeds: 1
rule: mean_gain
processes: 1
threads: 1
output_folder: null
pretrained: null
pretrain: null
base_weights: {}
encoder: !apply:tests.helpers.encoders.calibrated_crdnn
tasks:
    word: !new:speechbrain_mtl.tasks.UtteranceClassification
        field: word
        layer: all
    mood: !new:speechbrain_mtl.tasks.UtteranceClassification
        field: mood
        layer: all
opt_class: !name:torch.optim.AdamW
    lr: 0.02
alone: !name:speechbrain_mtl.training.train_jointly
    opt_class: !ref <opt_class>
    frozen: True
    epochs: 2
    steps_per_epoch: 3
    batch_seconds: 2.0
    rules: [mean_error, best_of_each]
together: !name:speechbrain_mtl.training.train_jointly
    opt_class: !ref <opt_class>
    epochs: 2
    steps_per_epoch: 3
    batch_seconds:
        word: 2.0
        mood: 1.5
    lr_scales:
        mood: 0.5
    rules: [mean_gain, best_of_each, average_rank]
    affinity_every: 2
transfer: !name:speechbrain_mtl.training.train_jointly
    opt_class: !ref <opt_class>
    frozen: True
    epochs: 1
    steps_per_epoch: 3
    batch_seconds: 2.0
    rules: [mean_error, best_of_each]
head_lr_scales: [0.1, 1.0]
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A whole small study, and how to run it again."""
    folder = tmp_path_factory.mktemp("study")
    parts = {}
    for name, labels in LABELS.items():
        manifest = labelled_manifest(folder / name, {name: labels}, 8)
        entries = json.loads(Path(manifest).read_text())
        parts[name] = {
            part: {n: e for n, e in entries.items() if e["split"] == part}
            for part in ("train", "valid", "test")
        }
    (folder / "a.yaml").write_text(YAML)

    def run(*overrides):
        started = start(
            [str(folder / "a.yaml"), f"--output_folder={folder / 'out'}",
             "--device=cpu", "--noprogressbar", *overrides]
        )  # fmt: skip
        return run_scenarios(started, parts, "digest", {"corpus": "tones"})

    # Without "single" first: what is there must not be made again for it.
    card = json.loads(
        run("--scenarios=[alone,all,without,transfer]").read_text()
    )
    made = []
    real = scenarios.run_joint

    def counted(train, arguments, heads):
        made.append(arguments["folder"].name)
        assert arguments["affinity_every"] == 0
        return real(train, arguments, heads)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenarios, "run_joint", counted)
        more = json.loads(run().read_text())
    assert sorted(made) == ["single_mood"] * 2 + ["single_word"] * 2
    assert "single" not in card["errors"]
    for name, errors in card["errors"].items():
        assert more["errors"][name] == errors
    return folder / "out", run, more


def test_the_card_has_every_scenario_and_seed(study):
    _, _, card = study
    assert card["tasks"] == ["word", "mood"] and card["seeds"] == [0, 1]
    assert card["metrics"] == {"word": "accuracy", "mood": "accuracy"}
    errors = card["errors"]
    for scenario in ("alone", "single", "all"):
        assert {n: len(e) for n, e in errors[scenario].items()} == {
            "word": 2,
            "mood": 2,
        }
    assert set(errors["all_by_rule"]) == {
        "mean_gain", "best_of_each", "average_rank",
    }  # fmt: skip
    assert set(errors["without"]["word"]) == {"mood"}
    assert {n: len(e) for n, e in errors["transfer"].items()} == {
        "word": 1,
        "mood": 1,
    }
    assert card["head_rates_chosen"]["word"][0] in (
        "word at 10 %", "word at 100 %",
    )  # fmt: skip
    assert card["affinity"]["tasks"] == ["word", "mood"]
    assert card["affinity"]["steps"] == 6  # steps 0, 2, 4 of two seeds
    assert card["wall_s"]["seed 0, without_word"] > 0
    assert card["wall_s"]["seed 1, single_mood"] > 0
    # As many steps of as much audio: all tasks, one by one, and together.
    hours = card["hours_of_audio"]
    assert hours["single"] == pytest.approx(hours["all"])


def test_single_is_the_recipe_of_all_for_one_task(study):
    folder, _, card = study
    stages = {
        name: json.loads(
            (folder / "seed_1" / name / "training.stage.json").read_text()
        )
        for name in ("all", "single_mood")
    }
    joint, single = (s["settings"] for s in stages.values())
    assert single["tasks"] == {"mood": joint["tasks"]["mood"]}
    same = ("data", "encoder", "heads", "training", "seed")
    # Another key would remake all runs there are.
    assert set(joint) == {*same, "tasks", "head_lr_scales", "version"}
    assert {k: single[k] for k in same} == {k: joint[k] for k in same}
    result = stages["single_mood"]["result"]
    assert result["steps"] == stages["all"]["result"]["steps"] == 6
    # The rule of "all" tells it; it takes the best validation of the task.
    [best] = result["errors"].values()
    assert best == min(e["mood"] for e in result["validations"].values())
    chosen = result["rules"]["mean_gain"]
    score = chosen["scores"]["mood/accuracy"]
    assert card["errors"]["single"]["mood"][1] == 1 - score["value"]
    assert chosen["epoch"] == result["rules"]["best_of_each"]["epoch"]["mood"]


def test_the_report_is_the_page_on_relations(study, capsys):
    folder, run, _ = study
    pytest.importorskip("matplotlib")
    run()
    out = capsys.readouterr().out
    assert "all, over single" in out and str(folder / "report.html") in out
    page = (folder / "report.html").read_text()
    assert "Who helps whom" in page and "rozen features" not in page
    assert not (folder / "relations.html").exists()
    metrics = json.loads((folder / "metrics.json").read_text())
    names = {"word/accuracy", "mood/accuracy"}
    assert set(metrics["probes"]) == names
    assert {n: set(s) for n, s in metrics["baselines"].items()} == {
        "alone": names,
        "single": names,
    }


def test_without_matplotlib_there_are_words_and_numbers(
    study, monkeypatch, capsys
):
    folder, run, card = study
    (folder / "report.html").unlink(missing_ok=True)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert json.loads(run().read_text())["errors"] == card["errors"]
    out = capsys.readouterr().out
    assert "gain over alone" in out and "no page and pictures" in out
    assert not (folder / "report.html").exists()
    assert (folder / "metrics.json").exists()


def test_alone_and_single_are_enough_for_a_report(study, capsys):
    folder, run, _ = study
    card = json.loads(run("--scenarios=[single, alone]").read_text())
    assert set(card["errors"]["single"]) == {"word", "mood"}
    assert "No run trained all tasks together" in capsys.readouterr().out
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["probes"]) == {"word/accuracy", "mood/accuracy"}


def test_what_is_there_is_not_made_again(study, monkeypatch):
    _, run, card = study
    monkeypatch.setattr(scenarios, "run_joint", None)
    assert json.loads(run().read_text())["errors"] == card["errors"]


def test_a_scenario_that_is_lost_is_made_again_alone(study, monkeypatch):
    folder, run, card = study
    (folder / "seed_0" / "without_word" / "training.stage.json").unlink()
    made = []
    real = scenarios.run_joint

    def counted(train, arguments, heads):
        made.append(arguments["folder"].name)
        return real(train, arguments, heads)

    monkeypatch.setattr(scenarios, "run_joint", counted)
    assert json.loads(run().read_text())["errors"] == card["errors"]
    assert made == ["without_word"]


def test_other_settings_remake_what_depends_on_them(study, monkeypatch):
    _, run, _ = study
    made = []

    def counted(train, arguments, heads):
        made.append(arguments["folder"].name)
        raise KeyboardInterrupt

    monkeypatch.setattr(scenarios, "run_joint", counted)
    with pytest.raises(KeyboardInterrupt):
        run("--transfer={epochs: 2}")
    assert made == ["transfer_word"]


def test_heads_begin_as_they_were_alone_and_encoders_differ(study):
    folder, _, _ = study
    seed = folder / "seed_0"
    heads = torch.load(seed / "alone" / "heads.ckpt")
    assert set(heads) == {"word", "mood"}
    encoders = [
        torch.load(seed / name / "encoder.ckpt")
        for name in ("all", "without_word", "without_mood")
    ]
    keys = [k for k, v in encoders[0].items() if v.is_floating_point()]
    assert any(not torch.equal(encoders[0][k], encoders[1][k]) for k in keys)
    # Alone and transferred, the encoder is frozen and not kept.
    for name in ("alone", "transfer_word"):
        assert not (seed / name / "encoder.ckpt").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("--scenarios=[all]", "give 'alone', and what you want of"),
        ("--scenarios=[]", "give 'alone', and what you want of"),
        ("--scenarios=[alone, both]", "give 'alone', and what you want of"),
        (
            "--scenarios=[alone, all, transfer]",
            "'transfer' builds on 'without'",
        ),
        ("--left_out=[asr]", "left_out .'asr'.: tasks are"),
    ],
)
def test_what_cannot_be_run_is_refused(study, override, message):
    _, run, _ = study
    with pytest.raises(ValueError, match=message):
        run(override)


def test_single_is_told_by_the_rule_of_all_and_heads_by_their_best():
    def result(hours, **accuracies):
        rules = {}
        for rule, less in (("last", 0.25), ("best_of_each", 0.0)):
            scores = {
                f"{task}/accuracy": {
                    "value": v - less,
                    "higher_is_better": True,
                }
                for task, v in accuracies.items()
            }
            rules[rule] = {"scores": scores}
        return {"rules": rules, "hours": hours}

    results = {
        "alone": {0: result(1.0, a=0.5, b=0.5), 1: result(1.0, a=0.75, b=0.5)},
        "single": {
            0: {"a": result(2.0, a=0.75), "b": result(0.5, b=0.5)},
            1: {"a": result(2.0, a=1.0), "b": result(0.5, b=0.75)},
        },
    }
    card = scenario_card(results, ["a", "b"], "last")
    assert card["errors"]["alone"] == {"a": [0.5, 0.25], "b": [0.5, 0.5]}
    assert card["errors"]["single"] == {"a": [0.5, 0.25], "b": [0.75, 0.5]}
    assert card["hours_of_audio"] == {"alone": 1.0, "single": 2.5}


def test_affinities_of_fewer_tasks_are_averaged_too(tmp_path):
    lines = [
        {"step": 0, "tasks": ["a", "b"], "cosines": [[1, 0], [0, 1]],
         "lookahead": [[0.2, 0.1], [0.3, 0.4]]},
        {"step": 1, "tasks": ["b"], "cosines": [[1]], "lookahead": [[0.6]]},
    ]  # fmt: skip
    path = tmp_path / "affinity.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    found = mean_affinity([path])
    assert found["tasks"] == ["a", "b"] and found["steps"] == 2
    assert found["lookahead"] == [[0.2, 0.1], [0.3, pytest.approx(0.5)]]
    assert mean_affinity([tmp_path / "none"]) is None
