"""The page of a selection: whole, true to the file, safe to write."""

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from speechbrain_mtl.report import selection_page
from speechbrain_mtl.report.selection_page import write_selection_page
from speechbrain_mtl.selection import uniform
from tests.helpers.selections import measured, without


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
