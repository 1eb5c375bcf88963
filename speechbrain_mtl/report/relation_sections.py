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
from speechbrain_mtl.report.relation_results import (
    JOINT_GAIN,
    RelationResults,
    with_arrow,
)
from speechbrain_mtl.report.relation_text import (
    joint_training,
    others_of,
    percent_text,
    percent_with_interval,
    relations_counted,
    starred,
    together,
)

TILES = {"all": "mean gain over alone", JOINT_GAIN: "mean gain over single"}
SMALL = "{}<small>±{}</small>"
BESIDE = (
    "Beside it what joint training adds: the fall as a share of the error with "
    "an encoder trained for the task by itself. "
)
MEANINGS = {
    "alone": "heads on the frozen encoder",
    "single": "encoder and head trained for one task, by the recipe of all",
    "all": "encoder and heads of all tasks; its other rows differ in how "
    "validation chose the weights",
    "without": "all tasks together but one",
    "transfer": "a new head on the encoder that was trained on all others",
}
VIEWS = {
    "directed": "every task on every other",
    "symmetric": "both directions of a pair meaned, in the affinity too",
    "per task": "the order of the others for each task, averaged over tasks",
}


def title(results: RelationResults) -> str:
    """What the page can tell."""
    return "Who helps whom" if results.pairs else "Tasks alone and together"


def headline(results: RelationResults) -> str:
    """What training together gains, and how many relations are clear."""
    card = results.scenarios
    errors = card.joint or card.alone
    seeds = sorted({len(found) for found in errors.values()})
    tiles = [
        ("tasks", str(len(card.tasks))),
        ("seeds", " or ".join(map(str, seeds))),
    ]
    if results.pairs:
        clear = results.count("helps") + results.count("hurts")
        tiles.append(("relations", str(len(results.pairs))))
        tiles.append(("clear", str(clear)))
    for row, name in TILES.items():
        if row in results.gain_rows and not results.pairs:
            gain = 100 * results.gain_rows[row][-1].value
            tiles.append((name, f"{gain:+.1f} %"))
    return f"""
<header>
<p class="kicker">speechbrain_mtl &middot; a multi-task study</p>
<h1>{title(results)}</h1>
<p class="lead">{escape(together(results))}
{escape(joint_training(results))}
{escape(relations_counted(results))}</p>
{number_tiles(*tiles)}
</header>"""


def scenarios(results: RelationResults) -> str:
    """Errors of all scenarios, and gains over others."""
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
    tasks = map(escape, results.scenarios.tasks)
    gained = [
        f"<tr><th>{escape(name)}</th>"
        + "".join(f"<td>{starred(effect)}</td>" for effect in effects)
        + "</tr>"
        for name, effects in results.gain_rows.items()
    ]
    return section(
        "Alone, together, and transferred",
        figure(
            GAINS.svg(results),
            "Fall of each task's test error, as a share of the error of its "
            "head alone. "
            + BESIDE * bool(results.joint_gains)
            + "Lines: 95 % intervals over seeds.",
        ),
        table(["gain over alone, %", *tasks, "mean"], gained),
        table(["scenario, %", *titles], rows),
        '<p class="small">Gains: * where the 95 % interval over seeds '
        "excludes 0. Errors: means &plusmn; half of their 95 % interval. "
        + " ".join(
            f"<b>{name}</b>: {why}."
            for name, why in MEANINGS.items()
            if any(row.startswith(name) for row in results.rows)
        )
        + "</p>",
    )


def relations(results: RelationResults) -> str:
    """Matrix and graphs of what leaving tasks out does."""
    if not results.pairs:
        return section(
            "What leaving a task out does",
            f"<p>{ABSENT}. {relations_counted(results)}</p>",
        )
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
    if not results.pairs:
        return ""
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
        table(["task", "helped by", "hurt by"], rows),
    )


def prediction(results: RelationResults) -> str:
    """Whether affinities of one run would have told."""
    if not results.pairs:
        return ""
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
