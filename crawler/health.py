"""What a run amounted to: numbers and history → report and exit code. Pure.

An exit code tells the truth. Plain Scrapy exits 0 when every page raised, when nothing came, when the site was down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from crawler import limits
from crawler.items import Past, Problem, RunReport, SourceTally

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
    "listing failed": "some of its listings could not: a feed moved, or an HTML page stands where it was",
    "pages failed": "more pages than the share were lost: exceptions, 403, 5xx, time-outs, saves that failed",
    "yields nothing": "its listings were read and gave no article, though they did before, or on the first visit",
    "not recorded": "some rows of the ledger could not be written: the database was busy for too long",
    "database": "the database could no longer be used in the middle of the run",
}
"""What can be wrong with a run, by name."""

Status = Literal["ok", "trouble", "failed", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run came to its end."""

    signal: int = 0
    """The number of the signal that stopped it; 0 for none."""
    database: str = ""
    """Why the database could no longer be used; empty when it could."""
    unrecorded: int = 0
    """Rows of the ledger that could not be written."""


def judge_run(
    tallies: Mapping[str, SourceTally],
    past: Mapping[str, Past],
    ending: Ending,
    *,
    failed_share: float = limits.FAILED_SHARE,
    because: Mapping[str, str] = MappingProxyType({}),
) -> RunReport:
    """The report of a run: what each source did now, and before.

    `because` says for a source what its failures had in common, in words for the operator.
    """
    problems = [
        _with_cause(problem, because.get(id, ""))
        for id, tally in tallies.items()
        for problem in source_problems(id, tally, past.get(id, Past()), failed_share)
        if not (ending.signal and problem.name == "yields nothing")
    ]
    if ending.unrecorded:
        problems.append(Problem(name="not recorded", source="", detail=f"{ending.unrecorded} rows of the ledger"))
    if ending.database:
        problems.append(Problem(name="database", source="", detail=ending.database))
    status, code = _outcome(tallies, problems, ending)
    return RunReport(status=status, exit_code=code, tallies=tallies, problems=tuple(problems))


def source_problems(id: str, now: SourceTally, past: Past, failed_share: float) -> list[Problem]:
    """What is wrong with one source, by name."""
    found = []
    if now.listings and now.listings_failed == now.listings:
        found.append(("source failed", f"none of its {now.listings} listings could be read"))
    elif now.listings_failed:
        found.append(("listing failed", f"{now.listings_failed} of {now.listings} listings could not be read"))
    if now.failed > failed_share * now.fetched:
        found.append(("pages failed", f"{now.failed} of {now.fetched} pages failed"))
    if not found and not yielded(now) and (past.most or not _forbidden(now)):
        found.append(("yields nothing", _nothing(now, past)))
    return [Problem(name=name, source=id, detail=detail) for name, detail in found]


def _with_cause(problem: Problem, because: str) -> Problem:
    if not because or problem.name == "yields nothing":
        return problem
    return replace(problem, detail=f"{problem.detail}: {because}")


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


def _outcome(tallies: Mapping[str, SourceTally], problems: Sequence[Problem], ending: Ending) -> tuple[Status, int]:
    if ending.database:
        return "failed", DATABASE
    if ending.signal:
        return "interrupted", SIGNALLED + ending.signal
    if tallies and all(not yielded(t) and _failed(id, problems) for id, t in tallies.items()):
        return "failed", NOTHING_WORKED
    return ("trouble", TROUBLE) if problems else ("ok", OK)


def _failed(id: str, problems: Sequence[Problem]) -> bool:
    return any(p.source == id and p.name in ("source failed", "pages failed") for p in problems)
