"""What a run amounted to: numbers and history → report and exit code. Pure.

An exit code tells the truth. Plain Scrapy exits 0 when every page raised, when nothing came, when the site was down.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from crawler import limits
from crawler.drift import drift_problems
from crawler.items import FieldCount, Met, Past, PastRun, Problem, RunReport, SourceTally
from crawler.quarantine import failed_wholly, failures, rest, stamp
from crawler.rhythm import quiet, slow

OK = 0
TROUBLE = 1
USAGE = 2
NOTHING_WORKED = 3
DATABASE = 4
LOCKED = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""
SIGNALLED = 128
"""And the number of the signal, as shells have it: 129 hang-up, 130 Ctrl-C, 143 TERM."""

PROBLEMS = {
    "source failed": "none of its listings could be fetched or read",
    "listing failed": "some of its listings could not: a feed moved, a server in trouble",
    "feed is HTML": "an HTML page with status 200 stands where a feed or sitemap was: it moved, or a wall is there",
    "blocked": "we are kept out: 401, 403, 429, 451 or a wall against crawlers, from all listings or more pages than "
    "the share; a fact about us, the source may be well",
    "pages failed": "more pages than the share were lost otherwise: exceptions, 5xx, time-outs, saves that failed",
    "yields nothing": "its listings were read and gave no article, though they did before, or on the first visit",
    "gone quiet": "it is read well, and has had nothing new for longer than it ever paused, by far",
    "bodies missing": "articles that would have had a text have next to none, or all the same: its template changed",
    "headlines missing": "its headlines are missing, or the same on page after page",
    "dates missing": "its articles stopped having a date, or the time of day with it",
    "authors missing": "its articles stopped naming authors",
    "comments gone": "articles that had comments have none any more: another comment system, or a template",
    "template changed": "nearly all known articles that were read again changed in one way: its template did; their "
    "revisions count as the template's, not as edits",
    "more rejected": "far more of its pages than before are no articles: what its listings offer has changed",
    "slow": "each page took many times longer than it usually does",
    "cut short": "not all was asked for: the run or a host had its time, or a host gave no answers any more, or asked "
    "to be left alone; the rest waits for the next run",
    "quarantined": "it failed run after run while others answered: it rests, and is tried again ever more rarely",
    "not recorded": "some rows of the ledger could not be written: the database was busy for too long",
    "archive": "the archive could not be written to, or has lost files or records that it had",
    "database": "the database could no longer be used in the middle of the run",
    "clock": "this machine's clock is behind the end of the last run, or not where the servers' clocks are",
}
"""What can be wrong with a run, by name."""

WORST = frozenset({"source failed", "feed is HTML", "blocked", "pages failed"})
"""Problems with which a source that gave nothing counts as failed."""
CLOCK_BACK = timedelta(minutes=1)
"""A clock may be corrected by this: time services step by less."""
CLOCK_OFF = 600.0
"""Seconds between our clock and the servers': schedules and dates do not mind minutes."""


Status = Literal["ok", "trouble", "failed", "interrupted"]
NOTHING = Met()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run came to its end."""

    signal: int = 0
    """The number of the signal that stopped it; 0 for none."""
    deadline: str = ""
    """Why it did not come to its own end, where that is its deadline."""
    cut_short: Mapping[str, str] = field(default_factory=dict)
    """By source: why not all of its pages were asked for."""
    database: str = ""
    """Why the database could no longer be used; empty when it could."""
    unrecorded: int = 0
    """Rows of the ledger that could not be written."""
    archive: str = ""
    """Why pages are missing from the archive; empty when none are."""
    run_id: int = 0
    started: str = ""
    """UTC; empty where it is not known, as are the others."""
    now: str = ""
    """UTC: its end."""
    last_end: str = ""
    """UTC: when the run before it ended."""
    clock_off: float = 0.0
    """Seconds that the servers' clocks are ahead of ours; negative where they are behind."""

    @property
    def early(self) -> bool:
        """True for a run that ended before its time: what it did not reach says nothing."""
        return bool(self.signal or self.deadline)


def judge_run(
    tallies: Mapping[str, SourceTally],
    past: Mapping[str, Past],
    ending: Ending,
    *,
    failed_share: float = limits.FAILED_SHARE,
    met: Mapping[str, Met] = MappingProxyType({}),
) -> RunReport:
    """The report of a run: what each source did now, and before. A source that rests has no problems."""
    problems = [
        problem
        for id, tally in tallies.items()
        if not tally.resting
        for problem in (
            *source_problems(id, tally, past.get(id, Past()), failed_share, met.get(id, NOTHING), ending),
            *_quarantined(id, tallies, past.get(id, Past()).runs, ending),
        )
    ]
    problems += _of_the_run(ending)
    status, code = _outcome(tallies, problems, ending)
    tallies = {id: replace(t, redesigned=int(bool(met.get(id, NOTHING).redesign))) for id, t in tallies.items()}
    fields = {id: what.fields for id, what in met.items()}
    return RunReport(status=status, exit_code=code, tallies=tallies, problems=tuple(problems), fields=fields)


def source_problems(
    id: str, now: SourceTally, past: Past, failed_share: float, met: Met = NOTHING, ending: Ending = Ending()
) -> list[Problem]:
    """What is wrong with one source, by name. Of a run that ended early nothing is said that it did not reach."""
    named = [*_listings(now, met), *_pages(now, met, failed_share)]
    if id in ending.cut_short:
        named.append(("cut short", ending.cut_short[id]))
    if not named and not ending.early:
        named += _silence(now, past, ending)
    if met.redesign:
        named.append(("template changed", met.redesign))
    if not ending.early and (why := slow(now, past.runs)):
        named.append(("slow", why))
    last = past.runs[-1].problems if past.runs else ()
    told = [_since(Problem(name=name, source=id, detail=detail), last, ending.run_id) for name, detail in named]
    counts, names = _fields(past, met, ending), [name for name, _ in named]
    return told + drift_problems(id, counts, past, ending.now, met.because, names)


def _listings(now: SourceTally, met: Met) -> list[tuple[str, str]]:
    failed, html = now.listings_failed, met.listings_html
    found = []
    if failed and failed == now.listings and html < failed:
        blocked = met.listings_blocked == failed
        told = f"none of its {now.listings} listings could be read"
        found.append(("blocked" if blocked else "source failed", _with(told, met, "blocked" if blocked else "listing")))
    elif failed > html:
        told = f"{failed - html} of {now.listings} listings could not be read"
        found.append(("listing failed", _with(told, met, "listing")))
    if html:
        found.append(("feed is HTML", _with(f"{html} of {now.listings} listings are HTML pages", met, "html")))
    return found


def _pages(now: SourceTally, met: Met, failed_share: float) -> list[tuple[str, str]]:
    allowed = max(failed_share * now.fetched, limits.FEW_LOST if failed_share else 0)
    found = []
    if now.blocked > allowed:
        found.append(("blocked", _with(f"kept from {now.blocked} of {now.fetched} pages", met, "blocked")))
    failed = now.failed - (now.blocked - met.walls)
    if failed > allowed:
        found.append(("pages failed", _with(f"{failed} of {now.fetched} pages failed", met, "page")))
    return found


def _with(told: str, met: Met, sort: str) -> str:
    because = met.because.get(sort, "")
    return f"{told}: {because}" if because else told


def _silence(now: SourceTally, past: Past, ending: Ending) -> list[tuple[str, str]]:
    if not yielded(now) and (past.most or not _forbidden(now)):
        return [("yields nothing", _nothing(now, past))]
    why = "" if now.new else quiet(past.arrivals, ending.now)
    return [("gone quiet", why)] if why else []


def _since(problem: Problem, last: Sequence[Problem], run_id: int) -> Problem:
    """The problem with the run since which it is named without a break."""
    before = next((p.since for p in last if p.name == problem.name), 0)
    return replace(problem, since=before or run_id)


def _fields(past: Past, met: Met, ending: Ending) -> dict[str, tuple[FieldCount, ...]]:
    """What runs counted, by field, with this one at the end."""
    here = {name: (replace(count, run_id=ending.run_id, at=ending.started),) for name, count in met.fields.items()}
    return {name: past.fields.get(name, ()) + here.get(name, ()) for name in {**past.fields, **here}}


def yielded(tally: SourceTally) -> int:
    """Articles that a source gave, whether they were new or not; known pages that were left alone are some too."""
    return tally.new + tally.edited + tally.unchanged + tally.not_due


def _forbidden(now: SourceTally) -> bool:
    """True when robots.txt lets us see nothing at all."""
    return bool(now.skipped) and not now.fetched


def _nothing(now: SourceTally, past: Past) -> str:
    if now.fetched:
        what = f"none of its {now.fetched} pages is an article"
    elif now.skipped:
        what = "robots.txt forbids all of it"
    else:
        what = "its listings hold no links" if now.listings else "it was not visited"
    if past.most:
        return f"{what}; it has given up to {past.most} before"
    return f"{what}, on this first visit" if not past.visits else f"{what}; it never gave one"


def _quarantined(id: str, tallies: Mapping[str, SourceTally], runs: Sequence[PastRun], ending: Ending) -> list[Problem]:
    """Named when a source begins to rest, and each time it was tried again in vain."""
    others = any(yielded(tally) for other, tally in tallies.items() if other != id)
    failed = failures(runs) + 1
    if ending.early or not ending.now or not others or not failed_wholly(tallies[id]) or not rest(failed):
        return []
    until = stamp(datetime.fromisoformat(ending.now) + rest(failed))
    detail = f"it failed in {failed} runs in a row; it rests until {until}; `watchfloor crawl {id}` tries it before"
    problem = Problem(name="quarantined", source=id, detail=detail)
    return [_since(problem, runs[-1].problems if runs else (), ending.run_id)]


def _of_the_run(ending: Ending) -> list[Problem]:
    found = []
    if ending.deadline:
        found.append(("cut short", ending.deadline))
    if ending.unrecorded:
        found.append(("not recorded", f"{ending.unrecorded} rows of the ledger"))
    if ending.archive:
        found.append(("archive", ending.archive))
    if ending.database:
        found.append(("database", ending.database))
    if why := _clock(ending):
        found.append(("clock", why))
    return [Problem(name=name, source="", detail=detail, since=ending.run_id) for name, detail in found]


def _clock(ending: Ending) -> str:
    if ending.started and ending.last_end:
        back = datetime.fromisoformat(ending.last_end) - datetime.fromisoformat(ending.started)
        if back > CLOCK_BACK:
            return f"this run began at {ending.started}, {back} before the last one ended"
    if abs(ending.clock_off) <= CLOCK_OFF:
        return ""
    side = "behind" if ending.clock_off > 0 else "ahead of"
    return f"this machine's clock is {timedelta(seconds=round(abs(ending.clock_off)))} {side} the servers'"


def clock_off(offsets: Mapping[str, Sequence[float]]) -> float:
    """Seconds that the servers' clocks are ahead of ours, from what each source's answers said; 0 for too few sources:
    one of them may be wrong itself."""
    told = [statistics.median(seconds) for seconds in offsets.values() if seconds]
    return statistics.median(told) if len(told) >= limits.CLOCKS else 0.0


def _outcome(tallies: Mapping[str, SourceTally], problems: Sequence[Problem], ending: Ending) -> tuple[Status, int]:
    if ending.database:
        return "failed", DATABASE
    if ending.signal:
        return "interrupted", SIGNALLED + ending.signal
    visited = {id: tally for id, tally in tallies.items() if not tally.resting}
    if visited and all(not yielded(t) and _failed(id, problems) for id, t in visited.items()):
        return "failed", NOTHING_WORKED
    return ("trouble", TROUBLE) if problems else ("ok", OK)


def _failed(id: str, problems: Sequence[Problem]) -> bool:
    return any(p.source == id and p.name in WORST for p in problems)
