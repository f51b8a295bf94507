"""What of a run is worth waking somebody for: what began to be wrong, and what is over. Pure.

A problem that stays is told once; the run's report, `watchfloor status` and the metrics show it as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from crawler.items import Problem, RunReport

TOLD = 20
"""Problems that one message lists; a message has to fit a telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One message to people."""

    title: str
    text: str
    """Lines of plain text."""
    good: bool
    """True when things only got better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run found for a search that is kept."""

    name: str
    new: int
    first: str
    """The first of it, in a line."""


def alert(report: RunReport, before: Collection[Problem], found: Sequence[Found] = ()) -> Alert | None:
    """What to tell of a run; None when nothing changed, and nothing was found.

    `before` has the problems that stood when it began: of each source's last run, and of the last run as a whole.
    """
    old, now = ({(p.source, p.name) for p in problems} for problems in (before, report.problems))
    began = [p for p in report.problems if (p.source, p.name) not in old]
    over = [p for p in before if (p.source, p.name) not in now and _visited(p, report)]
    if not began and not over and not found:
        return None
    titles = [
        f"{len(problems)} problem{'s' if len(problems) > 1 else ''} {word}"
        for problems, word in ((began, "began"), (over, "over"))
        if problems
    ]
    titles += [f"{sum(each.new for each in found)} new for {', '.join(each.name for each in found)}"] if found else []
    lines = [*_lines(began, over), *(f"watch '{each.name}': {each.new} new: {each.first}" for each in found)]
    return Alert(title=f"watchfloor: {', '.join(titles)}", text="\n".join(lines), good=not began)


def broke_off(why: str) -> Alert:
    """For a run that could not even begin."""
    return Alert(title="watchfloor: no run", text=why, good=False)


def _visited(problem: Problem, report: RunReport) -> bool:
    """Whether this run can tell that a problem is over. One that was stopped cannot, nor one that was not there."""
    if report.status in ("interrupted", "failed"):
        return False
    tally = report.tallies.get(problem.source)
    return not problem.source or bool(tally and not tally.resting)


def _lines(began: list[Problem], over: list[Problem]) -> Iterator[str]:
    for problem in began[:TOLD]:
        yield f"{_where(problem)}: {problem.detail}"
    if len(began) > TOLD:
        yield f"and {len(began) - TOLD} more"
    for problem in over[:TOLD]:
        yield f"over: {_where(problem)}"
    if len(over) > TOLD:
        yield f"over: {len(over) - TOLD} more"


def _where(problem: Problem) -> str:
    return f"{problem.source}: {problem.name}" if problem.source else problem.name
