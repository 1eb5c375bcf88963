"""What is drawn of relations, and that nothing covers names."""

import itertools

import numpy as np
import pytest

from speechbrain_mtl.evaluation.relations import Effect
from speechbrain_mtl.evaluation.scenarios import Scenarios
from speechbrain_mtl.report.canvas import PRINT
from speechbrain_mtl.report.relation_figures import (
    draw_gains,
    draw_matrix,
    draw_relations,
)
from speechbrain_mtl.report.relation_graph import shown
from speechbrain_mtl.report.relation_results import RelationResults

Figure = pytest.importorskip("matplotlib.figure").Figure
SHORT = "asr pr sf sd er ic ks asv sid".split()
LONG = [
    f"{name}_{kind}"
    for name in ("speech", "speaker", "emotion")
    for kind in ("recognition", "verification", "classification")
]


def results(tasks=SHORT, seeds=3, single=False):
    draw = np.random.default_rng(0)

    def errors(names):
        return {n: (0.2 + 0.02 * draw.random(seeds)).tolist() for n in names}

    card = Scenarios(
        tasks=tasks,
        metrics=dict.fromkeys(tasks, "WER"),
        alone=errors(tasks),
        joint=errors(tasks),
        without={x: errors([t for t in tasks if t != x]) for x in tasks},
        transfer=errors(tasks[1:]),
        rules={},
        affinity={},
        single=errors(tasks) if single else {},
    )
    return RelationResults(card)


def drawn(draw, found, height=5.6):
    figure = Figure(figsize=(10.5, height), layout="constrained")
    draw(figure, found, PRINT)
    figure.draw_without_rendering()
    return figure


def names_of(ax):
    return [text for text in ax.texts if text.get_text()]


@pytest.mark.parametrize("tasks", [SHORT, LONG], ids=["short", "long"])
def test_names_in_the_graph_neither_meet_nor_leave_the_picture(tasks):
    figure = drawn(draw_relations, results(tasks))
    for ax in figure.axes:
        texts = [*names_of(ax), ax.title]
        texts = [t for t in texts if t.get_text()]
        boxes = [text.get_window_extent() for text in texts]
        assert len(boxes) >= 9
        for box in boxes:
            assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
            assert box.y0 >= 0 and box.y1 <= figure.bbox.y1
        for one, other in itertools.combinations(boxes, 2):
            assert not one.overlaps(other)


def test_arrows_go_from_who_helps_to_whom():
    tasks = ["a", "b", "c"]
    joint = {"a": [0.1, 0.1], "b": [0.1, 0.1], "c": [0.1, 0.1]}
    without = {
        "a": {"b": [0.15, 0.1501], "c": [0.1, 0.1]},
        "b": {"a": [0.1, 0.1], "c": [0.05, 0.0501]},
        "c": {"a": [0.1, 0.1], "b": [0.1, 0.1]},
    }
    card = Scenarios(
        tasks, dict.fromkeys(tasks, "WER"), {}, joint, without, {}, {}, {}
    )
    helps, hurts = drawn(draw_relations, RelationResults(card)).axes
    places = {text.get_text(): np.array(text.xy) for text in helps.texts}
    for ax, start, end in ((helps, "a", "b"), (hurts, "b", "c")):
        (arrow,) = [p for p in ax.patches if hasattr(p, "set_arrowstyle")]
        ends = arrow.get_path().vertices[[0, 2]]  # of its line, one curve
        for point, name in zip(ends, (start, end)):
            nearest = min(
                tasks, key=lambda t: np.linalg.norm(places[t] - point)
            )
            assert nearest == name
    assert helps.get_title() == "helps: 1 of 6"


def test_clear_relations_are_drawn_and_unclear_ones_if_large():
    clear, small = Effect((0.01, 0.0101)), Effect((0.04, -0.02))
    large = Effect((-0.4, 0.1))
    pairs = [("a", "b", clear), ("b", "a", small), ("c", "a", large)]
    assert shown(pairs, 0.05) == [pairs[2], pairs[0]]


@pytest.mark.parametrize("tasks", [SHORT, LONG], ids=["short", "long"])
def test_matrix_has_every_number_and_frames_the_clear(tasks):
    found = results(tasks)
    (ax,) = drawn(draw_matrix, found, 4.7).axes
    values = {text.get_text() for text in names_of(ax)}
    for _, _, effect in found.pairs:
        assert f"{100 * effect.value:+.1f}" in values
    assert len(names_of(ax)) == 72 + 9
    clear = found.count("helps") + found.count("hurts")
    framed = [p for p in ax.patches if p.get_facecolor()[3] == 0]
    bold = [t for t in names_of(ax) if t.get_fontweight() == "bold"]
    assert len(framed) == len(bold) >= clear > 0
    labels = [label.get_window_extent() for label in ax.get_yticklabels()]
    for one, other in itertools.combinations(labels, 2):
        assert not one.overlaps(other)


def test_gains_have_a_bar_a_scenario_and_task_with_its_interval():
    found = results()
    (ax,) = drawn(draw_gains, found, 6.1).axes
    widths = sorted(bar.get_width() for bar in ax.patches)
    expected = [
        100 * effect.value
        for row in found.gain_rows.values()
        for effect in row
        if effect is not None
    ]
    np.testing.assert_allclose(widths, sorted(expected))
    assert len(widths) == 10 + 10 + 9  # no transfer to the first task
    single = drawn(draw_gains, results(seeds=1), 6.1).axes[0]
    assert len(ax.lines) - len(single.lines) == len(widths)


def test_joint_training_has_a_panel_where_single_was_measured():
    found = results(single=True)
    over_alone, over_single = drawn(draw_gains, found, 6.1).axes
    assert len(over_alone.patches) == 10 + 10 + 10 + 9
    widths = [bar.get_width() for bar in over_single.patches]
    expected = [100 * e.value for e in found.gain_rows["all, over single"]]
    np.testing.assert_allclose(widths, expected)
    lines = [line for line in over_single.lines if len(line.get_xdata()) == 2]
    ends = [100 * e for e in found.joint_gains["asr"].interval]
    assert any(np.allclose(line.get_xdata(), ends) for line in lines)
    # Both panels have the tasks at the same heights.
    assert over_alone.get_ylim() == over_single.get_ylim()
