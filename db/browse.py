"""What the pages of the reading room show, page by page: articles and stories by time, threads, visits. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from db.read import Row, rows_of
from db.sqlite import Database

THREAD = 100
"""Comments on a page: as many as a browser lays out at once."""
OUTLETS = 12
"""Outlets of a story that a list names; its own page has all."""
VISITS = 400
"""Of a source, the visits whose new articles are added up by day: two weeks of hourly runs."""
FEW_STORIES = 500
"""So many are looked at one by one; more are walked by time, of which the first page has enough soon."""
WALKED = 80
"""Articles of stories that are walked at once."""
FIRST = "~"
"""Later than any time: the first page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Which articles a list has; empty is any."""

    source: str = ""
    language: str = ""
    country: str = ""
    kind: str = ""
    """What sort of source: news, agency, think tank, …"""

    @property
    def by_source(self) -> bool:
        """True when it is about the source, in whatever way."""
        return bool(self.source or self.country or self.kind)


def articles(db: Database, shelf: Shelf, *, limit: int, before: str = "", once: bool = False) -> list[Row]:
    """A page of articles, the newest first, each with the number of its comments and its story.

    `before` is `AT~ID` of the last one of the page before it. `once`: of a story the newest article alone.
    """
    wanted, values = _wanted(db, shelf, "a")
    again, more = _wanted(db, shelf, "b")
    newer = _NEWER.format(wanted=again) if once else ""
    sql = _ARTICLES.format(ids=f"{_PAGE.format(wanted=wanted)}{newer} {_ORDER} LIMIT ?")
    found = rows_of(db, sql, *_last(before), *values, *(more if once else ()), limit)
    return [{**row, "authors": json.loads(row["authors"])} for row in found]


def next_page(rows: Sequence[Row], limit: int) -> str:
    """What `before` is on the next page; empty on the last one."""
    return f"{rows[-1]['at']}~{rows[-1]['id']}" if len(rows) >= limit else ""


def _last(before: str) -> tuple[str, int]:
    at, _, id = before.rpartition("~")
    return (at, int(id)) if at and id.isascii() and id.isdecimal() and len(id) < 19 else (FIRST, 0)


def _wanted(db: Database, shelf: Shelf, name: str) -> tuple[str, list[Any]]:
    """What makes an article one of the shelf, in SQL that begins with AND, with its values.

    The `+` keeps SQLite from gathering and sorting all of a source: the index by time is walked.
    """
    sql, values = "", []
    if shelf.by_source:
        ids = [shelf.source] if shelf.source else _sources_of(db, shelf)
        one = len(ids) == 1
        sql += f" AND +{name}.source_id " + ("= ?" if one else "IN (SELECT value FROM json_each(?))")
        values.append(ids[0] if one else json.dumps(ids))
    if shelf.language:
        sql += f" AND +{name}.language = ?"
        values.append(shelf.language)
    return sql, values


def _sources_of(db: Database, shelf: Shelf) -> list[str]:
    sql = "SELECT id FROM sources WHERE (? = '' OR country = ?) AND (? = '' OR kind = ?)"
    return [row["id"] for row in rows_of(db, sql, shelf.country, shelf.country, shelf.kind, shelf.kind)]


def choices(db: Database) -> dict[str, list[tuple[str, str]]]:
    """What a shelf can be made of: value and name of each source, language, country and kind that there is."""
    sources = rows_of(db, "SELECT id, name, country, kind FROM sources ORDER BY name, id")
    return {
        "source": [(row["id"], row["name"]) for row in sources],
        "language": _values(row["language"] for row in rows_of(db, _LANGUAGES)),
        "country": _values(row["country"] for row in sources),
        "kind": _values(row["kind"] for row in sources),
    }


def _values(found: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in sorted({value for value in found if value})]


def stories(db: Database, *, publishers: int, limit: int, before: str = "") -> tuple[list[Row], str]:
    """Stories that so many sources tell, the one with the newest article first, and what `before` is on the next page.

    Each has headline, source and time of its first article, its newest time (`at`), how many articles, and its sources
    in the order in which they had it.
    """
    most = [row["story_id"] for row in rows_of(db, _WIDE, publishers, FEW_STORIES + 1)]
    found = _few(db, most) if len(most) <= FEW_STORIES else _walked(db, before)
    last, kept = _last(before), list[Row]()
    for story in found:
        if story["publishers"] >= publishers and (story["at"], story["id"]) < last:
            kept.append(story)
            if len(kept) == limit:
                break
    return kept, next_page(kept, limit)


def _few(db: Database, stories: Iterable[int]) -> list[Row]:
    """These stories, the newest first."""
    return sorted(_told(db, stories).values(), key=lambda story: (story["at"], story["id"]), reverse=True)


def _walked(db: Database, before: str) -> Iterator[Row]:
    """All stories, the one with the newest article first, as long as somebody asks for more."""
    last, seen = _last(before), set[int]()
    while found := rows_of(db, _NEWEST_TOLD, *last, WALKED):
        told = _told(db, {row["story_id"] for row in found} - seen)
        seen |= told.keys()
        for row in found:
            story = told.get(row["story_id"])
            if story and story["id"] == row["id"]:
                yield story
        last = (found[-1]["at"], found[-1]["id"])


def _told(db: Database, stories: Iterable[int]) -> dict[int, Row]:
    """Each of these stories in short; `at` and `id` are those of its newest article."""
    by_story: dict[int, list[Row]] = {}
    for row in rows_of(db, _TELLERS, json.dumps(sorted(stories))):
        by_story.setdefault(row["story_id"], []).append(row)
    return {id: _story(told) for id, told in by_story.items()}


def _story(told: list[Row]) -> Row:
    first, newest = told[0], told[-1]
    return {
        "story_id": first["story_id"],
        "headline": first["headline"],
        "first_source_id": first["source_id"],
        "first_source": first["source"],
        "first_at": first["at"],
        "url": first["url"],
        "at": newest["at"],
        "id": newest["id"],
        "articles": len(told),
        "publishers": len({row["source_id"] for row in told}),
        "independent": len({row["source_id"] for row in told if row["kind"] != "copy"}),
        "sources": list(dict.fromkeys(row["source"] for row in told))[:OUTLETS],
    }


def outlets(db: Database, rows: Sequence[Row]) -> dict[int, list[Row]]:
    """For each of these articles that has a story, by its number: the other articles of it, in the order of time."""
    stories = {row["story_id"] for row in rows if row["story_id"]}
    told: dict[int, list[Row]] = {}
    for row in rows_of(db, _TELLERS, json.dumps(sorted(stories))) if stories else ():
        told.setdefault(row["story_id"], []).append(row)
    return {
        row["id"]: [other for other in told.get(row["story_id"], ()) if other["id"] != row["id"]][:OUTLETS]
        for row in rows
        if row["story_id"]
    }


def article(db: Database, id: int) -> Row | None:
    """One article with what is kept beside it, its comments left out: cuts, where fields were read, archived pages."""
    found = rows_of(db, _ARTICLE, id)
    if not found:
        return None
    row = found[0] | {name: json.loads(found[0][name]) for name in ("authors", "tags", "links")}
    row["cuts"] = rows_of(db, "SELECT name, kept, left_out, unit FROM cuts WHERE article_id = ?", id)
    evidence = "SELECT field, origin, raw, chosen FROM field_evidence WHERE article_id = ? ORDER BY field, chosen DESC"
    row["evidence"] = rows_of(db, evidence, id)
    row["archived"] = rows_of(db, _ARCHIVED, row["url"])
    return row


def thread(db: Database, article_id: int, *, page: int) -> Row:
    """A page of the comments under an article, each answer below what it answers; its numbers and those of all.

    `level` is how deep a comment stands, `answers` whom it answers: the author there, None for nobody.
    """
    places = rows_of(db, _PLACES, article_id)
    order, said = _in_threads(places), sum(row["kind"] == "comment" for row in places)
    pages = max(1, -(-len(order) // THREAD))
    page = min(max(1, page), pages)
    here = order[(page - 1) * THREAD : page * THREAD]
    rows = {row["id"]: row for row in rows_of(db, _SAID, json.dumps([id for id, _ in here]))}
    comments = [{**rows[id], "level": level} for id, level in here if id in rows]
    return {"comments": comments, "page": page, "pages": pages, "count": said, "pingbacks": len(order) - said}


def page_of_comment(db: Database, article_id: int, comment_id: int) -> int:
    """The page on which a comment stands; 1 for one that is not there."""
    order = _in_threads(rows_of(db, _PLACES, article_id))
    return next((place // THREAD + 1 for place, (id, _) in enumerate(order) if id == comment_id), 1)


def _in_threads(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Number and level of each comment, in the order in which people read: answers under what they answer."""
    keys = {row["key"]: row["id"] for row in rows}
    below: dict[int | None, list[int]] = {}
    for row in rows:
        below.setdefault(keys.get(row["parent_key"]), []).append(row["id"])
    order, seen = [], set[int]()
    stack = [(id, 0) for id in reversed(below.get(None, ()))]
    while stack:
        id, level = stack.pop()
        if id not in seen:
            seen.add(id)
            order.append((id, level))
            stack += [(answer, level + 1) for answer in reversed(below.get(id, ()))]
    return order + [(row["id"], 0) for row in rows if row["id"] not in seen]


def held(db: Database) -> int:
    """How many flagged comments wait for a person."""
    return int(rows_of(db, "SELECT count(*) AS n FROM standing WHERE state = 'flagged'")[0]["n"])


def counts(db: Database) -> dict[str, int]:
    """How many articles, earlier versions of them, comments and runs there are."""
    tables = ("articles", "article_revisions", "comments", "runs")
    return {table: int(rows_of(db, f"SELECT count(*) AS n FROM {table}")[0]["n"]) for table in tables}


def runs(db: Database, *, limit: int, before: int) -> list[Row]:
    """Runs before this one, the latest first, each with its sums over all sources and its problems."""
    found = rows_of(db, _RUNS, before, limit)
    return [{**row, "problems": json.loads(row["problems"])} for row in found]


def run(db: Database, id: int) -> Row | None:
    """One run with what it did at each source; None for none."""
    found = rows_of(db, "SELECT * FROM runs WHERE id = ?", id)
    if not found:
        return None
    row = {**found[0], "problems": json.loads(found[0]["problems"])}
    row["sources"] = rows_of(db, _RUN_SOURCES, id)
    return row


def source(db: Database, id: str) -> Row | None:
    """One source, and how many articles it has; None for none."""
    sql = (
        "SELECT s.*, (SELECT count(*) FROM articles a WHERE a.source_id = s.id) AS articles FROM sources s WHERE id = ?"
    )
    return next(iter(rows_of(db, sql, id)), None)


def visits(db: Database, source: str) -> list[Row]:
    """The last finished visits of a source, the latest at the end: when, and what was new, failed, or kept from us."""
    return rows_of(db, _VISITS, source, VISITS)[::-1]


_AT = "coalesce(a.published_at, a.first_seen_at)"
_ORDER = f"ORDER BY {_AT} DESC, a.id DESC"
_PAGE = f"SELECT a.id FROM articles a WHERE ({_AT}, a.id) < (?, ?){{wanted}}"
_NEWER = f""" AND NOT EXISTS (
  SELECT 1 FROM story_articles t JOIN story_articles o ON o.story_id = t.story_id
  CROSS JOIN articles b ON b.id = o.article_id
  WHERE t.article_id = a.id AND (coalesce(b.published_at, b.first_seen_at), b.id) > ({_AT}, a.id){{wanted}})"""
_ARTICLES = f"""
SELECT a.id, {_AT} AS at, a.source_id, s.name AS source, a.headline, a.summary, a.url, a.authors, a.published_at,
  a.first_seen_at, a.language, a.revision, a.gone_at,
  (SELECT count(*) FROM comments c WHERE c.article_id = a.id AND c.kind = 'comment') AS comments,
  (SELECT t.story_id FROM story_articles t WHERE t.article_id = a.id) AS story_id
FROM ({{ids}}) p CROSS JOIN articles a ON a.id = p.id JOIN sources s ON s.id = a.source_id {_ORDER}
"""
_LANGUAGES = """
WITH RECURSIVE known (language) AS (
  SELECT min(language) FROM articles
  UNION ALL SELECT (SELECT min(language) FROM articles WHERE language > k.language)
  FROM known k WHERE k.language NOTNULL
) SELECT language FROM known WHERE language <> ''
"""
_WIDE = "SELECT story_id FROM story_articles GROUP BY story_id HAVING count(*) >= ? LIMIT ?"
_NEWEST_TOLD = f"""
SELECT a.id, {_AT} AS at, t.story_id FROM articles a CROSS JOIN story_articles t ON t.article_id = a.id
WHERE ({_AT}, a.id) < (?, ?) {_ORDER} LIMIT ?
"""
_TELLERS = f"""
SELECT t.story_id, a.id, {_AT} AS at, a.source_id, s.name AS source, a.headline, a.url, t.kind, t.share
FROM story_articles t CROSS JOIN articles a ON a.id = t.article_id JOIN sources s ON s.id = a.source_id
WHERE t.story_id IN (SELECT value FROM json_each(?)) ORDER BY t.story_id, at, a.id
"""
_ARTICLE = f"""
SELECT a.*, {_AT} AS at, s.name AS source, s.country,
  (SELECT t.story_id FROM story_articles t WHERE t.article_id = a.id) AS story_id
FROM articles a JOIN sources s ON s.id = a.source_id WHERE a.id = ?
"""
_ARCHIVED = """
SELECT at, file, role, length FROM captures WHERE url = ? ORDER BY id DESC LIMIT 20
"""
_PLACES = "SELECT id, key, parent_key, kind FROM comments WHERE article_id = ? ORDER BY position, id"
_SAID = """
SELECT c.id, c.kind, c.author, c.posted_at, c.text, c.edited, c.deleted, c.by_staff, c.cut, c.revision, c.gone_at,
  t.state, (SELECT p.author FROM comments p WHERE p.article_id = c.article_id AND p.key = c.parent_key) AS answers
FROM comments c LEFT JOIN standing t ON t.comment_id = c.id WHERE c.id IN (SELECT value FROM json_each(?))
"""
_SUMS = (
    "new",
    "edited",
    "failed",
    "blocked",
    "rejected",
    "gone",
    "comments_new",
    "comments_flagged",
    "requests",
    "bytes",
)
_RUNS = f"""
SELECT r.*, t.* FROM runs r LEFT JOIN (
  SELECT run_id, count(*) AS sources, sum(resting) AS resting, {", ".join(f"sum({name}) AS {name}" for name in _SUMS)}
  FROM run_sources WHERE run_id < ?1 AND run_id >= coalesce((SELECT min(id) FROM
    (SELECT id FROM runs WHERE id < ?1 ORDER BY id DESC LIMIT ?2)), 0) GROUP BY run_id) t ON t.run_id = r.id
WHERE r.id < ?1 ORDER BY r.id DESC LIMIT ?2
"""
_RUN_SOURCES = """
SELECT t.*, s.name AS source FROM run_sources t JOIN sources s ON s.id = t.source_id WHERE t.run_id = ?
ORDER BY t.new DESC, s.name
"""
_VISITS = """
SELECT t.run_id, r.ended_at AS at, t.new, t.failed, t.blocked, t.resting, t.seconds
FROM run_sources t JOIN runs r ON r.id = t.run_id
WHERE t.source_id = ? AND r.kind = 'crawl' AND r.ended_at IS NOT NULL ORDER BY t.run_id DESC LIMIT ?
"""
