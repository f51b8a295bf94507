"""An old database becomes a new one with nothing lost, and whoever has it open meanwhile is told or waits."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from conftest import ROOT, watchfloor
from crawler.items import Comment
from db.connect import DatabaseBusy, DatabaseProblem, open_reader, open_writer
from db.migrations import migrations, names
from db.store import Store
from test_db_store import FINE, NOW, SPAM, page, visit

OLDEST, *LATER = names()
_OPENING = "from pathlib import Path; from db.store import Store; Store(Path({!r}), wait=30).close()"
EDITED = replace(FINE, text="a fair point, http://edited.example")
MORE = Comment(text="see http://paper.com/a", author="cid", site_id="3", position=2)


def fill(path: Path) -> None:
    """Articles and comments with their revisions, and people's decisions: kept, taken back, on an earlier version."""
    with Store(path) as store:
        visit(store, page(SPAM, FINE, MORE))
        store.decide(1, "spam", by="ann", note="shop", now=NOW)
        store.decide(2, "ok", by="bob", now=NOW)
        store.decide(3, "ok", by="bob", now=NOW)
        store.undo(3, by="bob", now=NOW)
        visit(store, page(SPAM, EDITED, MORE, body="Some other text."))


def aged(path: Path, folder: Path) -> Path:
    """A database of the oldest schema with the rows of this one."""
    old = folder / "old.db"
    connection = sqlite3.connect(old, isolation_level=None)
    migrations.apply(Database(connection, execute_plugins=False), stop_before=LATER[0])
    connection.execute("ATTACH ? AS new", [str(path)])
    for table in evidence_tables(connection):
        columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
        connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    connection.execute("DETACH new")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return old


def evidence_tables(connection: sqlite3.Connection) -> list[str]:
    """The tables of the oldest schema that are written to: `standing` and the search index follow by themselves."""
    sql = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'"
    derived = ("standing", "sqlite_sequence")
    found = [name for (name,) in connection.execute(sql)]
    return [name for name in found if name not in derived and not name.startswith("articles_fts")]


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the oldest schema, and what the search index and the views find."""
    with sqlite3.connect(path) as db:
        old = [*_OLD_TABLES, "standing", "flagged_comments", "latest_articles", "spam_domains"]
        found = {name: db.execute(f"SELECT {_columns(name)} FROM {name} ORDER BY 1, 2, 3").fetchall() for name in old}
        found["search"] = db.execute("SELECT rowid FROM articles_fts WHERE articles_fts MATCH 'other'").fetchall()
        found["damage"] = db.execute("PRAGMA integrity_check").fetchall()
        return found


def _columns(table: str) -> str:
    """Those that a table had at first; of a view, all."""
    return ", ".join(_OLD_COLUMNS.get(table, ("*",)))


def _old_tables() -> list[str]:
    return evidence_tables(_oldest())


def _oldest() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    migrations.apply(Database(db, execute_plugins=False), stop_before=LATER[0])
    return db


_OLD_TABLES = _old_tables()
_OLD_COLUMNS = {
    table: [name for _, name, *_ in _oldest().execute(f"PRAGMA table_info({table})")]
    for table in (*_OLD_TABLES, "standing")
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    fill(tmp_path / "new.db")
    return aged(tmp_path / "new.db", tmp_path)


def applied(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        return [m.name for m in migrations.applied(Database(connection, execute_plugins=False))]


def test_an_old_database_is_upgraded_with_nothing_lost(old: Path) -> None:
    assert applied(old) == [OLDEST]
    before = contents(old)
    assert all(before[table] for table in ("comment_revisions", "article_revisions", "links", "verdicts", "search"))
    Store(old).close()
    assert applied(old) == list(names())
    assert contents(old) == before


def test_peoples_verdicts_hold_as_they_did_and_can_be_taken_back(old: Path) -> None:
    with Store(old) as store:
        sql = "SELECT t.comment_id, t.state, v.judge, v.person FROM standing t JOIN verdicts v ON v.id = t.verdict_id"
        holding = {row[0]: row[1:] for row in store.db.execute(sql)}
        assert holding[1] == ("spam", "ann", 1)
        assert holding[2][0] == "flagged" and holding[3][0] == "flagged"
        assert store.undo(1, by="eve", now=NOW).now == "flagged"


def test_the_upgraded_database_is_like_a_new_one_save_for_its_history(old: Path, tmp_path: Path) -> None:
    Store(old).close()
    schema = "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2"
    with sqlite3.connect(old) as upgraded, sqlite3.connect(tmp_path / "new.db") as new:
        assert upgraded.execute(schema).fetchall() == new.execute(schema).fetchall()


def test_a_copy_of_the_old_one_lies_beside_it_whole(old: Path) -> None:
    before = contents(old)
    Store(old).close()
    copy = old.with_name(f"{old.name}.before-{LATER[0]}")
    assert applied(copy) == [OLDEST]
    assert contents(copy) == before


def test_an_upgrade_that_fails_leaves_the_old_database_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(old)

    def fails(_: Database) -> None:
        raise sqlite3.OperationalError("no")

    broken = [*migrations._migrations[:-1], replace(migrations._migrations[-1], fn=fails)]
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "_migrations", broken)
        with pytest.raises(DatabaseProblem):
            open_writer(old)
    assert applied(old) == [OLDEST]
    assert contents(old) == before


def test_a_reader_of_the_old_one_is_told_what_to_do(old: Path) -> None:
    ran = watchfloor("flagged", "--db", old)
    assert ran.code == 4
    assert "made by an older watchfloor; `watchfloor crawl` upgrades it" in ran.err


def test_an_upgrade_while_somebody_writes_is_refused_in_time_and_changes_nothing(old: Path) -> None:
    before = contents(old)
    other = sqlite3.connect(old, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy, match="another program is writing"):
        open_writer(old, wait=0.2)
    other.execute("ROLLBACK")
    other.close()
    assert applied(old) == [OLDEST]
    assert contents(old) == before
    Store(old).close()
    assert contents(old) == before


def test_who_reads_through_the_upgrade_reads_on_and_the_next_reader_sees_the_new_one(old: Path) -> None:
    reading = sqlite3.connect(f"file:{old}?mode=ro", uri=True, isolation_level=None)
    reading.execute("BEGIN")
    before = reading.execute("SELECT count(*) FROM verdicts").fetchone()
    Store(old).close()
    assert reading.execute("SELECT count(*) FROM verdicts").fetchone() == before
    reading.close()
    db = open_reader(old)
    db.close()


def test_of_some_that_upgrade_at_once_nobody_harms_the_database(old: Path) -> None:
    before = contents(old)
    code = _OPENING.format(str(old))
    processes = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    ended = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ended
    Store(old).close()
    assert applied(old) == list(names())
    assert contents(old) == before


def test_who_waits_for_an_upgrade_goes_on_when_it_is_done(old: Path) -> None:
    other = sqlite3.connect(old, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    code = f"print('here', flush=True); {_OPENING.format(str(old))}"
    waiting = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert waiting.stdout and waiting.stdout.readline() == "here\n"
    assert waiting.poll() is None
    other.execute("ROLLBACK")
    other.close()
    assert waiting.wait(timeout=60) == 0
    assert applied(old) == list(names())
