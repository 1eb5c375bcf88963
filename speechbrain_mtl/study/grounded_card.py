"""What runs with speech and images found, beside what the paper claims."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from speechbrain_mtl.evaluation.intervals import seed_interval

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
        "abx",
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
        with the paper's words, both runs' values, in how many seeds it held
        and the gain with its 95 % interval over seeds, or null where a run
        was not made.

    Example
    -------
    >>> card = grounded_card({})
    >>> card["claims"][0]["measured"] is None
    True
    """
    runs = {name: _run(found) for name, found in results.items()}
    claims = []
    for text, measure, better, worse in CLAIMS:
        claim = {"claim": text, "measure": measure, "runs": [better, worse]}
        pairs = [runs.get(name, {}).get(measure) for name in (better, worse)]
        claim["measured"] = None
        if all(pairs) and all(v is not None for row in pairs for v in row):
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
    row["abx"] = row["abx_layer"] = row["abx_untrained"] = None
    if result["abx"]:
        last = max(result["abx"], key=int)
        row["abx"], row["abx_layer"] = _best_layer(
            result["abx"][last]["within"]
        )
        # Before the first step.
        row["abx_untrained"], _ = _best_layer(result["abx"]["0"]["within"])
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
    row["lost_abx"] = lost.get(("wav2vec2", "abx_within"))
    return row


def _best_layer(within: Sequence[float]) -> tuple[float, int]:
    """Lowest error of the transformer's layers, and which it is."""
    # Layer 0 is what the transformer is given.
    best = int(np.argmin(within[1:])) + 1
    return within[best], best


def mean_recall(values: Sequence[float]) -> float:
    """Average both ways, as the paper's curves do.

    Example
    -------
    >>> mean_recall([0.25, 0.75])
    0.5
    """
    return float(np.mean(values))
