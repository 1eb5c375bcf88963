"""The sections of a page on speech with images."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

from speechbrain_mtl.report.grounding_text import (
    abx_measured,
    mean_and_half,
    recall_depths,
    seeds_of,
    spread,
    verdict,
    verdict_on,
)
from speechbrain_mtl.report.markup import (
    ABSENT,
    fact_list,
    figure,
    number_tiles,
    section,
    table,
)

WAYS = {"speech_to_image": "S&rarr;I", "image_to_speech": "I&rarr;S"}
SMALL = "{}<small>±{}</small>"
DASH = '<span class="absent">–</span>'
PHASES = {
    "W2V2": "wav2vec 2.0 alone (what was hidden?)",
    "VGS": "grounding alone (which image is spoken of?)",
    "VGS+": "both at once, with equal weights",
}
#: Measures of claims: name, factor to the unit it is shown in, and digits.
MEASURES = {
    "retrieval": ("recall, mean of both ways, %", 100.0, 1),
    "lost_retrieval": ("recall at 10 lost, points", 100.0, 1),
    "lost_speech": ("rise of wav2vec 2.0's loss", 1.0, 3),
    "abx": ("ABX error within speakers, best layer, %", 100.0, 2),
    "abx_across": ("ABX error across speakers, best layer, %", 100.0, 2),
}
#: The same of what a switch may lose.
LOST = {
    "lost_retrieval": ("recall at 10, points", 100.0, 1),
    "lost_abx": ("ABX error within<br>speakers, points", 100.0, 2),
    "lost_abx_across": ("ABX error across<br>speakers, points", 100.0, 2),
    "lost_speech": ("wav2vec 2.0's loss", 1.0, 3),
}
ABX_MEANING = {
    "within": "within speakers: all three sounds are of one",
    "across": "across speakers: what is asked about is of another than the "
    "two it is compared with",
}
CAPTIONS = {
    "losses": "Training losses by epoch, on a scale of logarithms. A task "
    "that rests has none.",
    "curves": "Left: mean recall of both ways among the validation part, at "
    "the largest k. Right: ABX error {abx}of the best layer.",
    "layers_at_once": "ABX error {abx}of every layer at the end, of orders "
    "with one phase. Layer 0 is what the transformer is given.",
    "layers_in_turn": "ABX error {abx}of every layer at the end, of orders "
    "with two phases.",
}


def title(card: Mapping) -> str:
    """What the page is called."""
    name = str(card.get("experiment", "speech and images"))
    return name[:1].upper() + name[1:]


def headline(card: Mapping) -> str:
    """What was run, what it finds, and what chance would."""
    seeds = sorted({seeds_of(row) for row in card["runs"].values()})
    pool = card.get("pools", {}).get("test", {})
    many = "seed" if seeds == [1] else "seeds"
    tiles = [(many, " or ".join(map(str, seeds)) or "none")]
    tiles += [(f"{kind} to search", f"{n:,}") for kind, n in pool.items()]
    chance = card.get("chance", {})
    for k in recall_depths(card)[-1:]:
        shares = [f"{100 * chance[w][str(k)]:.1f}" for w in WAYS if w in chance]
        if shares:
            tiles.append((f"R@{k} by chance", " / ".join(shares) + " %"))
    return f"""
<header>
<p class="kicker">speechbrain_mtl &middot; speech with images</p>
<h1>{escape(title(card))}</h1>
<p class="lead">{escape(found(card))} {escape(claims_counted(card))}</p>
{number_tiles(*tiles)}
</header>"""


def found(card: Mapping) -> str:
    """Tell of the order that retrieves best, in a sentence.

    Only of those with the most seeds: one lucky seed would win.
    """
    counts = {name: seeds_of(row) for name, row in card["runs"].items()}
    most = max(counts.values(), default=0)
    means = {
        name: mean_and_half(row.get("retrieval", []))[0]
        for name, row in card["runs"].items()
        if counts[name] == most
    }
    known = {name: mean for name, mean in means.items() if mean is not None}
    if not known:
        return "Retrieval was not measured."
    name = max(known, key=known.__getitem__)
    row, k = card["runs"][name], recall_depths(card)[-1]
    speech, image = (spread(row[f"{way}_R@{k}"]) for way in WAYS)
    which = f"of orders with {most} seeds"
    if len(known) == len(counts):
        which = "of all orders"
    best = f"the highest mean {which}, " * (len(counts) > 1)
    return (
        f"After {name}, {best}{speech} % of spoken captions find their image "
        f"among the first {k}, and {image} % of images one of their captions."
    )


def claims_counted(card: Mapping) -> str:
    """Count what became of the paper's claims; nothing of one run."""
    verdicts = [verdict(claim["measured"]) for claim in card["claims"]]
    known = [one for one in verdicts if one != "not measured"]
    if not known:
        return ""
    counts = ", ".join(
        f"{verdicts.count(one)} {one}"
        for one in ("held", "did not hold", "open", "not measured")
        if one in verdicts
    )
    return f"Of {len(verdicts)} claims of the paper: {counts}."


def runs(card: Mapping) -> str:
    """Recall of all orders, beside chance."""
    columns = [(way, k) for way in WAYS for k in recall_depths(card)]
    rows = [
        _row(
            name,
            str(seeds_of(row)),
            *(_cell(row.get(f"{way}_R@{k}", [])) for way, k in columns),
        )
        for name, row in card["runs"].items()
    ]
    chance = card.get("chance", {})
    if chance:
        shares = [chance.get(way, {}).get(str(k)) for way, k in columns]
        rows.append(_row("chance", "", *(_cell([s]) for s in shares)))
    heads = [f"{WAYS[way]}<br>R@{k}, %" for way, k in columns]
    pool = card.get("pools", {}).get("test")
    size = (
        f" A spoken caption looks for its image among {pool['images']:,}; an "
        f"image for one of its captions among {pool['captions']:,}. Recalls "
        "of pools of other sizes do not compare."
        if pool
        else ""
    )
    return section(
        "What finds what",
        table(["order", "seeds", *heads], rows),
        '<p class="small">R@k: share of queries with a right answer among '
        "the first k, on the test part; S&rarr;I: speech asks for its image, "
        f"I&rarr;S: an image for its speech.{size}</p>",
        _on_intervals(card),
    )


def phones(card: Mapping) -> str:
    """ABX errors of all orders, beside those before training and chance."""
    measured = abx_measured(card)
    if not measured:
        return ""
    rows = []
    for name, row in card["runs"].items():
        cells = []
        for key in measured:
            layers = sorted({one for one in row.get(f"{key}_layer", []) if one})
            cells.append(_cell(row.get(key, []), digits=2))
            cells.append(", ".join(map(str, layers)) or DASH)
        rows.append(_row(name, str(seeds_of(row)), *cells))
    cells = []
    for key in measured:
        by_run = [
            row.get(f"{key}_untrained", []) for row in card["runs"].values()
        ]
        # The same seeds begin alike: the order with the most has them all.
        cells += [_cell(max(by_run, key=len), digits=2), ""]
    rows.append(_row("untrained", "", *cells))
    rows.append(_row("chance", "", *["50", ""] * len(measured)))
    heads = []
    for speakers in measured.values():
        heads += [f"ABX {speakers}<br>speakers, %", "layer"]
    kinds = "; ".join(ABX_MEANING[speakers] for speakers in measured.values())
    return section(
        "Which phones are told apart",
        table(["order", "seeds", *heads], rows),
        '<p class="small">ABX: errors in telling phones apart, of the best '
        f"layer at the end, layer 0 aside; {kinds}.</p>",
    )


def forgetting(card: Mapping) -> str:
    """What the first phase had taught, and the second took away."""
    lost = {
        name: {
            key: row[key]
            for key in LOST
            if any(value is not None for value in row.get(key, []))
        }
        for name, row in card["runs"].items()
    }
    columns = [key for key in LOST if any(key in row for row in lost.values())]
    if not columns:
        return ""
    rows = [
        _row(
            name,
            str(seeds_of(card["runs"][name])),
            *(_cell(row.get(key, []), *LOST[key][1:]) for key in columns),
        )
        for name, row in lost.items()
        if row
    ]
    heads = [f"lost of<br>{LOST[key][0]}" for key in columns]
    return section(
        "What a switch forgets",
        table(["order", "seeds", *heads], rows),
        '<p class="small">Validation at the end against the end of the first '
        "phase: above 0 it became worse, below 0 better. Only what the first "
        "phase trained can be lost. Recall: mean of both ways.</p>",
    )


def claims(card: Mapping) -> str:
    """The paper's claims, and whether they held here."""
    if not claims_counted(card):
        return ""
    rows = []
    for claim in card["claims"]:
        name, *shown = MEASURES[claim["measure"]]
        better, worse = map(escape, claim["runs"])
        measured = claim["measured"] or {}
        values = [
            _cell(measured.get(side, []), *shown)
            for side in ("better", "worse")
        ]
        rows.append(
            f'<tr><td class="words">{escape(claim["claim"])}</td>'
            f'<td class="words">{name}</td>'
            f"<td>{better}<br>{values[0]}</td><td>{worse}<br>{values[1]}</td>"
            f'<td class="words">{escape(verdict_on(claim["measured"]))}</td>'
            "</tr>"
        )
    words = '<th class="words">{}</th>'
    return section(
        "What the paper claims",
        table(
            [
                words.format("paper: claim"),
                words.format("measure"),
                "should be<br>better",
                "should be<br>worse",
                words.format("measured here"),
            ],
            rows,
        ),
        '<p class="small">Paper: '
        f"{escape(str(card.get('paper', 'not named')))}. Gains are paired by "
        "seed, of recalls and errors as shares: 0.01 is a point. Held, or did "
        "not: Student's 95 % interval over seeds lies on one side of 0. Open: "
        "it does not, or there is one seed.</p>",
    )


def orders(card: Mapping) -> str:
    """What the names of orders mean."""
    facts = {name: order_meaning(card, name) for name in card["runs"]}
    if not facts:
        return ""
    return section(
        "What the names mean" if len(facts) > 1 else "What the name means",
        fact_list(facts, "").replace("<dl>", '<dl class="legend">'),
    )


def order_meaning(card: Mapping, name: str) -> str:
    """Say what is trained in which phase.

    Example
    -------
    >>> order_meaning({"ends": {"(VGS, W2V2)": [2, 7]}}, "(VGS, W2V2)")
    'grounding alone (which image is spoken of?) to epoch 2; then wav2vec 2.0 \
alone (what was hidden?) to epoch 7'
    """
    phases = [PHASES.get(p, p) for p in name.strip("()").split(", ")]
    ends = card.get("ends", {}).get(name, [])
    if len(ends) == len(phases) > 1:
        phases = [f"{p} to epoch {end}" for p, end in zip(phases, ends)]
    return "; then ".join(phases)


def pictures(card: Mapping, found: Mapping[str, bytes]) -> str:
    """Pictures that were drawn, PNG files, inside the page."""
    if not found:
        return ""
    seeds = max(map(seeds_of, card["runs"].values()), default=0)
    first = "<p>All are of the first seed.</p>" * (seeds > 1)
    # As `draw_grounding` does: across speakers, where that was measured.
    drawn = [f"{name} speakers, " for name in abx_measured(card).values()][-1:]
    return section(
        "How it came about",
        first,
        *(
            figure(
                f'<img alt="{name.replace("_", " ")}" src="data:image/png;'
                f'base64,{b64encode(png).decode()}">',
                CAPTIONS[name].format(abx="".join(drawn)),
            )
            for name, png in found.items()
        ),
    )


def record(card: Mapping) -> str:
    """Everything that is needed to get it again."""
    command = card.get("command")
    kept = ("git", "versions", "data", "paper")
    facts = {key: card[key] for key in kept if key in card}
    # Those of ABX tests are no captions.
    facts["recordings"] = card.get("captions", {})
    wall = card.get("wall_s", {})
    for name in card["runs"]:
        hours = card.get("hours_of_audio", {}).get(name)
        # Jobs are called "seed 0, (W2V2, VGS)".
        seconds = [s for j, s in wall.items() if j.split(", ", 1)[1] == name]
        parts = []
        if hours:
            parts.append(f"{sum(hours) / len(hours):.1f} h of audio")
        if seconds:
            parts.append(f"{sum(seconds) / len(seconds) / 60:.1f} min, wall")
        if parts:
            facts[f"{name}, a seed"] = ", ".join(parts)
    if wall:
        facts["all runs"] = f"{sum(wall.values()) / 3600:.2f} h of wall time"
    return section(
        "How to get it again",
        f"<pre>{escape(str(command))}</pre>" if command else f"<p>{ABSENT}</p>",
        fact_list(facts, ""),
    )


def _on_intervals(card: Mapping) -> str:
    if all(seeds_of(row) < 2 for row in card["runs"].values()):
        return (
            '<p class="small">One seed: another would give other numbers, and '
            "how far off is not known.</p>"
        )
    return (
        '<p class="small">Means over seeds &plusmn; half of Student\'s 95 % '
        "interval, which covers the noise of training, not the choice of test "
        "images; of one seed there is none.</p>"
    )


def _row(name: str, *cells: str) -> str:
    body = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr><th>{escape(name)}</th>{body}</tr>"


def _cell(
    values: Sequence[float | None], scale: float = 100.0, digits: int = 1
) -> str:
    return spread(values, scale, digits, SMALL) or DASH
