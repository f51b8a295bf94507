"""Small pictures beside figures: a row of columns, a line. SVG as text, pure; colours are the stylesheet's.

They have no axes, labels or names: they are said in words to who cannot see them, and stand in figures beside them.
Pictures that stand for themselves are `app.charts`; the two have nothing in common but the form.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

STEP, HIGH = 6, 28
"""Width of a place, and the height of a picture."""
LEAST = 1.5
"""Height of a column that is not nothing: one of 500 is seen too."""


def columns(numbers: Sequence[float | None], told: str, *, width: int = STEP, least: int = 0) -> Markup:
    """A column a number, the latest at the right; None is a dot: nothing was asked. `told` says it in words.

    There is room for `least` of them, so that few are not drawn as giants.
    """
    most = max((n for n in numbers if n), default=0) or 1
    first = max(0, least - len(numbers))
    drawn = (_column((first + i) * width, n, most, width) for i, n in enumerate(numbers))
    return _svg((first + len(numbers)) * width, told, "".join(drawn))


def line(shares: Sequence[float], told: str, *, width: int = STEP) -> Markup:
    """A line of shares from 0 to 1, the latest at the right."""
    ups = [HIGH - 2 - (HIGH - 4) * min(1.0, max(0.0, share)) for share in shares]
    places = [f"{i * width + width / 2:g},{up:.1f}" for i, up in enumerate(ups)]
    inside = f'<line class="ground" x1="0" y1="{HIGH - 1}" x2="{len(shares) * width}" y2="{HIGH - 1}"/>'
    if len(places) > 1:
        inside += f'<polyline points="{" ".join(places)}"/>'
    if places:
        inside += f'<circle cx="{len(shares) * width - width / 2:g}" cy="{ups[-1]:.1f}" r="2"/>'
    return _svg(len(shares) * width, told, inside)


def _column(x: float, number: float | None, most: float, width: int) -> str:
    if number is None:
        return f'<circle class="none" cx="{x + width / 2:g}" cy="{HIGH - 2}" r="1"/>'
    high = max(LEAST, HIGH * number / most) if number > 0 else 0.75
    kind = ' class="ground"' if number <= 0 else ""
    return f'<rect{kind} x="{x:g}" y="{HIGH - high:.1f}" width="{max(1, width - 2)}" height="{high:.1f}"/>'


def _svg(width: int, told: str, inside: str) -> Markup:
    wide = max(1, width)
    size = f'viewBox="0 0 {wide} {HIGH}" width="{wide}" height="{HIGH}" preserveAspectRatio="xMaxYMax"'
    drawn = Markup(f"{size}>{inside}</svg>")  # noqa: S704 - numbers alone
    return Markup('<svg class="spark" role="img" aria-label="{}" ').format(told) + drawn
