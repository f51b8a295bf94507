"""What is due: whether a link to a page that is known already is worth a request now. Pure.

New links come first. A page is looked at again on a widening schedule, as late comments and edits come mostly in the
first hours; where the listing says when its pages changed, one that has not is left alone, but for its comments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.items import Found, Moment, Outcome

HOUR = timedelta(hours=1)
WIDENING = 0.5
"""Share of the time since a page was first seen that passes before it is looked at again: with hourly runs a page is
visited each time for three hours, then at the age of 5, 8, 12, 18, 27 hours and so on, 18 times after the first."""
WATCHED = timedelta(days=90)
"""How long a page is looked at again where nothing speaks for a change."""
LONGEST_RETRY = timedelta(days=7)
"""The longest wait after failures in a row; the first is followed by none, the others by 1, 2, 4, … hours."""

PRUNED = "pruned"
"""Why a page is skipped whose article was removed by policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """What the ledger knows of a page."""

    outcome: Outcome
    first_seen_at: str
    """UTC, as every time here."""
    fetched_at: str
    failures: int
    """In a row."""
    lastmod: str
    """What the listing said at the last visit; empty where it said nothing."""
    cleaned_by: str
    """The version of the cleaning that read it."""
    talks: bool
    """True when readers can comment on it, or did."""
    reason: str = ""
    """What the ledger says of the outcome."""

    @property
    def pruned(self) -> bool:
        """True when its article was removed by policy: it must not come back with the next listing."""
        return self.outcome == "skipped" and self.reason == PRUNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Whether a page is asked for now."""

    now: bool
    why: str
    """In a few words."""
    at: str = ""
    """UTC: when it will be, by the clock alone; empty for now, and for never."""


def due(known: Visited | None, found: Found, *, now: datetime, cleaned_by: str) -> Due:
    """What a run does with a link. `cleaned_by` is the version of the cleaning that would read the page now."""
    if known is None:
        return Due(now=True, why="new")
    if known.pruned:
        return Due(now=False, why="removed by policy")
    seen, last = (datetime.fromisoformat(at) for at in (known.first_seen_at, known.fetched_at))
    if last > now:
        return Due(now=True, why="the clock was set back")
    if known.outcome == "failed":
        return _by(last + _retry(known.failures), now, f"failed {known.failures} times in a row")
    if known.outcome == "skipped":
        return Due(now=True, why="not visited yet")
    if known.outcome == "rejected" and known.cleaned_by != cleaned_by:
        return Due(now=True, why="the cleaning is another one")
    wait = WIDENING * (last - seen)
    match _moved(known, found.lastmod):
        case True:
            return Due(now=True, why="the listing says that it changed")
        case False if not known.talks:
            return Due(now=False, why="the listing says that it has not changed")
        case False:
            return _watched(seen, last + max(wait, HOUR), now, "late comments")
    return _watched(seen, last if wait < HOUR else last + wait, now, "edits and late comments")


def _watched(seen: datetime, at: datetime, now: datetime, why: str) -> Due:
    """Due at a time, unless that is later than pages are watched."""
    if at - seen > WATCHED:
        return Due(now=False, why=f"first seen {seen:%Y-%m-%d}: watched long enough")
    return _by(at, now, why)


def _by(at: datetime, now: datetime, why: str) -> Due:
    return Due(now=True, why=why) if at <= now else Due(now=False, why=why, at=at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _retry(failures: int) -> timedelta:
    return min(HOUR * 2 ** min(failures - 2, 10), LONGEST_RETRY) if failures > 1 else timedelta(0)


def _moved(known: Visited, stated: Moment | None) -> bool | None:
    """Whether the page changed since the last visit, as its listing has it; None where that cannot be told.

    Only what the same listing said before is compared: clocks and zones of sites are often wrong. A bare day says
    nothing of the rest of the day of the visit.
    """
    if stated is None or not known.lastmod:
        return None
    if stated.iso != known.lastmod:
        return True
    return None if len(stated.iso) <= 10 and stated.iso >= known.fetched_at[:10] else False
