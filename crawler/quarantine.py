"""Which sources rest: those that failed run after run are tried again at widening intervals, and never forgotten. Pure.

A failure counts only where another source gave something in the same run: else it is our own network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from crawler.items import Past, PastRun, SourceTally

FAILURES = 5
"""Runs in a row that a source fails before it rests: a site that is mended within an evening is not left alone."""
FIRST_REST = timedelta(hours=6)
"""Doubled after each try that fails."""
LONGEST_REST = timedelta(days=7)
"""A site that is back is seen within a week, and one that is dead costs two requests a week."""
DOUBLINGS = 5
"""6, 12, 24, 48 and 96 hours, then the longest."""
FEWEST_BLOCKED = 2
"""Pages that we are kept from, all of those that were asked for, before a source counts as blocked wholly."""


def failed_wholly(tally: SourceTally) -> bool:
    """True when nothing of a source could be had."""
    if tally.resting or tally.new + tally.edited + tally.unchanged:
        return False
    return 0 < tally.listings == tally.listings_failed or FEWEST_BLOCKED <= tally.blocked == tally.fetched


def failures(runs: Sequence[PastRun]) -> int:
    """How many runs in a row failed, up to the last. Those in which no source gave anything do not count."""
    return len(_failures(runs))


def _failures(runs: Sequence[PastRun]) -> list[PastRun]:
    """The failures of the row that has not ended, the latest first."""
    found = []
    for run in reversed(runs):
        if run.tally.resting:
            continue
        if not failed_wholly(run.tally):
            break
        if run.others_gave:
            found.append(run)
    return found


def rest(failed: int) -> timedelta:
    """How long a source rests after so many failures in a row; nothing for the first few."""
    if failed < FAILURES:
        return timedelta(0)
    doubled: int = 2 ** min(failed - FAILURES, DOUBLINGS)
    return min(FIRST_REST * doubled, LONGEST_REST)


def rests_until(runs: Sequence[PastRun], now: str) -> str:
    """UTC: until when a source rests; empty when it does not."""
    found = _failures(runs)
    if not found:
        return ""
    last, here = datetime.fromisoformat(found[0].at), datetime.fromisoformat(now)
    until = last + rest(len(found))
    return stamp(until) if last <= here < until else ""  # a clock that was set back lets nobody rest for years


def resting(past: Mapping[str, Past], now: str) -> frozenset[str]:
    """The sources that rest in a run that begins now. When all would rest, none does: a run without a visit is none."""
    found = frozenset(id for id, known in past.items() if rests_until(known.runs, now))
    return frozenset() if len(found) == len(past) else found


def stamp(at: datetime) -> str:
    """A time as the database has it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
