"""A sheet to draw on, turned into SVG that takes its colours from the page."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 10.5  # inches; text of 10 points is then about that of the page

# Stand-ins for the page's own colours, so that one picture fits light, dark
# and print: matplotlib draws them, the SVG is then told to ask the page.
INK, MUTED, GRID, PAPER, ACCENT, CONTRAST = (
    f"#{i:02x}0000" for i in range(1, 7)
)
VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    ACCENT: "var(--accent)",
    CONTRAST: "var(--worse)",
}

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

STYLE = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # a task may be named f_0 or cost$
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 8,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "xtick.bottom": False,
    "ytick.left": False,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
}


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
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Pictures need matplotlib: pip install 'speechbrain_mtl[plots]'"
        ) from error
    # The salt keeps ids apart between the pictures of a page, and equal from
    # one writing of the page to the next.
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        sheet = Sheet(Figure(figsize=(WIDTH, height), layout="constrained"))
        yield sheet
        text = io.StringIO()
        sheet.figure.savefig(text, format="svg")
    sheet.svg = _for_page(text.getvalue(), name)


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
