"""The schema's history. Append only: a released migration is never changed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from db import schema, schema_questions, schema_unattended
from db.sqlite import Database, Migrations
from moderation.campaigns import near_keys
from pipelines.differences import words_changed

APPLICATION_ID = 0x57464C52
"""`WFLR`, in the file's header: this is a watchfloor database."""

migrations = Migrations("watchfloor")


@migrations()
def m001_first(db: Database) -> None:
    """Everything of the first version."""
    for statement in (*schema.TABLES, *schema.SEARCH, *schema.STANDING, *schema.VIEWS):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


@migrations()
def m002_learning(db: Database) -> None:
    """People's domain rules, models learnt from their decisions, the blind sample."""
    for statement in schema.LEARNING:
        db.execute(statement)


@migrations()
def m003_text_keys(db: Database) -> None:
    """By what nearly the same text is found, of every comment; the index of equal texts has no use any more."""
    for statement in schema.TEXT_KEYS:
        db.execute(statement)
    for id, article_id, text in db.execute("SELECT id, article_id, text FROM comments"):
        rows = [(article_id, id, key) for key in near_keys(text)]
        db.conn.executemany("INSERT INTO text_keys (article_id, comment_id, key) VALUES (?, ?, ?)", rows)


@migrations()
def m004_schedule(db: Database) -> None:
    """What listings said of changes, and how many known pages a run left alone."""
    _anew(db, schema.SCHEDULE, {"fetches": {"lastmod": "''"}, "run_sources": {"not_due": "0"}})
    for statement in schema.SCHEDULE_INDEXES:
        db.execute(statement)


@migrations()
def m005_unattended(db: Database) -> None:
    """What ran and at what pace, which fields its pages had, where the raw pages lie."""
    _anew(db, schema_unattended.ANEW, schema_unattended.ADDED)
    for statement in schema_unattended.TABLES:
        db.execute(statement)


@migrations()
def m006_questions(db: Database) -> None:
    """A search index filled in batches, of comments too; stories, kept searches, size of edits, stable views."""
    for statement in schema_questions.DROPPED:
        db.execute(statement)
    _anew(db, schema_questions.ANEW, schema_questions.ADDED)
    for part in ("STANDING", "SEARCH", "STORIES", "WATCHES", "VIEWS"):
        for statement in getattr(schema_questions, part):
            db.execute(statement)
    _size_up(db)


def _size_up(db: Database) -> None:
    """How many words each edit took out and put in."""
    versions = db.execute(
        "SELECT article_id, revision, headline || char(10) || summary || char(10) || body FROM article_revisions"
        " UNION ALL SELECT id, revision, headline || char(10) || summary || char(10) || body FROM articles"
        " WHERE revision > 1 ORDER BY 1, 2"
    ).fetchall()
    sql = "UPDATE article_revisions SET words_gone = ?, words_new = ? WHERE article_id = ? AND revision = ?"
    for (article_id, revision, was), (of, _, became) in itertools.pairwise(versions):
        if of == article_id:
            db.execute(sql, (*words_changed(was, became), article_id, revision))


def _anew(db: Database, tables: Mapping[str, str], added: Mapping[str, Mapping[str, str]]) -> None:
    """Makes tables anew, each by its text, under the name `TABLE_next`; `added` has by table and column what the rows
    from before have there, in SQL."""
    db.execute("PRAGMA legacy_alter_table = ON")  # the views go on speaking of the tables by their names
    for table, made in tables.items():
        kept = ", ".join(column.name for column in db[table].columns)
        new, values = ", ".join(added[table]), ", ".join(added[table].values())
        db.execute(made)
        db.execute(f"INSERT INTO {table}_next ({kept}, {new}) SELECT {kept}, {values} FROM {table}")
        db.execute(f"DROP TABLE {table}")
        db.execute(f"ALTER TABLE {table}_next RENAME TO {table}")
    db.execute("PRAGMA legacy_alter_table = OFF")


def names() -> tuple[str, ...]:
    """The names of all migrations, the oldest first."""
    return tuple(m.name for m in migrations._migrations)
