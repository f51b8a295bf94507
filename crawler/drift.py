"""When a source's articles stop having what they had: which field, since which run, the first page without it. Pure.

What is judged is the source itself against its own past: a field that half of its articles never had is no loss. A
fall must be large, too unlikely to be chance, and lower than anything the source went through before.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from crawler.items import FieldCount, Past, Problem

KEPT = 0.5
"""A field has fallen when at most this part of its usual share is left, and less than this part of the lowest share of
as many pages before: of 300 days one is the poorest, and that is no fall. Smaller falls are one desk's or a holiday's;
a template takes a field from nearly all pages, or from most of them."""
GONE = 0.25
"""A fall to this part is told whenever it is certain; a smaller one only of a source that was watched for a week before
it, as days differ: at the weekend an agency may sign half of what it signs on a working day."""
WEEK = timedelta(days=7)
BASE_PAGES = 10
"""Pages before the fall: fewer do not say what is usual. Nor do fewer than after it: a few good pages at the start of
what is known, and many poor ones since, are a source that is like that."""
TAIL_PAGES = 5
"""The latest pages, which must still lack the field: with as many that have it the trouble is over."""
CHANCE = math.log(1e-5)
"""How unlikely a fall must be, as a logarithm. 80 sources with 6 fields that are judged 20 times a day are ten thousand
questions: less than one wrong answer in ten days even if every share were as poor as its history just allows."""
CONFIDENCE = 2.576
"""Standard deviations of Wilson's bound: the usual share is at least this with 99.5 % confidence. Of 40 pages that all
had a field it is 0.86, of 400 it is 0.98; so six pages without it are a fall for the first, three for the second."""
NEW_NORMAL = timedelta(days=30)
"""After this a source is what it has become: a site that closed its comments for good is not told for ever."""

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "let in": ("blocked", "let us in"),
    "page": ("pages failed", "could be read"),
    "body": ("bodies missing", "have a body"),
    "headline": ("headlines missing", "have a headline of their own"),
    "published": ("dates missing", "have a date"),
    "published_time": ("dates missing", "have a time of day with their date"),
    "authors": ("authors missing", "have an author"),
    "comments": ("comments gone", "have the comments they had"),
    "article": ("more rejected", "are articles"),
}
"""For each field that is judged: the name of its problem, and what its pages do no more, in words."""


SORTS = {"let in": "blocked", "page": "page", "article": "rejected"}
"""Under which name `Met.because` says why, for the fields of which something can be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A field that fell."""

    since: int
    """Number of the first run without it."""
    before: FieldCount
    """All that is known of the time before, as one."""
    after: FieldCount
    """All since."""


def doubtful(here: Mapping[str, FieldCount], past: Past) -> dict[str, int]:
    """The fields whose past is worth a look, each with the run since which it has fallen, 0 for none: this run lacked
    some of it, or the last run told that it fell. Another one cannot have fallen with this run."""
    since = _standing(past)
    lacking = [name for name, count in here.items() if count.filled < count.read]
    return {name: since.get(name, 0) for name in PROBLEMS if name in since or name in lacking}


def _standing(past: Past) -> dict[str, int]:
    """The fields that the last run told of, each with the run since which it has fallen."""
    return {p.field: p.since for p in (past.runs[-1].problems if past.runs else ()) if p.field}


def drift_problems(
    source: str,
    counts: Mapping[str, Sequence[FieldCount]],
    past: Past,
    now: str,
    because: Mapping[str, str] = MappingProxyType({}),
    named: Collection[str] = (),
) -> list[Problem]:
    """What drifts at a source. `counts` are runs by field, the present one at the end; `because` has the commonest
    reason of this run's failures as `Met.because` has it; `named` are problems that are told already; `now` is UTC."""
    since = _standing(past)
    found: dict[str, Problem] = {}
    for field, (name, words) in PROBLEMS.items():
        drift = drifted(counts.get(field, ()), now, open_since=since.get(field, 0))
        if drift and name not in {*found, *named} and not (field == "article" and _explained(found, drift)):
            found[name] = _problem(
                source, field, name, _told(drift, words, because.get(SORTS.get(field, ""), "")), drift
            )
    return list(found.values())


def _explained(found: Mapping[str, Problem], rejected: Drift) -> bool:
    """Pages that are refused because they have no text any more are named once, by their culprit."""
    bodies = found.get("bodies missing")
    return bodies is not None and bodies.bad_url == rejected.after.missing_url


def _problem(source: str, field: str, name: str, detail: str, drift: Drift) -> Problem:
    return Problem(
        name=name,
        source=source,
        detail=detail,
        since=drift.since,
        field=field,
        good_url=drift.before.filled_url,
        bad_url=drift.after.missing_url,
    )


def _told(drift: Drift, words: str, because: str) -> str:
    after, before = drift.after, drift.before
    told = f"{after.filled} of {after.read} pages {words} since run {drift.since}, {before.filled} of {before.read}"
    told += f" before; the last with it {before.filled_url or 'unknown'}, the first without {after.missing_url}"
    return f"{told}; {because}" if because else told


def drifted(counts: Sequence[FieldCount], now: str, *, open_since: int = 0) -> Drift | None:
    """How a field fell, over runs with the latest at the end; None when it did not, or long ago. `open_since` is the
    run since which that was told before: then it holds until the latest pages have the field again."""
    runs = [count for count in counts if count.read]
    place = next((i for i, count in enumerate(runs) if open_since and count.run_id >= open_since), 0)
    before, after = _sum(runs[:place]), _sum(runs[place:])
    if place and _recent(runs[place], now) and _low(_tail(runs[place:]), before):
        return Drift(since=runs[place].run_id, before=before, after=after)
    _, place = min(_falls(runs, now), default=(0.0, 0))
    before, after = _sum(runs[:place]), _sum(runs[place:])
    if not place or not _low(_tail(runs[place:]), before):
        return None
    return Drift(since=runs[place].run_id, before=before, after=after)


def _falls(runs: Sequence[FieldCount], now: str) -> Iterator[tuple[float, int]]:
    """(logarithm of its chance, place of its first run) of each fall that is large, unlikely and without precedent."""
    read = filled = 0
    all_read, all_filled = sum(run.read for run in runs), sum(run.filled for run in runs)
    for place, run in enumerate(runs):
        before = FieldCount(read=read, filled=filled)
        after = FieldCount(read=all_read - read, filled=all_filled - filled)
        if read >= max(BASE_PAGES, after.read) and _low(run, before) and _low(after, before) and _recent(run, now):
            chance = after.read and _chance(after, lower_bound(before.filled, before.read))
            known = _share(after) <= GONE * _share(before) or _span(runs[0], run) >= WEEK
            if known and chance <= CHANCE and _share(after) < KEPT * _lowest(runs[:place], after.read):
                yield chance, place
        read, filled = read + run.read, filled + run.filled


def lower_bound(filled: int, read: int) -> float:
    """The least that a share may be, by E. B. Wilson's interval (1927), which holds for small numbers too."""
    if not read:
        return 0.0
    share, z2 = filled / read, CONFIDENCE**2
    spread = CONFIDENCE * math.sqrt(share * (1 - share) / read + z2 / (4 * read**2))
    return max(0.0, (share + z2 / (2 * read) - spread) / (1 + z2 / read))


def _chance(after: FieldCount, usual: float) -> float:
    """The logarithm of a bound on the chance of so few where `usual` is the share (Chernoff 1952, Hoeffding 1963);
    exact where none is left."""
    share = _share(after)
    if share >= usual:
        return 0.0
    left = share * math.log(share / usual) if share else 0.0
    return -after.read * (left + (1 - share) * math.log((1 - share) / (1 - usual)))


def _lowest(runs: Sequence[FieldCount], pages: int) -> float:
    """The lowest share of any stretch of runs with about as many pages: articles come in batches, and a batch of one
    author's or one section's is no fall."""
    enough = min(pages, sum(run.read for run in runs) // 2)
    lowest, start, read, filled = 1.0, 0, 0, 0
    for run in runs:
        read, filled = read + run.read, filled + run.filled
        while read - runs[start].read >= enough and start < len(runs) - 1:
            read, filled, start = read - runs[start].read, filled - runs[start].filled, start + 1
        if read and read >= enough:
            lowest = min(lowest, filled / read)
    return lowest


def _tail(runs: Sequence[FieldCount]) -> FieldCount:
    """The latest runs that together have read enough."""
    read, place = 0, len(runs)
    while place and read < TAIL_PAGES:
        place -= 1
        read += runs[place].read
    return _sum(runs[place:])


def _sum(runs: Sequence[FieldCount]) -> FieldCount:
    return FieldCount(
        read=sum(run.read for run in runs),
        filled=sum(run.filled for run in runs),
        filled_url=next((run.filled_url for run in reversed(runs) if run.filled_url), ""),
        missing_url=next((run.missing_url for run in runs if run.missing_url), ""),
    )


def _low(now: FieldCount, before: FieldCount) -> bool:
    return bool(now.read) and _share(now) <= KEPT * _share(before)


def _share(count: FieldCount) -> float:
    return count.filled / count.read if count.read else 0.0


def _span(first: FieldCount, last: FieldCount) -> timedelta:
    if not (first.at and last.at):
        return timedelta(0)
    return datetime.fromisoformat(last.at) - datetime.fromisoformat(first.at)


def _recent(run: FieldCount, now: str) -> bool:
    return not (run.at and now) or datetime.fromisoformat(now) - datetime.fromisoformat(run.at) <= NEW_NORMAL
