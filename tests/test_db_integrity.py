"""Whatever is wrong with a database is named, with a way out that works; a sound one is called sound."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from db import integrity
from db.connect import DatabaseProblem
from db.integrity import Finding, look
from db.store import Store
from test_db_migrations import VERSIONS, unpack

NOW = "2026-11-22T12:00:00Z"
DAMAGES = {
    "references": "DELETE FROM sources WHERE id = (SELECT min(source_id) FROM articles)",
    "standing": "UPDATE standing SET score = 77.5 WHERE comment_id = (SELECT min(comment_id) FROM standing)",
    "standing gone": "DELETE FROM standing WHERE comment_id = (SELECT max(comment_id) FROM standing)",
    "versions of articles": "UPDATE articles SET revision = revision + 1 WHERE id = 1",
    "versions of comments": "UPDATE comments SET revision = revision + 2 WHERE id = 1",
    "links": "UPDATE links SET stop = 100000",
    "stories": "INSERT INTO story_articles VALUES (9999, 1, 1, 0.9, 'edited')",
    "index of articles": "DELETE FROM articles_fts_docsize WHERE id = (SELECT max(id) FROM articles_fts_docsize)",
    "index of comments": "DELETE FROM comments_fts_docsize WHERE id = (SELECT max(id) FROM comments_fts_docsize)",
    "index": "DROP TRIGGER articles_fts_update; UPDATE articles SET body = body || ' unheard of' WHERE id = 1",
}
"""By the check that finds it, how it can come about."""
MENDED = [name for name in DAMAGES if name.startswith(("standing", "stories", "index"))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = unpack(VERSIONS[-1], tmp_path / "w.db")
    with Store(found) as store:
        store.index(now=NOW)
    return found


def spoil(path: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(sql)


def problems(path: Path, *, quick: bool = False) -> list[Finding]:
    return [finding for finding in look(path, quick=quick) if finding.level == "problem"]


def test_a_sound_database_is_sound_and_not_changed(path: Path) -> None:
    before = path.read_bytes()
    begun: list[str] = []
    found = list(look(path, begins=begun.append))
    assert {finding.level for finding in found} == {"ok"}
    assert "standing" in begun and len(begun) >= len(integrity.CHECKS)
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir() if not file.name.startswith("w.db")) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_found_by_its_check_with_a_way_out(path: Path, damage: str) -> None:
    spoil(path, DAMAGES[damage])
    found = problems(path)
    assert damage.removesuffix(" gone") in {finding.name for finding in found}
    assert all(finding.mend for finding in found)
    if damage != "index":
        assert damage.removesuffix(" gone") in {finding.name for finding in problems(path, quick=True)}


@pytest.mark.parametrize("damage", MENDED)
def test_the_way_out_that_is_told_leads_out(path: Path, damage: str) -> None:
    spoil(path, DAMAGES[damage])
    for finding in problems(path):
        commands = re.findall(rf"sqlite3 {re.escape(str(path))} (['\"])(.+?)\1(?:$|,)", finding.mend)
        assert commands, finding.mend
        for _, sql in commands:
            spoil(path, sql)
    with Store(path) as store:
        store.index(now=NOW)
    assert problems(path) == []


def test_a_key_that_is_there_twice_is_found_where_the_index_was_damaged(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL UNIQUE', 'NOT NULL') WHERE name = 'articles'")
        db.execute("DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_articles_1'")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE articles SET url = (SELECT url FROM articles WHERE id = 1) WHERE id = 2")
        check = next(check for check in integrity.CHECKS if check.name == "keys")
        assert db.execute(check.sql).fetchone() == (1,)


def test_what_a_killed_run_left_for_the_index_is_a_note_not_a_problem(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE articles SET headline = headline || ' again'")
    notes = [finding for finding in look(path) if finding.level != "ok"]
    assert [finding.level for finding in notes] == ["note"]
    assert "wait for the search index" in notes[0].told and "the next crawl takes it up" in notes[0].mend


def _rotten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100_000:-20_000] = os.urandom(80_000)
    path.write_bytes(content)


def test_a_damaged_file_is_told_and_nothing_else_of_it_is_believed(path: Path) -> None:
    _rotten(path)
    (*_, last) = look(path)
    assert (last.level, last.name) == ("problem", "file") and "restore a backup" in last.mend


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda file: file.write_text("text" * 1000), "not a SQLite database"),
        (lambda file: file.write_bytes(b""), "no database here"),
        (Path.unlink, "no such file"),
        (lambda file: spoil(file, "PRAGMA application_id = 1"), "not watchfloor's"),
        (
            lambda file: spoil(
                file, "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('watchfloor', 'm9', '')"
            ),
            "made by a newer watchfloor",
        ),
    ],
)
def test_what_cannot_be_looked_at_is_said(path: Path, make: Callable[[Path], object], why: str) -> None:
    make(path)
    with pytest.raises(DatabaseProblem, match=why):
        list(look(path))


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_of_an_older_database_file_and_references_are_looked_at(version: str, tmp_path: Path) -> None:
    found = list(look(unpack(version, tmp_path / "old.db")))
    assert [(finding.level, finding.name) for finding in found] == [
        ("ok", "file"),
        ("ok", "references"),
        ("note", "schema"),
    ]


def test_without_room_for_a_copy_the_index_is_not_looked_at_and_that_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = type(shutil.disk_usage("/"))(10**9, 10**9, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    last = list(look(path))[-1]
    assert (last.level, last.name) == ("note", "index") and "no room" in last.mend


def test_nobody_who_writes_is_kept_waiting(path: Path) -> None:
    with Store(path, wait=0) as store:
        for number, _ in enumerate(look(path)):
            store.decide(1, "ok", by=f"r{number}", now=NOW)
    assert problems(path) == []
