"""What runs with speech and images found, beside what the paper claims."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from speechbrain_mtl.evaluation.intervals import seed_interval
from speechbrain_mtl.report.grounding_text import ABX

PAPER = "Khorrami et al., EUSIPCO 2023, arXiv 2306.02972"
WAYS = ("speech_to_image", "image_to_speech")
#: What the paper's abstract says, and of which two runs a measure shows it:
#: the first is better than the second, higher or lower being better.
CLAIMS = (
    (
        "wav2vec 2.0 first and images then retrieve better than both at once",
        "retrieval",
        "(W2V2, VGS)",
        "VGS+",
    ),
    (
        "both at once first: less of retrieval is forgotten when images end",
        "lost_retrieval",
        "(VGS+, W2V2)",
        "(VGS, W2V2)",
    ),
    (
        "both at once first: less of wav2vec 2.0 is forgotten when it ends",
        "lost_speech",
        "(VGS+, VGS)",
        "(W2V2, VGS)",
    ),
    (
        "phones learnt with images carry over to recordings of other kinds",
        "abx",  # across speakers, where that was measured
        "VGS",
        "W2V2",
    ),
)
HIGHER = {"retrieval"}


def grounded_card(results: Mapping[str, Sequence[Mapping]]) -> dict:
    """Collect what was measured of each run, and what the claims come to.

    Arguments
    ---------
    results : dict
        By variant, results of `train_grounded` by seed, as JSON.

    Returns
    -------
    card : dict
        ``runs``: by variant and measure, values by seed; ``claims``: each
        with the paper's words, the measure it is judged by, both runs'
        values, in how many seeds it held and the gain with its 95 % interval
        over seeds, or null where a run was not made.

    Example
    -------
    >>> card = grounded_card({})
    >>> card["claims"][0]["measured"] is None
    True
    """
    runs = {name: _run(found) for name, found in results.items()}
    claims = []
    for text, measure, better, worse in CLAIMS:
        pairs = _of_both(runs, better, worse, measure)
        if measure == "abx":
            across = _of_both(runs, better, worse, "abx_across")
            if across:  # within, few errors may be left to compare
                measure, pairs = "abx_across", across
        claim = {"claim": text, "measure": measure, "runs": [better, worse]}
        claim["measured"] = None
        if pairs:
            sign = 1 if measure in HIGHER else -1
            # By seed: the first of a run with fewer are those of the other.
            gains = [sign * (a - b) for a, b in zip(*pairs)]
            claim["measured"] = {
                "better": pairs[0],
                "worse": pairs[1],
                "held_in": sum(gain > 0 for gain in gains),
                "seeds": len(gains),
                "gain": float(np.mean(gains)),
                "interval": seed_interval(gains) if len(gains) > 1 else None,
            }
        claims.append(claim)
    return {"paper": PAPER, "runs": runs, "claims": claims}


def _of_both(
    runs: Mapping[str, Mapping[str, list]],
    better: str,
    worse: str,
    measure: str,
) -> list[list[float]] | None:
    """Values of two runs, or None where any was not measured."""
    pairs = [runs.get(name, {}).get(measure) for name in (better, worse)]
    known = all(pairs) and all(v is not None for row in pairs for v in row)
    return pairs if known else None


def _run(found: Sequence[Mapping]) -> dict[str, list]:
    """Values of one variant, a list over seeds a measure."""
    row: dict[str, list] = {}
    for result in found:
        for key, value in _one(result).items():
            row.setdefault(key, []).append(value)
    return row


def _one(result: Mapping) -> dict[str, Any]:
    row: dict[str, Any] = {}
    test = result.get("test", {})
    for way in test:
        for k, recall in test[way]["recall"].items():
            row[f"{way}_R@{k}"] = recall
    row["retrieval"] = None
    if test:
        most = max(test[WAYS[0]]["recall"], key=int)
        row["retrieval"] = mean_recall(
            [test[way]["recall"][most] for way in WAYS]
        )
    lost = {
        (entry["task"], entry["measure"]): entry["lost"]
        for entry in result["forgetting"]
        if entry["phase"] == 1
    }
    recalls = [
        lost[name]
        for way in WAYS
        for name in [("grounding", f"{way}_R@10")]
        if name in lost
    ]
    row["lost_retrieval"] = mean_recall(recalls) if recalls else None
    row["lost_speech"] = lost.get(("wav2vec2", "loss"))
    for key, speakers in ABX.items():
        errors = {
            epoch: found[speakers]
            for epoch, found in result["abx"].items()
            if speakers in found
        }
        row[key] = row[f"{key}_layer"] = row[f"{key}_untrained"] = None
        if errors:
            last = max(errors, key=int)
            row[key], row[f"{key}_layer"] = _best_layer(errors[last])
            # Before the first step.
            row[f"{key}_untrained"], _ = _best_layer(errors["0"])
        row[f"lost_{key}"] = lost.get(("wav2vec2", f"abx_{speakers}"))
    return row


def _best_layer(errors: Sequence[float]) -> tuple[float, int]:
    """Lowest error of the transformer's layers, and which it is."""
    # Layer 0 is what the transformer is given.
    best = int(np.argmin(errors[1:])) + 1
    return errors[best], best


def mean_recall(values: Sequence[float]) -> float:
    """Average both ways, as the paper's curves do.

    Example
    -------
    >>> mean_recall([0.25, 0.75])
    0.5
    """
    return float(np.mean(values))
