"""Whether a database is whole: its file, its references, and that what follows from its rows does follow."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from db import indexing
from db.connect import PERSON_WAIT_SECONDS, DatabaseProblem, explain, now, problems_of, refuse_newer
from db.migrations import APPLICATION_ID, migrations, names
from db.sqlite import Database

Level = Literal["ok", "note", "problem"]
Begins = Callable[[str], None]
"""Told the name of each check as it begins: on a large database some take a minute."""
DAMAGES = 5
"""Of a damaged file that are looked for: one is enough to act, and finding them all takes long."""
SPARED_BYTES = 50 * 1000**2
"""Free space that a copy leaves: whoever else writes on that disk must be able to go on."""


class Foreign(DatabaseProblem):
    """A database of somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found."""

    level: Level
    name: str
    told: str
    mend: str = ""
    """The way out; empty where nothing is to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A check that counts what should not be there."""

    name: str
    well: str
    wrong: str
    sql: str
    mend: str
    quick: bool = True
    """False for one that sorts every row."""


@contextlib.contextmanager
def as_it_is(path: Path, *, wait: float = PERSON_WAIT_SECONDS) -> Iterator[Database]:
    """The database for reading, of this watchfloor or an older one. Raises `DatabaseProblem`."""
    with problems_of(path):
        if not path.is_file() or path.stat().st_size == 0:
            there = "nothing in it" if path.is_file() else "a folder" if path.is_dir() else "no such file"
            raise DatabaseProblem(f"{path}: {there}; no database here")
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=wait, isolation_level=None)
    with contextlib.closing(connection):
        db = Database(connection, execute_plugins=False)
        with problems_of(path):
            connection.execute("PRAGMA trusted_schema = OFF")
            schema(db, path)
        yield db


def schema(db: Database, path: Path) -> str:
    """The name of the last migration that made it what it is. Raises `DatabaseProblem` for what is not watchfloor's,
    and for what a newer watchfloor made."""
    applied = [m.name for m in migrations.applied(db)]
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID or not applied:
        raise Foreign(f"{path}: a SQLite database, but not watchfloor's")
    refuse_newer(applied, path)
    return max(applied, key=names().index)


def look(path: Path, *, quick: bool = False, begins: Begins = lambda name: None) -> Iterator[Finding]:
    """What each check finds, in turn; nobody who writes is kept waiting. `quick` leaves out what reads every page of
    the file twice. Raises `DatabaseProblem` where there is nothing that could be looked at."""
    with problems_of(path), as_it_is(path) as db:
        begins("file")
        file = _file(db, path, quick=quick)
        yield file
        if file.level == "problem":
            return  # what else a damaged file says is not to be believed
        begins("references")
        yield _references(db)
        if (made := schema(db, path)) != names()[-1]:
            yield Finding(level="note", name="schema", told=f"{made}, by an older watchfloor", mend=_UPGRADE)
            return
        yield Finding(level="ok", name="schema", told=made)
        for check in CHECKS:
            if check.quick or not quick:
                begins(check.name)
                yield _counted(db, path, check)
        yield from _backlog(db)
        if not quick:
            begins("index")
            yield _index(db, path)


def room_for(db: Database, folder: Path) -> int:
    """How many bytes too few are free in a folder for a copy of the database; 0 where there is room."""
    used = "SELECT (page_count - freelist_count) * page_size FROM"
    sql = f"{used} pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
    (needed,) = db.execute(sql).fetchone()
    return max(0, int(needed) + SPARED_BYTES - shutil.disk_usage(folder).free)


def _file(db: Database, path: Path, *, quick: bool) -> Finding:
    pragma = "quick_check" if quick else "integrity_check"
    try:
        damage = [str(row[0]) for row in db.execute(f"PRAGMA {pragma}({DAMAGES})")]
    except sqlite3.DatabaseError as e:
        damage = [str(e)]
    if damage == ["ok"]:
        return Finding(level="ok", name="file", told="the file is sound")
    mend = f"restore a backup, or save what can be read: sqlite3 {path} .recover"
    return Finding(level="problem", name="file", told=f"the file is damaged: {' '.join(damage[0].split())}", mend=mend)


def _references(db: Database) -> Finding:
    rows = 0
    for _ in db.execute("PRAGMA foreign_key_check"):
        rows += 1
    if not rows:
        return Finding(level="ok", name="references", told="every row that is referred to is there")
    told = f"{rows:,} rows point at rows that are not there"
    return Finding(level="problem", name="references", told=told, mend="restore a backup")


def _counted(db: Database, path: Path, check: Counted) -> Finding:
    try:
        (wrong,) = db.execute(check.sql).fetchone()
    except sqlite3.DatabaseError as e:
        return Finding(level="problem", name=check.name, told=str(explain(e, path)))
    if not wrong:
        return Finding(level="ok", name=check.name, told=check.well)
    mend = check.mend.format(path=path)
    return Finding(level="problem", name=check.name, told=f"{wrong:,} {check.wrong}", mend=mend)


def _backlog(db: Database) -> Iterator[Finding]:
    tables = ("articles_to_index", "comments_to_index", "articles_to_group")
    many = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    if any(many):
        told = "{:,} articles and {:,} comments wait for the search index, {:,} articles for their story".format(*many)
        yield Finding(level="note", name="backlog", told=told, mend="left by a run that was killed, or still runs; the "
                      "next crawl takes it up")  # fmt: skip


def _index(db: Database, path: Path) -> Finding:
    """The search index against the texts, on a copy: SQLite looks at it with a writer's lock alone."""
    folder = next((f for f in (path.parent, Path(tempfile.gettempdir())) if _copies(db, f)), None)
    if folder is None:
        return Finding(level="note", name="index", told="the search index was not looked at", mend=_NO_ROOM)
    with tempfile.TemporaryDirectory(prefix="watchfloor-", dir=folder) as place:
        copy = Path(place) / "copy.db"
        db.execute("VACUUM INTO ?", [str(copy)])
        wrong = [subject for subject in ("articles", "comments") if not _index_holds(copy, subject)]
    if not wrong:
        return Finding(level="ok", name="index", told="the search index has every text as it is stored")
    told = f"the search index of {' and '.join(wrong)} does not have what is stored"
    return Finding(level="problem", name="index", told=told, mend=_rebuilt(path, *wrong))


def _copies(db: Database, folder: Path) -> bool:
    return os.access(folder, os.W_OK) and not room_for(db, folder)


def _index_holds(copy: Path, subject: str) -> bool:
    """Whether an index has what its table has, once what waits for it is in. Changes the copy."""
    step = {"articles": indexing.index_articles, "comments": indexing.index_comments}[subject]
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        try:
            while step(Database(connection, execute_plugins=False), None, now()):
                pass
            connection.execute(f"INSERT INTO {subject}_fts ({subject}_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as e:
            if (e.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_CORRUPT:
                return False
            raise
    return True


def _rebuilt(path: Path, *subjects: str) -> str:
    told = (
        f"DELETE FROM {s}_to_index; INSERT INTO {s}_fts ({s}_fts) VALUES ('rebuild')"
        for s in subjects or ("articles", "comments")
    )
    return f'make it anew: sqlite3 {path} "{"; ".join(told)}"'


_UPGRADE = "only its file and references were looked at; the next crawl upgrades it"
_NO_ROOM = "it is looked at on a copy, and there is no room for one"
_STANDING = "sqlite3 {path} 'DELETE FROM standing; INSERT INTO standing SELECT * FROM holding'"
_STORIES = (
    "sqlite3 {path} 'DELETE FROM story_articles; DELETE FROM story_keys;"
    " INSERT OR IGNORE INTO articles_to_group SELECT id FROM articles', and the next crawl finds the stories again"
)

_REVISIONS = """
SELECT count(*) FROM (
  SELECT t.revision - 1 AS past, count(r.revision) AS kept, min(r.revision) AS first, max(r.revision) AS last
  FROM {table}s t LEFT JOIN {table}_revisions r ON r.{table}_id = t.id GROUP BY t.id
) WHERE NOT CASE
  WHEN EXISTS (SELECT 1 FROM prunings WHERE json_extract(removed, '$.{table}_revisions') > 0)
    THEN kept = 0 OR (last = past AND kept = last - first + 1)
  ELSE kept = past AND (kept = 0 OR (first = 1 AND last = past)) END
"""
"""Without what a policy removed, earlier versions are numbered from 1 up to the present one; with it, the oldest may
be missing."""

_INDEXED = """
SELECT abs((SELECT count(*) FROM {table}) - (SELECT count(*) FROM {table}_to_index)
  - (SELECT count(*) FROM {table}_fts_docsize))
"""

CHECKS = (
    Counted(
        name="standing",
        well="what holds for each comment is what its verdicts say",
        wrong="comments whose standing is not what their verdicts say",
        sql="""
SELECT coalesce(sum(wrong), 0) + (SELECT count(*) FROM standing) - coalesce(sum(there), 0) FROM (
  SELECT (s.verdict_id, s.state, s.score, s.place) IS NOT (h.verdict_id, h.state, h.score, h.place) AS wrong,
    s.comment_id IS NOT NULL AS there
  FROM holding h LEFT JOIN standing s ON s.comment_id = h.comment_id)
""",
        mend=f"it follows from the verdicts alone: {_STANDING}",
    ),
    Counted(
        name="versions of articles",
        well="no earlier version of an article is missing",
        wrong="articles without some of their earlier versions",
        sql=_REVISIONS.format(table="article"),
        mend="restore a backup",
    ),
    Counted(
        name="versions of comments",
        well="no earlier version of a comment is missing",
        wrong="comments without some of their earlier versions",
        sql=_REVISIONS.format(table="comment"),
        mend="restore a backup",
    ),
    Counted(
        name="links",
        well="every link lies within its comment",
        wrong="links that lie outside of their comment's text",
        sql="""
SELECT count(*) FROM (
  SELECT l.start, l.stop, CASE l.revision WHEN c.revision THEN c.text ELSE (
    SELECT r.text FROM comment_revisions r WHERE r.comment_id = c.id AND r.revision = l.revision) END AS text
  FROM links l CROSS JOIN comments c ON c.id = l.comment_id
) WHERE text IS NULL OR start < 0 OR stop < start OR stop > length(text)
""",
        mend="`watchfloor rejudge` finds them again",
    ),
    Counted(
        name="stories",
        well="every story is told by articles that are there",
        wrong="rows of stories whose article is not there",
        sql="""
SELECT (SELECT count(*) FROM story_articles t WHERE NOT EXISTS (SELECT 1 FROM articles WHERE id = t.article_id)
    OR (t.like_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM articles WHERE id = t.like_id)))
  + (SELECT count(*) FROM story_keys k WHERE NOT EXISTS (SELECT 1 FROM articles WHERE id = k.article_id))
""",
        mend=_STORIES,
    ),
    Counted(
        name="index of articles",
        well="the search index has every article that it should",
        wrong="articles too many or too few in the search index",
        sql=_INDEXED.format(table="articles"),
        mend=_rebuilt(Path("{path}"), "articles"),
    ),
    Counted(
        name="index of comments",
        well="the search index has every comment that it should",
        wrong="comments too many or too few in the search index",
        sql=_INDEXED.format(table="comments"),
        mend=_rebuilt(Path("{path}"), "comments"),
    ),
    Counted(
        name="keys",
        well="no article and no comment is stored twice",
        wrong="addresses or keys that are stored twice",
        sql="""
SELECT (SELECT count(*) FROM (SELECT 1 FROM articles NOT INDEXED GROUP BY url HAVING count(*) > 1))
  + (SELECT count(*) FROM (SELECT 1 FROM comments NOT INDEXED GROUP BY article_id, key HAVING count(*) > 1))
""",
        mend="restore a backup",
        quick=False,
    ),
)
"""What must hold beyond what SQLite checks."""
