import pytest

from speechbrain_mtl.data.textgrid import (
    TextGridError,
    read_textgrid,
    without_silence,
)

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 1
            text = "she ""quoted"" 7"
        intervals [3]:
            xmin = 1
            xmax = 1.5
            text = "naïve"
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 1.5
        points: size = 1
        points [1]:
            number = 0.5
            mark = "!"
    item [3]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 5e-1
            text = " sil "
        intervals [2]:
            xmin = 0.5
            xmax = 1.5
            text = "AH0"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1.5
<exists>
3
"IntervalTier"
"words"
0
1.5
3
0
0.25
""
0.25
1
"she ""quoted"" 7"
1
1.5
"naïve"
"TextTier"
"clicks"
0
1.5
1
0.5
"!"
"IntervalTier"
"phones"
0
1.5
2
0
5e-1
" sil "
0.5
1.5
"AH0"
"""
TIERS = {
    "words": [[0, 0.25, ""], [0.25, 1, 'she "quoted" 7'], [1, 1.5, "naïve"]],
    "phones": [[0, 0.5, "sil"], [0.5, 1.5, "AH0"]],
}


@pytest.fixture
def read(tmp_path):
    def written(text, encoding="utf-8"):
        path = tmp_path / "a.TextGrid"
        path.write_bytes(text.encode(encoding))
        return read_textgrid(path)

    return written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", [LONG, SHORT], ids=["long", "short"])
def test_both_forms_and_all_encodings_say_the_same(read, text, encoding):
    assert read(text, encoding) == TIERS


def test_lines_may_end_as_on_windows(read):
    assert read(LONG.replace("\n", "\r\n")) == TIERS


def test_remarks_are_no_part_of_the_file(read):
    assert read(SHORT.replace("3\n0\n", '3 ! "of" 3\n0\n', 1)) == TIERS


def test_a_grid_may_have_no_tiers(read):
    text = '"ooTextFile" "TextGrid" 0 1 <absent>'
    assert read(text) == {}


def test_silence_is_left_out_on_demand():
    segments = [[0, 1, ""], [1, 2, "sil"], [2, 3, "AH0"], [3, 4, "spn"]]
    assert without_silence(segments) == segments[2:]
    assert without_silence(segments, {"spn"}) == segments[:3]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"ooTextFile"', '"ooBinary"', "line 1: 'ooTextFile' expected"),
        ('"TextGrid"', '"Pitch"', "line 2: 'TextGrid' expected, found 'Pitch'"),
        ("xmax = 0.25", "xmax = soon", "line 18: a number expected"),
        ('text = "naïve"', "text = 3", "line 26: a text in quotes expected"),
        ("<exists>", "<maybe>", "line 6: <exists> expected, found <maybe>"),
        ("size = 3\nitem", "size = 2.5\nitem", "line 7: a count expected"),
        ('"TextTier"', '"Layer"', "line 29: no tier is of the class 'Layer'"),
        ('"phones"', '"words"', "line 38: a second tier is named 'words'"),
        ("xmax = 0.25", "xmax = 0", "line 17: an interval of 0 to 0 s"),
        ("xmin = 0.25", "xmin = 0.2", "line 21: an interval starts at 0.2 s"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(read, old, new, message):
    with pytest.raises(TextGridError) as raised:
        read(LONG.replace(old, new, 1))
    assert f"a.TextGrid, {message}" in str(raised.value)
    assert "Copy the file again, or save" in str(raised.value)


@pytest.mark.parametrize("text", [LONG, SHORT], ids=["long", "short"])
def test_files_cut_anywhere_are_refused(read, text):
    for kept in range(0, len(text.rstrip()) - 1, 7):
        with pytest.raises(TextGridError, match="Copy|Save"):
            read(text[:kept])


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(TextGridError, match="gone.TextGrid: no such file"):
        read_textgrid(tmp_path / "gone.TextGrid")
    (tmp_path / "b.TextGrid").write_bytes(b"ooBinaryFile\x08\xff\xfe\x00")
    with pytest.raises(TextGridError, match="b.TextGrid: not text .*Praat"):
        read_textgrid(tmp_path / "b.TextGrid")
