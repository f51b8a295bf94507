"""Searches that are kept, and what each run found for them. `db.indexing` finds it, as it fills the search index."""

from __future__ import annotations

import sqlite3
from typing import Any

from db.rows import dicts
from db.sqlite import Database

Row = dict[str, Any]

NAME_CHARACTERS = 100
"""Of the name of a kept search: it stands in the title of a message."""
FIRST = 5
"""Headlines of new matches that are told of; a message has to fit a telephone."""


class WatchError(Exception):
    """A kept search that cannot be added, or is not there. The message says which."""


def add(db: Database, name: str, query: str, *, subject: str, now: str) -> int:
    """Keeps a search; what is stored from now on is looked at. Raises `WatchError` for a name that there is."""
    sql = "INSERT INTO watches (name, query, subject, added_at) VALUES (?, ?, ?, ?) RETURNING id"
    try:
        ((id,),) = db.execute(sql, [name, query, subject, now]).fetchall()
    except sqlite3.IntegrityError:
        raise WatchError(f"there is a watch {name!r} already; give another --name") from None
    return int(id)


def remove(db: Database, name: str) -> None:
    """Removes a kept search with what it found. Raises `WatchError` when there is none of this name."""
    if not db.execute("DELETE FROM watches WHERE name = ? RETURNING id", [name]).fetchall():
        raise WatchError(f"no watch {name!r}; `watchfloor watch list` lists them")


def listed(db: Database) -> list[Row]:
    """The kept searches by name: name, query, subject, added_at, how many matches, and when the last one was found."""
    return _rows(db, _LISTED)


def matches(db: Database, name: str = "", *, run: int = 0, limit: int) -> list[Row]:
    """What kept searches found, what was found last first; of the one with this name, in this run.

    Rows have watch, subject, run_id, at, and of the article or comment id, source_id, headline, url, published_at; of a
    comment author, posted_at, text and state as well. Raises `WatchError` when there is none of this name.
    """
    if name and not db.execute("SELECT 1 FROM watches WHERE name = ?", [name]).fetchall():
        raise WatchError(f"no watch {name!r}; `watchfloor watch list` lists them")
    return _rows(db, _MATCHES, {"name": name, "run": run, "limit": limit})


def found_last(db: Database) -> list[Row]:
    """What the last crawl found for each kept search that has something new: name, subject, how many are `new`, and the
    `first` headlines, the newest first."""
    rows = _rows(db, _NEW)
    for row in rows:
        found = matches(db, row["name"], run=row["run_id"], limit=FIRST)
        row["first"] = [
            {key: match[key] for key in ("id", "source_id", "headline", "url", "author")} for match in found
        ]
    return rows


def _rows(db: Database, sql: str, values: dict[str, Any] | None = None) -> list[Row]:
    return list(dicts(db.execute(sql, values or {})))


_LISTED = """
SELECT w.name, w.query, w.subject, w.added_at, count(m.subject_id) AS matches, max(m.at) AS last_at
FROM watches w LEFT JOIN watch_matches m ON m.watch_id = w.id GROUP BY w.id ORDER BY w.name
"""
_MATCHES = """
SELECT w.name AS watch, w.subject, m.run_id, m.at, m.subject_id AS id, a.source_id, a.headline, a.url, a.published_at,
  c.author, c.posted_at, c.text, t.state
FROM watches w CROSS JOIN watch_matches m ON m.watch_id = w.id
LEFT JOIN comments c ON w.subject = 'comments' AND c.id = m.subject_id
LEFT JOIN standing t ON t.comment_id = c.id
JOIN articles a ON a.id = CASE w.subject WHEN 'comments' THEN c.article_id ELSE m.subject_id END
WHERE (:name = '' OR w.name = :name) AND (:run = 0 OR m.run_id = :run)
ORDER BY m.at DESC, m.subject_id DESC LIMIT :limit
"""
_NEW = """
SELECT w.name, w.subject, m.run_id, count(*) AS new FROM watches w CROSS JOIN watch_matches m ON m.watch_id = w.id
WHERE m.run_id = (SELECT max(id) FROM runs WHERE kind = 'crawl') GROUP BY w.id ORDER BY w.name
"""
