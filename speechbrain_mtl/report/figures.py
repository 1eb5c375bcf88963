"""The pictures of a report, one idea each."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from speechbrain_mtl.report.bands import draw_bands
from speechbrain_mtl.report.canvas import (
    ACCENT,
    CONTRAST,
    MUTED,
    PAPER,
    picture,
)
from speechbrain_mtl.report.results import THIS, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3  # small multiples side by side


def scores_figure(tasks: Mapping[str, Mapping[str, Any]]) -> str:
    """Draw the score of each candidate as a dot in its interval.

    Arguments
    ---------
    tasks : dict
        ``{task: {"ci", "interval", "weight"}}`` of a selection.

    Returns
    -------
    svg : str
        The best on top, selected tasks with their weights; nothing when no
        task has a score.
    """
    tasks = {n: t for n, t in tasks.items() if t.get("ci") is not None}
    if not tasks:
        return ""
    names = sorted(tasks, key=lambda name: tasks[name]["ci"], reverse=True)
    ends = [
        end for t in tasks.values() for end in (t.get("interval") or [t["ci"]])
    ]
    with picture(
        "score of each candidate task", 1 + 0.34 * len(names)
    ) as sheet:
        ax = sheet.figure.subplots()
        # Scores that are ratios span decades.
        if min(ends) > 0 and max(ends) > 10 * min(ends):
            ax.set_xscale("log")
            ax.xaxis.set_major_formatter("{x:g}")
        for y, name in enumerate(names):
            task = tasks[name]
            chosen = (task.get("weight") or 0) > 0
            color = ACCENT if chosen else MUTED
            low, high = task.get("interval") or [task["ci"]] * 2
            ax.plot([low, high], [y, y], color=color, lw=2.6 if chosen else 1.6)
            ax.plot(task["ci"], y, "o", ms=8 if chosen else 6, color=color)
            if chosen:
                _note(ax, high, y, f"weight {task['weight']:.3f}", color)
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(-0.7, len(names) - 0.3)
        ax.set_xlabel("score · ← preferred")
        ax.grid(axis="x")
    return sheet.svg


def curves_figure(log: Sequence[Mapping[str, Any]]) -> str:
    """Draw the loss of each task over hours of audio, a panel a task.

    Arguments
    ---------
    log : list of dict
        Lines of ``train_log.jsonl``.

    Returns
    -------
    svg : str
        Training as a line, validation as dots with the last value.
    """
    names = list(dict.fromkeys(name for line in log for name in line["tasks"]))
    rows = -(-(len(names) + 1) // COLUMNS)
    with picture("loss of each task over audio", 0.4 + 1.75 * rows) as sheet:
        panels = sheet.figure.subplots(
            rows, COLUMNS, sharex=True, squeeze=False
        )
        for ax, name in zip(panels.flat, ["", *names]):
            for split in ("train", "valid"):
                points = [
                    (line["hours"], _loss(line, name))
                    for line in log
                    if line["split"] == split and _loss(line, name) is not None
                ]
                if points:
                    (_curve if split == "train" else _dots)(ax, points)
            ax.set_title(name or "weighted sum of all")
            ax.grid(axis="y")
            ax.margins(x=0.02, y=0.12)
            ax.locator_params(axis="y", nbins=4)
            ax.tick_params(axis="y", labelcolor=MUTED)
        _hide_rest(panels, len(names) + 1)
        sheet.figure.supxlabel("hours of audio", color=MUTED, fontsize=10)
    return sheet.svg


def shares_figure(log: Sequence[Mapping[str, Any]]) -> str:
    """Draw each task's share of the gradient norm as stacked bands.

    Arguments
    ---------
    log : list of dict
        Lines of ``train_log.jsonl``; those with a share of every task count.

    Returns
    -------
    svg : str
        Bands named at their ends, or nothing when no share was measured.
    """
    lines = [
        line
        for line in log
        if line["tasks"]
        and all(
            math.isfinite(task.get("grad_share", math.nan))
            for task in line["tasks"].values()
        )
    ]
    if len(lines) < 2 or len({tuple(sorted(x["tasks"])) for x in lines}) > 1:
        return ""
    hours = [line["hours"] for line in lines]
    names = list(lines[0]["tasks"])
    shares = np.array(
        [[line["tasks"][n]["grad_share"] for line in lines] for n in names]
    )
    order = np.argsort(-shares.mean(axis=1), kind="stable")
    shares, names = shares[order], [names[i] for i in order]
    weights = {n: task["weight"] for n, task in lines[-1]["tasks"].items()}
    with picture("share of each task in the gradient norm", 3.8) as sheet:
        ax = sheet.figure.subplots()
        texts = [
            f"{name} {share:.0%} · weight {weights[name]:.2f}"
            for name, share in zip(names, shares[:, -1])
        ]
        draw_bands(ax, hours, shares, texts, MUTED)
        ax.set_xlabel("hours of audio")
    return sheet.svg


def probes_figure(run: Run) -> str:
    """Draw every probe of every system as a dot in its interval.

    Arguments
    ---------
    run : Run
        The results.

    Returns
    -------
    svg : str
        A panel a probe, a row a system; a second head is drawn hollow.
    """
    probes = run.probe_heads
    systems = list(run.systems)[::-1]
    columns = min(COLUMNS, len(probes))
    rows = -(-len(probes) // columns)
    height = 0.3 + rows * (0.85 + 0.36 * len(systems))
    with picture("probe results of all systems", height) as sheet:
        panels = sheet.figure.subplots(
            rows, columns, sharey=True, squeeze=False
        )
        for ax, (probe, names) in zip(panels.flat, probes.items()):
            for index, name in enumerate(names):
                shift = 0.24 * ((len(names) - 1) / 2 - index)
                for y, system in enumerate(systems):
                    cell = run.systems[system].get(name)
                    if cell and cell.get("value") is not None:
                        _result(ax, cell, y + shift, system == THIS, index)
            metric, higher = run.metric(names[0])
            better = "better →" if higher else "← better"
            ax.set_title(probe)
            ax.set_xlabel(f"{metric}, % · {better}", fontsize=9)
            ax.set_yticks(range(len(systems)), systems)
            ax.set_ylim(-0.6, len(systems) - 0.4)
            ax.margins(x=0.1)
            ax.locator_params(axis="x", nbins=5)
            ax.grid(axis="x")
        _hide_rest(panels, len(probes))
    return sheet.svg


def cost_figure(wall: Mapping[str, float]) -> str:
    """Draw the seconds of each stage as bars, in the order they ran."""
    names = list(wall)[::-1]
    with picture("time of each stage", 0.5 + 0.34 * len(names)) as sheet:
        ax = sheet.figure.subplots()
        seconds = [wall[name] for name in names]
        ax.barh(range(len(names)), seconds, 0.62, color=ACCENT)
        for y, value in enumerate(seconds):
            text = f"{value:.1f} s" if value < 100 else f"{value / 60:.1f} min"
            _note(ax, value, y, text, MUTED)
        ax.set_yticks(range(len(names)), [n.replace("_", " ") for n in names])
        ax.set_ylim(-0.7, len(names) - 0.3)
        ax.set_xticks([])
        ax.margins(x=0.12)
    return sheet.svg


def _result(
    ax: "Axes", cell: Mapping[str, Any], y: float, own: bool, index: int
) -> None:
    """One dot with its interval, in percent."""
    color = ACCENT if own else MUTED
    if cell.get("interval"):
        ends = [100 * end for end in cell["interval"]]
        ax.plot(ends, [y, y], color=color, lw=2.6 if own else 1.6, zorder=2)
    ax.plot(
        100 * cell["value"],
        y,
        "oDs^"[index % 4],
        ms=7.5 if own else 6,
        mfc=PAPER if index else color,
        mec=color,
        mew=1.6,
        zorder=3,
    )


def _loss(line: Mapping[str, Any], name: str) -> float | None:
    """Loss of a task, or of all where no name is given."""
    if not name:
        return line.get("loss")
    return line["tasks"].get(name, {}).get("loss")


def _curve(ax: "Axes", points: list[tuple[float, float]]) -> None:
    ax.plot(*zip(*points), color=ACCENT, lw=1.6)


def _dots(ax: "Axes", points: list[tuple[float, float]]) -> None:
    """Validation results, the last with its value, be it NaN."""
    style = {"mfc": PAPER, "mec": CONTRAST, "mew": 1.5, "ms": 5}
    ax.plot(*zip(*points), "o", **style)
    hours, loss = points[-1]
    ax.annotate(
        f"{loss:.3g}",
        (hours, loss if math.isfinite(loss) else ax.get_ylim()[1]),
        xytext=(0, 7),
        textcoords="offset points",
        ha="right",
        fontsize=9,
        color=CONTRAST,
    )


def _note(ax: "Axes", x: float, y: float, text: str, color: str) -> None:
    """A few words right of a bar."""
    ax.annotate(
        text,
        (x, y),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        color=color,
        fontsize=9,
    )


def _hide_rest(panels: np.ndarray, used: int) -> None:
    """Empty the places of a grid that no panel needs.

    With shared axes, the panel above an empty place shows the tick labels.
    """
    for index, ax in enumerate(panels.flat):
        ax.set_visible(index < used)
        if index < used <= index + COLUMNS:
            ax.tick_params(labelbottom=True)
