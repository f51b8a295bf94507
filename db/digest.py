"""A day's news as one value: what was published, what several outlets told, what was changed, what went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any

from db.read import rows_of
from db.sqlite import Database

Row = dict[str, Any]
DAY_ONLY = len("2026-11-22")
STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day as the reader's clock has it."""

    day: date
    zone: tzinfo
    zone_name: str

    @property
    def bounds(self) -> tuple[str, str]:
        """Its beginning and the next day's, as the database spells UTC."""
        begins = (datetime(each.year, each.month, each.day, tzinfo=self.zone) for each in (self.day, self._next))
        first, last = (each.astimezone(UTC).strftime(STAMP) for each in begins)
        return first, last

    @property
    def _next(self) -> date:
        return self.day + timedelta(days=1)

    def has(self, when: str) -> bool:
        """True when a time of the database lies in it: UTC, without a zone (taken for UTC), or a bare day."""
        first, last = self.bounds
        return when == self.day.isoformat() if len(when) == DAY_ONLY else first <= when < last

    def local(self, when: str | None) -> datetime | None:
        """A time of the database on the reader's clock; None for a bare day, or for none."""
        if not when or len(when) == DAY_ONLY:
            return None
        try:
            read = datetime.fromisoformat(when)
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(self.zone)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One article of the day."""

    headline: str
    summary: str
    url: str
    source_id: str
    source: str
    authors: tuple[str, ...]
    language: str
    time: datetime | None
    """On the reader's clock; None when the site named only a day."""
    seen: bool
    """True when the site named no time, and this is when we saw it."""
    comments: int
    held: int
    """Comments of it that wait for a person now."""
    gone: bool
    story_id: int | None
    told: str
    """How it tells a story that others tell too: first, copy, edited, excerpt; empty for a story of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One story that several articles of the day tell, the first first."""

    items: tuple[Item, ...]
    publishers: int
    """Outlets that have told it, on any day."""
    before: str
    """The outlet that told it on an earlier day already; empty when it is of this day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A headline that was changed after it was published."""

    was: str
    became: str
    url: str
    source: str
    time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A problem that runs of the day named."""

    source: str
    name: str
    detail: str
    """As the last of them said it."""
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The day."""

    day: Day
    stories: tuple[Story, ...]
    sources: tuple[tuple[str, tuple[Item, ...]], ...]
    """Articles that stand in no story of the day, by the name of their source, the newest first."""
    changes: tuple[Change, ...]
    troubles: tuple[Trouble, ...]
    runs: int
    made_at: str
    """UTC."""

    @property
    def articles(self) -> int:
        """How many articles there are in all."""
        return sum(len(story.items) for story in self.stories) + sum(len(items) for _, items in self.sources)

    @property
    def outlets(self) -> int:
        """How many sources they come from."""
        found = {item.source_id for story in self.stories for item in story.items}
        return len(found | {item.source_id for _, items in self.sources for item in items})


def digest(db: Database, day: Day, *, source: str = "", now: str) -> Digest:
    """The news of a day, of one source or of all."""
    items = _items(db, day, source)
    stories = _stories(db, day, items)
    told = {id(item) for story in stories for item in story.items}
    runs = rows_of(db, _RUNS, *day.bounds)
    return Digest(
        day=day,
        stories=stories,
        sources=_by_source([item for item in items if id(item) not in told]),
        changes=tuple(_change(row, day) for row in rows_of(db, _CHANGES, *day.bounds, source, source)),
        troubles=_troubles(runs, source),
        runs=len(runs),
        made_at=now,
    )


def _items(db: Database, day: Day, source: str) -> list[Item]:
    """The day's articles in the order of their times; what SQL compares as text is looked at closely here."""
    first, last = day.bounds
    name = day.day.isoformat()
    rows = rows_of(db, _ARTICLES, min(first, name), max(last, f"{name}~"), source, source)
    return [_item(row, day) for row in rows if day.has(row["published_at"] or row["first_seen_at"])]


def _item(row: Row, day: Day) -> Item:
    return Item(
        headline=row["headline"],
        summary=row["summary"],
        url=row["url"],
        source_id=row["source_id"],
        source=row["source"] or row["source_id"],
        authors=tuple(json.loads(row["authors"])),
        language=row["language"],
        time=day.local(row["published_at"] or row["first_seen_at"]),
        seen=row["published_at"] is None,
        comments=row["comments"],
        held=row["held"],
        gone=row["gone_at"] is not None,
        story_id=row["story_id"],
        told=row["told"] or "",
    )


def _stories(db: Database, day: Day, items: Iterable[Item]) -> tuple[Story, ...]:
    """The most widely told first."""
    told: dict[int, list[Item]] = {}
    for item in items:
        if item.story_id is not None:
            told.setdefault(item.story_id, []).append(item)
    found = [_story(db, day, id, group) for id, group in told.items() if len(group) > 1]
    return tuple(sorted(found, key=lambda story: (-story.publishers, -len(story.items), story.items[0].headline)))


def _story(db: Database, day: Day, id: int, items: Sequence[Item]) -> Story:
    (whole,) = rows_of(db, _TOLD, id)
    (first,) = rows_of(db, _FIRST, id)
    return Story(items=tuple(items), publishers=whole["n"], before="" if day.has(first["at"]) else first["source"])


def _by_source(items: Sequence[Item]) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    newest_first = list(reversed(items))
    ordered = sorted(newest_first, key=lambda item: (item.source.casefold(), item.source_id))
    groups = groupby(ordered, key=lambda item: item.source_id)
    return tuple((group[0].source, tuple(group)) for group in (list(each) for _, each in groups))


def _change(row: Row, day: Day) -> Change:
    return Change(
        was=row["headline_was"],
        became=row["headline_became"],
        url=row["url"],
        source=row["source"] or row["source_id"],
        time=day.local(row["seen_at"]),
    )


def _troubles(runs: Iterable[Row], source: str) -> tuple[Trouble, ...]:
    found: dict[tuple[str, str], Trouble] = {}
    for run in runs:
        for problem in json.loads(run["problems"]):
            where, name = problem.get("source", ""), problem.get("name", "")
            if not source or where in ("", source):
                times = found[where, name].runs if (where, name) in found else 0
                detail = problem.get("detail", "")
                found[where, name] = Trouble(source=where, name=name, detail=detail, runs=times + 1)
    return tuple(found[key] for key in sorted(found))


_ARTICLES = """
SELECT a.headline, a.summary, a.url, a.source_id, s.name AS source, a.authors, a.language, a.published_at,
  a.first_seen_at, a.gone_at, t.story_id, t.kind AS told,
  (SELECT count(*) FROM comments c WHERE c.article_id = a.id AND c.kind = 'comment') AS comments,
  (SELECT count(*) FROM comments c JOIN standing h ON h.comment_id = c.id
    WHERE c.article_id = a.id AND h.state = 'flagged') AS held
FROM articles a JOIN sources s ON s.id = a.source_id LEFT JOIN story_articles t ON t.article_id = a.id
WHERE coalesce(a.published_at, a.first_seen_at) >= ? AND coalesce(a.published_at, a.first_seen_at) < ?
  AND (? = '' OR a.source_id = ?)
ORDER BY coalesce(a.published_at, a.first_seen_at), a.id
"""
_TOLD = """
SELECT count(DISTINCT a.source_id) AS n FROM story_articles t JOIN articles a ON a.id = t.article_id
WHERE t.story_id = ?
"""
_FIRST = """
SELECT coalesce(a.published_at, a.first_seen_at) AS at, s.name AS source
FROM story_articles t JOIN articles a ON a.id = t.article_id JOIN sources s ON s.id = a.source_id
WHERE t.story_id = ? ORDER BY at, a.id LIMIT 1
"""
_CHANGES = """
SELECT h.seen_at, h.source_id, s.name AS source, h.headline_was, h.headline_became, h.url
FROM article_history h JOIN sources s ON s.id = h.source_id
WHERE h.kind = 'edit' AND h.seen_at >= ? AND h.seen_at < ? AND h.headline_was <> h.headline_became
  AND (? = '' OR h.source_id = ?)
ORDER BY h.seen_at
"""
_RUNS = "SELECT problems FROM runs WHERE kind = 'crawl' AND started_at >= ? AND started_at < ? ORDER BY id"
