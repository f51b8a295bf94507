"""What a run amounted to: numbers and history → report and exit code. Pure.

An exit code tells the truth. Plain Scrapy exits 0 when every page raised, when nothing came, when the site was down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from crawler import limits
from crawler.items import Problem, RunReport, SourceTally

OK = 0
TROUBLE = 1
USAGE = 2
NOTHING_WORKED = 3
DATABASE = 4
LOCKED = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""
INTERRUPTED = 130
TERMINATED = 143

PROBLEMS = {
    "source failed": "none of its listings could be fetched or read",
    "listing failed": "some of its listings could not: a feed moved, or an HTML page stands where it was",
    "pages failed": "more pages than the share were lost: exceptions, 403, 5xx, time-outs, saves that failed",
    "yields nothing": "its listings were read and gave no article, though they did before, or on the first visit",
    "database": "the database could no longer be used in the middle of the run",
    "crash": "something broke outside of any page",
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
    crash: str = ""
    """What broke outside of any page; empty when nothing did."""


def judge_run(
    tallies: Mapping[str, SourceTally],
    past: Mapping[str, Sequence[SourceTally]],
    ending: Ending,
    *,
    failed_share: float = limits.FAILED_SHARE,
    because: Mapping[str, str] = MappingProxyType({}),
) -> RunReport:
    """The report of a run: what each source did now, and in the runs before (the latest first).

    `because` says for a source what its failures had in common, in words for the operator.
    """
    problems = [
        _with_cause(problem, because.get(id, ""))
        for id, tally in tallies.items()
        for problem in source_problems(id, tally, past.get(id, ()), failed_share)
    ]
    if ending.database:
        problems.append(Problem(name="database", source="", detail=ending.database))
    if ending.crash:
        problems.append(Problem(name="crash", source="", detail=ending.crash))
    status, code = _outcome(tallies, problems, ending)
    return RunReport(status=status, exit_code=code, tallies=tallies, problems=tuple(problems))


def source_problems(id: str, now: SourceTally, past: Sequence[SourceTally], failed_share: float) -> list[Problem]:
    """What is wrong with one source, by name."""
    found = []
    if now.listings and now.listings_failed == now.listings:
        found.append(("source failed", f"none of its {now.listings} listings could be read"))
    elif now.listings_failed:
        found.append(("listing failed", f"{now.listings_failed} of {now.listings} listings could not be read"))
    if now.failed > failed_share * now.fetched:
        found.append(("pages failed", f"{now.failed} of {now.fetched} pages failed"))
    if now.listings > now.listings_failed and not yielded(now) and not found:
        found.append(_nothing(now, past))
    return [Problem(name=name, source=id, detail=detail) for name, detail in found if name]


def _with_cause(problem: Problem, because: str) -> Problem:
    if not because or problem.name == "yields nothing":
        return problem
    return replace(problem, detail=f"{problem.detail}: {because}")


def yielded(tally: SourceTally) -> int:
    """Articles that a source gave, whether they were new or not."""
    return tally.new + tally.edited + tally.unchanged


def _nothing(now: SourceTally, past: Sequence[SourceTally]) -> tuple[str, str]:
    """A source that gives nothing: trouble when it ever gave something, or when this is all we know of it."""
    before = max((yielded(t) for t in past), default=None)
    if now.fetched and now.skipped >= now.fetched and not before:
        return "", ""  # robots.txt forbids all of it, and always did
    what = "its listings hold no links" if not now.links else f"none of its {now.links} links gave an article"
    if before:
        return "yields nothing", f"{what}; it has given up to {before} before"
    if before is None:
        return "yields nothing", f"{what} on this first visit"
    return "", ""


def _outcome(tallies: Mapping[str, SourceTally], problems: Sequence[Problem], ending: Ending) -> tuple[Status, int]:
    if ending.database:
        return "failed", DATABASE
    if ending.signal:
        return "interrupted", TERMINATED if ending.signal == 15 else INTERRUPTED
    if tallies and all(not yielded(t) and _failed(id, problems) for id, t in tallies.items()):
        return "failed", NOTHING_WORKED
    return ("trouble", TROUBLE) if problems else ("ok", OK)


def _failed(id: str, problems: Sequence[Problem]) -> bool:
    return any(p.source == id and p.name in ("source failed", "pages failed") for p in problems)
