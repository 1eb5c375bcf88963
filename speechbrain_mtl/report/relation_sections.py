"""The sections of a page on relations of tasks."""

from html import escape

from speechbrain_mtl.report.markup import (
    ABSENT,
    fact_list,
    figure,
    number_tiles,
    section,
    table,
)
from speechbrain_mtl.report.relation_figures import GAINS, GRAPH, LEAST, MATRIX
from speechbrain_mtl.report.relation_results import RelationResults, with_arrow
from speechbrain_mtl.report.relation_text import (
    others_of,
    percent_text,
    percent_with_interval,
    relations_counted,
    starred,
    together,
)

TITLE = "Who helps whom"
SMALL = "{}<small>±{}</small>"
VIEWS = {
    "directed": "every task on every other",
    "symmetric": "both directions of a pair meaned, in the affinity too",
    "per task": "the order of the others for each task, averaged over tasks",
}


def headline(results: RelationResults) -> str:
    """What training together gains, and how many relations are clear."""
    card = results.scenarios
    seeds = sorted({len(errors) for errors in card.joint.values()})
    tiles = [
        ("tasks", str(len(card.tasks))),
        ("seeds", " or ".join(map(str, seeds))),
        ("relations", str(len(results.pairs))),
        ("clear", str(results.count("helps") + results.count("hurts"))),
    ]
    return f"""
<header>
<p class="kicker">speechbrain_mtl &middot; a multi-task study</p>
<h1>{TITLE}</h1>
<p class="lead">{escape(together(results))}
{escape(relations_counted(results))}</p>
{number_tiles(*tiles)}
</header>"""


def scenarios(results: RelationResults) -> str:
    """Errors of all scenarios, and gains over training alone."""
    heads = with_arrow(results.scenarios)
    rows = [
        f"<tr><th>{escape(name)}</th>"
        + "".join(
            f"<td>{percent_text(results, task, errors[task], SMALL)}</td>"
            if task in errors
            else '<td><span class="absent">–</span></td>'
            for task in heads
        )
        + "</tr>"
        for name, errors in results.rows.items()
    ]
    titles = [
        f"{escape(task)}<br>{escape(metric)}" for task, metric in heads.items()
    ]
    tasks = results.scenarios.tasks
    gained = [
        f"<tr><th>{escape(name)}</th>"
        + "".join(
            f"<td>{starred(effect)}</td>"
            for effect in (*map(found.get, tasks), results.mean_gains[name])
        )
        + "</tr>"
        for name, found in results.gains.items()
    ]
    return section(
        "Alone, together, and transferred",
        figure(
            GAINS.svg(results),
            "Fall of each task's test error, as a share of its error when "
            "trained alone. Lines: 95 % intervals over seeds.",
        ),
        table(["gain, %", *map(escape, tasks), "mean"], gained),
        table(["scenario, %", *titles], rows),
        '<p class="small">Gains: * where the 95 % interval over seeds '
        "excludes 0. Errors: means &plusmn; half of their 95 % interval. "
        "<b>without</b>: all tasks together but one. <b>transfer</b>: with the "
        "encoder that was trained on all other tasks.</p>",
    )


def relations(results: RelationResults) -> str:
    """Matrix and graphs of what leaving tasks out does."""
    return section(
        "What leaving a task out does",
        figure(
            MATRIX.svg(results),
            "Relative rise of the error of the task of the column when that of "
            "the row is left out, in percent of its error with all tasks. "
            "Above 0, the task of the row helps. Framed: the 95 % interval "
            "over seeds excludes 0. A task without any error has no share to "
            "rise by: there, points of percent.",
        ),
        figure(
            GRAPH.svg(results),
            "The same as arrows, from who helps or hurts to whom. Strong: "
            "clear over seeds. Pale: not clear, drawn from an effect of "
            f"{LEAST:.0%} on.",
        ),
        '<p class="small">Intervals cover the noise of training seeds, not '
        "the choice of test utterances. Each relation is judged by itself: of "
        "a hundred where nothing is, five seem clear. All of a column share "
        "the errors of the run with all tasks: where that was lucky, everyone "
        "seems to help.</p>",
    )


def auxiliaries(results: RelationResults) -> str:
    """For each task, which others to train it with."""
    rows = []
    for task in results.scenarios.tasks:
        others = others_of(results, task)
        cells = [
            "".join(
                f"<em>{escape(left)} {percent_with_interval(effect)}</em>"
                for left, effect in ordered
                if effect.verdict == verdict
            )
            or '<span class="absent">none clearly</span>'
            for verdict, ordered in (("helps", others), ("hurts", others[::-1]))
        ]
        flags = "".join(f'<td class="flags">{cell}</td>' for cell in cells)
        rows.append(f"<tr><th>{escape(task)}</th>{flags}</tr>")
    return section(
        "With what to train a task",
        table(["task", "helped by", "hurt by"], rows)
        if results.pairs
        else f"<p>{ABSENT}</p>",
    )


def prediction(results: RelationResults) -> str:
    """Whether affinities of one run would have told."""
    if not results.foretold:
        return section("Would one run have told?", f"<p>{ABSENT}</p>")
    rows = []
    for one in results.foretold:
        found = one.agreement
        cells = (
            ["no order", "", ""]
            if found is None
            else [
                f"{found.correlation:+.2f}",
                f"{found.p:.4f}",
                "all" if found.exact else "drawn",
            ]
        )
        rows.append(
            f"<tr><th>{escape(one.affinity)}</th><td>{one.view}</td>"
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    steps = results.scenarios.measurements
    measured = f", means of {steps} measurements" if steps else ""
    again = results.repeatability
    ceiling = (
        "With one seed, nobody knows how well the matrix repeats."
        if again is None
        else f"The matrix of other seeds would agree with this one to about "
        f"{again:.2f}; no affinity can be expected to do better."
    )
    views = "; ".join(f"<b>{view}</b>: {why}" for view, why in VIEWS.items())
    return section(
        "Would one run have told?",
        f"<p>Affinities were measured while all tasks trained together"
        f"{measured}; the matrix above took a run a task. {ceiling}</p>",
        table(
            ["affinity", "view", "rank correlation", "p", "re-namings"], rows
        ),
        '<p class="small">Spearman correlation over pairs of tasks. p: '
        "probability of one at least as high when the tasks of one matrix are "
        f"re-named at random, since pairs are not independent. {views}.</p>",
    )


def record(results: RelationResults) -> str:
    """Everything else the card says."""
    facts = dict(results.scenarios.record)
    command = facts.pop("command", None)
    return section(
        "How to get it again",
        f"<pre>{escape(str(command))}</pre>" if command else f"<p>{ABSENT}</p>",
        fact_list(facts, ""),
    )
