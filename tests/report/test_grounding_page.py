"""The page and table of speech with images: every number, and no more."""

import json
import math
import re

import pytest

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.report.grounding_page import write_grounding_page
from speechbrain_mtl.report.grounding_text import grounded_table
from speechbrain_mtl.study.grounded_card import CLAIMS

STUDENT = {2: 12.7062, 3: 4.3027}  # by how many: 97.5 % quantile
PNG = b"\x89PNG, or so"


def run(shift=0.0, seeds=3, lost=(None, None, None)):
    """Values of an order, by seed."""
    seed = [0.0, 0.03, 0.01][:seeds]
    row = {
        f"{way}_R@{k}": [k / 50 + better + shift + s for s in seed]
        for way, better in (("speech_to_image", 0.01), ("image_to_speech", 0.0))
        for k in (1, 5, 10)
    }
    row["retrieval"] = [0.205 + shift + s for s in seed]
    row["abx"] = [0.0712 + s / 7 for s in seed]
    row["abx_layer"] = [2, 1, 2][:seeds]
    row["abx_untrained"] = [0.3111 + s for s in seed]
    for key, value in zip(("retrieval", "speech", "abx"), lost):
        row[f"lost_{key}"] = [value and value + s for s in seed]
    return row


RUNS = {
    "VGS+": run(),
    "(W2V2, VGS)": run(0.2, lost=(None, 0.5128, -0.0163)),
    "(VGS, W2V2)": run(0.3, seeds=1, lost=(0.1542, None, None)),
}


def across(row, lost=None):
    """The same with ABX errors across speakers too."""
    return {
        **row,
        "abx_across": [value + 0.04 for value in row["abx"]],
        "abx_across_layer": [3 for _ in row["abx"]],
        "abx_across_untrained": [v + 0.05 for v in row["abx_untrained"]],
        "lost_abx_across": [lost and lost + v for v in row["abx"]],
    }


BOTH = {  # measured within speakers, and across
    "VGS+": across(RUNS["VGS+"]),
    "(W2V2, VGS)": across(RUNS["(W2V2, VGS)"], 0.0222),
}
WAY = {"1": 0.0125, "5": 0.0625, "10": 0.125}
HELD = {
    "better": [0.5, 0.6, 0.7], "worse": [0.3, 0.4, 0.5], "held_in": 3,
    "seeds": 3, "gain": 0.2, "interval": [0.15, 0.25],
}  # fmt: skip
FAILED = {
    **HELD, "better": [2.0, 2.5], "worse": [1.0, 1.0], "held_in": 0,
    "seeds": 2, "gain": -1.25, "interval": [-1.5, -1.0],
}  # fmt: skip


def card_of(runs, measured=(None, None, None, None)):
    return {
        "experiment": "speech & images",
        "command": "python train.py --x='<y>'",
        "git": "abc1234",
        "versions": {"torch": "2.11.0"},
        "data": {"corpus": "shapes", "digest": "d1d2"},
        "captions": {"train": 1400, "test": 400},
        "pools": {"test": {"captions": 400, "images": 80}},
        "chance": {"speech_to_image": WAY, "image_to_speech": WAY},
        "paper": "A paper",
        "runs": runs,
        "claims": [
            {"claim": text, "measure": measure, "runs": pair, "measured": found}
            for (text, measure, *pair), found in zip(CLAIMS, measured)
        ],
        "ends": {name: [2, 7] if "," in name else [7] for name in runs},
        "hours_of_audio": {name: [6.0] for name in runs},
        "wall_s": {f"seed 0, {name}": 90.0 for name in runs},
    }


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    for name in ("losses", "layers_in_turn"):
        (folder / f"{name}.png").write_bytes(PNG)
    card = card_of(RUNS, (HELD, None, FAILED, {**HELD, "interval": None}))
    return write_grounding_page(card, folder).read_text()


def rows_of(page, head):
    """Cells of the table below a heading, by the row's name."""
    body = page.split(f"<h2>{head}</h2>")[1].split("</section>")[0]
    return {
        re.search("<th>(.*?)</th>", row)[1]: [
            re.sub("<.*?>", " ", cell).split()
            for cell in re.findall("<td.*?>(.*?)</td>", row)
        ]
        for row in re.findall("<tr>.*?</tr>", body.split("<tbody>")[1])
    }


def slow(values, digits=1, scale=100):
    """Mean, and half of Student's interval, one term at a time."""
    n, total = len(values), 0.0
    for value in values:
        total += scale * value
    mean = total / n
    texts = [f"{mean:.{digits}f}"]
    if n > 1:
        squares = 0.0
        for value in values:
            squares += (scale * value - mean) ** 2
        error = math.sqrt(squares / (n - 1)) / math.sqrt(n)
        texts.append(f"±{STUDENT[n] * error:.{digits}f}")
    return texts


def test_every_number_of_the_runs_is_right(page):
    found = rows_of(page, "What finds what")
    assert list(found) == [*RUNS, "chance"]
    for name, row in RUNS.items():
        wanted = [[str(len(row["abx"]))]]
        wanted += [
            slow(row[f"{way}_R@{k}"])
            for way in ("speech_to_image", "image_to_speech")
            for k in (1, 5, 10)
        ]
        assert found[name] == wanted, name
    assert (
        found["chance"][1:]
        == [[f"{100 * WAY[k]:.1f}"] for k in ("1", "5", "10")] * 2
    )


def test_every_number_of_phones_is_right(page):
    found = rows_of(page, "Which phones are told apart")
    assert list(found) == [*RUNS, "untrained", "chance"]
    for name, row in RUNS.items():
        seeds = str(len(row["abx"]))
        layers = ["2"] if seeds == "1" else ["1,", "2"]
        assert found[name] == [[seeds], slow(row["abx"], 2), layers], name
    untrained = slow(RUNS["VGS+"]["abx_untrained"], 2)
    assert found["untrained"] == [[], untrained, []]
    assert found["chance"] == [[], ["50"], []]


def test_errors_across_speakers_have_columns_of_their_own(tmp_path):
    card = card_of(BOTH, (None, None, None, HELD))
    card["claims"][-1]["measure"] = "abx_across"
    (tmp_path / "curves.png").write_bytes(PNG)
    page = write_grounding_page(card, tmp_path).read_text()
    found = rows_of(page, "Which phones are told apart")
    for name, row in BOTH.items():
        assert found[name][1:] == [
            slow(row["abx"], 2),
            ["1,", "2"],
            slow(row["abx_across"], 2),
            ["3"],
        ]
    row = BOTH["VGS+"]
    assert found["untrained"][1::2] == [
        slow(row["abx_untrained"], 2),
        slow(row["abx_across_untrained"], 2),
    ]
    assert found["chance"][1:] == [["50"], [], ["50"], []]
    turned = BOTH["(W2V2, VGS)"]
    assert rows_of(page, "What a switch forgets")["(W2V2, VGS)"] == [
        ["3"],
        slow(turned["lost_abx"], 2),
        slow(turned["lost_abx_across"], 2),
        slow(turned["lost_speech"], 3, 1),
    ]
    for wanted in (
        "<th>ABX within<br>speakers, %</th>",
        "<th>ABX across<br>speakers, %</th>",
        "<th>lost of<br>ABX error across<br>speakers, points</th>",
        "across speakers: what is asked about",
        "ABX error across speakers, best layer, %",  # of the claim
        "Right: ABX error across speakers, of the best layer",
    ):
        assert wanted in page, wanted


def test_what_was_not_measured_has_no_column(page, tmp_path):
    """A card may be older than tests across speakers, or have none."""
    assert "across speakers" not in page and "ABX across" not in page
    assert "ABX error within speakers, best layer, %" in page
    assert "ABX error within speakers, of every layer" in page
    row = {k: v for k, v in RUNS["VGS+"].items() if "abx" not in k}
    bare = card_of({"VGS+": row})
    page = write_grounding_page(bare, tmp_path).read_text()
    assert "ABX" not in page and "untrained" not in page
    lines = grounded_table(bare).split("\n")
    assert sum(line.startswith("%") for line in lines) == 1  # one of heads


def test_every_number_of_what_is_forgotten_is_right(page):
    found = rows_of(page, "What a switch forgets")
    turned = RUNS["(W2V2, VGS)"]
    assert found == {
        "(W2V2, VGS)": [
            ["3"],
            ["–"],
            slow(turned["lost_abx"], 2),
            slow(turned["lost_speech"], 3, 1),
        ],
        "(VGS, W2V2)": [["1"], ["15.4"], ["–"], ["–"]],
    }


def test_claims_are_the_papers_and_verdicts_ours(page):
    part = page.split("<h2>What the paper claims</h2>")[1].split("</sec")[0]
    rows = re.findall("<tr>(<td.*?)</tr>", part)
    for row, (text, *_) in zip(rows, CLAIMS, strict=True):
        assert text.replace("'", "&#x27;") in row
    assert "paper: claim" in part and "Paper: A paper" in part
    assert "held, by 0.200 [0.150, 0.250], in 3 of 3 seeds" in rows[0]
    assert "60.0<small>±24.8</small>" in rows[0]  # 4.3027 * .1 / sqrt(3)
    assert "not measured" in rows[1]
    assert "did not hold, by -1.250 [-1.500, -1.000], in 0 of 2" in rows[2]
    assert "2.250<small>±3.177</small>" in rows[2]  # a loss: no percent
    assert "open, by 0.200, in 3 of 3" in rows[3]
    assert "1 held, 1 did not hold, 1 open, 1 not measured." in page


def test_the_page_says_what_was_run(page):
    for wanted in (
        "Speech &amp; images",
        "After (W2V2, VGS), the highest mean of orders with 3 seeds, 42.3 ±",
        "<b>1 or 3</b><span>seeds</span>",
        "<b>400</b><span>captions to search</span>",
        "<b>80</b><span>images to search</span>",
        "<b>12.5 / 12.5 %</b><span>R@10 by chance</span>",
        "--x=&#x27;&lt;y&gt;&#x27;",
        "abc1234",
        "d1d2",
        "6.0 h of audio, 1.5 min, wall",
        "<dt>recordings.train</dt><dd>1400</dd>",
        "to epoch 2; then grounding alone (which image is spoken of?) to epoch",
    ):
        assert wanted in page, wanted
    assert "(what was hidden?) to epoch 2; then" in page
    assert page.count("<img") == 2 == page.count("data:image/png;base64,iVBOR")
    assert not re.search(r"<(script|link|iframe)\b|src=\"(?!data:)", page)


def test_one_run_has_a_page_that_fits(tmp_path):
    page = write_grounding_page(
        card_of({"VGS+": run(seeds=1)}), tmp_path
    ).read_text()
    assert re.findall("<h2>(.*?)</h2>", page) == [
        "What finds what",
        "Which phones are told apart",
        "What the name means",
        "How to get it again",
    ]
    assert "<b>1</b><span>seed</span>" in page and "One seed:" in page
    assert "±" not in page and "not measured" not in page
    assert "of all orders" not in page


def test_the_report_command_makes_this_page(tmp_path, capsys):
    (tmp_path / "grounding.json").write_text(json.dumps(card_of(RUNS)))
    (tmp_path / "metrics.json").write_text('{"experiment": "another"}')
    assert main(["report", str(tmp_path)]) == 0
    assert f"report: {tmp_path}/report.html" in capsys.readouterr().out
    assert "What finds what" in (tmp_path / "report.html").read_text()
    (tmp_path / "grounding.json").write_text('{"claims": []}')
    assert main(["report", str(tmp_path)]) == 1
    assert "no card of speech with images" in capsys.readouterr().err


def test_the_table_is_right_and_not_too_wide():
    lines = grounded_table(card_of(RUNS, (HELD, None, FAILED, None))).split(
        "\n"
    )
    assert max(map(len, lines)) <= 120
    assert re.split("  +", lines[0])[:3] == ["%", "seeds", "S->I R@1"]
    for line, (name, row) in zip(lines[1:], RUNS.items()):
        cells = re.split("  +", line)
        wanted = [name, str(len(row["abx"]))]
        for key in (
            "speech_to_image_R@1",
            "image_to_speech_R@1",
            "speech_to_image_R@10",
            "image_to_speech_R@10",
        ):
            wanted.append(" ".join(slow(row[key])))
        lost = slow(row["lost_retrieval"]) if len(row["abx"]) == 1 else ["-"]
        assert cells == [*wanted, *lost]
    assert lines[4].split() == "chance 1.2 1.2 12.5 12.5 -".split()
    assert lines[5] == "" and lines[11].startswith("(±")
    assert re.split("  +", lines[6]) == [
        "%", "seeds", "ABX within", "lost within",
    ]  # fmt: skip
    for line, (name, row) in zip(lines[7:], RUNS.items()):
        assert line.startswith(f"{name} ")
        assert " ".join(slow(row["abx"], 2)) in line
    assert lines[8].endswith(" ".join(slow(RUNS["(W2V2, VGS)"]["lost_abx"], 2)))
    assert lines[10].split() == "chance 50.0 -".split()


def test_the_table_has_errors_across_speakers():
    lines = grounded_table(card_of(BOTH)).split("\n")
    heads, _, last, chance = (re.split("  +", s) for s in lines[5:9])
    assert heads[2:] == [
        "ABX within",
        "lost within",
        "ABX across",
        "lost across",
    ]
    keys = ("abx", "lost_abx", "abx_across", "lost_abx_across")
    assert last[2:] == [" ".join(slow(BOTH[last[0]][key], 2)) for key in keys]
    assert chance[1:] == ["50.0", "-", "50.0", "-"]
