"""The sections of a selection's page; one without numbers is left out."""

from html import escape

from speechbrain_mtl.report import selection_figures as figures
from speechbrain_mtl.report.markup import (
    bars,
    fact_list,
    figure,
    number,
    number_tiles,
    section,
    significant,
)
from speechbrain_mtl.report.selection_tables import score_tables
from speechbrain_mtl.report.selection_words import (
    answer,
    chosen,
    command,
    listed,
    plain,
    published,
    rivals,
    rule,
    unweighted,
    warnings,
)
from speechbrain_mtl.report.trade_off import has_bars
from speechbrain_mtl.selection.selection import Selection

SHOWN_CLASSES = 60


def headline(selection: Selection) -> str:
    """The answer, the rule, what to know before trusting it."""
    data = selection.data
    facts = [
        ("segments", data.get("segments"), 0, ""),
        ("classes", data.get("strata"), 0, ""),
        ("of audio", data.get("hours"), 2, " h"),
        ("known speakers", data.get("speakers"), 0, ""),
    ]
    tiles = [
        (name, number(value, digits, unit))
        for name, value, digits, unit in facts
        if value is not None
    ]
    for_what = f" for “{escape(selection.label_field)}”"
    doubts = "".join(
        f'<p class="callout">{escape(text)}</p>' for text in warnings(selection)
    )
    return f"""
<header>
<p class="kicker">speechbrain_mtl &middot; which pretext tasks{for_what if selection.label_field else ""}</p>
<h1>{escape(answer(selection))}</h1>
<p class="lead">{escape(rule(selection))}</p>
{_weights(selection)}
{number_tiles(*tiles) if tiles else ""}
{doubts}
</header>"""


def trade_off(selection: Selection) -> str:
    """Relevance against dependence within classes."""
    svg = figures.trade_off_figure(selection)
    if not svg:
        return ""
    read = (
        "The published score is the height alone."
        if published(selection)
        else "The score is the slope seen from the origin: labels on one grey "
        "ray have the score written at its end, and lower is better."
    )
    tasks = selection.tasks.values()
    marks = "Filled: has a weight; hollow: has none"
    if any(task.get("flags") for task in tasks):
        marks += "; crosses: flagged, see above"
    if any(has_bars(selection, task) for task in tasks):
        marks += "; bars: 95 % intervals"
    return section(
        "Why these",
        figure(
            svg,
            "A good label lies right, for the class tells much of it, and low, "
            f"for within a class speech tells little more. {read} {marks}.",
        ),
    )


def doubts(selection: Selection) -> str:
    """How far the ranking may be trusted."""
    svg = figures.doubts_figure(selection)
    if not svg:
        return ""
    near = rivals(selection)
    words = (
        f"The intervals of {listed(map(plain, near))} reach that of the best "
        "score: on other speakers the order may change."
        if near
        else "No other interval reaches that of the best score."
    )
    agreement = selection.data.get("split_half_agreement")
    if agreement is not None:
        words += (
            " Two halves of the speakers, drawn at random, rank the tasks "
            f"with a Spearman correlation of {agreement:.2f}, where 1 is the "
            "same order and 0 none."
        )
    return section(
        "How sure is it?",
        f"<p>{escape(words)}</p>",
        figure(
            svg,
            "Dots: on all data, filled where the task has a weight. Lines: "
            "95 % intervals over resampled speakers (or recordings).",
        ),
    )


def temperature(selection: Selection) -> str:
    """The weights at other temperatures."""
    svg = figures.path_figure(selection)
    if not svg:
        return ""
    return section(
        "What if weights were spread more, or less?",
        figure(
            svg,
            "Weights of the same evidence at other temperatures: to the left "
            "the score counts more, to the right tasks are more alike. "
            "Percentages: at the right end.",
        ),
    )


def numbers(selection: Selection) -> str:
    """Every number of every task."""
    tables = score_tables(selection)
    return section("All numbers", tables) if tables else ""


def data(selection: Selection) -> str:
    """What was compared."""
    facts = {
        key.replace("_", " "): value
        for key, value in selection.data.items()
        if key not in ("samples", "dropped_classes") and value is not None
    }
    if not facts:
        return ""
    samples = selection.data.get("samples") or {}
    fewest = sorted(samples.items(), key=lambda pair: (pair[1], pair[0]))
    title = "Segments of each class"
    if len(samples) > SHOWN_CLASSES:
        title += f", the fewest {SHOWN_CLASSES} of {len(samples)}"
    return section(
        "What was compared",
        fact_list(facts, ""),
        fact_list(dict(fewest[:SHOWN_CLASSES]), title),
    )


def method(selection: Selection) -> str:
    """Kernels, solver, cost and command."""
    solver = {k: v for k, v in selection.solver.items() if k != "path"}
    line = command(selection)
    parts = [
        fact_list(selection.kernel, "Kernels"),
        fact_list(solver, "Solver"),
        _certificate(selection),
        fact_list({**selection.cost, "seed": selection.seed}, "Cost and seed"),
        f"<h3>Command</h3><pre>{escape(line)}</pre>" if line else "",
    ]
    return section("How it was computed", *parts)


def _weights(selection: Selection) -> str:
    """Weights as bars, and who has none."""
    rest = unweighted(selection)
    none = f"No weight: {listed(map(plain, rest))}." if rest else ""
    return f'{bars(chosen(selection), 2)}<p class="small">{escape(none)}</p>'


def _certificate(selection: Selection) -> str:
    """What the gap says, in words."""
    gap = selection.solver.get("gap")
    if gap is None:
        return ""
    state = (
        "No small change of the weights improves the objective"
        if selection.solver.get("converged")
        else "A change of the weights may still improve the objective"
    )
    return (
        f'<p class="small">{state}: the Frank-Wolfe gap is {significant(gap)}, '
        "and 0 exactly where the weights are stationary. The search started "
        "from equal weights and from every task alone.</p>"
    )
