import argparse
import dataclasses
import re
import shlex
from html.parser import HTMLParser

import numpy as np
import pytest

from speechbrain_mtl.report import selection_figures, selection_page
from speechbrain_mtl.report.canvas import PRINT
from speechbrain_mtl.report.selection_page import write_selection_page
from speechbrain_mtl.report.selection_words import (
    answer,
    command,
    rivals,
    rule,
    warnings,
)
from speechbrain_mtl.report.trade_off import draw_trade_off
from speechbrain_mtl.selection import Selection, uniform
from speechbrain_mtl.selection.command import configure
from speechbrain_mtl.selection.selector import Selector

UNIT = 0.1  # score = unbiased / relevance / UNIT


def measured(unbiased, relevance, weight, **more):
    score = unbiased / relevance / UNIT
    return {
        "weight": weight,
        "ci": score,
        "interval": [score / 2, score * 2],
        "z": 12.34,
        "p": 0.0001,
        "relevance": relevance,
        "relevance_p": 0.0002,
        "relevance_interval": [0.8 * relevance, 1.1 * relevance],
        "unbiased_interval": [0.5 * unbiased, 1.5 * unbiased],
        "unbiased": unbiased,
        "reference": 0.321,
        "centered": 0.0765,
        "normalised": 0.234,
        "mean_similarity": 0.456,
        "within_class_spread": 0.567,
        "frequency": 0.875,
        "rank": [1.0, 3.0],
        "leave_one_out": 0.123,
        "flags": [],
        **more,
    }


@pytest.fixture
def selection():
    tasks = {
        "voicing": measured(0.02, 0.10, 0.625),
        "log_hnr": measured(0.03, 0.12, 0.375),
        "f0": measured(0.05, 0.05, 0.0),
        "rms": measured(0.08, 0.01, 0.0, flags=["class-blind"]),
    }
    weights = {name: task["weight"] for name, task in tasks.items()}
    return Selection(
        label_field="digit",
        method="sparsemax",
        weights=weights,
        tasks=tasks,
        data={
            "manifest": "DATA/fsdd/manifest.json",
            "label_field": "digit",
            "strata": 2,
            "segments": 1234,
            "hours": 0.25,
            "speakers": 6,
            "min_per_class": 10,
            "max_per_class": 300,
            "dropped_classes": ["oh"],
            "samples": {"one": 600, "two": 634},
            "effective_strata": 1.987,
            "split_half_agreement": 0.714,
        },
        kernel={"centering": "centered", "variance": {"f0": 0.5}},
        solver={
            "name": "projected",
            "temperature": 2.0,
            "gap": 1e-10,
            "converged": True,
            "path": {
                "temperature": [0.1, 1.0, 10.0],
                "weights": {
                    "voicing": [1.0, 0.75, 0.5],
                    "log_hnr": [0.0, 0.25, 0.25],
                    "f0": [0.0, 0.0, 0.25],
                    "rms": [0.0, 0.0, 0.0],
                },
            },
        },
        seed=3,
        cost={"wall_s": 4.5},
    )


@pytest.fixture
def no_pictures(monkeypatch):
    """Spare the time of drawing where only words are looked at."""
    for name in ("trade_off", "doubts", "path"):
        monkeypatch.setattr(
            selection_figures, f"{name}_figure", lambda _: "<svg></svg>"
        )
    monkeypatch.setattr(selection_page, "summary_picture", lambda *_: None)


class Reader(HTMLParser):
    """Text outside pictures and styles; complains of loose tags."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.words = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"svg", "style"} & set(self.open):
            self.words.append(data)


def page_of(selection, tmp_path):
    """Words and tags of the page."""
    path = write_selection_page(selection, tmp_path / "selection.html")
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return re.sub(r"\s+", " ", " ".join(reader.words)), reader.tags


def without(selection, *fields):
    """The selection, its tasks without some fields."""
    tasks = {
        name: {key: task[key] for key in task if key not in fields}
        for name, task in selection.tasks.items()
    }
    return dataclasses.replace(selection, tasks=tasks)


def test_page_is_whole_in_itself_with_three_pictures(selection, tmp_path):
    text, tags = page_of(selection, tmp_path)
    html = (tmp_path / "selection.html").read_text()
    assert tags.count("svg") == 3
    assert not {"script", "link", "img", "iframe"} & set(tags)
    # The names of SVG's own namespaces are no requests.
    assert not re.findall(r"(?:src|url\(|@import)\W*https?:", html)
    assert text.index("Predict voicing") < text.index("The weights minimise")
    assert (tmp_path / "selection.png").read_bytes()[1:4] == b"PNG"


def test_equal_selections_make_equal_files(selection, tmp_path):
    page = write_selection_page(selection, tmp_path / "selection.html")
    files = page, page.with_suffix(".png")
    before = [file.read_bytes() for file in files]
    write_selection_page(selection, page)
    assert [file.read_bytes() for file in files] == before


@pytest.mark.usefixtures("no_pictures")
def test_every_number_of_a_task_is_in_the_tables(selection, tmp_path):
    text, _ = page_of(selection, tmp_path)
    row = re.search(r"log_hnr (0.375.*?) f0 ", text[text.index("decides") :])
    assert (
        row[1]
        == "0.375 2.50 1.25 – 5.00 0.120 &lt; 0.001".replace("&lt;", "<")
        + " +12.3 % 88 % 1 – 3"
    )
    row = re.search(r"log_hnr (0.0300.*?) f0 ", text)
    assert row[1] == "0.0300 0.234 12.3 < 0.001 0.0765 0.321 0.456 0.567"
    said = ("1,234 segments", "effective strata 1.987", "one 600", "of 0.71,")
    for words in said:
        assert words in text


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("relevance_p", "p of relevance"),
        ("leave_one_out", "left out"),
        ("frequency", "frequency"),
        ("rank", "place"),
        ("flags", "flags"),
        ("normalised", "normalised"),
    ],
)
def test_a_number_no_task_has_leaves_no_column(
    selection, field, column, tmp_path
):
    heading = f"<th>{column}</th>"
    page = write_selection_page(selection, tmp_path / "a.html")
    assert heading in page.read_text()
    page = write_selection_page(without(selection, field), page)
    assert heading not in page.read_text()


def test_an_old_file_leaves_out_what_it_does_not_know(selection, tmp_path):
    old = without(
        selection,
        *("frequency", "rank", "leave_one_out", "interval", "relevance_p"),
        *("relevance_interval", "unbiased_interval"),
    )
    old.solver.pop("path")
    old.data.pop("samples")
    text, tags = page_of(old, tmp_path)
    assert tags.count("svg") == 1
    for absent in ("How sure", "What if weights", "Segments of each class"):
        assert absent not in text
    assert "Why these" in text
    assert "95 % interval" not in text


def test_weights_alone_still_make_a_page_and_a_picture(tmp_path):
    text, tags = page_of(uniform(["f0", "zcr"]), tmp_path)
    assert "Predict F0 and ZCR, weighted alike" in text
    assert "every candidate has the same weight" in text
    assert "svg" not in tags
    for absent in ("Why these", "All numbers", "What was compared", "Command"):
        assert absent not in text
    assert (tmp_path / "selection.png").exists()


@pytest.mark.usefixtures("no_pictures")
def test_text_from_the_file_cannot_become_markup(selection, tmp_path):
    evil = "<script>x</script>"
    task = measured(0.05, 0.05, 0.5, flags=[evil])
    selection = dataclasses.replace(
        selection,
        label_field=evil,
        method=evil,
        weights=selection.weights | {evil: 0.5},
        tasks=selection.tasks | {evil: task},
        data=selection.data | {"manifest": evil, "samples": {evil: 3}},
        kernel={evil: evil},
    )
    assert "script" not in page_of(selection, tmp_path)[1]


def test_names_with_markup_are_drawn_as_they_are(selection):
    task = measured(0.05, 0.05, 0.5)
    selection = dataclasses.replace(
        selection, tasks=selection.tasks | {"a<b>$c": task}
    )
    assert "a&lt;b&gt;$c" in selection_figures.trade_off_figure(selection)


def test_a_failed_page_leaves_the_old_one(selection, tmp_path, monkeypatch):
    page = tmp_path / "selection.html"
    page.write_text("old")
    monkeypatch.setattr(selection_page, "document", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_selection_page(selection, page)
    assert page.read_text() == "old"


def test_the_picture_may_not_overwrite_the_page(selection, tmp_path):
    with pytest.raises(ValueError, match=r"give the page's, ending in .html"):
        write_selection_page(selection, tmp_path / "selection.png")


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"f0": 0.0, "zcr": 2.0}, "Predict ZCR alone"),
        ({"f0": 0.25, "zcr": 0.75}, "Predict ZCR (0.75) and F0 (0.25)"),
        ({"f0": 1.0, "zcr": 1.0}, "Predict F0 and ZCR, weighted alike"),
        (
            dict(zip("abcdef", (0.3, 0.2, 0.2, 0.1, 0.1, 0.1))),
            "Predict a (0.30), b (0.20), c (0.20), d (0.10) and 2 more",
        ),
        (
            dict(zip("abcde", (0.3, 0.2, 0.2, 0.2, 0.1))),
            "Predict a (0.30), b (0.20), c (0.20), d (0.20) and e (0.10)",
        ),
        (
            dict.fromkeys("abcde", 0.2) | {"f": 0.0},
            "Predict 5 candidates, weighted alike",
        ),
    ],
)
def test_the_answer_names_what_has_weight(weights, said):
    assert answer(Selection("word", "sparsemax", weights)) == said


def test_the_rule_is_that_of_the_weights(selection):
    assert "divided by" in rule(selection)
    published = dataclasses.replace(
        selection, kernel={"centering": "reference"}
    )
    assert "plays no part" in rule(published)
    baseline = dataclasses.replace(selection, method="random")
    assert rule(baseline).startswith("A baseline")


def test_warnings_say_in_words_what_speaks_against_the_answer(selection):
    selection.solver["converged"] = False
    said = warnings(selection)
    assert said[0].startswith("The solver did not converge")
    assert said[1].startswith("Flagged class-blind, RMS: the class tells")
    assert said[2].startswith("Only 6 speakers")
    assert "fewer than 10 segments: oh." in said[3]


@pytest.mark.parametrize(
    ("speakers", "said"),
    [(0, ["No speaker is known"]), (1, ["One speaker"]), (10, [])],
)
def test_few_speakers_are_said(speakers, said):
    selection = Selection(
        "w", "sparsemax", {"f0": 1.0}, data={"speakers": speakers}
    )
    assert [text.split(":")[0] for text in warnings(selection)] == said


def test_rivals_are_tasks_whose_interval_reaches_the_best(selection):
    # Scores 2, 2.5, 10, 80, from half to double.
    assert rivals(selection) == ["log_hnr"]
    assert rivals(without(selection, "interval")) == []


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"method": "softmax", "solver": {"temperature": 0.5}},
        {"method": "uniform", "solver": {}},
        {
            "kernel": {"centering": "reference"},
            "solver": {"temperature": 0.0},
        },
    ],
)
def test_the_command_makes_the_selection_again(selection, change):
    selection = dataclasses.replace(selection, **change)
    words = shlex.split(command(selection))
    assert words[:4] == ["python", "-m", "speechbrain_mtl", "select"]
    parser = argparse.ArgumentParser()
    configure(parser)
    args = parser.parse_args(words[4:])
    assert (args.manifest, args.label) == ("DATA/fsdd/manifest.json", "digit")
    assert args.mapping == selection.method
    assert args.centering == selection.kernel["centering"]
    assert set(args.workers.split(",")) == set(selection.weights)
    assert args.seed == 3
    if selection.solver:
        mapping = Selector(
            mapping=args.mapping,
            centering=args.centering,
            temperature=args.temperature,
        )
        wanted = selection.solver["temperature"]
        assert mapping.temperature_used == wanted


def test_the_command_names_the_kernels(selection):
    kernel = {"trajectory": True, "bandwidth": "multi"}
    line = command(dataclasses.replace(selection, kernel=kernel))
    assert line.endswith(" --trajectory --bandwidth multi")
    assert "--trajectory" not in command(selection)


def test_no_command_is_shown_where_none_makes_the_selection(selection):
    given = selection.data | {"manifest": None}
    assert command(dataclasses.replace(selection, data=given)) is None
    own = {"a_worker_of_mine": 1.0}
    assert command(dataclasses.replace(selection, weights=own)) is None


def test_a_label_on_a_ray_has_the_score_written_at_its_end(selection):
    ax = drawn(selection)
    ends = {
        float(text.get_text().removeprefix("score ")): text.xy
        for text in ax.texts
        if re.fullmatch(r"(score )?[\d.]+", text.get_text())
    }
    assert len(ends) >= 3
    for score, (x, y) in ends.items():
        assert y / x == pytest.approx(score * UNIT)
        right, top = ax.get_xlim()[1], ax.get_ylim()[1]
        assert x == pytest.approx(right) or y == pytest.approx(top)


def test_points_stand_where_they_were_measured_within_their_bars(selection):
    lines = [line.get_xydata().tolist() for line in drawn(selection).lines]
    for task in selection.tasks.values():
        x, y = task["relevance"], task["unbiased"]
        assert [[x, y]] in lines
        assert [[end, y] for end in task["relevance_interval"]] in lines
        assert [[x, end] for end in task["unbiased_interval"]] in lines


def test_the_published_score_is_the_height_and_has_no_rays(selection):
    selection = dataclasses.replace(
        selection, kernel={"centering": "reference"}
    )
    ax = drawn(selection)
    assert not any(re.match("score", text.get_text()) for text in ax.texts)
    points = [line.get_xydata().tolist() for line in ax.lines]
    assert [[0.1, 0.321]] in points
    assert [[0.1, end] for end in selection.tasks["voicing"]["interval"]] in (
        points
    )


def test_names_in_the_picture_do_not_cover_each_other(selection):
    for index in range(6):
        name = f"crowd_{index}"
        selection.tasks[name] = measured(0.02, 0.1 + 1e-4 * index, 0.01)
    ax = drawn(selection)
    named = [t for t in ax.texts if not t.get_text().startswith("score")]
    boxes = [text.get_window_extent() for text in named]
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:index])


def drawn(selection):
    """Axes with the trade-off on them."""
    matplotlib_figure = pytest.importorskip("matplotlib.figure")
    figure = matplotlib_figure.Figure(figsize=(10.5, 5.4), layout="constrained")
    ax = figure.subplots()
    draw_trade_off(ax, selection, PRINT)
    return ax


def test_the_path_marks_the_temperature_used(selection):
    svg = selection_figures.path_figure(selection)
    texts = re.findall(r">([^<>]+)</text>", svg)
    assert "used: 2" in texts
    # What weighs most over the path is at the bottom, and named first.
    named = [t for t in texts if t.endswith("%") and t[0].isalpha()]
    assert named == ["voicing 50%", "log HNR 25%", "F0 25%"]
    outside = selection.solver | {"temperature": 50.0}
    selection = dataclasses.replace(selection, solver=outside)
    assert "used" not in selection_figures.path_figure(selection)


def test_doubts_stand_best_on_top(selection):
    svg = selection_figures.doubts_figure(selection)
    texts = re.findall(r">([^<>]+)</text>", svg)
    names = [t for t in texts if t in ("voicing", "log HNR", "F0", "RMS")]
    assert names == ["RMS", "F0", "log HNR", "voicing"]  # from below
    assert "resamples with a weight" in texts
    few = without(selection, "frequency")
    assert "resamples" not in selection_figures.doubts_figure(few)


def test_names_of_many_bands_and_places_stay_apart(selection):
    names = [f"task_{index}" for index in range(30)]
    selection = dataclasses.replace(
        selection,
        tasks={name: measured(0.02, 0.1, 0.0) for name in names},
        solver={
            "path": {
                "temperature": [1.0, 2.0],
                "weights": dict.fromkeys(names, [1 / 30, 1 / 30]),
            }
        },
    )
    svg = selection_figures.path_figure(selection)
    places = re.findall(r'y="([\d.]+)"[^>]*>task [^<]+</text>', svg)
    heights = sorted(map(float, places))
    assert len(heights) == 30
    assert min(np.diff(heights)) > 10  # points, as the text
    below = re.search(r'y="([\d.]+)"[^>]*>temperature', svg)
    assert heights[-1] < float(below[1])
    svg = selection_figures.doubts_figure(selection)
    places = [t for t in re.findall(r">(\d+)</text>", svg) if int(t) > 1]
    assert 3 <= len(places) <= 10


def test_negative_estimates_have_a_place(selection):
    task = measured(-0.01, 0.05, 0.0) | {"ci": 0.1}
    selection.tasks["zcr"] = task | {"relevance": -0.02}
    ax = drawn(selection)
    assert ax.get_xlim()[0] < -0.02
    assert ax.get_ylim()[0] < -0.01
    assert np.isfinite(ax.get_ylim()).all()
