"""What the numbers say, in words made from the numbers alone."""

import dataclasses
from typing import Any

from speechbrain_mtl.report.results import THIS, Run


@dataclasses.dataclass
class Tally:
    """Probes on which this run compares with a baseline.

    Arguments
    ---------
    better : int
        This run is ahead and the intervals do not overlap.
    even : int
        The intervals overlap, or one was not measured.
    worse : int
        This run is behind and the intervals do not overlap.
    """

    better: int = 0
    even: int = 0
    worse: int = 0

    @property
    def total(self) -> int:
        """Number of probes both have."""
        return self.better + self.even + self.worse


def compare(result: dict[str, Any], baseline: dict[str, Any]) -> int:
    """Tell whether two results of a probe are apart.

    Arguments
    ---------
    result : dict
        ``{"value", "interval", "higher_is_better", ...}`` of this run.
    baseline : dict
        The same of a baseline.

    Returns
    -------
    sign : int
        1 when `result` is better, -1 when it is worse, 0 when the intervals
        overlap or there is none.

    Example
    -------
    >>> a = {"interval": [0.7, 0.8], "higher_is_better": True}
    >>> b = {"interval": [0.5, 0.6], "higher_is_better": True}
    >>> compare(a, b), compare(b, a), compare(a, a)
    (1, -1, 0)
    """
    if not result.get("interval") or not baseline.get("interval"):
        return 0
    low, high = result["interval"]
    other_low, other_high = baseline["interval"]
    ahead = int(low > other_high) - int(high < other_low)
    return ahead if result["higher_is_better"] else -ahead


def tallies(run: Run) -> dict[str, Tally]:
    """Count better, even and worse probes against each baseline."""
    own = run.systems[THIS]
    counts = {}
    for system, probes in run.systems.items():
        if system == THIS:
            continue
        signs = [compare(own[n], probes[n]) for n in own if n in probes]
        counts[system] = Tally(signs.count(1), signs.count(0), signs.count(-1))
    return {system: tally for system, tally in counts.items() if tally.total}


def best(run: Run, probe: str) -> set[str]:
    """Name the systems with the best value of a probe."""
    cells = {
        system: probes[probe]
        for system, probes in run.systems.items()
        if probes.get(probe, {}).get("value") is not None
    }
    if len(cells) < 2:
        return set()
    # An error rate is turned round, so that the largest is the best.
    scores = {
        system: cell["value"] if cell["higher_is_better"] else -cell["value"]
        for system, cell in cells.items()
    }
    top = max(scores.values())
    return {system for system, score in scores.items() if score == top}


def verdict(run: Run) -> str:
    """Say in one sentence how this run compares with its baselines."""
    if not run.systems[THIS]:
        return "No probe was measured, so nothing is said of the encoder."
    counts = tallies(run)
    if not counts:
        return (
            "No baseline was measured beside this run, so its probe results "
            "stand alone."
        )
    parts = [
        f"than {system} on {_of(tally.better, tally.total)}"
        + (f" (clearly worse on {tally.worse})" if tally.worse else "")
        for system, tally in counts.items()
    ]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]][-len(parts) :])
    return f"On frozen features this run is clearly better {listed} probes."


def _of(count: int, total: int) -> str:
    """A part of a total in words."""
    return {0: "none", total: "all"}.get(count, str(count)) + f" of {total}"
