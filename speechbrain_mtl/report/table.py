"""Probe results as text."""


def probe_table(probes: dict[str, dict]) -> str:
    """Lay probe results out as text, one line a probe and head.

    Arguments
    ---------
    probes : dict
        Probe results by row, "this" among them.

    Returns
    -------
    table : str
        Percent with 95 % intervals; error rates are marked.
    """
    rows = list(probes)
    names = list(probes["this"])
    lines = [
        f"{'%, on unseen data':26s}" + "".join(f"{row:>22s}" for row in rows)
    ]
    for name in names:
        cells = []
        for row in rows:
            cell = probes[row][name]
            text = f"{100 * cell['value']:6.1f}"
            if cell["interval"]:
                low, high = (100 * bound for bound in cell["interval"])
                text += f" [{low:5.1f},{high:5.1f}]"
            cells.append(text)
        lower = "" if probes["this"][name]["higher_is_better"] else " (error)"
        lines.append(
            f"{name + lower:26s}" + "".join(f"{c:>22s}" for c in cells)
        )
    return "\n".join(lines)
