"""What unlabelled speech added, as one page: no network, no scripts."""

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path

from speechbrain_mtl.data.atomic import atomic_path
from speechbrain_mtl.report.grounding_text import spread
from speechbrain_mtl.report.markup import document, fact_list, section, table

SMALL = "{}<small>±{}</small>"
TITLE = "Few answers, much speech"
RECORD = ("command", "git", "versions", "data", "rule", "wall_s")


def write_semi_supervised_page(
    card: Mapping, folder: str | os.PathLike
) -> Path:
    """Write ``report.html``.

    Arguments
    ---------
    card : dict
        See `run_semi_supervised`.
    folder : str or path-like
        Made when missing.

    Returns
    -------
    page : Path

    Example
    -------
    >>> run = {"tasks": [], "scores": {"pr/PER": [0.5]}, "measured": [{}]}
    >>> card = {"runs": {"answers": {**run, "hours_of_audio": 0.25}}}
    >>> page = write_semi_supervised_page(card, getfixture("tmp_path"))
    >>> "<td>50.0</td>" in page.read_text(encoding="utf-8")
    True
    """
    body = f"""
<header>
<p class="kicker">speechbrain_mtl &middot; a semi-supervised study</p>
<h1>{TITLE}</h1>
<p class="lead">Every run hears as many answers in as many steps; it differs in
what else it learns in each, from speech without any.</p>
</header>
{_scores(card["runs"])}
{_measured(card["runs"])}
{fact_list({k: card[k] for k in RECORD if k in card}, "Record")}"""
    page = Path(folder) / "report.html"
    with atomic_path(page) as temporary:
        temporary.write_text(document(TITLE, body), encoding="utf-8")
    return page


def _scores(runs: Mapping[str, Mapping]) -> str:
    names = list(next(iter(runs.values()))["scores"])
    rows = []
    for run, found in runs.items():
        cells = [spread(found["scores"][name], form=SMALL) for name in names]
        cells += [
            str(len(found["scores"][names[0]])),
            f"{found['hours_of_audio']:.2f}",
        ]
        text = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f"<tr><th>{escape(run)}</th>{text}</tr>")
    heads = ["learnt from", *map(escape, names), "seeds", "hours of audio"]
    return section("Scores on the test part, %", table(heads, rows))


def _measured(runs: Mapping[str, Mapping]) -> str:
    """What the last validation said of tasks without answers, first seed."""
    rows = []
    for run, found in runs.items():
        for task in found["tasks"]:
            facts = ", ".join(
                f"{name} {value:.3g}"
                for name, value in found["measured"][0].get(task, {}).items()
            )
            rows.append(
                f"<tr><th>{escape(run)}</th><td>{escape(task)}</td>"
                f'<td class="words">{escape(facts)}</td></tr>'
            )
    if not rows:
        return ""
    heads = ("learnt from", "task", "at the last validation")
    return section("Tasks without answers", table(heads, rows))
