"""A backup is whole, or not there; a restore leaves the old database or the new, whatever happens in between."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from crawler.items import Comment
from db import backups, integrity
from db.backups import back_up, contents, default_name, made, put_back, rotate, verify
from db.connect import DatabaseBusy, DatabaseProblem
from db.migrations import names
from db.store import Store
from test_db_migrations import VERSIONS, unpack
from test_db_store import LATER, NOW, SOURCE, page, visit

Rows = dict[str, list[tuple[Any, ...]]]
DERIVED = ("sqlite_sequence", "articles_fts", "comments_fts")
"""Made by SQLite from other rows, and stored as it likes."""


def rows(path: Path) -> Rows:
    """Every row of every table."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        listed = [name for name in tables if not name.startswith(DERIVED)]
        return {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in listed}


def damaged(path: Path) -> list[str]:
    return [finding.told for finding in integrity.look(path) if finding.level == "problem"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database in which there is something of everything."""
    found = unpack(VERSIONS[-1], tmp_path / "w.db")
    Store(found).close()
    return found


@pytest.fixture
def backup(path: Path, tmp_path: Path) -> Path:
    """A backup of it; it has gone on since."""
    made = back_up(path, tmp_path / "b.db").file
    with Store(path) as store:
        visit(store, page(Comment(text="new since http://new.example", author="n", site_id="9")), now=LATER)
        (comment,) = store.db.execute("SELECT max(id) FROM comments").fetchone()
        store.decide(comment, "spam", by="ann", now=LATER)
    return made


# ---- making one


def test_a_backup_has_every_row_and_is_whole(path: Path, tmp_path: Path) -> None:
    told = back_up(path, tmp_path / "b.db")
    assert rows(told.file) == rows(path)
    assert damaged(told.file) == []
    assert told.contents == contents(path) == verify(told.file)
    assert told.bytes == told.file.stat().st_size


def test_backups_during_writing_are_each_whole_and_have_what_people_said_before(path: Path, tmp_path: Path) -> None:
    stop, broken = threading.Event(), []

    def write() -> None:
        try:
            with Store(path, wait=0.5) as store:
                run = store.begin_run([SOURCE], version="t", now=NOW)
                for number in itertools.count():
                    visit(store, page(replace(FIRST, text=f"version {number} http://v{number}.example")), run=run)
                    store.decide(1, "ok", by=f"r{number}", now=NOW)
                    if stop.is_set():
                        return
        except BaseException as e:
            broken.append(e)
            raise

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            before = contents(path).decisions
            while contents(path).decisions < before + 5 and not broken:
                time.sleep(0.01)
            made = back_up(path, tmp_path / f"b{number}.db")
            assert made.contents.decisions >= before + 5
            assert damaged(made.file) == []
    finally:
        stop.set()
        writer.join()
    assert not broken


FIRST = Comment(text="first", author="n", site_id="9")


def test_a_database_of_an_older_watchfloor_is_backed_up_as_it_is_and_restored_as_a_new_one(tmp_path: Path) -> None:
    old = unpack(VERSIONS[0], tmp_path / "old.db")
    made = back_up(old, tmp_path / "b.db")
    assert made.contents.schema == names()[0] and rows(made.file) == rows(old)
    assert put_back(tmp_path / "new.db", made.file) is None
    held = contents(tmp_path / "new.db")
    assert held.schema == names()[-1]
    assert (held.rows, held.decisions) == (made.contents.rows, made.contents.decisions)
    assert len(list(tmp_path.glob("new.db.before-m*"))) == 1


def test_a_backup_is_as_private_as_its_database(path: Path, tmp_path: Path) -> None:
    for mode in (0o600, 0o640):
        path.chmod(mode)
        assert back_up(path, tmp_path / f"{mode}.db").file.stat().st_mode & 0o777 == mode


def _named(name: str) -> Callable[[Path], Path]:
    return lambda path: path.parent / name


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (_named("w.db"), "the database itself"),
        (_named("w.db-wal"), "a file of its"),
        (_named("w.db.lock"), "a file of its"),
        (_named("none/b.db"), "no such folder"),
        (_named("there.db"), "is there already"),
    ],
)
def test_what_must_not_be_written_over_is_refused(path: Path, target: Callable[[Path], Path], why: str) -> None:
    (path.parent / "there.db").write_text("somebody's")
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises(DatabaseProblem, match=why):
        back_up(path, target(path))
    assert {file: file.read_bytes() for file in path.parent.iterdir() if file.name[-4:] not in ("-wal", "-shm")} == {
        file: content for file, content in before.items() if file.name[-4:] not in ("-wal", "-shm")
    }


def test_a_disk_without_room_is_told_before_anything_is_written(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = type(shutil.disk_usage("/"))(10**9, 10**9, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(DatabaseProblem, match=r"b\.db: no room for the copy: \d+ MB too few"):
        back_up(path, tmp_path / "b.db")
    assert not list(tmp_path.glob("b.db*"))


def test_a_disk_that_fills_up_meanwhile_leaves_nothing_behind(path: Path, tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom db.backups import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\npath, target = map(Path, sys.argv[1:])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
        "try:\n    back_up(path, target)\nexcept DatabaseProblem as e:\n    print(e)\n"
    )
    target = tmp_path / "b.db"
    command = [sys.executable, "-c", script, path, target]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert str(target) in ran.stdout and len(ran.stdout.splitlines()) == 1, ran.stderr
    assert not list(tmp_path.glob("b.db*"))


def test_only_backups_with_its_own_names_are_removed_and_the_newest_stay(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    mine = [default_name(path, datetime(2026, 11, day, 22, 15, tzinfo=UTC)) for day in (3, 1, 2)]
    assert mine[0] == "w-2026-11-03T221500Z.db"
    others = ["x-2026-11-01T221500Z.db", "w-2026-11-01.db", "w-2026-02-31T221500Z.db", "w-2026-11-01T221500Z.db.half"]
    for name in (*mine, *others):
        (folder / name).touch()
    assert [file.name for file in rotate(path, folder, 2)] == ["w-2026-11-01T221500Z.db"]
    assert [at.day for at, _ in made(path, folder)] == [3, 2]
    assert {file.name for file in folder.iterdir()} == {*mine[::2], *others}


def test_a_backup_that_is_killed_leaves_no_name_and_what_it_left_goes_after_a_day(path: Path, tmp_path: Path) -> None:
    target = tmp_path / default_name(path, datetime(2026, 11, 22, 22, 15, tzinfo=UTC))
    outcomes = []
    for moment in range(100):
        outcomes.append(_killed_at(moment, lambda: back_up(path, target)))
        if not outcomes[-1]:
            break
        if target.exists():  # whole, with its name not yet on the disk
            assert rows(target) == rows(path)
            target.unlink()
    assert len(outcomes) > 4 and outcomes[-1] is False and rows(target) == rows(path)
    halves = list(tmp_path.glob("w-*.half"))
    assert halves
    for half in halves[1:]:
        os.utime(half, (0, 0))
    back_up(path, tmp_path / "b.db")
    assert list(tmp_path.glob("w-*.half")) == halves[:1]


# ---- putting it back


def test_a_restored_database_has_every_row_and_what_was_there_is_kept(path: Path, backup: Path) -> None:
    was, comes = rows(path), rows(backup)
    assert was != comes
    path.chmod(0o640)
    kept = put_back(path, backup)
    assert kept and kept.name.startswith("w.db.before-restore-2")
    assert (rows(kept), rows(path)) == (was, comes)
    assert damaged(path) == [] == damaged(kept)
    assert path.stat().st_mode & 0o777 == 0o640
    assert not list(path.parent.glob("*.restoring*")) and not list(path.parent.glob("*restore*-wal"))
    with Store(path) as store:
        assert store.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def _torn(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _rotten(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[20_000:60_000] = os.urandom(40_000)
    file.write_bytes(content)


def _foreign(file: Path) -> None:
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE places (url)")


def _newer(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        sql = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('watchfloor', 'm999_later', '')"
        db.execute(sql)


def _orphaned(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute("DELETE FROM articles WHERE id = (SELECT min(article_id) FROM comments)")


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "torn": (_torn, "damaged|malformed"),
    "rotten": (_rotten, "damaged|malformed"),
    "text": (lambda file: file.write_text("not a database" * 500), "not a SQLite database"),
    "foreign": (_foreign, "not watchfloor's"),
    "newer": (_newer, "made by a newer watchfloor"),
    "orphaned": (_orphaned, "refer to rows of"),
    "empty": (lambda file: file.write_bytes(b""), "nothing in it"),
    "missing": (Path.unlink, "no such file"),
    "folder": (_folder, "a folder"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_backup_is_refused_and_nothing_changes(path: Path, backup: Path, how: str) -> None:
    spoil, why = BAD[how]
    spoil(backup)
    before = rows(path)
    with pytest.raises(DatabaseProblem, match=why) as caught:
        verify(backup)
    assert str(backup) in str(caught.value) and "\n" not in str(caught.value)
    assert rows(path) == before


@pytest.mark.parametrize("how", [name for name in BAD if name != "orphaned"])
def test_a_bad_backup_never_gets_into_its_place_even_unverified(path: Path, backup: Path, how: str) -> None:
    BAD[how][0](backup)
    before = rows(path)
    with pytest.raises(DatabaseProblem):
        put_back(path, backup)
    assert rows(path) == before
    assert not [file.name for file in path.parent.iterdir() if "restor" in file.name]


@pytest.mark.parametrize("spoil", [_torn, _rotten, lambda file: file.write_text("not a database" * 500)])
def test_a_damaged_database_is_replaced_and_kept_with_its_log(
    path: Path, backup: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(path)
    path.with_name("w.db-wal").write_bytes(b"what a killed program left")
    was = path.read_bytes()
    kept = put_back(path, backup)
    assert rows(path) == rows(backup)
    assert damaged(path) == []
    assert kept and kept.read_bytes()[100:] == was[100:]


def test_a_database_of_somebody_else_is_never_replaced(path: Path, backup: Path) -> None:
    other = path.parent / "places.db"
    other.touch()
    _foreign(other)
    before = other.read_bytes()
    with pytest.raises(DatabaseProblem, match="not watchfloor's"):
        put_back(other, backup)
    assert other.read_bytes() == before


def test_a_stray_log_is_not_read_into_what_is_restored(path: Path, backup: Path) -> None:
    """As it is after somebody removed the database and left its log."""
    with_log(path)
    path.unlink()
    assert path.with_name("w.db-wal").stat().st_size > 0
    assert put_back(path, backup) is None
    assert rows(path) == rows(backup)


def with_log(path: Path) -> None:
    """Leaves the last writes in the write-ahead log, as a program that is killed does."""
    folder = path.parent / "copied"
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        for number in range(3):
            db.execute("UPDATE articles SET headline = ? WHERE id = 1", [f"in the log {number}"])
            db.commit()
        for file in (path, path.with_name(f"{path.name}-wal")):
            shutil.copy(file, folder)
    for file in folder.iterdir():
        file.replace(path.parent / file.name)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)


def test_while_another_program_has_it_open_nothing_is_replaced(path: Path, backup: Path) -> None:
    before = rows(path)
    with Store(path) as store:
        store.db.execute("SELECT count(*) FROM articles").fetchone()
        with pytest.raises(DatabaseBusy, match="another program has it open"):
            put_back(path, backup)
    assert rows(path) == before
    assert not [file.name for file in path.parent.iterdir() if "restor" in file.name]


def test_a_restore_that_is_killed_leaves_the_old_database_or_the_new(
    path: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_log(path)
    monkeypatch.setattr(backups, "PERSON_WAIT_SECONDS", 0)
    saved = {file.name: file.read_bytes() for file in (path, path.with_name("w.db-wal"))}
    old, new = rows(path), rows(backup)
    outcomes = []
    for moment in range(200):
        for file in path.parent.glob("w.db*"):
            file.unlink()
        for name, content in saved.items():
            (path.parent / name).write_bytes(content)
        killed = _killed_at(moment, lambda: put_back(path, backup))
        found = rows(path)
        assert found in (old, new), moment
        assert damaged(path) == [], moment
        kept = list(path.parent.glob("w.db.before-restore-*Z"))
        assert found == old or [rows(file) for file in kept] == [old], moment
        outcomes.append(found == new)
        if not killed:
            break
    assert not killed and outcomes == sorted(outcomes) and 0 < sum(outcomes) < len(outcomes)
    assert len(outcomes) > 10
    put_back(path, backup)  # and what was left half done is in nobody's way
    assert not list(path.parent.glob("*.restoring*"))


def _killed_at(moment: int, act: Callable[[], object]) -> bool:
    """Does it in a process of its own that is killed before its n-th call that touches the disk; whether it was."""
    child = os.fork()
    if not child:
        try:
            left = iter(range(moment))
            for name in ("open", "link", "unlink", "rename", "fsync", "chmod", "chown"):
                setattr(os, name, _dying(getattr(os, name), left))
            act()
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), "it failed instead"
    return code != 0


def _dying(call: Callable[..., Any], left: Iterator[int]) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)

    return called


def test_where_files_can_have_one_name_only_what_was_there_is_copied(
    path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", never)
    was = rows(path)
    kept = put_back(path, backup)
    assert kept and rows(kept) == was and rows(path) == rows(backup)
