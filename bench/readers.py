"""What child processes cost and save: `python -m bench.readers [FOLDER...] [--pages 400,20] [--repeats 3]`.

The same site is crawled by the run itself (0 readers) and by 1 and 2 readers, in turn. Printed: medians of wall and CPU
seconds of a whole crawl, its start and end included, with the CPU of all its processes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.loopback import leave_the_network
from bench.measure import Measured, measure
from bench.programs import OURS, environment, watchfloor
from bench.site import ROOT
from bench.static import Served, served

COUNTS = (0, 1, 2)
PROGRAM = """
import sys
from crawler import workers
readers = int(sys.argv.pop(1))
workers.usual_count = lambda: readers
from app.cli.main import main
sys.exit(main())
"""


def table(folders: Sequence[Path], sizes: Sequence[int], repeats: int) -> str:
    """Markdown. Raises `ValueError` where there is nothing to crawl, or a crawl broke."""
    return "\n".join(_lines(folders, sizes, repeats))


def _lines(folders: Sequence[Path], sizes: Sequence[int], repeats: int) -> Iterator[str]:
    yield "| pages | readers | wall s | CPU s |\n|---|---|---|---|"
    for pages in sizes:
        runs: dict[int, list[Measured]] = {count: [] for count in COUNTS}
        with served(folders, pages) as site:
            for _ in range(repeats):
                for count, among in runs.items():
                    among.append(_crawl(site, count))
        for count, among in runs.items():
            wall, cpu = (statistics.median(figures) for figures in zip(*((r.wall, r.cpu) for r in among), strict=True))
            yield f"| {pages} | {count} | {wall:.2f} | {cpu:.2f} |"


def _crawl(site: Served, readers: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        arguments = watchfloor(site, Path(scratch))[len(OURS) :]
        command = [sys.executable, "-c", PROGRAM, str(readers), *arguments]
        done = measure(command, folder=ROOT, env=environment())
    if done.code:
        raise ValueError(f"the crawl ended with {done.code}")
    return done


def main() -> int:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--pages", default="400,20")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    leave_the_network()
    try:
        print(table(given.folders, [int(number) for number in given.pages.split(",")], given.repeats))
    except ValueError as e:
        print(f"readers: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
