"""Pictures of speech with images: losses, retrieval and phones, layers."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speechbrain_mtl.report.canvas import PRINT, photograph
from speechbrain_mtl.report.layer_profile import (
    COLORS,
    MARKS,
    draw_layer_profile,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Names of the pictures, in the order of a page.
PICTURES = ("losses", "curves", "layers_at_once", "layers_in_turn")


def draw_grounding(
    results: Mapping[str, Mapping[str, Any]], folder: str | os.PathLike
) -> list[Path]:
    """Draw the paper's three kinds of pictures.

    Arguments
    ---------
    results : dict
        By variant, what `train_grounded` gave, as JSON.
    folder : str or path-like
        Gets ``losses.png``, ``curves.png`` and, where ABX was measured,
        ``layers_at_once.png`` and ``layers_in_turn.png``: the runs of one
        phase, and of several.

    Returns
    -------
    paths : list of Path
        Those that were written; others of these names are taken away.
    """
    folder = Path(folder)
    for name in PICTURES:  # none may stay that shows other runs
        (folder / f"{name}.png").unlink(missing_ok=True)
    losses = {
        f"training loss of {task}": {
            name: _points(found["train"], task)
            for name, found in results.items()
        }
        for task in ("grounding", "wav2vec2")
    }
    speakers = _speakers(results)
    both = ("speech_to_image_R@", "image_to_speech_R@")
    curves = {
        "recall on validation, %": {
            name: _recalls(found["curves"], both)
            for name, found in results.items()
        },
        f"ABX error {speakers} speakers, best layer, %": {
            name: [
                (epoch, 100 * error)
                for epoch, error in _points(
                    found["curves"], f"wav2vec2/abx_{speakers}"
                )
            ]
            for name, found in results.items()
        },
    }
    paths = [
        _draw(losses, folder / "losses.png", log=True),
        _draw(curves, folder / "curves.png"),
    ]
    profiles = {
        name: found["abx"][max(found["abx"], key=int)][speakers]
        for name, found in results.items()
        if found["abx"]
    }
    for file, several in (("at_once", False), ("in_turn", True)):
        chosen = {
            name: errors
            for name, errors in profiles.items()
            if (len(results[name]["ends"]) > 1) == several
        }
        if chosen:
            path = folder / f"layers_{file}.png"
            title = f"ABX error {speakers} speakers, of each layer"
            paths.append(draw_layer_profile(chosen, path, title))
    return paths


def _speakers(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Whose ABX errors are drawn: those of more than one, where measured."""
    across = any(
        "across" in tested
        for found in results.values()
        for tested in found["abx"].values()
    )
    # Within speakers, errors may be near zero from the start.
    return "across" if across else "within"


def _points(
    by_epoch: Mapping[str, Mapping[str, float]], key: str
) -> list[tuple[int, float]]:
    found = ((int(e), v[key]) for e, v in by_epoch.items() if key in v)
    return sorted(found)


def _recalls(
    curves: Mapping[str, Mapping[str, float]], ways: tuple[str, str]
) -> list[tuple[int, float]]:
    """Mean of both ways at the largest k, in percent."""
    points = []
    for epoch, values in curves.items():
        found = [
            max(
                (int(name.rsplit("@", 1)[1]), value)
                for name, value in values.items()
                if name.startswith(f"grounding/{way}")
            )[1]
            for way in ways
            if any(name.startswith(f"grounding/{way}") for name in values)
        ]
        if found:
            points.append((int(epoch), 100 * sum(found) / len(found)))
    return sorted(points)


def _draw(
    panels: Mapping[str, Mapping[str, list[tuple[int, float]]]],
    path: Path,
    log: bool = False,
) -> Path:
    with photograph(path, 4.4) as figure:
        axes = figure.subplots(1, len(panels))
        for ax, (title, lines) in zip(axes, panels.items()):
            for place, (name, points) in enumerate(lines.items()):
                if not points:
                    continue
                ax.plot(
                    *zip(*points),
                    color=COLORS[place % len(COLORS)],
                    # More runs than colours: the rest are dashed.
                    ls="-" if place < len(COLORS) else "--",
                    marker=MARKS[place % len(MARKS)],
                    ms=4,
                    lw=1.6,
                    label=name,
                )
            ax.set_title(title)
            ax.set_xlabel("epoch")
            ax.xaxis.get_major_locator().set_params(integer=True)
            if log:
                _log_scale(ax)
            ax.grid(axis="y", color=PRINT.grid)
        handles, labels = axes[0].get_legend_handles_labels()
        for ax in axes[1:]:
            for handle, label in zip(*ax.get_legend_handles_labels()):
                if label not in labels:
                    handles.append(handle)
                    labels.append(label)
        figure.legend(
            handles, labels, loc="outside lower center", ncols=5, frameon=False
        )
    return path


def _log_scale(ax: "Axes") -> None:
    """A scale of logarithms with numbers as one writes them."""
    from matplotlib import ticker

    ax.set_yscale("log")
    # Where none of these is in the range, the locator takes others.
    ax.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 3, 5)))
    ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda y, _: f"{y:g}"))
    ax.yaxis.set_minor_locator(ticker.NullLocator())
