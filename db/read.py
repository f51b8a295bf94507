"""What the doors show: latest articles, one article, the queue, runs. Reads only; rows come back as dicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from crawler.fields import ARTICLE, COMMENTS, PRESENT
from crawler.quarantine import rests_until
from db import history
from db.rows import TALKS, dicts
from db.sqlite import Database

Row = dict[str, Any]
FIELDS = (ARTICLE, *PRESENT, COMMENTS)
"""What is counted of the articles of each run."""
KNOWN = 5
"""Visits from which on a source is no longer new: fewer say little of what is usual."""


def latest(db: Database, *, limit: int, source: str = "") -> list[Row]:
    """Articles, the newest first."""
    sql = "SELECT * FROM latest_articles WHERE (? = '' OR source_id = ?) LIMIT ?"
    return [_decoded(r, "authors") for r in rows_of(db, sql, source, source, limit)]


def source_names(db: Database) -> list[tuple[str, str]]:
    """Id and name of each source that was ever visited, by name."""
    return [(row["id"], row["name"]) for row in rows_of(db, "SELECT id, name FROM sources ORDER BY name, id")]


def article(db: Database, id_or_url: str) -> Row | None:
    """One article with its comments, their links and all their verdicts, by number or address; None for none."""
    by = "a.id = ?" if id_or_url.isascii() and id_or_url.isdigit() else "a.url = ?"
    found = rows_of(db, f"{_ARTICLE} WHERE {by}", id_or_url) or rows_of(db, _BY_LEDGER, id_or_url)
    if not found:
        return None
    row = _decoded(found[0], "authors", "tags", "links")
    row["comments"] = [_with_verdicts(db, c) for c in rows_of(db, _COMMENTS, row["id"])]
    row["cuts"] = rows_of(db, "SELECT name, kept, left_out, unit FROM cuts WHERE article_id = ?", row["id"])
    evidence = "SELECT field, origin, raw, chosen FROM field_evidence WHERE article_id = ? ORDER BY field, chosen DESC"
    row["evidence"] = rows_of(db, evidence, row["id"])
    return row


def versions(db: Database, article_id: int) -> list[Row]:
    """Every version of an article, the first first: its fields; which of them `changed` to make it, when that was seen
    (`seen_at`), how many words went and came, and of what `kind` it is: first; edit; template, when the source's
    articles changed all at once; reading, when a replay read the same page better."""
    changes = {row["next_revision"]: row for row in rows_of(db, _CHANGES, article_id)}
    found = rows_of(db, _VERSIONS, article_id, article_id)
    for row in found:
        first = row.pop("first_seen_at")
        row |= changes.get(row["revision"]) or {**_FIRST, "seen_at": first}
        row.pop("next_revision", None)
    return [_decoded(row, "authors", "changed") for row in found]


def stories(db: Database, *, since: str, publishers: int, limit: int) -> list[Row]:
    """Stories that so many sources tell, with something new `since` (UTC); the latest first."""
    sql = "SELECT * FROM story_coverage WHERE last_at >= ? AND publishers >= ? LIMIT ?"
    found = rows_of(db, sql, since, publishers, limit)
    return [{**row, "source_ids": row["source_ids"].split(",")} for row in found]


def story(db: Database, id: int) -> list[Row]:
    """The articles of a story in order of time, by its number or that of an article of it; empty for none. Each has
    which article it is `like`, how much of the shorter text the other has (`share`), and `kind`."""
    return [_decoded(row, "authors") for row in rows_of(db, _STORY, id, id)]


def fetch(db: Database, url: str) -> Row | None:
    """The ledger's row for a URL, and whether readers talk under its article; None where it was never taken up."""
    sql = f"SELECT f.*, {TALKS} AS talks FROM fetches f LEFT JOIN articles a ON a.id = f.article_id WHERE f.url = ?"
    found = rows_of(db, sql, url)
    return {**found[0], "talks": bool(found[0]["talks"])} if found else None


def article_above(db: Database, url: str) -> Row | None:
    """What judging a comment looks at in the article it hangs under: id, headline, body, links, source_id, home of the
    source; None when it is not stored."""
    sql = "SELECT a.id, a.headline, a.body, a.links, a.source_id, s.home FROM articles a JOIN sources s"
    found = rows_of(db, f"{sql} ON s.id = a.source_id WHERE a.url = ?", url)
    return found[0] if found else None


def flagged(db: Database, *, limit: int, source: str = "") -> list[Row]:
    """The queue: comments that wait for a person, the worst first, each with its links; the blind sample among them."""
    sql = "SELECT * FROM review_queue WHERE (? = '' OR source_id = ?) LIMIT ?"
    return [_with_links(db, _decoded(r, "reasons")) for r in rows_of(db, sql, source, source, limit)]


def held(db: Database, comment_id: int) -> Row | None:
    """One comment that waits for a person, as the queue shows it; None when it does not wait."""
    found = rows_of(db, "SELECT * FROM flagged_comments WHERE id = ?", comment_id)
    return _with_links(db, _decoded(found[0], "reasons")) if found else None


def waiting(db: Database, *, source: str = "") -> int:
    """How many comments wait for a person."""
    sql = "SELECT count(*) AS n FROM review_queue WHERE (? = '' OR source_id = ?)"
    return int(rows_of(db, sql, source, source)[0]["n"])


def runs(db: Database, *, limit: int) -> list[Row]:
    """The last runs, the latest first, each with what it did at every source."""
    found = [_decoded(r, "problems") for r in rows_of(db, "SELECT * FROM runs ORDER BY id DESC LIMIT ?", limit)]
    for run in found:
        tallies = rows_of(db, "SELECT * FROM run_sources WHERE run_id = ? ORDER BY source_id", run["id"])
        run["sources"] = {t.pop("source_id"): {k: v for k, v in t.items() if k != "run_id"} for t in tallies}
    return found


def source_ids(db: Database) -> list[str]:
    """The sources that the database knows."""
    return [id for (id,) in db.execute("SELECT id FROM sources ORDER BY id")]


def sources(db: Database) -> dict[str, Row]:
    """What the database knows of each source it ever visited, by id."""
    return {row["source_id"]: row for row in rows_of(db, _SOURCES)}


def health(db: Database, *, runs: int, now: str, source: str = "") -> list[Row]:
    """How each source is, or one of them: what its last crawls found new, and what the latest of them named.

    `new` has the numbers of new articles of its last `runs` visits, the latest last, None for those in which it rested;
    `problems` are those that the last visit named; `resting_until` is empty for a source that does not rest at `now`,
    in UTC.
    """
    found = rows_of(db, _HEALTH, source, source)
    for row in found:
        known = history.past_runs(db, row["source_id"], limit=history.RUNS)
        visits = rows_of(db, _VISITS, row["source_id"], runs)
        row["new"] = [None if visit["resting"] else visit["new"] for visit in reversed(visits)]
        row["problems"] = [asdict(problem) for problem in known[-1].problems] if known else []
        row["resting_until"] = rests_until(known, now)
        row["visited_at"] = known[-1].at if known else None
        row["visits"] = len(known)
    return found


def state_of(row: Row) -> str:
    """How a source of `health` is: resting, trouble, never (visited to the end), new (visited a few times only), ok."""
    if row["resting_until"]:
        return "resting"
    if row["problems"]:
        return "trouble"
    return "never" if not row["visits"] else "new" if row["visits"] < KNOWN else "ok"


def depth(db: Database, source: str, *, runs: int) -> Row:
    """One source in depth: `fields` has by name what its articles had in each of its last `runs` runs, `runs` has its
    last visits with their numbers and problems, the latest last."""
    counts = {name: history.field_counts(db, source, name, limit=runs) for name in FIELDS}
    visits = history.past_runs(db, source, limit=runs)
    return {
        "fields": {name: [asdict(count) for count in found] for name, found in counts.items() if found},
        "runs": [
            {"run_id": v.run_id, "at": v.at, **asdict(v.tally), "problems": [asdict(p) for p in v.problems]}
            for v in visits
        ],
    }


def last_good_end(db: Database) -> str | None:
    """UTC: when the last crawl ended that did what it could; None without one."""
    found = rows_of(db, _LAST_GOOD)
    return str(found[0]["ended_at"]) if found else None


def run_problems(db: Database) -> list[Row]:
    """What was wrong with the last finished crawl as a whole."""
    found = rows_of(db, _LAST_CRAWL)
    return [asdict(p) for p in history.problems_of_source(found[0]["problems"], "")] if found else []


def robots(db: Database, host: str) -> Row | None:
    """The robots.txt of a host, as the last run that read it found it."""
    return next(iter(rows_of(db, "SELECT * FROM robots WHERE host = ?", host)), None)


def last_visits(db: Database) -> list[Row]:
    """What the last finished crawl over each source did there, what it named as wrong, and the last new article."""
    return [{**row, "problems": _named_at(row["source_id"], row["problems"])} for row in rows_of(db, _LAST_VISITS)]


def problems_before(db: Database) -> list[Row]:
    """The problems that stood when the last finished crawl began: of each source's visit before it, and of the whole
    crawl before it."""
    last = next(
        (run["id"] for run in rows_of(db, "SELECT max(id) AS id FROM runs WHERE kind = 'crawl' AND ended_at > ''")),
        None,
    )
    found = [p for row in rows_of(db, _VISITS_BEFORE, last) for p in _named_at(row["source_id"], row["problems"])]
    whole = rows_of(db, _CRAWL_BEFORE, last)
    return found + [p for row in whole for p in _named_at("", row["problems"])]


def _named_at(source_id: str, problems: str) -> list[Row]:
    return [problem for problem in json.loads(problems) if problem["source"] == source_id]


def counts(db: Database) -> dict[str, int]:
    """Rows in the tables a person asks about."""
    tables = ("articles", "article_revisions", "comments", "verdicts", "fetches", "runs")
    return {table: int(rows_of(db, f"SELECT count(*) AS n FROM {table}")[0]["n"]) for table in tables}


def _with_verdicts(db: Database, row: Row) -> Row:
    row = _with_links(db, _decoded(row, "hrefs"))
    verdicts = rows_of(db, _VERDICTS, row["id"])
    return {**row, "verdicts": [_decoded(v, "reasons") for v in verdicts]}


def _with_links(db: Database, row: Row) -> Row:
    return {**row, "links": rows_of(db, _LINKS, row["id"], row["revision"])}


def _decoded(row: Row, *columns: str) -> Row:
    return {**row, **{column: json.loads(row[column]) for column in columns}}


def rows_of(db: Database, sql: str, *values: Any) -> list[Row]:
    """The rows of a query."""
    return list(each_row(db, sql, *values))


def each_row(db: Database, sql: str, *values: Any) -> Iterator[Row]:
    """The rows of a query, one at a time, for those that are too many to hold."""
    yield from dicts(db.execute(sql, values))


_ARTICLE = "SELECT a.*, s.name AS source FROM articles a JOIN sources s ON s.id = a.source_id"
_BY_LEDGER = f"{_ARTICLE} JOIN fetches f ON f.article_id = a.id WHERE f.url = ?"
_VERSIONS = """
SELECT r.revision, r.headline, r.summary, r.body, r.authors, r.published_at, r.modified_at, a.first_seen_at
FROM article_revisions r JOIN articles a ON a.id = r.article_id WHERE r.article_id = ?
UNION ALL SELECT revision, headline, summary, body, authors, published_at, modified_at, first_seen_at
FROM articles WHERE id = ? ORDER BY revision
"""
_STORY = """
SELECT a.id, t.story_id, a.source_id, s.name AS source, a.headline, a.summary, a.body, a.authors, a.url, a.language,
  coalesce(a.published_at, a.first_seen_at) AS at, a.published_at, t.like_id, t.share, t.kind
FROM story_articles t CROSS JOIN articles a ON a.id = t.article_id JOIN sources s ON s.id = a.source_id
WHERE t.story_id = coalesce((SELECT story_id FROM story_articles WHERE article_id = ?), ?) ORDER BY at, a.id
"""
_CHANGES = """
SELECT next_revision, changed, seen_at, kind, words_gone, words_new FROM article_history WHERE article_id = ?
"""
_FIRST: Row = {"changed": "[]", "kind": "first", "words_gone": 0, "words_new": 0}
_COMMENT = """
SELECT c.*, t.state, t.score, a.headline, a.url FROM comments c JOIN articles a ON a.id = c.article_id
LEFT JOIN standing t ON t.comment_id = c.id
"""
_COMMENTS = f"{_COMMENT} WHERE c.article_id = ? ORDER BY c.position, c.id"
_LINKS = """
SELECT start, stop, text, url, host, domain, place, disguise FROM links
WHERE comment_id = ? AND revision = ? ORDER BY number
"""
_VERDICTS = """
SELECT id, revision, said, score, reasons, judge, person, note, undoes, at FROM verdicts
WHERE comment_id = ? ORDER BY id
"""
_SOURCES = """
SELECT s.id AS source_id, s.home, count(a.id) AS articles, max(a.published_at) AS latest,
  (SELECT max(r.ended_at) FROM runs r JOIN run_sources t ON t.run_id = r.id WHERE t.source_id = s.id) AS last_visit,
  (SELECT count(*) FROM comments c JOIN articles b ON b.id = c.article_id WHERE b.source_id = s.id) AS comments
FROM sources s LEFT JOIN articles a ON a.source_id = s.id GROUP BY s.id
"""
_HEALTH = """
SELECT s.id AS source_id, s.name, s.enabled,
  (SELECT count(*) FROM articles a WHERE a.source_id = s.id) AS articles,
  (SELECT r.ended_at FROM run_sources t JOIN runs r ON r.id = t.run_id
    WHERE t.source_id = s.id AND t.new > 0 AND r.kind = 'crawl' ORDER BY t.run_id DESC LIMIT 1) AS last_new_at
FROM sources s WHERE ? = '' OR s.id = ? ORDER BY s.id
"""
_VISITS = """
SELECT t.new, t.resting FROM run_sources t JOIN runs r ON r.id = t.run_id
WHERE t.source_id = ? AND r.kind = 'crawl' AND r.ended_at IS NOT NULL AND r.status <> 'interrupted'
ORDER BY t.run_id DESC LIMIT ?
"""
_LAST_GOOD = """
SELECT ended_at FROM runs WHERE kind = 'crawl' AND status IN ('ok', 'trouble') AND ended_at IS NOT NULL
ORDER BY id DESC LIMIT 1
"""
_LAST_CRAWL = """
SELECT problems FROM runs WHERE kind = 'crawl' AND ended_at IS NOT NULL AND status <> 'interrupted'
ORDER BY id DESC LIMIT 1
"""
_LAST_VISITS = """
SELECT t.*, r.problems, (SELECT max(first_seen_at) FROM articles a WHERE a.source_id = t.source_id) AS last_new_at
FROM run_sources t JOIN runs r ON r.id = t.run_id
WHERE (t.source_id, t.run_id) IN (
  SELECT v.source_id, max(v.run_id) FROM run_sources v JOIN runs c ON c.id = v.run_id
  WHERE c.kind = 'crawl' AND c.ended_at IS NOT NULL GROUP BY v.source_id)
ORDER BY t.source_id
"""
_VISITS_BEFORE = """
SELECT t.source_id, r.problems FROM run_sources t JOIN runs r ON r.id = t.run_id
WHERE (t.source_id, t.run_id) IN (
  SELECT v.source_id, max(v.run_id) FROM run_sources v JOIN runs c ON c.id = v.run_id
  WHERE c.kind = 'crawl' AND c.ended_at IS NOT NULL AND c.status <> 'interrupted' AND NOT v.resting AND c.id < ?
  GROUP BY v.source_id)
"""
_CRAWL_BEFORE = """
SELECT problems FROM runs
WHERE kind = 'crawl' AND ended_at IS NOT NULL AND status <> 'interrupted' AND id < ? ORDER BY id DESC LIMIT 1
"""
