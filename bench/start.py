"""What watchfloor costs before it does anything: `python -m bench.start [FOLDER...] [--db FILE] [--repeats 5]`.

A crawl of a site of one article, from its start to its end; `--help`; `latest` on a large database (FILE, one that
`python -m bench.db --keep FILE` made; read only). Medians of the wall and CPU time of whole processes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.crawl import aim, crawl
from bench.loopback import leave_the_network
from bench.measure import Measured, measure
from bench.programs import OURS, WATCHFLOOR, environment
from bench.site import ROOT
from bench.static import served
from db.connect import open_reader

FIRST_SECONDS, HELP_SECONDS, LATEST_SECONDS = 2.5, 0.25, 0.4
"""Wanted: of CPU; of both; of wall time."""


def table(folders: Sequence[Path], db: Path | None, repeats: int) -> str:
    """Markdown. Raises `ValueError` where there is nothing to crawl, or a command broke."""
    return "\n".join(_lines(folders, db, repeats))


def _lines(folders: Sequence[Path], db: Path | None, repeats: int) -> Iterator[str]:
    yield "| | wall s | CPU s | peak MB | wanted | holds |\n|---|---|---|---|---|---|"
    with served(folders, 1) as site:
        crawls = [crawl(WATCHFLOOR, site) for _ in range(repeats)]
    if not all(each.articles for each in crawls):
        raise ValueError("a crawl did not store its article")
    first = [each.done for each in crawls]
    yield _line("a crawl of one page, start to end", first, "CPU", FIRST_SECONDS)
    helped = _medians(["--help"], repeats)
    yield _line("`--help`", helped, "wall and CPU", HELP_SECONDS)
    if db:
        said = f"`latest`, {_articles(db):,} articles"
        yield _line(said, _medians(["latest", "--db", str(db)], repeats), "wall", LATEST_SECONDS)


def _medians(arguments: list[str], repeats: int) -> list[Measured]:
    runs = [measure([*OURS, *arguments], folder=ROOT, env=environment()) for _ in range(repeats)]
    if any(run.code for run in runs):
        raise ValueError(f"watchfloor {' '.join(arguments)}: exit codes {[run.code for run in runs]}")
    return runs


def _line(name: str, runs: Sequence[Measured], of: str, most: float) -> str:
    median: Callable[[str], float] = lambda what: statistics.median(getattr(run, what) for run in runs)  # noqa: E731
    wall, cpu = median("wall"), median("cpu")
    worst = {"CPU": cpu, "wall": wall}.get(of, max(wall, cpu))
    return f"| {name} | {wall:.2f} | {cpu:.2f} | {median('peak'):.0f} {aim(f'{of} ≤ {most} s', '', worst <= most)}"


def _articles(db: Path) -> int:
    with open_reader(db).conn as reader:
        return int(reader.execute("SELECT count(*) FROM articles").fetchone()[0])


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; 2 when there is nothing to measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--db", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args(arguments)
    leave_the_network()
    try:
        print(table(given.folders, given.db, given.repeats))
    except (OSError, ValueError) as e:
        print(f"start: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
