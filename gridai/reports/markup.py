"""HTML from the standard library: text is escaped unless it is a piece of markup that was built here.

    tag("td", name, class_="num")        Markup('<td class="num">a &lt; b</td>')

Jinja2 would be one more package for a page without loops that a template reads better than code, and its escaping is a
switch; here a name from a stranger's case cannot become markup, because only `Markup` passes unescaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

VOID = frozenset({"meta", "img", "br", "hr"})
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that HTML forbids, and those that turn the direction of the text around them."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(value: object) -> Markup:
    """A value as HTML: markup as it is, all else as text."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(_CONTROL.sub("\ufffd", str(value)), quote=True))


def joined(parts: Iterable[object]) -> Markup:
    """Several values one after the other, each escaped."""
    return Markup("".join(escaped(part) for part in parts))


def tag(name: str, /, *content: object, **attributes: str) -> Markup:
    """An element. Attribute names may end in an underscore (class_), underscores within stand for hyphens."""
    own = "".join(f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"' for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{own}>")
    return Markup(f"<{name}{own}>{joined(content)}</{name}>")


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[int] = (), kind: str = ""
) -> Markup:
    """A table with a head that repeats on every printed page; `numbers` are the columns that stand to the right."""
    look = [{"class_": "num"} if k in numbers else {} for k in range(len(columns))]
    head = tag("tr", *(tag("th", c, scope="col", **look[k]) for k, c in enumerate(columns)))
    body = [tag("tr", *(tag("td", cell, **look[k]) for k, cell in enumerate(row))) for row in rows]
    return tag("table", tag("thead", head), tag("tbody", *body))
