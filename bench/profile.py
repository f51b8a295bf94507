"""Where the CPU of a crawl goes: `python -m bench.profile [FOLDER...] [--pages N] [--readers N] [--functions N]`.

The site of the benchmarks is crawled as a user does it. In each of the crawl's processes a timer of CPU time
takes the stack at every tick of the kernel's clock, mostly 250 times a second. A sample counts for a part of the house:
that of the innermost function of ours on the stack. Printed: CPU ms a page of every part, and the functions in which
most samples were taken, with what they call in C.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.loopback import leave_the_network
from bench.measure import measure
from bench.programs import OURS, environment, watchfloor
from bench.site import ROOT
from bench.static import served

SAMPLER = """
import atexit, os, signal, sys
path = sys.argv.pop(1)
def sample(_, frame):
    stack = []
    while frame:
        stack.append(f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(out, ("|".join(stack) + "\\n").encode())
    os.close(out)
def begin():
    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
os.register_at_fork(after_in_child=begin)
atexit.register(signal.setitimer, signal.ITIMER_PROF, 0)
begin()
from crawler import workers
readers = int(sys.argv.pop(1))
workers.usual_count = lambda: readers
from app.cli.main import main
sys.exit(main())
"""
"""Runs in the crawl's process. A reader closes what it did not open itself, so that the file is opened each time."""
IMPORTING = "<frozen importlib._bootstrap>"
LIBRARIES = "Scrapy, Twisted and asyncio"
PARTS = {
    "crawler/cleaning/comments": "comments",
    "crawler/cleaning/page.py": "parsing, the index of elements",
    "crawler/cleaning/index.py": "parsing, the index of elements",
    "crawler/cleaning/charsets.py": "parsing, the index of elements",
    "crawler/markup.py": "parsing, the index of elements",
    "crawler/cleaning": "article: metadata and body",
    "crawler/reading.py": "freeing what was parsed",
    "crawler/routes.py": "ways to further comments",
    "crawler/imports": "ways to further comments",
    "crawler/workers.py": "handing pages to readers",
    "crawler/spiders": LIBRARIES,
    "crawler": "asking politely, counting, reporting",
    "pipelines/stories.py": "stories",
    "pipelines/overlap.py": "stories",
    "db/stories.py": "stories",
    "pipelines": "normalising, comparing",
    "moderation": "verdicts",
    "db/archive.py": "archive",
    "db": "database and search index",
    "app": LIBRARIES,
}
"""By the beginning of the path of a file of ours; the first that fits."""


class Samples(NamedTuple):
    """What was seen of one crawl."""

    stacks: list[list[str]]
    """`file:function`, the innermost first."""
    pages: int
    cpu: float
    """Seconds, of all its processes."""


def main() -> int:
    """Prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--readers", type=int, default=2, help="0: the run reads the pages itself")
    parser.add_argument("--functions", type=int, default=20)
    given = parser.parse_args()
    leave_the_network()
    try:
        print("\n".join(tables(sampled(given.folders, given.pages, given.readers), given.functions)))
    except ValueError as e:
        print(f"profile: {e}", file=sys.stderr)
        return 2
    return 0


def sampled(folders: Sequence[Path], pages: int, readers: int) -> Samples:
    """One crawl of a site of so many pages, with stacks. Raises `ValueError` where there is nothing to crawl."""
    with served(folders, pages) as site, tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        seen = Path(scratch) / "stacks"
        arguments = watchfloor(site, Path(scratch))[len(OURS) :]
        done = measure(
            [sys.executable, "-c", SAMPLER, str(seen), str(readers), *arguments], folder=ROOT, env=environment()
        )
        if done.code:
            raise ValueError(f"the crawl ended with {done.code}")
        return Samples([line.split("|") for line in seen.read_text("utf-8").splitlines()], pages, done.cpu)


def tables(samples: Samples, functions: int) -> Iterator[str]:
    """The two tables, as Markdown."""
    each = 1000 * samples.cpu / samples.pages
    yield f"{samples.pages} pages, {each:.1f} ms of CPU each, {len(samples.stacks)} samples\n"
    yield from _table("part", map(_part, samples.stacks), each, len(PARTS))
    yield ""
    yield from _table("function", (_short(stack[0]) for stack in samples.stacks), each, functions)


def _table(what: str, seen: Iterable[str], each: float, most: int) -> Iterator[str]:
    counted = Counter(seen)
    yield f"| {what} | CPU ms a page | share |\n|---|---|---|"
    for name, number in counted.most_common(most):
        share = number / counted.total()
        yield f"| {name} | {share * each:.2f} | {100 * share:.1f} % |"


def _part(stack: list[str]) -> str:
    if any(IMPORTING in frame for frame in stack):
        return "start: imports"
    ours = next((short for frame in stack if (short := _ours(frame))), "")
    return next((part for beginning, part in PARTS.items() if ours.startswith(beginning)), LIBRARIES)


def _ours(frame: str) -> str:
    """The frame from the project's root on; empty for a library's."""
    return frame.removeprefix(f"{ROOT}/") if frame.startswith(f"{ROOT}/") and "/site-packages/" not in frame else ""


def _short(frame: str) -> str:
    return _ours(frame) or "/".join(frame.rpartition("site-packages/")[2].rsplit("/", 2)[-2:])


if __name__ == "__main__":
    sys.exit(main())
