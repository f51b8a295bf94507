"""A database of every released schema becomes a new one with nothing lost, killed or not; who has it open meanwhile is
told or waits. `tests/dbs` has one of each, filled by the code of its time (`tools/old_dbs.py`)."""

from __future__ import annotations

import contextlib
import gzip
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from conftest import ROOT, watchfloor
from db.connect import DatabaseBusy, DatabaseProblem, open_reader, open_writer
from db.migrations import migrations, names
from db.queries import Query, ask, pack
from db.store import Store

NOW = "2026-11-22T12:00:00Z"
KEPT = sorted((ROOT / "tests" / "dbs").glob("v*.db.gz"), key=lambda file: int(re.sub(r"\D", "", file.name)))
VERSIONS = [file.name.partition(".")[0] for file in KEPT]
OLD = VERSIONS[: len(names()) - 1]
KILLS = 20
WORDS = ("radar*", "frigate*", "north korea", "anew", "different", "drohnen*", "the", "missile*")
DERIVED = re.compile(r"(articles|comments)_fts|_sqlite_migrations|sqlite_")
"""Tables that follow from others, or are SQLite's own."""
_OPENING = "from pathlib import Path; from db.store import Store; Store(Path({!r}), wait=30).close()"

Contents = dict[str, list[tuple[Any, ...]]]


def unpack(version: str, path: Path) -> Path:
    path.write_bytes(gzip.decompress((ROOT / "tests" / "dbs" / f"{version}.db.gz").read_bytes()))
    return path


def reading(path: Path) -> contextlib.closing[sqlite3.Connection]:
    """The file, for a look at it that changes nothing in it."""
    return contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True))


def columns(path: Path) -> dict[str, list[str]]:
    """The columns of every table and view."""
    with reading(path) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        kept = [name for name in tables if not DERIVED.match(name)]
        return {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in kept}


def contents(path: Path, known: dict[str, list[str]]) -> Contents:
    """Every row of the tables and views that are there still, with the columns that they had; what a search finds."""
    there = columns(path)
    found: Contents = {}
    with reading(path) as db:
        for name in known.keys() & there.keys():
            listed = ", ".join(column for column in known[name] if column in there[name])
            found[name] = sorted(db.execute(f"SELECT {listed} FROM {name}").fetchall(), key=repr)
        sql = "SELECT rowid FROM articles_fts WHERE articles_fts MATCH ? ORDER BY rowid"
        for word in WORDS:
            quoted = f"{{headline summary body}} : {re.sub(r'[^*]+', lambda m: chr(34) + m[0] + chr(34), word)}"
            found[f"search {word}"] = db.execute(sql, [quoted]).fetchall()
        found["damage"] = db.execute("PRAGMA integrity_check").fetchall()
    return found


def missing(known: dict[str, list[str]], path: Path) -> list[str]:
    """Columns of tables that are not there any more."""
    there, views = columns(path), _views(path)
    return [
        f"{table}.{column}"
        for table, listed in known.items()
        for column in listed
        if table in there and column not in there[table] and table not in views
    ] + [table for table in known if table not in there and not _was_view(table)]


def _views(path: Path) -> set[str]:
    with reading(path) as db:
        return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}


def _was_view(name: str) -> bool:
    """The one view that went: `review_queue` has taken its place."""
    return name == "queue"


def applied(path: Path) -> list[str]:
    with reading(path) as db:
        return [m.name for m in migrations.applied(Database(db, execute_plugins=False))]


def schema(path: Path) -> list[tuple[Any, ...]]:
    with reading(path) as db:
        return db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.before-*"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The oldest one."""
    return unpack(VERSIONS[0], tmp_path / "old.db")


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every one of them, opened once by the present watchfloor."""
    found = {}
    for version in VERSIONS:
        found[version] = unpack(version, tmp_path_factory.mktemp(version) / "w.db")
        Store(found[version]).close()
    return found


def test_of_every_schema_a_database_is_kept() -> None:
    assert [f"v{n}" for n in range(1, len(names()) + 1)] == VERSIONS, "make one: python -m tools.old_dbs"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_database_is_upgraded_with_nothing_lost(version: str, upgraded: dict[str, Path], tmp_path: Path) -> None:
    old = unpack(version, tmp_path / "old.db")
    known = columns(old)
    before = contents(old, known)
    filled = ("articles", "article_revisions", "comments", "comment_revisions", "links", "verdicts", "field_evidence")
    assert all(before[table] for table in (*filled, "standing", "flagged_comments", "spam_domains", "search radar*"))
    after = contents(upgraded[version], known)
    assert {name: rows for name, rows in before.items() if name in after} == after
    assert missing(known, upgraded[version]) == []
    assert applied(upgraded[version]) == list(names())


@pytest.mark.parametrize("version", OLD)
def test_a_copy_of_the_old_one_lies_beside_it_whole(version: str, upgraded: dict[str, Path], tmp_path: Path) -> None:
    old = unpack(version, tmp_path / "old.db")
    (copy,) = copies(upgraded[version])
    assert copy.name == f"w.db.before-{names()[len(applied(old))]}"
    assert applied(copy) == applied(old)
    assert schema(copy) == schema(old)
    assert contents(copy, columns(old)) == contents(old, columns(old))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_upgraded_database_is_like_a_new_one_save_for_its_history(
    version: str, upgraded: dict[str, Path], tmp_path: Path
) -> None:
    Store(tmp_path / "new.db").close()
    assert schema(upgraded[version]) == schema(tmp_path / "new.db"), (
        f"{version} changed; unreleased: python -m tools.old_dbs"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_what_holds_for_each_comment_follows_from_the_verdicts_alone(version: str, upgraded: dict[str, Path]) -> None:
    with reading(upgraded[version]) as db:
        kept, made = (
            db.execute(f"SELECT comment_id, verdict_id, state, score, place FROM {name} ORDER BY 1").fetchall()
            for name in ("standing", "holding")
        )
        assert kept == made
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_peoples_verdicts_can_be_taken_back_after_it(version: str, tmp_path: Path) -> None:
    with Store(unpack(version, tmp_path / "old.db")) as store:
        states = "SELECT comment_id, state FROM standing WHERE state IN ('spam', 'ok')"
        decided = dict(store.db.execute(states).fetchall())
        undone = store.undo(by="eve", now=NOW)
        assert decided.pop(undone.comment_id) == undone.said
        for comment_id in list(decided)[:3]:
            assert store.undo(comment_id, by="eve", now=NOW).said == decided.pop(comment_id)
        assert decided.items() <= dict(store.db.execute(states).fetchall()).items()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_query_of_the_pack_can_be_asked_of_it(version: str, upgraded: dict[str, Path]) -> None:
    db = open_reader(upgraded[version])
    answers = {name: ask(db, query, long_ago(query)) for name, query in pack().items()}
    db.close()
    assert all(answer.columns for answer in answers.values())
    filled = ("published-per-week", "most-commented", "changed-headlines", "reviewers", "commenters", "crawls")
    assert [name for name in filled if not answers[name].rows] == []


def long_ago(query: Query) -> dict[str, str]:
    """The kept databases grow old."""
    return {name: longest for name, longest in (("days", "36500"), ("weeks", "5000")) if name in query.params}


# ---- what can go wrong


_KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from db import connect
from db.store import Store

connecting, left, done = sqlite3.connect, 0, 0

def tick(*_):
    global done
    done += 1
    if done == left:
        os.kill(os.getpid(), signal.SIGKILL)

def watched(*args, **kwargs):
    connection = connecting(*args, **kwargs)
    connection.set_trace_callback(tick)
    connection.set_progress_handler(tick, 500)
    return connection

sqlite3.connect = watched
folder, *shares = sys.argv[1:]
Store(Path(folder, "counting.db")).close()
total = done
for number, share in enumerate(shares):
    child = os.fork()
    if not child:
        left, done = 1 + int(float(share) * total), 0
        Store(Path(folder, f"{number}.db")).close()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Opens copies, one after the other, each in a process that kills itself at that share of all that SQLite does."""


def test_an_upgrade_that_is_killed_leaves_the_old_one_or_the_new_and_is_made_up_for(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    shares = [(n + chance.random()) / KILLS for n in range(KILLS)]
    version = chance.choice(OLD)
    for name in (*map(str, range(KILLS)), "counting"):
        unpack(version, tmp_path / f"{name}.db")
    known = columns(tmp_path / "0.db")
    before = contents(tmp_path / "0.db", known)
    oldest, old = schema(tmp_path / "0.db"), applied(tmp_path / "0.db")
    command = [sys.executable, "-c", _KILLED, str(tmp_path), *map(str, shares)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.stdout.split() == ["-9"] * KILLS, ran.stderr
    new, found = schema(tmp_path / "counting.db"), []
    for number in range(KILLS):
        path = tmp_path / f"{number}.db"
        recovered(path)
        found.append(len(applied(path)))
        assert schema(path) == (oldest if applied(path) == old else new), (version, shares[number])
        Store(path).close()
        assert schema(path) == new
        after = contents(path, known)
        assert {name: rows for name, rows in before.items() if name in after} == after
        (copy,) = copies(path)
        assert contents(copy, known) == before
    assert set(found) <= {len(old), len(names())}
    assert found.count(len(old)) > KILLS // 2


def recovered(path: Path) -> None:
    """What the next program that opens the file does first."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()


def test_an_upgrade_that_fails_leaves_the_old_database_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(old, columns(old))

    def fails(_: Database) -> None:
        raise sqlite3.OperationalError("no")

    broken = [*migrations._migrations[:-1], replace(migrations._migrations[-1], fn=fails)]
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "_migrations", broken)
        with pytest.raises(DatabaseProblem):
            open_writer(old)
    assert applied(old) == list(names()[:1])
    assert contents(old, columns(old)) == before


def test_an_upgrade_for_whose_copy_there_is_no_room_changes_nothing_and_leaves_nothing(old: Path) -> None:
    before = old.read_bytes()
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom db.connect import DatabaseProblem, open_writer\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))\n"
        "try:\n    open_writer(Path(sys.argv[1]))\nexcept DatabaseProblem as e:\n    print(e)\n"
    )
    assert old.stat().st_size > 200_000
    ran = subprocess.run(
        [sys.executable, "-c", script, str(old)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert str(old) in ran.stdout, ran.stderr
    recovered(old)
    unchanged = bytearray(old.read_bytes())
    assert applied(old) == list(names()[:1]) and len(unchanged) == len(before)
    assert [file.name for file in old.parent.iterdir() if ".before" in file.name] == []


def test_a_second_copy_never_takes_the_place_of_another(old: Path, tmp_path: Path) -> None:
    saved = shutil.copy(old, tmp_path / "saved.db")
    Store(old).close()
    (first,) = copies(old)
    kept = first.read_bytes()
    for spoken in (False, True):  # the same database is put back and upgraded again; then another
        shutil.copy(saved, old)
        if spoken:
            with contextlib.closing(sqlite3.connect(old)) as connection, connection:
                connection.execute("UPDATE articles SET headline = 'Another' WHERE id = 1")
        Store(old).close()
        assert first.read_bytes() == kept
        assert len(copies(old)) == 1 + spoken
    known = columns(Path(saved))
    assert ("Another",) in {(row[3],) for row in contents(copies(old)[1], known)["articles"]}


def test_a_newer_database_is_refused_and_stays_as_it_is_to_the_byte(old: Path) -> None:
    Store(old).close()
    with contextlib.closing(sqlite3.connect(old)) as connection, connection:
        sql = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('watchfloor', 'm999_later', '')"
        connection.execute(sql)
    before = old.read_bytes()
    for use in (open_writer, open_reader):
        with pytest.raises(DatabaseProblem, match=r"made by a newer watchfloor \(it has m999_later\)"):
            use(old)
    assert old.read_bytes() == before


@pytest.mark.parametrize("version", OLD)
def test_a_reader_of_the_old_one_is_told_what_to_do_and_changes_nothing(version: str, tmp_path: Path) -> None:
    old = unpack(version, tmp_path / "old.db")
    before = old.read_bytes()
    with pytest.raises(DatabaseProblem, match="made by an older watchfloor; `watchfloor crawl` upgrades it"):
        open_reader(old)
    assert old.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["old.db"]


def test_a_command_that_reads_says_so_in_one_line(old: Path) -> None:
    ran = watchfloor("flagged", "--db", old)
    assert ran.code == 4
    assert ran.err.count("\n") == 1 and "made by an older watchfloor; `watchfloor crawl` upgrades it" in ran.err


# ---- who has it open meanwhile


@pytest.fixture
def busy(old: Path) -> Path:
    """The oldest one, as a database in use is: with a write-ahead log."""
    with contextlib.closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return old


def test_an_upgrade_while_somebody_writes_is_refused_in_time_and_changes_nothing(busy: Path) -> None:
    before = contents(busy, columns(busy))
    other = sqlite3.connect(busy, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy, match="another program is writing"):
        open_writer(busy, wait=0.2)
    other.execute("ROLLBACK")
    other.close()
    assert applied(busy) == list(names()[:1])
    assert contents(busy, columns(busy)) == before
    Store(busy).close()
    assert applied(busy) == list(names())


def test_who_reads_through_the_upgrade_reads_on_and_the_next_reader_sees_the_new_one(busy: Path) -> None:
    reader = sqlite3.connect(f"file:{busy}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    before = reader.execute("SELECT count(*) FROM verdicts").fetchone()
    Store(busy).close()
    assert reader.execute("SELECT count(*) FROM verdicts").fetchone() == before
    reader.close()
    open_reader(busy).close()


def test_of_some_that_upgrade_at_once_nobody_harms_the_database(busy: Path) -> None:
    known = columns(busy)
    before = contents(busy, known)
    code = _OPENING.format(str(busy))
    processes = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    ended = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ended
    assert applied(busy) == list(names())
    after = contents(busy, known)
    assert {name: rows for name, rows in before.items() if name in after} == after
    assert len(copies(busy)) == 1


def test_who_waits_for_an_upgrade_goes_on_when_it_is_done(busy: Path) -> None:
    other = sqlite3.connect(busy, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    code = f"print('here', flush=True); {_OPENING.format(str(busy))}"
    waiting = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert waiting.stdout and waiting.stdout.readline() == "here\n"
    assert waiting.poll() is None
    other.execute("ROLLBACK")
    other.close()
    assert waiting.wait(timeout=60) == 0
    assert applied(busy) == list(names())


def test_a_new_database_is_the_one_that_the_migrations_make_in_an_empty_file(tmp_path: Path) -> None:
    made, laid = tmp_path / "made.db", tmp_path / "laid.db"
    made.touch()
    for path in (made, laid):
        Store(path).close()
    schema = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2"
    settings = "SELECT * FROM pragma_application_id, pragma_journal_mode, pragma_page_size, pragma_encoding"
    for query in (schema, settings, "SELECT name FROM _sqlite_migrations ORDER BY name"):
        first, second = (sqlite3.connect(path).execute(query).fetchall() for path in (made, laid))
        assert first == second
    assert not list(tmp_path.glob("*.new-*"))
