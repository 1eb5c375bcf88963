"""Nine runs become a card: values, the paper's claims, and pictures."""

import json
import sys

import pytest

from speechbrain_mtl.report.grounding_figures import draw_grounding
from speechbrain_mtl.report.grounding_text import grounded_table
from speechbrain_mtl.study import grounded_run
from speechbrain_mtl.study.grounded import GroundedExperiment, summary
from speechbrain_mtl.study.grounded_card import grounded_card
from speechbrain_mtl.training.start import Start


def result(recall, abx=(0.5, 0.3, 0.2, 0.4), lost=None):
    """What one run gave, as JSON reads it back."""
    way = {
        "queries": 10, "pool": 10,
        "recall": {"1": recall / 2, "10": recall},
        "chance": {"1": 0.1, "10": 0.5},
        "interval": {"1": [0, 1], "10": [0, 1]},
    }  # fmt: skip
    rows = [
        {"phase": 1, "task": task, "measure": measure, "lost": value}
        for (task, measure), value in (lost or {}).items()
    ]
    measures = {
        "grounding/speech_to_image_R@1": 0.2,
        "grounding/speech_to_image_R@10": recall,
        "grounding/image_to_speech_R@10": recall,
        "wav2vec2/abx_within": 0.2,
    }
    return {
        "test": {"speech_to_image": way, "image_to_speech": way},
        "abx": {"0": {"within": [0.5] * 4}, "12": {"within": list(abx)}},
        "forgetting": rows,
        "curves": {"0": {"wav2vec2/abx_within": 0.5}, "12": measures},
        "train": {"1": {"wav2vec2": 4.0}, "12": {"grounding": 2.0}},
        "ends": [2, 12] if lost else [12],
        "pools": {"test": {"captions": 10, "images": 10}},
        "hours_of_audio": 1.5,
    }


def across(run, errors, untrained=0.45):
    """The same with ABX errors across speakers too."""
    run["abx"]["0"]["across"] = [untrained] * len(errors)
    run["abx"]["12"]["across"] = list(errors)
    run["curves"]["0"]["wav2vec2/abx_across"] = untrained
    run["curves"]["12"]["wav2vec2/abx_across"] = min(errors[1:])
    return run


R10 = ("grounding", "speech_to_image_R@10")
I10 = ("grounding", "image_to_speech_R@10")


def test_a_claim_is_counted_seed_by_seed():
    card = grounded_card(
        {
            "VGS+": [result(0.6), result(0.7)],
            "(W2V2, VGS)": [
                result(0.8, lost={("wav2vec2", "loss"): 1.0}),
                result(0.65, lost={("wav2vec2", "loss"): 2.0}),
            ],
            "(VGS, W2V2)": [result(0.2, lost={R10: 0.6, I10: 0.4})] * 2,
            "(VGS+, W2V2)": [result(0.2, lost={R10: 0.1, I10: 0.2})] * 2,
        }
    )
    first, second, third, fourth = card["claims"]
    assert first["measured"]["better"] == pytest.approx([0.8, 0.65])
    assert first["measured"]["held_in"] == 1  # .8 > .6, but .65 < .7
    # Student's, of two: 12.706 times the deviation over the root of two.
    gain, half = first["measured"]["gain"], 12.706 * 0.125
    assert gain == pytest.approx(0.075)
    assert first["measured"]["interval"] == pytest.approx(
        [gain - half, gain + half], rel=1e-3
    )
    # Less is lost: lower is better here.
    assert second["measured"]["worse"] == pytest.approx([0.5, 0.5])
    assert second["measured"]["better"] == pytest.approx([0.15, 0.15])
    assert second["measured"]["held_in"] == 2
    assert third["measured"] is None  # (VGS+, VGS) was not run
    assert fourth["measured"] is None
    json.dumps(card)
    table = grounded_table(card)
    assert "open, by 0.075 [-1.513, 1.663], in 1 of 2 seeds" in table
    assert (
        "held, by 0.350 [0.350, 0.350], in 2 of 2 seeds" in table
        and "not measured" in table
    )


def test_the_best_layer_is_one_of_the_transformers_at_the_end():
    [run] = grounded_card({"VGS": [result(0.5, (0.1, 0.3, 0.2, 0.4))]})[
        "runs"
    ].values()
    assert run["abx"] == [0.2] and run["abx_layer"] == [2]
    assert run["abx_untrained"] == [0.5]
    assert run["image_to_speech_R@1"] == [0.25]
    assert run["retrieval"] == [0.5] and run["lost_retrieval"] == [None]


def test_errors_across_speakers_have_values_of_their_own():
    lost = {("wav2vec2", "abx_within"): 0.01, ("wav2vec2", "abx_across"): 0.03}
    both = across(result(0.5, lost=lost), (0.01, 0.35, 0.4, 0.25))
    alone = result(0.5)
    runs = grounded_card({"(W2V2, VGS)": [both], "VGS": [alone]})["runs"]
    row, only = runs["(W2V2, VGS)"], runs["VGS"]
    assert row["abx"] == [0.2] and row["abx_layer"] == [2]
    assert row["abx_across"] == [0.25] and row["abx_across_layer"] == [3]
    assert row["abx_untrained"] == [0.5]
    assert row["abx_across_untrained"] == [0.45]
    assert row["lost_abx"] == [0.01] and row["lost_abx_across"] == [0.03]
    assert only["abx"] == [0.2] and only["abx_across"] == [None]
    assert only["abx_across_layer"] == only["lost_abx_across"] == [None]
    said = "ABX within speakers 20.0 %, ABX across speakers 25.0 %"
    assert summary(both).endswith(said)
    for tested in both["abx"].values():
        del tested["within"]  # as `speakers: [across]`
    [row] = grounded_card({"(W2V2, VGS)": [both]})["runs"].values()
    assert row["abx"] == [None] and row["abx_across"] == [0.25]


@pytest.mark.parametrize("everywhere", [True, False])
def test_phones_are_judged_across_speakers_where_both_runs_have_it(everywhere):
    """Within speakers images are worse here, across they are better."""
    images = [result(0.5, (0.5, 0.3, 0.4)) for _ in range(2)]
    speech = [result(0.5, (0.5, 0.1, 0.2)) for _ in range(2)]
    for run in images:
        across(run, (0.5, 0.3, 0.2))
    for run in speech if everywhere else speech[:1]:
        across(run, (0.5, 0.4, 0.5))
    card = grounded_card({"VGS": images, "W2V2": speech})
    *_, claim = card["claims"]
    table = grounded_table(card)
    if everywhere:
        assert claim["measure"] == "abx_across"
        assert claim["measured"]["better"] == [0.2, 0.2]
        assert claim["measured"]["worse"] == [0.4, 0.4]
        assert "\n    ABX across speakers: held, by 0.200" in table
    else:
        assert claim["measure"] == "abx"
        assert claim["measured"]["better"] == [0.3, 0.3]
        assert "\n    ABX within speakers: did not hold, by -0.200" in table


@pytest.mark.parametrize("several", [True, False])
def test_pictures_are_of_errors_across_speakers_where_measured(
    tmp_path, monkeypatch, several
):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    drawn = {}
    save = Figure.savefig

    def keep(figure, *args, **kwargs):
        save(figure, *args, **kwargs)
        ax = figure.axes[-1]
        drawn[ax.get_title("left")] = list(ax.lines[0].get_ydata())

    monkeypatch.setattr(Figure, "savefig", keep)
    run = result(0.5)
    if several:
        across(run, (0.5, 0.25, 0.375, 0.3))
    draw_grounding({"VGS": run}, tmp_path)
    speakers = "across" if several else "within"
    curve = drawn[f"ABX error {speakers} speakers, best layer, %"]
    layers = drawn[f"ABX error {speakers} speakers, of each layer"]
    assert curve == pytest.approx([45, 25] if several else [50, 20])
    wanted = [50, 25, 37.5, 30] if several else [50, 30, 20, 40]
    assert layers == pytest.approx(wanted)


def test_pictures_of_nine_runs(tmp_path):
    pytest.importorskip("matplotlib")
    runs = {f"run {n}": result(0.1 * n) for n in range(7)}
    runs["(VGS, W2V2)"] = result(0.2, lost={R10: 0.6})
    paths = draw_grounding(runs, tmp_path)
    assert [p.name for p in paths] == [
        "losses.png",
        "curves.png",
        "layers_at_once.png",
        "layers_in_turn.png",
    ]
    assert all(p.read_bytes()[1:4] == b"PNG" for p in paths)


def test_pictures_of_former_runs_do_not_stay(tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "layers_in_turn.png").write_bytes(b"of other runs")
    draw_grounding({"VGS": result(0.5)}, tmp_path)
    assert not (tmp_path / "layers_in_turn.png").exists()


def test_scales_of_losses_bear_plain_numbers(tmp_path, monkeypatch):
    """As they are drawn, not "$10^{0}$"."""
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    kept = []
    save = Figure.savefig

    def keep(figure, *args, **kwargs):
        save(figure, *args, **kwargs)
        kept.append([t.get_text() for t in figure.axes[0].get_yticklabels()])

    monkeypatch.setattr(Figure, "savefig", keep)
    run = result(0.5)
    run["train"] = {"1": {"grounding": 2.65}, "2": {"grounding": 2.1}}
    draw_grounding({"VGS": run}, tmp_path)
    assert {"2.2", "2.4", "2.6"} <= set(kept[0])


def grounded(tmp_path, **hparams):
    """An experiment that trains nothing."""
    hparams = {
        "output_folder": tmp_path,
        "processes": 1,
        "threads": 1,
        "model": {"encoder": None},
        "seed": 0,
        **hparams,
    }
    return GroundedExperiment(Start("a.yaml", "", hparams, {}, {}))


def test_each_order_has_the_seeds_it_should(tmp_path):
    names = ["W2V2", "w2v2, vgs", "VGS+"]
    made = grounded(tmp_path, variants=names, seeds=3, once=["(W2V2,VGS)"])
    assert made.seeds == {"W2V2": 3, "(W2V2, VGS)": 1, "VGS+": 3}
    assert made.title == "speech and images in 3 orders"
    one = grounded(tmp_path, variant="vgs+", seeds=2)
    assert one.seeds == {"VGS+": 2}
    assert one.title == "speech and images: VGS+"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"variants": ["VGS", "VGS-"], "seeds": 1}, "'VGS-' is none of"),
        ({"variant": "VGS, VGS", "seeds": 1}, "'VGS, VGS' is none of"),
        (
            {"variants": ["VGS"], "seeds": 2, "once": ["VGS+"]},
            r"once \['VGS\+'\]: runs are \['VGS'\]",
        ),
        ({"variant": "VGS", "seeds": 0}, "seeds is 0"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(tmp_path, asked, why):
    with pytest.raises(ValueError, match=why):
        grounded(tmp_path, **asked)


def test_a_study_without_matplotlib_says_so(tmp_path, monkeypatch, capsys):
    """Card, table, metrics and page are there, but no pictures."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    results = {"VGS": [result(0.5)], "VGS+": [result(0.6)]}
    monkeypatch.setattr(GroundedExperiment, "run", lambda *_: results)
    hparams = grounded(tmp_path, variants=list(results), seeds=1).hparams
    started = Start("a.yaml", "", hparams, {}, {})
    path = grounded_run.run_grounding(started, {"test": {}}, {}, "d", {})
    assert "no pictures: Pictures need matplotlib" in capsys.readouterr().out
    page = (tmp_path / "report.html").read_text()
    assert "60.0" in page and "<img" not in page
    card = json.loads(path.read_text())
    assert card["hours_of_audio"] == {"VGS": [1.5], "VGS+": [1.5]}
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["probes"]["speech_to_image/R@10"]["value"] == 0.6
    before = metrics["baselines"]["VGS"]["speech_to_image/R@10"]
    assert before["value"] == 0.5
