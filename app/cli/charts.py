"""Numbers as pictures made of characters. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.:-=+*#"
"""For terminals that cannot show the others."""
WIDTH = 50
"""Characters of the longest bar."""
LINES = 40
"""Lines of one picture."""


def sparkline(numbers: Sequence[float], *, ascii_only: bool = False) -> str:
    """One character a number; the highest stands for the largest."""
    marks, most = ASCII_BARS if ascii_only else BARS, max(numbers, default=0) or 1
    return "".join(marks[round((len(marks) - 1) * max(0, number) / most)] for number in numbers)


def bars(labels: Sequence[str], numbers: Sequence[float], *, ascii_only: bool = False) -> Iterator[str]:
    """A line for each label, with a bar as long as its number."""
    mark = "#" if ascii_only else "█"
    width = max(map(len, labels[:LINES]), default=0)
    most = max(numbers, default=0) or 1
    for label, number in zip(labels[:LINES], numbers, strict=False):
        yield f"{label:<{width}}  {mark * round(WIDTH * max(0, number) / most):<{WIDTH}}  {number:,g}"
    if len(labels) > LINES:
        yield f"and {len(labels) - LINES} more"


def series(points: Sequence[tuple[str, str, float]], *, ascii_only: bool = False) -> Iterator[str]:
    """A line for each name, the largest sum first; `points` are (x, name, y), and x runs from left to right."""
    steps = sorted({x for x, _, _ in points})
    sums: dict[str, dict[str, float]] = {}
    for x, name, y in points:
        line = sums.setdefault(name, dict.fromkeys(steps, 0.0))
        line[x] += y
    ranked = sorted(sums, key=lambda name: (-sum(sums[name].values()), name))
    width = max(map(len, ranked[:LINES]), default=0)
    if steps:
        yield f"{'':<{width}}  {steps[0]} – {steps[-1]}" if len(steps) > 1 else f"{'':<{width}}  {steps[0]}"
    for name in ranked[:LINES]:
        numbers = list(sums[name].values())
        yield f"{name:<{width}}  {sparkline(numbers, ascii_only=ascii_only)}  {sum(numbers):,g}"
    if len(ranked) > LINES:
        yield f"and {len(ranked) - LINES} more"
