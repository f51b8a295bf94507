"""Simulated sources: they publish as sources do, are visited as the crawl visits them, and can be broken on purpose.

Only what a run counts is simulated; judging it and storing the history is done by the real code.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.drift import doubtful
from crawler.health import Ending, judge_run
from crawler.items import FieldCount, Met, RunReport, SourceTally
from crawler.quarantine import resting
from crawler.source import Source
from db.store import Store

START = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # a Monday
FEED = 30
"""Articles that a listing offers."""


def _working(hour: int, weekend: bool) -> float:
    return 0.0 if weekend or not 7 <= hour < 19 else 1.0


KINDS: dict[str, Callable[[int, bool], float]] = {
    "agency": lambda hour, weekend: (3.0 if 6 <= hour < 22 else 0.4) * (0.4 if weekend else 1),
    "daily": lambda hour, weekend: 0.8 * _working(hour, weekend),
    "ministry": lambda hour, weekend: 0.15 * _working(hour, weekend),
    "blog": lambda hour, weekend: 1 / 168,
    "think tank": lambda hour, weekend: _working(hour, weekend) / 150,
}
"""New articles an hour, by hour of the day and whether it is a weekend."""


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Story:
    """One article as the crawl knows it."""

    url: str
    seen: datetime
    last: datetime
    has: dict[str, bool]
    """What its page shows now."""
    own: dict[str, bool]
    """What it would have if nothing were broken."""
    talks: bool = False
    """True once it has comments."""


@dataclass
class Site:
    """A source with habits of its own. `broken` has what is wrong with it now: a field, or a name as in `visit`."""

    id: str
    kind: str
    chance: random.Random
    broken: set[str] = field(default_factory=set)
    stories: list[Story] = field(default_factory=list)
    last_visit: datetime | None = None
    number: int = 0

    def __post_init__(self) -> None:
        usual = self.chance.choice((0.5, 0.8, 0.95, 1.0))
        self.shares = {"headline": 1.0, "authors": usual, "published": 0.99, "published_time": 0.98, "body": 0.97}
        self.shares |= {"summary": 0.8, "image": 0.9, "section": 0.5}
        self.rejected = self.chance.choice((0.0, 0.03, 0.1))
        self.pace = self.chance.choice((1.2, 2.0, 5.0))
        self.talk = self.chance.choice((0.0, 0.5))

    def visit(self, now: datetime) -> tuple[SourceTally, Met]:
        """What the crawl counts in a run that begins now."""
        counts: Counter[str] = Counter()
        fields: dict[str, FieldCount] = {}
        fresh = self._published(now)
        if "down" in self.broken or "html" in self.broken:
            self.last_visit = now
            met = Met(listings_html=2 * ("html" in self.broken))
            return SourceTally(listings=2, listings_failed=2, seconds=3.0), met
        for _ in range(fresh):
            self._new(now, counts, fields)
        for story in self.stories[-FEED:]:
            if story.last < now:
                self._again(story, now, counts, fields)
        self.last_visit = now
        slow = 20 if "slow" in self.broken else 1
        seconds = (2 + counts["fetched"]) * self.pace * slow * self.chance.uniform(0.8, 1.6)
        return SourceTally(listings=2, seconds=seconds, **counts), Met(fields=fields)

    def _published(self, now: datetime) -> int:
        if self.last_visit is None:
            return self.chance.randint(10, FEED)
        if "quiet" in self.broken:
            return 0
        found, at = 0, self.last_visit
        while at < now:
            rate = KINDS[self.kind](at.hour, at.weekday() >= 5)
            found += _poisson(self.chance, rate)
            at += timedelta(hours=1)
        return found

    def _new(self, now: datetime, counts: Counter[str], fields: dict[str, FieldCount]) -> None:
        self.number += 1
        url = f"https://{self.id}.example/{self.number}"
        counts["links"] += 1
        counts["fetched"] += 1
        if "blocked" in self.broken and self.chance.random() < 0.6:
            counts["failed"] += 1
            counts["blocked"] += 1
            _count(fields, "let in", False, url)
            return
        _count(fields, "let in", True, url)
        if counts["failed"] == 0 and self.chance.random() < 0.01:
            counts["failed"] += 1  # a time-out now and then
            _count(fields, "page", False, url)
            return
        _count(fields, "page", True, url)
        if self.chance.random() < (0.8 if "article" in self.broken else self.rejected):
            counts["rejected"] += 1
            _count(fields, "article", False, url)
            return
        day = random.Random(f"{self.id} {now.date()}")  # articles of one day come from the same desk
        mood = day.uniform(0.5, 1.0) if self.shares["authors"] < 1 else 1.0
        shares = self.shares | {"authors": self.shares["authors"] * mood}
        own = {name: self.chance.random() < share for name, share in shares.items()}
        has = {name: there and name not in self.broken for name, there in own.items()}
        self.stories.append(Story(url, now, now, has, own))
        counts["new"] += 1
        for name, there in {**has, "article": True}.items():
            _count(fields, name, there, url)

    def _again(self, story: Story, now: datetime, counts: Counter[str], fields: dict[str, FieldCount]) -> None:
        counts["links"] += 1
        wait = (story.last - story.seen) / 2
        if wait >= timedelta(hours=1) and now < story.last + wait:
            counts["not_due"] += 1
            return
        counts["fetched"] += 1
        story.last = now
        before, story.has = story.has, {name: has and name not in self.broken for name, has in story.own.items()}
        changed = [name for name, there in story.has.items() if there is not before[name]]
        if story.talks:
            _count(fields, "comments", "comments" not in self.broken, story.url)
        story.talks = story.talks or self.chance.random() < self.talk / 4
        edited = bool(changed) or self.chance.random() < 0.02
        counts["edited" if edited else "unchanged"] += 1
        for name in changed:
            _count(fields, name, story.has[name], story.url)


def _count(fields: dict[str, FieldCount], name: str, has: bool, url: str) -> None:
    count = fields.get(name, FieldCount())
    fields[name] = replace(
        count,
        read=count.read + 1,
        filled=count.filled + has,
        filled_url=url if has else count.filled_url,
        missing_url=count.missing_url or ("" if has else url),
    )


def _poisson(chance: random.Random, rate: float) -> int:
    """D. Knuth's way, for small rates."""
    limit, product, number = math.exp(-rate), chance.random(), 0
    while product > limit:
        product *= chance.random()
        number += 1
    return number


class Watched:
    """A watch over simulated sources, in a real database."""

    def __init__(self, path: Path, sites: list[Site]) -> None:
        self.store, self.sites, self.now = Store(path), sites, START
        self.sources = [Source(id=site.id, name=site.id, home=f"https://{site.id}.example/") for site in sites]
        self.reports: list[RunReport] = []

    def run(self, *, after: timedelta = timedelta(hours=1)) -> RunReport:
        """One run, some time after the last."""
        self.now += after
        began, ended = stamp(self.now), stamp(self.now + timedelta(minutes=4))
        past = {site.id: self.store.past(site.id) for site in self.sites}
        last_end, rests = self.store.last_end(), resting(past, began)
        run_id = self.store.begin_run(self.sources, version="simulated", now=began)
        seen = {site.id: (SourceTally(resting=1), Met()) for site in self.sites if site.id in rests}
        seen |= {site.id: site.visit(self.now) for site in self.sites if site.id not in rests}
        past = {
            id: replace(known, fields=self.store.past_fields(id, doubtful(seen[id][1].fields, known)))
            for id, known in past.items()
        }
        ending = Ending(run_id=run_id, started=began, now=ended, last_end=last_end)
        tallies, met = {id: tally for id, (tally, _) in seen.items()}, {id: met for id, (_, met) in seen.items()}
        report = judge_run(tallies, past, ending, met=met)
        self.store.end_run(run_id, report, now=ended)
        self.reports.append(report)
        return report

    def names(self, report: RunReport, source: str) -> list[str]:
        """The problems of one source."""
        return [p.name for p in report.problems if p.source == source]
