"""The answers of the query pack as pictures with axes, labels and a legend: SVG to be put into a page.

Pure; no script, no style of its own, every text escaped. Colours are classes (`chart-0` to `chart-7`, `chart-axis`,
`chart-text`): a page's stylesheet has light and dark. The table beside a picture says the same in figures; a screen
reader gets title and summary. Small pictures beside figures, which have none of that, are `app.web.sparks`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from db.queries import Chart

WIDTH = 760
"""Units of a picture's width; a page scales it."""
BAR, GAP, LABEL = 18, 6, 190
"""Height of a bar, space between two, room for their labels."""
BARS = 40
"""Bars of one picture; what is beyond is counted."""
HEIGHT, TOP, LEFT, BOTTOM = 280, 12, 54, 30
"""Of a series: the whole, and the room round its field."""
LINES = 8
"""Lines that eyes can tell apart; the largest sums get them, the others are counted."""
TICKS = 6
"""Labels along the time axis."""
WEEK = re.compile(r"[12]\d{3}-(?:[0-4]\d|5[0-3])", re.ASCII)
"""A week as SQLite's `strftime('%Y-%W')` spells it."""
WEEKS = 520
"""Ten years: more weeks are not told apart in a picture."""
LARGEST = 10**15
"""Of a number: beyond it sums are no longer exact, and no picture tells anything."""
LETTERS = 28
"""Of a label."""
CHARACTER = 7
"""Width of a character of a legend, nearly."""


def picture(chart: Chart, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Markup:
    """The picture of a query's answer; empty when there is nothing to draw, or a column of the chart is missing."""
    needed = [chart.x, chart.y, *([chart.by] if chart.by else [])]
    if not all(name in columns for name in needed):
        return Markup("")
    place = {name: columns.index(name) for name in needed}
    points = [
        (row[place[chart.x]], str(row[place[chart.by]]) if chart.by else chart.y, _number(row[place[chart.y]]))
        for row in rows
    ]
    if not points:
        return Markup("")
    draw = _bars if chart.kind == "bars" else _series
    return draw(points, title, chart)


def _bars(points: list[tuple[Any, str, float]], title: str, chart: Chart) -> Markup:
    sums: dict[str, float] = {}
    for x, _, y in points:
        sums[str(x)] = sums.get(str(x), 0.0) + y
    kept = list(sums.items())[:BARS]
    most = max(max(sums.values()), 0) or 1
    room = WIDTH - LABEL - 70
    parts = []
    for i, (label, number) in enumerate(kept):
        y, width = i * (BAR + GAP), round(room * max(0.0, number) / most, 1)
        parts += [
            _text(LABEL - 8, y + 13, _short(label), "end"),
            _tag("rect", x=LABEL, y=y, width=width, height=BAR, rx=2, class_="chart-0"),
            _text(LABEL + width + 6, y + 13, _figure(number)),
        ]
    height = len(kept) * (BAR + GAP)
    if len(sums) > BARS:
        parts.append(_text(LABEL, height + 14, f"and {len(sums) - BARS} more"))
        height += 22
    top = max(sums, key=lambda label: sums[label])
    summary = f"{chart.y} by {chart.x}: {len(sums)} bars, the longest {_figure(sums[top])} for {_short(top)}."
    return _svg(height, title, summary, parts)


def _series(points: list[tuple[Any, str, float]], title: str, chart: Chart) -> Markup:
    steps = _steps(x for x, _, _ in points)
    sums: dict[str, dict[Any, float]] = {}
    for x, name, y in points:
        line = sums.setdefault(name, dict.fromkeys(steps, 0.0))
        line[x] += y
    ranked = sorted(sums, key=lambda name: (-sum(sums[name].values()), name))
    kept = ranked[:LINES]
    most = max(max(sums[name].values()) for name in kept) or 1
    legend, legend_height = _legend(kept, len(ranked) - len(kept)) if chart.by else ([], 0)
    parts = [
        *_axes(steps, most),
        *(_line(sums[name].values(), most, i) for i, name in enumerate(kept)),
        *legend,
    ]
    span = f"from {steps[0]} to {steps[-1]}" if len(steps) > 1 else f"at {steps[0]}"
    names = f"; most: {', '.join(map(_short, kept[:3]))}" if chart.by else ""
    return _svg(HEIGHT + legend_height, title, f"{chart.y} {span}, at most {_figure(most)}{names}.", parts)


def _steps(values: Iterable[Any]) -> list[Any]:
    """The x values from left to right: numbers by size, texts by spelling (times are spelled so)."""
    different = set(values)
    if all(isinstance(value, int | float) for value in different):
        return sorted(different)
    texts = sorted(different, key=str)
    return sorted({*texts, *_weeks(str(texts[0]), str(texts[-1]))}, key=str)


def _weeks(first: str, last: str) -> list[str]:
    """The weeks (`%Y-%W`) between two: one in which nothing happened is a place on the axis too."""
    if not (WEEK.fullmatch(first) and WEEK.fullmatch(last)):
        return []
    day, end = (datetime.strptime(f"{week}-1", "%Y-%W-%w") for week in (first, last))
    return [f"{day + timedelta(weeks=i):%Y-%W}" for i in range(min((end - day).days // 7, WEEKS))]


def _line(numbers: Iterable[float], most: float, number: int) -> Markup:
    ys = list(numbers)
    places = [(_across(i, len(ys)), _up(y, most)) for i, y in enumerate(ys)]
    if len(places) == 1:
        return _tag("circle", cx=places[0][0], cy=places[0][1], r=4, class_=f"chart-{number}")
    path = " ".join(f"{x},{y}" for x, y in places)
    return _tag("polyline", points=path, class_=f"chart-line chart-line-{number}")


def _axes(steps: list[Any], most: float) -> Iterator[Markup]:
    for share in (0.0, 0.5, 1.0):
        y = _up(most * share, most)
        yield _tag("line", x1=LEFT, y1=y, x2=WIDTH - 8, y2=y, class_="chart-axis")
        yield _text(LEFT - 8, y + 4, _figure(most * share), "end")
    every = max(1, -(-len(steps) // TICKS))
    for i in range(0, len(steps), every):
        anchor = "start" if not i else "end" if i == len(steps) - 1 else "middle"
        yield _text(_across(i, len(steps)), HEIGHT - 8, str(steps[i])[:10], anchor)


def _legend(names: list[str], others: int) -> tuple[list[Markup], int]:
    """Names beside their colours, in as many lines as they need."""
    parts: list[Markup] = []
    x, y = LEFT, HEIGHT + 14
    said = [*map(_short, names), *([f"and {others} more"] if others else [])]
    for i, name in enumerate(said):
        width = 24 + CHARACTER * len(name)
        if x + width > WIDTH and x > LEFT:
            x, y = LEFT, y + 20
        if i < len(names):
            parts.append(_tag("rect", x=x, y=y - 9, width=10, height=10, rx=2, class_=f"chart-{i}"))
        parts.append(_text(x + 15, y, name))
        x += width + 10
    return parts, y + 8 - HEIGHT


def _across(i: int, steps: int) -> float:
    return round(LEFT + (WIDTH - LEFT - 20) * (i / (steps - 1) if steps > 1 else 0.5), 1)


def _up(number: float, most: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - max(0.0, number) / most), 1)


def _svg(height: float, title: str, summary: str, parts: Iterable[Markup]) -> Markup:
    opening = Markup('<svg class="chart" role="img" viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg">').format(
        WIDTH, round(height)
    )
    heads = Markup("<title>{}</title><desc>{}</desc>").format(title, summary)
    return Markup("").join((opening, heads, *parts, Markup("</svg>")))


def _tag(name: str, **attributes: Any) -> Markup:
    listed = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_"), value) for key, value in sorted(attributes.items())
    )
    return Markup("<{}{}/>").format(Markup(name), listed)  # noqa: S704 - the name is our own


def _text(x: float, y: float, text: str, anchor: str = "start") -> Markup:
    return Markup('<text class="chart-text" x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number == round(number) else f"{number:,.2f}"


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or math.isnan(value):
        return 0.0
    return float(max(-LARGEST, min(LARGEST, value)))
