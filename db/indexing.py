"""What follows from stored articles and comments: the search index, the stories, what kept searches find. In batches,
since one insert of a hundred rows costs the index half of a hundred inserts of one."""

from __future__ import annotations

from collections.abc import Callable

from db import search, stories
from db.sqlite import Database

ARTICLES = 400
"""Of a batch: the index is read and written anew for each, and until then nobody finds them. It takes a quarter less
CPU than in batches of 100; the database is held for about 0.15 s."""
COMMENTS = 2_000
COMMENTS_AN_ARTICLE = 20
"""So many comments cost the index as much as an article."""

PAUSE = 0.5
"""Between two batches, of the time that the last one took. SQLite has no queue: who waits looks again every 0.1
seconds, and finds the database free in one of three looks. Without it, who decides while much is due waits in vain."""


def index_articles(db: Database, run_id: int | None, now: str) -> bool:
    """The next batch of articles into the search index, and to the kept searches that look for such; whether there may
    be more. Inside a transaction."""
    return _index(db, "articles", "article_id", ("headline", "summary", "body", "authors"), ARTICLES, run_id, now)


def index_comments(db: Database, run_id: int | None, now: str) -> bool:
    """As `index_articles`, of comments."""
    return _index(db, "comments", "comment_id", ("text", "author"), COMMENTS, run_id, now)


def _index(
    db: Database, table: str, key: str, columns: tuple[str, ...], many: int, run_id: int | None, now: str
) -> bool:
    ids = [id for (id,) in db.execute(f"SELECT {key} FROM {table}_to_index ORDER BY 1 LIMIT ?", [many])]
    if not ids:
        return False
    listed, batch = ", ".join(columns), (ids[0], ids[-1])
    db.execute(
        f"INSERT INTO {table}_fts (rowid, {listed})"
        f" SELECT id, {listed} FROM {table}_to_index CROSS JOIN {table} ON id = {key}"
        f" WHERE {key} BETWEEN ? AND ?",
        batch,
    )
    for watch_id, query in db.execute("SELECT id, query FROM watches WHERE subject = ?", [table]).fetchall():
        for id in search.among(db, query, ids, subject=table):
            db.execute(
                "INSERT OR IGNORE INTO watch_matches (watch_id, subject_id, run_id, at) VALUES (?, ?, ?, ?)",
                (watch_id, id, run_id, now),
            )
    db.execute(f"DELETE FROM {table}_to_index WHERE {key} BETWEEN ? AND ?", batch)
    return len(ids) == many


STEPS: tuple[Callable[[Database, int | None, str], bool], ...] = (index_articles, index_comments, stories.group)
"""Each does a batch, and says whether there may be more."""
