"""A selection in words: the answer, the rule, the doubts, the command."""

import math
import shlex
from collections.abc import Iterable

from speechbrain_mtl.selection.candidates import choose_workers
from speechbrain_mtl.selection.selection import Selection
from speechbrain_mtl.selection.selector import Selector
from speechbrain_mtl.selection.simplex import MAPPINGS

NAMED = 4  # tasks named in a heading
FEW_SPEAKERS = 10  # below, intervals over speakers are rough
ACRONYMS = {"f0", "hnr", "l1", "mfcc", "rasta", "rms", "zcr"}
RULE = (
    "The weights minimise the dependence of speech and labels within classes, "
    "divided by the labels' dependence on the class, over those labels whose "
    "dependence on the class is more than chance."
)
PUBLISHED_RULE = (
    "The weights minimise the dependence of speech and labels within classes "
    "as the published estimator measures it; the labels' dependence on the "
    "class plays no part."
)
BASELINES = {
    "uniform": "every candidate has the same weight, and they sum to 1",
    "all": "every candidate has weight 1",
    "random": "the weights were drawn at random",
    "naive": "the candidates with the best single scores share the weight",
    "single_best": "the candidate with the best single score has all weight",
    "lowest_spread": "the candidates that vary least within classes share the "
    "weight",
    "mrmr": "chosen for much information on the class and little on each "
    "other, with equal weights",
    "rfe": "chosen by how much a linear classifier of the class relies on "
    "them, with equal weights",
}
FLAGS = {
    "noise-like": "neither the speech within classes nor the class tells more "
    "of it than chance would",
    "class-blind": "the class tells no more of it than chance would",
    "near-constant": "most of its variance lies in few frames, and segments "
    "hardly differ",
}


def plain(name: str) -> str:
    """A task's name as it is said.

    Example
    -------
    >>> plain("log_hnr")
    'log HNR'
    """
    words = name.split("_")
    return " ".join(w.upper() if w in ACRONYMS else w for w in words)


def listed(words: Iterable[str]) -> str:
    """Words with commas, the last with an "and".

    Example
    -------
    >>> listed(["pitch", "energy", "voicing"])
    'pitch, energy and voicing'
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def chosen(selection: Selection) -> dict[str, float]:
    """Weights above 0, the largest first."""
    positive = [pair for pair in selection.weights.items() if pair[1] > 0]
    return dict(sorted(positive, key=lambda pair: -pair[1]))


def unweighted(selection: Selection) -> list[str]:
    """Tasks without a weight, the best score first."""
    rest = [name for name, w in selection.weights.items() if w == 0]
    return sorted(
        rest, key=lambda n: selection.tasks.get(n, {}).get("ci", math.inf)
    )


def published(selection: Selection) -> bool:
    """Whether the score is the published estimator's."""
    return selection.kernel.get("centering") == "reference"


def answer(selection: Selection) -> str:
    """Say what to predict.

    Example
    -------
    >>> answer(Selection("word", "sparsemax", {"f0": 0.3, "log_hnr": 0.7}))
    'Predict log HNR (0.70) and F0 (0.30)'
    >>> answer(Selection("word", "uniform", dict.fromkeys("abcdef", 1 / 6)))
    'Predict all 6 candidates, weighted alike'
    """
    weights = chosen(selection)
    names = [plain(name) for name in weights]
    if len(names) == 1:
        return f"Predict {names[0]} alone"
    alike = max(weights.values()) - min(weights.values()) < 1e-9
    if alike:
        if len(names) > NAMED:
            whole = "all " if len(names) == len(selection.weights) else ""
            return f"Predict {whole}{len(names)} candidates, weighted alike"
        return f"Predict {listed(names)}, weighted alike"
    words = [
        f"{name} ({weight:.2f})"
        for name, weight in zip(names, weights.values())
    ]
    rest = len(words) - NAMED
    if rest > 1:  # one more is named rather than counted
        words = [*words[:NAMED], f"{rest} more"]
    return f"Predict {listed(words)}"


def rule(selection: Selection) -> str:
    """Say in one sentence where the weights come from."""
    if selection.method in BASELINES:
        return f"A baseline: {BASELINES[selection.method]}."
    if selection.method not in MAPPINGS:
        return f"Weights by “{selection.method}”."
    return PUBLISHED_RULE if published(selection) else RULE


def warnings(selection: Selection) -> list[str]:
    """List what to know before trusting the answer, most serious first."""
    data, found = selection.data, []
    if selection.solver.get("converged") is False:
        found.append(
            "The solver did not converge: other weights may score better."
        )
    by_flag: dict[str, list[str]] = {}
    for name, task in selection.tasks.items():
        for flag in task.get("flags", ()):
            by_flag.setdefault(flag, []).append(name)
    for flag in sorted(by_flag, key=[*FLAGS, *by_flag].index):
        why = f": {FLAGS[flag]}" if flag in FLAGS else ""
        names = listed(map(plain, by_flag[flag]))
        found.append(f"Flagged {flag}, {names}{why}.")
    found += _doubts_of_speakers(data.get("speakers"))
    dropped = data.get("dropped_classes") or []
    if dropped:
        shown = ", ".join(dropped[:20])
        more = f" and {len(dropped) - 20} more" if len(dropped) > 20 else ""
        found.append(
            f"{len(dropped)} classes were left out, having fewer than "
            f"{data.get('min_per_class')} segments: {shown}{more}."
        )
    return found


def _doubts_of_speakers(speakers: int | None) -> list[str]:
    """What few speakers do to the intervals."""
    if speakers is None or speakers >= FEW_SPEAKERS:
        return []
    if speakers > 1:
        return [
            f"Only {speakers} speakers: intervals over so few are rough, and "
            "other speakers may rank the labels otherwise."
        ]
    known = "One speaker" if speakers else "No speaker is known"
    return [
        f"{known}: intervals are over resampled recordings and say nothing "
        "of other speakers."
    ]


def summary(selection: Selection) -> str:
    """Say on one line what was compared.

    Example
    -------
    >>> data = {"segments": 1200, "strata": 10, "hours": 0.15, "speakers": 6}
    >>> summary(Selection("digit", "softmax", {"f0": 1.0}, data=data))
    'digit · softmax · 1,200 segments of 10 classes, 0.15 h, 6 known speakers'
    """
    words = [selection.label_field, selection.method]
    data = selection.data
    if {"segments", "strata", "hours", "speakers"} <= set(data):
        words.append(
            f"{data['segments']:,} segments of {data['strata']} classes, "
            f"{data['hours']:.2f} h, {data['speakers']} known speakers"
        )
    return " · ".join(filter(None, words))


def rivals(selection: Selection) -> list[str]:
    """Name the tasks whose interval reaches that of the best score."""
    scored = {
        name: task
        for name, task in selection.tasks.items()
        if task.get("ci") is not None and task.get("interval")
    }
    if not scored:
        return []
    best = min(scored, key=lambda name: scored[name]["ci"])
    top = scored[best]["interval"][1]
    return [
        name
        for name, task in scored.items()
        if name != best and task["interval"][0] <= top
    ]


def command(selection: Selection) -> str | None:
    """Reconstruct the command that makes the selection.

    Returns
    -------
    command : str or None
        Nothing where no command can: for a manifest or workers that were
        given in Python, and for the published solver.
    """
    data = selection.data
    manifest = data.get("manifest")
    if not manifest or selection.solver.get("name") == "reference":
        return None
    words = ["python", "-m", "speechbrain_mtl", "select", manifest]
    words += ["--label", selection.label_field]
    names = sorted(selection.weights)
    try:
        choose_workers(names)
    except ValueError:
        return None
    if names != list(choose_workers("scalar")):
        words += ["--workers", ",".join(names)]
    defaults = Selector()
    solved = selection.method in MAPPINGS
    centering = selection.kernel.get("centering", defaults.centering)
    usual = Selector(
        mapping=selection.method if solved else defaults.mapping,
        centering=centering,
    )
    temperature = selection.solver.get("temperature", usual.temperature_used)
    for option, value, default in (
        ("mapping", selection.method, defaults.mapping),
        ("centering", centering, defaults.centering),
        ("temperature", temperature, usual.temperature_used),
        ("max-per-class", data.get("max_per_class"), defaults.max_per_class),
        ("min-per-class", data.get("min_per_class"), defaults.min_per_class),
        ("seed", selection.seed, defaults.seed),
    ):
        if value is not None and value != default:
            words += [f"--{option}", str(value)]
    if selection.kernel.get("trajectory"):
        words.append("--trajectory")
    if selection.kernel.get("bandwidth") == "multi":
        words += ["--bandwidth", "multi"]
    if "pairs" in selection.solver:
        words.append("--exact")
    return shlex.join(words)
