"""A sheet to draw on, turned into SVG that takes its colours from the page."""

import contextlib
import io
import re

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


class Picture:
    """A figure in the page's style.

    Arguments
    ---------
    name : str
        What it shows, for readers who hear the page.
    height : float
        Inches.

    Example
    -------
    >>> with Picture("a line", 2.0) as picture:
    ...     _ = picture.figure.subplots().plot([0, 1], color=INK)
    >>> picture.svg[:4], "var(--ink)" in picture.svg, INK in picture.svg
    ('<svg', True, False)
    """

    def __init__(self, name: str, height: float) -> None:
        try:
            import matplotlib
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError(
                "Pictures need matplotlib: pip install 'speechbrain_mtl[plots]'"
            ) from error
        self.name = name
        self.svg = ""
        # The salt keeps ids apart between the pictures of a page, and equal
        # from one writing of the page to the next.
        style = matplotlib.rc_context({**STYLE, "svg.hashsalt": name})
        with contextlib.ExitStack() as stack:
            stack.enter_context(style)
            self.figure = Figure(figsize=(WIDTH, height), layout="constrained")
            self._style = stack.pop_all()

    def __enter__(self) -> "Picture":
        return self

    def __exit__(self, kind: type | None, *error: object) -> None:
        with self._style:
            if kind is None:
                text = io.StringIO()
                self.figure.savefig(text, format="svg", metadata={"Date": None})
                self.svg = self._for_page(text.getvalue())

    def _for_page(self, svg: str) -> str:
        """Fit the SVG into a page: its colours, its width, its name."""
        svg = svg[svg.index("<svg") :]
        for color, variable in VARIABLES.items():
            svg = svg.replace(color, variable)
        # Groups bear ids that repeat from picture to picture; nothing asks.
        svg = re.sub(r'<g id="[^"]*"', "<g", svg)
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        size = re.compile(r' width="[\d.]+pt" height="[\d.]+pt"')
        return size.sub(f' role="img" aria-label="{self.name}"', svg, count=1)
