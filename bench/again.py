"""A second crawl of a site where nothing has changed: `python -m bench.again [FOLDER...] [--pages 400] [--repeats 3]`.

For a site that tells so by `lastmod` in its sitemaps, and for one that tells it by receipts (ETag and Last-Modified,
which give 304). What a crawl costs before its first article is taken off both crawls: it is what a second crawl of
a site of one article costs. Medians of CPU time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.loopback import leave_the_network
from bench.measure import measure
from bench.programs import environment, watchfloor
from bench.site import ROOT
from bench.static import Served, served

WANTED = {"lastmod": 0.15, "receipts": 0.5}
"""At most, of the first crawl."""
NAMES = {"lastmod": "`lastmod` in its sitemaps", "receipts": "ETag and Last-Modified (304)"}


class Twice(NamedTuple):
    """Two crawls, one after the other."""

    first: float
    """CPU seconds."""
    second: float
    asked: int
    """Articles that the second asked for."""
    told: int
    """Of them, those that had not changed."""


def twice(site: Served) -> Twice:
    """Crawls the site, and crawls it again. Raises `ValueError` when a crawl broke."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        command, spent = watchfloor(site, Path(scratch)), []
        for _ in range(2):
            site.asked()
            done = measure(command, folder=ROOT, env=environment())
            if done.code:
                raise ValueError(f"the crawl ended with {done.code}")
            spent.append(done.cpu)
        asked = site.asked()
    articles = {status: number for status, number in asked.items() if status != "other"}
    return Twice(spent[0], spent[1], sum(articles.values()), articles.get("304", 0))


def table(folders: Sequence[Path], pages: int, repeats: int) -> str:
    """Markdown. Raises `ValueError` where there is nothing to crawl."""
    columns = [f"{pages} pages; the site tells by", "first, CPU s", "second, CPU s", "start, CPU s", "asked for · 304"]
    columns += ["second beside first, beyond start", "wanted", "holds"]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *(_line(folders, pages, repeats, tells) for tells in WANTED)])


def _line(folders: Sequence[Path], pages: int, repeats: int, tells: str) -> str:
    with served(folders, 1, tells=tells) as site:
        start = statistics.median(twice(site).second for _ in range(repeats))
    with served(folders, pages, tells=tells) as site:
        runs = [twice(site) for _ in range(repeats)]
    first, second = statistics.median(run.first for run in runs), statistics.median(run.second for run in runs)
    share, asked = (second - start) / (first - start), f"{runs[-1].asked} · {runs[-1].told}"
    holds = "yes" if share <= WANTED[tells] else "**no**"
    figures = f"{first:.2f} | {second:.2f} | {start:.2f} | {asked} | {share:.2f}"
    return f"| {NAMES[tells]} | {figures} | ≤ {WANTED[tells]} | {holds} |"


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; 2 when there is nothing to measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args(arguments)
    leave_the_network()
    try:
        print(table(given.folders, given.pages, given.repeats))
    except ValueError as e:
        print(f"again: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
