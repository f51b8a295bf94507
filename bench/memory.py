"""Memory over a long crawl: `python -m bench.memory [FOLDER...] [--pages 20000]`.

All processes of the crawl together, pages that they share counted in each, looked at once a second; beside it how many
articles were stored by then. What is wanted: no more at the end than after the first twentieth.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.loopback import leave_the_network
from bench.measure import memory
from bench.programs import environment, watchfloor
from bench.site import ROOT
from bench.static import Served, served

EVERY_SECONDS = 1.0
SETTLED = 0.05
"""Of the pages, from which on memory is to be flat: of 20,000 the first 1,000."""
ROWS = 10
"""Of the table."""
GROWTH = 0.1
"""At most, from there to the end, by the line that fits best: what chance leaves of the size of single pages."""


class Point(NamedTuple):
    """One look."""

    articles: int
    megabytes: float


def crawled(site: Served) -> list[Point]:
    """A crawl of the whole site, as it was seen. Raises `ValueError` when it broke."""
    points: list[Point] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        db, command = Path(scratch) / "bench.db", watchfloor(site, Path(scratch))
        with subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL) as crawl:
            while crawl.poll() is None:
                points.append(Point(_stored(db), memory(crawl.pid)))
                _progress(points, site.pages)
                time.sleep(EVERY_SECONDS)
        if crawl.returncode or _stored(db) < site.pages:
            raise ValueError(f"the crawl ended with {crawl.returncode} after {_stored(db)} of {site.pages} pages")
    return points


def _stored(db: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=0.2)) as reader:
            return reader.execute("SELECT max(id) FROM articles").fetchone()[0] or 0
    except sqlite3.Error:
        return 0


def _progress(points: Sequence[Point], pages: int) -> None:
    if len(points) % 60 == 0:
        print(f"memory: {points[-1].articles} of {pages}, {points[-1].megabytes:.0f} MB", file=sys.stderr, flush=True)


def slope(points: Sequence[Point]) -> float:
    """Megabytes more for each article: of the line that fits best."""
    if len({point.articles for point in points}) < 2:
        return 0.0
    articles, megabytes = zip(*points, strict=True)
    return statistics.linear_regression(articles, megabytes).slope


def table(points: Sequence[Point], pages: int) -> str:
    """Markdown: medians of the looks around some numbers of articles, and by how much it grows. What is seen when all
    are stored and the processes end one by one does not count."""
    return "\n".join(_lines(points, pages))


def _lines(points: Sequence[Point], pages: int) -> Iterator[str]:
    yield "| articles stored | MB, median | MB, most |\n|---|---|---|"
    working = [point for point in points if point.articles < pages] or list(points)
    for low, high in _steps(pages):
        near = [point.megabytes for point in working if low < point.articles <= high]
        if near:
            yield f"| {low:,} to {high:,} | {statistics.median(near):.0f} | {max(near):.0f} |"
    settled = [point for point in working if point.articles >= SETTLED * pages]
    more, usual = slope(settled), statistics.median(point.megabytes for point in settled or working)
    growth = more * (1 - SETTLED) * pages / usual
    yield (
        f"\nFrom article {SETTLED * pages:,.0f} to the end it grows by {1000 * more:.2f} MB for 1,000 articles, "
        f"{100 * growth:.1f} % in all: {'flat' if growth <= GROWTH else '**not flat**'}. "
        f"Most at any moment: {max(point.megabytes for point in points):.0f} MB."
    )


def _steps(pages: int) -> Iterator[tuple[int, int]]:
    """From 0 to the settled part, then equal steps."""
    edges = [0, round(SETTLED * pages), *(round(pages * at / ROWS) for at in range(1, ROWS + 1))]
    return pairwise(edges)


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; 2 when there is nothing to crawl or the crawl broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--pages", type=int, default=20_000)
    given = parser.parse_args(arguments)
    leave_the_network()
    try:
        with served(given.folders, given.pages) as site:
            print(f"{given.pages} pages of {site.mean_bytes / 1000:.0f} KB, {os.cpu_count()} cores\n")
            print(table(crawled(site), given.pages))
    except ValueError as e:
        print(f"memory: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
