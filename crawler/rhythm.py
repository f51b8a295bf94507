"""How often a source publishes and how long a visit takes, by its own past: gone quiet, slow. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from crawler.items import PastRun, SourceTally

QUIET_LEAST = timedelta(days=2)
"""A silence that is never told: a day off, a night and a holiday."""
QUIET_KNOWN = timedelta(days=28)
"""How long a source must have been watched: four weekends are among its gaps then."""
QUIET_GAPS = 10
"""Gaps that must be known; of a weekly blog that is after eleven weeks."""
QUIET_SPREADS = 9.2
"""Standard deviations above the mean gap that a silence may reach: were gaps distributed exponentially, as those of a
source without any rhythm are, one in 10,000 would be longer (ln 10,000). A regular source has a small deviation."""
QUIET_LONGEST = 1.5
"""And this many times the longest gap, so that a weekend with a holiday passes where only weekends are known."""
OUTLIERS_FROM = 20
"""Gaps from which on the longest is left out: it may be an outage."""

SLOW_VISITS = 10
"""Visits that must be known."""
SLOW_REQUESTS = 5
"""Requests of a visit: the time of fewer says nothing."""
SLOW_TIMES = 4.0
"""Times the usual seconds a request."""
SLOW_LONGEST = 1.5
"""And times the slowest visit known."""
SLOW_SECONDS = 300.0
"""And so many more than usual: five minutes are noticed in an hourly run."""


def quiet(arrivals: Sequence[str], now: str) -> str:
    """Why a source has gone quiet, in words; empty when it has not, or when too little is known.

    `arrivals` are the times at which something new was found, the latest at the end; all times are UTC.
    """
    if not now or len(arrivals) <= QUIET_GAPS:
        return ""
    here, times = datetime.fromisoformat(now), sorted(datetime.fromisoformat(at) for at in arrivals)
    silence = here - times[-1]
    if silence <= QUIET_LEAST or here - times[0] < QUIET_KNOWN:
        return ""
    gaps = sorted((later - earlier).total_seconds() for earlier, later in pairwise(times))
    gaps = gaps[:-1] if len(gaps) >= OUTLIERS_FROM else gaps
    longest = timedelta(seconds=gaps[-1])
    usual = timedelta(seconds=statistics.fmean(gaps) + QUIET_SPREADS * statistics.pstdev(gaps))
    if silence <= max(QUIET_LEAST, usual, QUIET_LONGEST * longest):
        return ""
    return f"nothing new for {_spoken(silence)}; the longest pause known is {_spoken(longest)}"


def slow(now: SourceTally, runs: Sequence[PastRun]) -> str:
    """Why a visit was slow, in words; empty when it was not, or when too little is known."""
    requests, known = _requests(now), [pace for run in runs if (pace := _pace(run.tally))]
    pace = _pace(now)
    if pace is None or len(known) < SLOW_VISITS:
        return ""
    usual = statistics.median(known)
    if pace <= SLOW_TIMES * usual or pace <= SLOW_LONGEST * max(known) or now.seconds - usual * requests < SLOW_SECONDS:
        return ""
    return f"{pace:.1f} seconds a page, usually {usual:.1f}; {now.seconds / 60:.0f} minutes for {requests} pages"


def _requests(tally: SourceTally) -> int:
    return tally.listings + tally.fetched


def _pace(tally: SourceTally) -> float | None:
    """Seconds for each page or listing; None for a visit with too few."""
    return tally.seconds / _requests(tally) if _requests(tally) >= SLOW_REQUESTS and tally.seconds > 0 else None


def _spoken(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
