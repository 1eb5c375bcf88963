"""What a card of speech with images says, as text."""

from collections.abc import Mapping, Sequence

import numpy as np

from speechbrain_mtl.evaluation.intervals import seed_interval

SHORT = {"speech_to_image": "S->I", "image_to_speech": "I->S"}
#: What a card calls ABX errors, and between whose recordings they are.
ABX = {"abx": "within", "abx_across": "across"}


def mean_and_half(
    values: Sequence[float | None],
) -> tuple[float | None, float | None]:
    """Average over seeds, with half of Student's 95 % interval.

    Arguments
    ---------
    values : sequence of float or None
        By seed; None where nothing was measured.

    Returns
    -------
    mean, half : float or None
        None of no values, and no interval of one.

    Example
    -------
    >>> mean, half = mean_and_half([0.70, 0.72, 0.74])
    >>> round(mean, 3), round(half, 3)
    (0.72, 0.05)
    >>> mean_and_half([0.5, None])
    (0.5, None)
    """
    found = [value for value in values if value is not None]
    mean = float(np.mean(found)) if found else None
    if len(found) < 2:
        return mean, None
    low, high = seed_interval(found)
    return mean, (high - low) / 2


def spread(
    values: Sequence[float | None],
    scale: float = 100.0,
    digits: int = 1,
    form: str = "{} ±{}",
) -> str | None:
    """Write a mean, and half its interval where there is one.

    Arguments
    ---------
    values : sequence of float or None
        By seed.
    scale : float
        Factor of all; shares become percent by default.
    digits : int
        After the point.
    form : str
        Where mean and half go.

    Returns
    -------
    text : str or None
        None when nothing was measured.

    Example
    -------
    >>> spread([0.70, 0.72, 0.74]), spread([0.5]), spread([None])
    ('72.0 ±5.0', '50.0', None)
    """
    mean, half = mean_and_half(values)
    if mean is None:
        return None
    # Adding 0 makes a rounded -0.0 a 0.0.
    text = f"{round(scale * mean, digits) + 0.0:.{digits}f}"
    return (
        text
        if half is None
        else form.format(text, f"{scale * half:.{digits}f}")
    )


def seeds_of(row: Mapping[str, Sequence]) -> int:
    """Count the trainings of one order.

    Example
    -------
    >>> seeds_of({"abx": [0.1, 0.2], "lost_abx": [None, None]})
    2
    """
    return max(map(len, row.values()), default=0)


def recall_depths(card: Mapping) -> list[int]:
    """List among how many of the first recall was measured, least first.

    Example
    -------
    >>> recall_depths({"runs": {"VGS": {"speech_to_image_R@10": [0.5]}}})
    [10]
    """
    found = {
        int(measure.rsplit("@", 1)[1])
        for row in card["runs"].values()
        for measure in row
        if "_R@" in measure
    }
    return sorted(found)


def abx_measured(card: Mapping) -> dict[str, str]:
    """List those of `ABX` that a card has values of.

    Example
    -------
    >>> abx_measured({"runs": {"VGS": {"abx": [0.1], "abx_across": [None]}}})
    {'abx': 'within'}
    """
    return {
        key: speakers
        for key, speakers in ABX.items()
        if any(
            value is not None
            for row in card["runs"].values()
            for value in row.get(key, [])
        )
    }


def verdict(measured: Mapping | None) -> str:
    """Say in a word what became of a claim.

    Example
    -------
    >>> verdict({"interval": [-0.3, -0.1]}), verdict({"interval": None})
    ('did not hold', 'open')
    >>> verdict(None)
    'not measured'
    """
    if measured is None:
        return "not measured"
    low, high = measured["interval"] or (-np.inf, np.inf)
    return "held" if low > 0 else "did not hold" if high < 0 else "open"


def verdict_on(measured: Mapping | None) -> str:
    """Say whether a claim held, and by how much.

    Example
    -------
    >>> verdict_on(
    ...     {"held_in": 3, "seeds": 3, "gain": 0.2, "interval": [0.1, 0.3]}
    ... )
    'held, by 0.200 [0.100, 0.300], in 3 of 3 seeds'
    """
    if measured is None:
        return verdict(measured)
    span = ""
    if measured["interval"]:
        span = " [{:.3f}, {:.3f}]".format(*measured["interval"])
    seeds = "1 seed" if measured["seeds"] == 1 else f"{measured['seeds']} seeds"
    return (
        f"{verdict(measured)}, by {round(measured['gain'], 3) + 0.0:.3f}{span}, "
        f"in {measured['held_in']} of {seeds}"
    )


def grounded_table(card: Mapping) -> str:
    """Lay a card out as text.

    Arguments
    ---------
    card : dict
        See `grounded_card`; with ``chance``, if it is known.

    Returns
    -------
    table : str
        Means over seeds with half of their 95 % interval, in percent, of
        retrieval and below it of phones, and what became of the paper's
        claims.
    """
    depths = recall_depths(card)
    retrieval = {
        f"{SHORT[way]} R@{k}": f"{way}_R@{k}"
        for k in dict.fromkeys([*depths[:1], *depths[-1:]])
        for way in SHORT
    }
    lines = _block(card, {**retrieval, "lost R@10": "lost_retrieval"})
    phones = {}
    for key, speakers in abx_measured(card).items():
        phones |= {f"ABX {speakers}": key, f"lost {speakers}": f"lost_{key}"}
    if phones:
        lines += ["", *_block(card, phones)]
    if any(seeds_of(row) > 1 for row in card["runs"].values()):
        lines.append("(±: half of the 95 % interval over seeds)")
    for claim in card["claims"]:
        by = ABX.get(claim["measure"])
        which = f"ABX {by} speakers: " if by and claim["measured"] else ""
        lines.append(
            f"paper: {claim['claim']}:\n"
            f"    {which}{verdict_on(claim['measured'])}"
        )
    return "\n".join(lines)


def _block(card: Mapping, columns: Mapping[str, str]) -> list[str]:
    """Lines of some measures, by what their columns are called."""
    lines = [_line("%", "seeds", columns)]
    for name, row in card["runs"].items():
        cells = [
            spread(row.get(key, []), digits=2 if "abx" in key else 1) or "-"
            for key in columns.values()
        ]
        lines.append(_line(name, str(seeds_of(row)), cells))
    if card.get("chance"):
        share = {
            f"{way}_R@{k}": value
            for way, found in card["chance"].items()
            for k, value in found.items()
        }
        share |= dict.fromkeys(ABX, 0.5)
        cells = [
            f"{100 * share[key]:.1f}" if key in share else "-"
            for key in columns.values()
        ]
        lines.append(_line("chance", "", cells))
    return lines


def _line(name: str, seeds: str, cells: Sequence[str] | Mapping) -> str:
    return f"{name:14s}{seeds:>6s}" + "".join(f"{c:>14s}" for c in cells)
