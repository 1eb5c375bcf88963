import re
import sys

import pytest

from speechbrain_mtl.report import figures
from speechbrain_mtl.report.canvas import VARIABLES, picture


def draw(name="two lines"):
    with picture(name, 2.0) as sheet:
        ax = sheet.figure.subplots()
        for color in VARIABLES:
            ax.plot([0, 1], [0, 1], "o-", color=color, label="a$b$_c")
        ax.set_title("cost in $ and $")
    return sheet.svg


def test_every_colour_of_the_page_is_asked_for_and_none_is_left():
    svg = draw()
    for color, variable in VARIABLES.items():
        assert color not in svg
        assert variable in svg


def test_text_stays_text_as_it_was_given():
    assert ">cost in $ and $</text>" in draw()


def test_picture_fills_its_place_and_has_a_name():
    head = draw()[: draw().index(">")]
    assert 'role="img" aria-label="two lines"' in head
    assert "viewBox=" in head
    assert "width=" not in head


def test_equal_drawings_are_equal_byte_by_byte():
    assert draw() == draw()


def test_references_resolve_and_ids_of_two_pictures_differ():
    one, two = draw("one"), draw("two")
    ids = [re.findall(r'\bid="([^"]+)"', svg) for svg in (one, two)]
    assert ids[0]
    assert len(set(ids[0] + ids[1])) == len(ids[0]) + len(ids[1])
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', one))
    assert used
    assert used <= set(ids[0])


def test_style_of_the_page_does_not_leak_into_other_figures():
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    draw()
    with pytest.raises(RuntimeError), picture("broken", 1.0):
        raise RuntimeError
    assert dict(matplotlib.rcParams) == before


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install.*\[plots\]"):
        figures.cost_figure({"train": 1.0})
