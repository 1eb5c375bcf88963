"""Pieces of HTML that sections are put together from."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from speechbrain_mtl.report.style import CSS

ABSENT = '<span class="absent">not measured</span>'


def document(title: str, body: str) -> str:
    """A whole page with its look inside it."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A heading and what follows it."""
    return f"<section><h2>{title}</h2>{''.join(parts)}</section>"


def figure(svg: str, caption: str) -> str:
    """A picture with its caption."""
    body = svg or f"<p>{ABSENT}</p>"
    return f"<figure>{body}<figcaption>{caption}</figcaption></figure>"


def table(heads: Iterable[str], rows: Iterable[str]) -> str:
    """A table; heads may bring their own th element."""
    cells = [h if h.startswith("<th") else f"<th>{h}</th>" for h in heads]
    return (
        f'<div class="scroll"><table><thead><tr>{"".join(cells)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def fact_list(facts: Mapping[str, Any], title: str) -> str:
    """Names and values; nested ones with a dot, deeper ones on one line."""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in _flat(facts)
    )
    heading = f"<h3>{title}</h3>" if title and rows else ""
    return f"{heading}<dl>{rows}</dl>" if rows else ""


def _flat(facts: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Facts and the facts inside them, as names and texts."""
    for name, value in facts.items():
        if isinstance(value, Mapping):
            for inner, item in value.items():
                yield f"{name}.{inner}", _text(item)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    """Any JSON value on one line."""
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def bars(values: Mapping[str, float], digits: int = 3) -> str:
    """Numbers as bars whose lengths compare."""
    top = max(values.values())
    rows = "".join(
        f"<span>{escape(name)}</span><i style='--part:{value / top:.4f}'></i>"
        f"<b>{value:,.{digits}f}</b>"
        for name, value in values.items()
    )
    return f'<div class="weights">{rows}</div>'


def number_tiles(*tiles: tuple[str, str]) -> str:
    """Numbers worth seeing first, each over its name."""
    cells = "".join(
        f"<div><b>{value}</b><span>{name}</span></div>" for name, value in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def number(value: float | None, digits: int, unit: str = "") -> str:
    """A number with thousands parted, or that there is none."""
    return ABSENT if value is None else f"{value:,.{digits}f}{unit}"


def significant(value: float | None) -> str:
    """A number of any size with three digits."""
    return ABSENT if value is None else f"{value:#.3g}".rstrip(".")
