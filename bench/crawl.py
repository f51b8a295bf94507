"""A whole crawl by watchfloor and by its peers, on one site of this machine: what an article costs.

    python -m bench.crawl [FOLDER...] [--pages 400] [--repeats 3] [--only NAME...]

The programs run in turn, each anew for every repeat, after one crawl of a single article that tells what they cost
before the first. Medians are printed, and what each really stored. As root all of it runs in a network that ends at
this machine. The folders hold saved pages (`bench.site`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.loopback import leave_the_network
from bench.measure import Measured, measure
from bench.programs import RIVALS, WATCHFLOOR, Program, environment, stored
from bench.site import ROOT
from bench.static import Served, served

WITHOUT_PORT = "127.0.0.2:80"
SECONDS_A_PAGE, SECONDS = 2.0, 300.0
"""Of wall time, from which on a program is ended."""
MOST_MS, MOST_MEGABYTES = 30.0, 400.0
"""Wanted of watchfloor: CPU an article, and memory of all its processes."""
SHARES = {"Scrapy": 0.35, "newspaper4k": 0.25, "news-please": 0.1}
"""Wanted of watchfloor's CPU an article beside that of each peer whose name begins so."""


@dataclass(slots=True)
class Runs:
    """All that one program did."""

    program: Program
    first: list[Measured] = field(default_factory=list)
    """Crawls of a single article."""
    whole: list[Measured] = field(default_factory=list)
    articles: int = 0
    """Stored, in the poorest crawl."""
    texts: int = 0
    """Of them with a text."""
    why_not: str = ""

    def cpu(self) -> float:
        """Seconds of a whole crawl."""
        return statistics.median(run.cpu for run in self.whole)

    def wall(self) -> float:
        """Seconds of a whole crawl."""
        return statistics.median(run.wall for run in self.whole)

    def peak(self) -> float:
        """Megabytes."""
        return max(run.peak for run in self.whole)

    def each(self) -> float:
        """CPU milliseconds of an article that was stored."""
        return 1000 * self.cpu() / max(self.articles, 1)

    def beyond(self) -> float:
        """CPU milliseconds of each article but the first."""
        return 1000 * (self.cpu() - statistics.median(run.cpu for run in self.first)) / max(self.articles - 1, 1)


def compare(
    folders: Sequence[Path], pages: int, repeats: int, programs: Sequence[Program]
) -> tuple[list[Runs], Served]:
    """All runs, and the site they saw. Raises `ValueError` where the site cannot be served."""
    runs = [Runs(program) for program in programs]
    with served(folders, pages, also=WITHOUT_PORT) as site:
        for one in runs:
            one.why_not = one.program.missing(site)
    able = [one for one in runs if not one.why_not]
    with served(folders, 1, also=WITHOUT_PORT) as site:
        for one in able:
            _note(one, site, one.first)
    with served(folders, pages, also=WITHOUT_PORT) as site:
        for _ in range(repeats):
            for one in able:
                _note(one, site, one.whole)
        return runs, site


def _note(runs: Runs, site: Served, among: list[Measured]) -> None:
    done, articles, texts = crawl(runs.program, site)
    runs.articles, runs.texts = (articles, texts) if not among else (
        min(runs.articles, articles),
        min(runs.texts, texts),
    )  # fmt: skip
    among.append(done)
    said = f"{done.wall:.1f} s, CPU {done.cpu:.1f} s, {done.peak:.0f} MB, exit code {done.code}"
    print(f"{runs.program.name}: {articles} of {site.pages}, {texts} with text; {said}", file=sys.stderr, flush=True)


class Crawled(NamedTuple):
    """One crawl from nothing."""

    done: Measured
    articles: int
    """Stored."""
    texts: int
    """Of them with a text."""


def crawl(program: Program, site: Served) -> Crawled:
    """Runs the program on the site, with a folder of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder, log = Path(scratch), Path(scratch) / "log.txt"
        with log.open("w") as said:
            command, timeout = program.command(site, folder), SECONDS + SECONDS_A_PAGE * site.pages
            done = measure(command, timeout=timeout, folder=ROOT, env=environment(), log=said)
        articles, texts = stored(folder)
        if articles < site.pages:
            print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
    return Crawled(done, articles, texts)


def table(runs: Sequence[Runs], site: Served) -> str:
    """Markdown: what each costs, and whether watchfloor is what it is meant to be."""
    told = [one for one in runs if one.whole]
    ours = next(one for one in told if one.program is WATCHFLOOR)
    lines = [*_costs(told, ours), "", *_aims(told, ours, site.pages), "", *_notes(runs)]
    repeats, mean = len(ours.whole), site.mean_bytes / 1000
    return "\n".join([f"{site.pages} pages of {mean:.0f} KB, medians of {repeats}.", "", *lines])


def _costs(told: Sequence[Runs], ours: Runs) -> Iterator[str]:
    yield "| | CPU ms a page | beyond start | wall s | pages a s | peak MB | stored · with text | watchfloor's CPU |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in told:
        cells = [f"{one.each():.1f}", f"{one.beyond():.1f}", f"{one.wall():.1f}"]
        cells += [f"{one.articles / one.wall():.0f}", f"{one.peak():.0f}", f"{one.articles} · {one.texts}"]
        yield f"| {one.program.name} | {' | '.join(cells)} | {ours.each() / one.each():.2f} × |"


def _aims(told: Sequence[Runs], ours: Runs, pages: int) -> Iterator[str]:
    yield "| wanted of watchfloor | is | holds |\n|---|---|---|"
    each, rivals = ours.each(), [one for one in told if one is not ours]
    yield aim(f"CPU a page ≤ {MOST_MS:.0f} ms", f"{each:.1f} ms", each <= MOST_MS)
    for one in rivals:
        for name, most in SHARES.items():
            if one.program.name.startswith(name):
                share = ours.each() / one.each()
                yield aim(f"CPU ≤ {most} of {one.program.name}", f"{share:.2f}", share <= most)
    if rivals:
        fastest = min(rivals, key=Runs.wall)
        said = f"{ours.wall():.1f} s, {fastest.program.name} {fastest.wall():.1f} s"
        yield aim("wall time ahead of every peer", said, ours.wall() < fastest.wall())
    yield aim(f"memory ≤ {MOST_MEGABYTES:.0f} MB", f"{ours.peak():.0f} MB", ours.peak() <= MOST_MEGABYTES)
    yield aim("all pages stored", f"{ours.articles} of {pages}", ours.articles == pages)


def aim(wanted: str, found: str, holds: bool) -> str:
    """The end of a row: what is wanted, what is, whether that will do."""
    return f"| {' | '.join(filter(None, (wanted, found)))} | {'yes' if holds else '**no**'} |"


def _notes(runs: Sequence[Runs]) -> Iterator[str]:
    """What was run, and what it does more or less."""
    for one in runs:
        about = one.why_not and f"not run: {one.why_not}"
        yield f"* {one.program.name}: {about or f'{one.program.versions()}; {one.program.note}'}."


def main(arguments: list[str] | None = None) -> int:
    """Prints the table. 1 when watchfloor did not store every page, 2 when there is no site to crawl."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--only", nargs="*", metavar="NAME", help="beginnings of the peers' names; none: watchfloor alone"
    )
    given = parser.parse_args(arguments)
    leave_the_network()
    wanted = tuple(given.only) if given.only is not None else ("",)
    programs = [WATCHFLOOR, *(peer for peer in RIVALS if peer.name.startswith(wanted))]
    try:
        runs, site = compare(given.folders, given.pages, given.repeats, programs)
    except ValueError as e:
        print(f"crawl: {e}", file=sys.stderr)
        return 2
    print(table(runs, site))
    return int(runs[0].articles < given.pages)


if __name__ == "__main__":
    sys.exit(main())
