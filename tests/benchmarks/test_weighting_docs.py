"""The page on weightings: its snippet runs, its table is the card's."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "which_weighting.md").read_text(encoding="utf-8")
CARD = ROOT / "benchmarks" / "results" / "weightings.json"


def test_the_table_is_the_card():
    found = re.findall(r"^\| (.+) \| (\d.+) \| (\d.+) \|$", PAGE, re.M)
    card = json.loads(CARD.read_text())
    expected = []
    for name, row in card["rows"].items():
        time = row["times_fixed"]
        span = f"({time['least']:.2f} to {time['most']:.2f})"
        memory = f"{row['memory_times_fixed']:.2f}"
        expected.append((name, f"{time['median']:.2f} {span}", memory))
    assert found == expected
    assert f"{card['shared_parameters']:,} shared" in PAGE
    assert f"{card['repetitions']} steps" in PAGE


def test_the_snippet_runs():
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert snippet.count("assert") == 2
    exec(compile(snippet, "docs", "exec"), {})
