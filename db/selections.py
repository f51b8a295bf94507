"""What can be taken out: a view, what a search finds, what a kept search found, the answer to a query.

Each is columns and rows; rows come one at a time, however many there are.
"""

from __future__ import annotations

import difflib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from db.export import distinct
from db.finding import SUBJECTS, Finder
from db.queries import SECONDS, STEPS, Query, QueryError, bound
from db.search import CLOSE, OPEN, ask, search
from db.sqlite import Database

VIEWS = (
    "latest_articles",
    "article_history",
    "story_coverage",
    "comment_threads",
    "flagged_comments",
    "review_queue",
    "spam_domains",
    "source_health",
)
"""The views that stay as they are documented, so that what reads an export today reads it next year."""
BATCH = 500
"""Rows that are asked for at once; between two batches the clock of a query starts anew."""

Values = tuple[Any, ...]


class NoSelection(Exception):
    """There is nothing of this name to take out. The message has the nearest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Rows to take out, and what they are."""

    kind: str
    """view, search, watch or query."""
    name: str
    """Its name, or what was searched for."""
    columns: tuple[str, ...]
    """Each name once."""
    rows: Callable[[], Iterator[Values]]
    """Asks for the rows, anew each time."""


@contextmanager
def one_moment(db: Database) -> Iterator[None]:
    """All that is read within is as it was at one moment; the crawl goes on writing meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def view(db: Database, name: str) -> Selection:
    """Every row of a view, one of `VIEWS` or any other in the file. Raises `NoSelection`."""
    there = [*VIEWS, *(each for (each,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'"))]
    _check(name, there, "view", f"there are: {', '.join(VIEWS)}")
    quoted = name.replace('"', '""')
    return _asked(db, "view", name, f'SELECT * FROM "{quoted}"', {})


def question(db: Database, query: Query, given: Mapping[str, str]) -> Selection:
    """The answer to a query of the pack. Raises `QueryError`: also from its rows, when they are too long in coming."""
    return _asked(db, "query", query.name, query.sql, bound(query, given))


def best(db: Database, words: str, *, subject: str, limit: int) -> Selection:
    """What a search finds, the best first, each with its `rank` and `snippet`, hits between `**`. `subject` is articles
    or comments."""
    rows = search(db, words, limit=limit, subject=subject)
    hits = [(row["id"], row["rank"], row["snippet"].replace(OPEN, "**").replace(CLOSE, "**")) for row in rows]
    return _detailed(db, ("search", words), subject, ("rank", "snippet"), hits)


def newest(db: Database, words: str, *, subject: str, limit: int) -> Selection:
    """What a search finds, the newest first."""
    asked = ask(words, subject=subject)
    days = {} if asked.nothing else Finder(db, asked, SUBJECTS[subject]).newest(limit)
    hits = sorted(days, key=lambda id: (days[id], id), reverse=True)[:limit]
    return _detailed(db, ("search", words), subject, (), [(id,) for id in hits])


def kept(db: Database, name: str) -> Selection:
    """What the kept search of this name found so far, what was found last first. Raises `NoSelection`."""
    watches = {each: (id, subject) for each, id, subject in db.execute("SELECT name, id, subject FROM watches")}
    _check(name, list(watches), "kept search", "`watchfloor watch list` lists them")
    id, subject = watches[name]
    sql = "SELECT subject_id, at, run_id FROM watch_matches WHERE watch_id = ? ORDER BY at DESC, subject_id DESC"
    return _detailed(db, ("watch", name), subject, ("found_at", "found_in_run"), list(db.execute(sql, (id,))))


def _asked(db: Database, kind: str, name: str, sql: str, values: Mapping[str, Any]) -> Selection:
    asked = [_executed(db, name, sql, values)]
    columns = distinct([column[0] for column in asked[0].description or ()])
    if not columns:
        raise QueryError(f"{name}: not a question: it gives no rows")

    def rows() -> Iterator[Values]:
        return _rows(db, name, asked.pop() if asked else _executed(db, name, sql, values))

    return Selection(kind=kind, name=name, columns=columns, rows=rows)


def _executed(db: Database, name: str, sql: str, values: Mapping[str, Any]) -> sqlite3.Cursor:
    """The cursor, before its first row. Raises `QueryError` for what is wrong with the words of a query."""
    with _within(db, name):
        return db.conn.execute(sql, values)


def _rows(db: Database, name: str, cursor: sqlite3.Cursor) -> Iterator[Values]:
    while True:
        with _within(db, name):
            batch = cursor.fetchmany(BATCH)
        if not batch:
            return
        yield from batch


@contextmanager
def _within(db: Database, name: str) -> Iterator[None]:
    """Ends what SQLite does here when it takes longer than `SECONDS`."""
    ends = time.monotonic() + SECONDS
    db.conn.set_progress_handler(lambda: time.monotonic() > ends, STEPS)
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as e:
        if getattr(e, "sqlite_errorcode", sqlite3.SQLITE_ERROR) == sqlite3.SQLITE_INTERRUPT:
            raise QueryError(f"{name}: no row within {SECONDS:g} seconds") from e
        if getattr(e, "sqlite_errorcode", sqlite3.SQLITE_ERROR) == sqlite3.SQLITE_ERROR:
            raise QueryError(f"{name}: {e}") from e
        raise
    finally:
        db.conn.set_progress_handler(None, 0)


def _detailed(
    db: Database, what: tuple[str, str], subject: str, added: Iterable[str], hits: Sequence[Values]
) -> Selection:
    """What is known of each article or comment, and behind it what is known of the hit, its number first."""
    sql = _DETAILS[subject]
    columns = [column[0] for column in db.execute(sql, (0,)).description]

    def rows() -> Iterator[Values]:
        for id, *more in hits:
            if row := db.execute(sql, (id,)).fetchone():
                yield (*row, *more)

    return Selection(kind=what[0], name=what[1], columns=distinct([*columns, *added]), rows=rows)


def _check(name: str, there: Sequence[str], what: str, way_out: str) -> None:
    if name not in there:
        near = difflib.get_close_matches(name, there, 1)
        raise NoSelection(f"no {what} {name!r}; " + (f"did you mean {near[0]}?" if near else way_out))


_DETAILS = {
    "articles": "SELECT * FROM latest_articles WHERE id = ?",
    "comments": """
SELECT c.id, c.key, c.article_id, a.source_id, a.headline, a.url, c.author, c.posted_at, c.text, t.state, t.score,
  c.first_seen_at, c.revision, c.gone_at
FROM comments c JOIN articles a ON a.id = c.article_id LEFT JOIN standing t ON t.comment_id = c.id WHERE c.id = ?
""",
}
