"""A sheet to draw on: SVG in the colours of a page, or a PNG in its own."""

import contextlib
import dataclasses
import io
import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from speechbrain_mtl.data.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 10.5  # inches; text of 10 points is then about that of the page

# Colours of Okabe and Ito, which all kinds of colour vision tell apart; what
# they mark also has a shape, a place or a label of its own.
BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
)


@dataclasses.dataclass(frozen=True)
class Colors:
    """What a picture is drawn in, by purpose.

    Arguments
    ---------
    ink, muted, grid, paper, accent, contrast : str
        Text, lesser text, lines of a grid, background, what matters, and what
        stands against it.
    """

    ink: str
    muted: str
    grid: str
    paper: str
    accent: str
    contrast: str


# Stand-ins for the page's own colours, so that one picture fits light, dark
# and print: matplotlib draws them, the SVG is then told to ask the page.
PAGE = Colors(*(f"#{i:02x}0000" for i in range(1, 7)))
INK, MUTED, GRID, PAPER, ACCENT, CONTRAST = dataclasses.astuple(PAGE)
VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    ACCENT: "var(--accent)",
    CONTRAST: "var(--worse)",
}
# For a picture that stands alone: those of the page on white.
PRINT = Colors("#1b1f27", "#606a79", "#d9dde4", "#ffffff", BLUE, VERMILLION)


@dataclasses.dataclass
class Sheet:
    """What is drawn on, and what came of it.

    Arguments
    ---------
    figure : matplotlib.figure.Figure
        Empty at first.
    svg : str
        The element for the page, once drawing has ended.
    """

    figure: "Figure"
    svg: str = ""


@contextlib.contextmanager
def picture(name: str, height: float) -> Iterator[Sheet]:
    """Draw in the page's style.

    Arguments
    ---------
    name : str
        What the picture shows, for readers who hear the page.
    height : float
        Inches; the width is that of the page.

    Yields
    ------
    sheet : Sheet
        Its ``svg`` is there when the block has ended.

    Example
    -------
    >>> with picture("a line", 2.0) as sheet:
    ...     _ = sheet.figure.subplots().plot([0, 1], color=INK)
    >>> sheet.svg[:4], "var(--ink)" in sheet.svg, INK in sheet.svg
    ('<svg', True, False)
    """
    # The salt keeps ids apart between the pictures of a page, and equal from
    # one writing of the page to the next.
    with _figure(height, PAGE, {"svg.hashsalt": name}) as drawn:
        sheet = Sheet(drawn)
        yield sheet
        text = io.StringIO()
        drawn.savefig(text, format="svg")
    sheet.svg = _for_page(text.getvalue(), name)


@contextlib.contextmanager
def photograph(path: str | os.PathLike, height: float) -> Iterator["Figure"]:
    """Draw in the page's style, for a file that stands alone.

    Arguments
    ---------
    path : str or path-like
        The PNG, written whole or not at all; draw in the colours `PRINT`.
    height : float
        Inches; the width is that of the page.

    Yields
    ------
    figure : matplotlib.figure.Figure
        Empty at first.

    Example
    -------
    >>> path = getfixture("tmp_path") / "line.png"
    >>> with photograph(path, 2.0) as figure:
    ...     _ = figure.subplots().plot([0, 1], color=PRINT.ink)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    with _figure(height, PRINT, {"figure.facecolor": PRINT.paper}) as drawn:
        yield drawn
        with atomic_path(path) as temporary:
            # Without the drawing library's name equal pictures are equal files.
            drawn.savefig(
                temporary, format="png", dpi=160, metadata={"Software": None}
            )


@contextlib.contextmanager
def _figure(
    height: float, colors: Colors, settings: Mapping[str, Any]
) -> Iterator["Figure"]:
    """An empty figure, under the settings it is to be drawn with."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Pictures need matplotlib: pip install 'speechbrain_mtl[plots]'"
        ) from error
    with matplotlib.rc_context({**_style(colors), **settings}):
        yield Figure(figsize=(WIDTH, height), layout="constrained")


def _style(colors: Colors) -> dict[str, Any]:
    """Settings of matplotlib."""
    return {
        "svg.fonttype": "none",
        "font.size": 10,
        "text.color": colors.ink,
        "text.parse_math": False,  # a task may be named f_0 or cost$
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlecolor": colors.ink,
        "axes.titlepad": 8,
        "axes.labelcolor": colors.muted,
        "axes.edgecolor": colors.grid,
        "axes.facecolor": "none",
        "axes.axisbelow": True,
        "axes.spines.left": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "grid.color": colors.grid,
        "grid.linewidth": 0.8,
        "xtick.labelcolor": colors.muted,
        "ytick.labelcolor": colors.ink,
        "xtick.bottom": False,
        "ytick.left": False,
        "lines.solid_capstyle": "round",
        "figure.facecolor": "none",
    }


def _for_page(svg: str, name: str) -> str:
    """Fit an SVG into a page: its colours, its width, its name."""
    svg = svg[svg.index("<svg") :]
    for color, variable in VARIABLES.items():
        svg = svg.replace(color, variable)
    # Groups bear ids that repeat from picture to picture; nothing asks.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    size = re.compile(r' width="[\d.]+pt" height="[\d.]+pt"')
    return size.sub(f' role="img" aria-label="{name}"', svg, count=1)
