"""backup, restore, prune, integrity and doctor, as a person and cron use them."""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cli.locking import lock
from conftest import Ran, Watch, once_crawled, watchfloor
from db.backups import default_name

PEOPLE = "SELECT * FROM verdicts WHERE person ORDER BY id"


@pytest.fixture
def db(demo_crawled: Watch, tmp_path: Path) -> Path:
    return Path(shutil.copy(demo_crawled.db, tmp_path / "w.db"))


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def change(path: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)


def one_line(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, (ran.out, ran.err)
    assert len(ran.err.splitlines()) == 1 and not ran.out, (ran.out, ran.err)
    assert all(word in ran.err for word in words), ran.err


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file, but for the index that SQLite makes of a log."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.suffix != ".db-shm"}


# ---- backup and restore


def test_what_was_backed_up_comes_back(db: Path) -> None:
    made = watchfloor("backup", "--db", db, "--json").json
    assert Path(made["file"]).parent == db.parent / "backups"
    (first,) = watchfloor("flagged", "--db", db, "--limit", "1", "--json").json
    assert watchfloor("decide", str(first["id"]), "spam", "--by", "ann", "--db", db).code == 0
    told = watchfloor("restore", made["file"], "--yes", "--db", db, "--json").json
    assert told["restored"]["rows"] == made["rows"]
    assert rows(db, PEOPLE) == [] and len(rows(Path(told["kept"]), PEOPLE)) == 1
    back = watchfloor("restore", told["kept"], "--yes", "--db", db)
    assert back.code == 0 and "0 decisions" in back.out and "1 decisions" in back.out, back.err
    assert len(rows(db, PEOPLE)) == 1
    assert watchfloor("integrity", "--db", db).code == 0
    assert watchfloor("flagged", "--db", db).code == 0


def test_backups_from_cron_leave_the_newest(db: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept here"
    folder.mkdir()
    for day in (1, 2, 3):
        (folder / default_name(db, datetime(2026, 1, day, tzinfo=UTC))).touch()
    (folder / "holiday.db").touch()
    ran = watchfloor("backup", folder, "--keep", "2", "--db", db)
    assert ran.code == 0 and "whole" in ran.out and "2 older backups removed" in ran.out and not ran.err
    left = sorted(file.name for file in folder.iterdir())
    assert left[0] == "holiday.db" and left[1] == "w-2026-01-03T000000Z.db" and len(left) == 3


def test_a_backup_goes_where_it_is_told_to_and_never_over_anything(db: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.db"
    assert watchfloor("backup", target, "--db", db).code == 0
    before = target.read_bytes()
    one_line(watchfloor("backup", target, "--db", db), 4, str(target), "is there already")
    one_line(watchfloor("backup", db, "--db", db), 4, "the database itself")
    one_line(watchfloor("backup", tmp_path / "none" / "b.db", "--db", db), 4, "no such folder")
    one_line(watchfloor("backup", "--db", tmp_path / "none.db"), 4, "no such file")
    assert watchfloor("backup", target, "--keep", "2", "--db", db).code == 2
    assert target.read_bytes() == before
    assert not (tmp_path / "none.db").exists() and not list(tmp_path.glob("*.half"))


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "torn": (lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]), "malformed"),
    "text": (lambda file: file.write_text("no database" * 100), "not a SQLite database"),
    "foreign": (lambda file: change(file, "PRAGMA application_id = 7"), "not watchfloor's"),
    "missing": (Path.unlink, "no such file"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_bad_backup_is_one_line_and_changes_nothing(db: Path, tmp_path: Path, how: str) -> None:
    spoil, why = SPOILT[how]
    file = tmp_path / "b.db"
    assert watchfloor("backup", file, "--db", db).code == 0
    spoil(file)
    before = snapshot(tmp_path)
    one_line(watchfloor("restore", file, "--yes", "--db", db), 4, str(file), why)
    after = snapshot(tmp_path)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if "restor" in name]


def test_nothing_is_restored_while_a_crawl_runs(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    assert watchfloor("backup", file, "--db", db).code == 0
    with lock(db):
        one_line(watchfloor("restore", file, "--yes", "--db", db), 75, "another crawl holds it")
        one_line(watchfloor("prune", "--older-than", "1d", "--vacuum", "--yes", "--db", db), 75, "another crawl")
        assert watchfloor("backup", tmp_path / "c.db", "--db", db).code == 0
        assert watchfloor("prune", "--older-than", "1d", "--yes", "--db", db).code == 0


def test_without_anybody_to_ask_nothing_happens(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    assert watchfloor("backup", file, "--db", db).code == 0
    before = db.read_bytes()
    one_line(watchfloor("restore", file, "--db", db), 2, "--yes")
    one_line(watchfloor("prune", "--older-than", "2y", "--db", db), 2, "--yes", "--dry-run")
    assert db.read_bytes() == before


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 130), (b"y\n", 0)])
def test_a_person_is_told_what_is_there_and_what_comes_and_is_asked(
    db: Path, tmp_path: Path, answer: bytes, code: int
) -> None:
    file = tmp_path / "b.db"
    assert watchfloor("backup", file, "--db", db).code == 0
    change(db, "UPDATE articles SET headline = 'changed since' WHERE id = 1")
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    ran = watchfloor("restore", file, "--db", db, stdin=Path(os.ttyname(theirs)))
    os.close(ours)
    os.close(theirs)
    assert ran.code == code, ran.err
    there, comes, *_ = ran.out.splitlines()
    assert there.startswith(f"there:  {db}: ") and comes.startswith(f"comes:  {file}: ")
    assert "articles" in comes and "decisions" in comes and "last run 2" in comes
    (headline,) = rows(db, "SELECT headline FROM articles WHERE id = 1")
    assert (headline == ("changed since",)) is (code == 130)


# ---- prune


@once_crawled
def test_the_dry_run_says_what_the_act_does(site: Watch) -> None:
    (first, *_) = site("flagged", "--json").json
    site("decide", str(first["id"]), "ok", "--by", "ann")
    years_pass(site.db)
    before = site.db.read_bytes()
    dry = site("prune", "--older-than", "2y", "--dry-run", "--json").json
    assert dry["dry_run"] and dry["decided"] == 1 and dry["rows"]["articles"] > 3
    assert site.db.read_bytes() == before
    act = site("prune", "--older-than", "2y", "--yes", "--by", "ann", "--vacuum", "--json").json
    assert act["removed"] == act["rows"] == dry["rows"]
    assert act["bytes"]["after"] <= act["bytes"]["before"]
    assert site.rows("SELECT by, policy LIKE 'articles, of before%' FROM prunings") == [("ann", 1)]
    assert site("show", str(first["article_id"])).code == 0
    assert site("integrity").code == 0
    assert "nothing to remove" in site("prune", "--older-than", "2y", "--yes").out


def years_pass(path: Path) -> None:
    """Everything that happened did so long ago, but for the newest article, which stays in any case."""
    times = {
        "articles": ("first_seen_at", "changed_at"),
        "comments": ("first_seen_at", "changed_at"),
        "fetches": ("first_seen_at", "fetched_at"),
    }
    for table, columns in times.items():
        change(path, f"UPDATE {table} SET " + ", ".join(f"{c} = '2020-01-01T00:00:00Z'" for c in columns))


def test_what_is_pruned_is_named_to_a_person(db: Path) -> None:
    years_pass(db)
    ran = watchfloor("prune", "--older-than", "18m", "--what", "articles", "--what", "ledger", "--dry-run", "--db", db)
    assert ran.code == 0 and not ran.err
    for words in ("  articles", "  comments, ", "in the queue", "not fetched again", "ledger rows", "archive prune"):
        assert words in ran.out, ran.out


@pytest.mark.parametrize("age", ["2", "-3d", "0d", "٣d", "101y"])
def test_an_odd_age_is_a_usage_error(db: Path, age: str) -> None:
    ran = watchfloor("prune", "--older-than", age, "--dry-run", "--db", db)
    assert ran.code == 2 and "is no age" in ran.err and "Traceback" not in ran.err


def test_an_unknown_source_is_not_pruned_but_said(db: Path) -> None:
    one_line(watchfloor("prune", "--older-than", "1d", "--source", "dem", "--yes", "--db", db), 1, "did you mean demo?")


# ---- integrity and doctor


def test_integrity_tells_each_thing_on_a_line_and_fails_when_one_is_wrong(db: Path) -> None:
    well = watchfloor("integrity", "--db", db)
    assert well.code == 0 and {line.split()[0] for line in well.out.splitlines()} == {"ok"} and not well.err
    change(db, "DELETE FROM standing WHERE comment_id = 1")
    ill = watchfloor("integrity", "--quick", "--db", db)
    assert ill.code == 4
    (line,) = (line for line in ill.out.splitlines() if line.startswith("problem"))
    assert "1 comments whose standing is not what their verdicts say" in line and "sqlite3" in line
    found = watchfloor("integrity", "--quick", "--json", "--db", db)
    assert found.code == 4
    assert [each["name"] for each in found.json if each["level"] == "problem"] == ["standing"]
    one_line(watchfloor("integrity", "--db", db.parent / "none.db"), 4, "no such file")


def test_doctor_names_what_is_wrong_and_the_way_out(db: Path) -> None:
    change(db, "DELETE FROM standing WHERE comment_id = 1")
    change(db, "UPDATE articles SET headline = headline || ' again' WHERE id = 1")
    ran = watchfloor("doctor", "--db", db)
    assert ran.code == 1
    assert "problem  1 comments whose standing" in ran.out
    assert "note     1 articles and 0 comments wait for the search index" in ran.out
    assert "the next crawl takes it up" in ran.out


def test_doctor_knows_how_old_the_last_backup_is(db: Path) -> None:
    assert "note     no backup in" in watchfloor("doctor", "--db", db).out
    assert watchfloor("backup", "--db", db).code == 0
    assert "ok       the last backup is of 2" in watchfloor("doctor", "--db", db).out
    (file,) = (db.parent / "backups").iterdir()
    file.rename(file.with_name(default_name(db, datetime.now(UTC) - timedelta(days=9))))
    ran = watchfloor("doctor", "--db", db)
    assert ran.code == 0 and "is 9 days old: `watchfloor backup`" in ran.out


@once_crawled
def test_what_was_pruned_does_not_come_back_with_the_next_listing(site: Watch) -> None:
    years_pass(site.db)
    assert site("prune", "--older-than", "18m", "--what", "articles", "--yes").code == 0
    (left,) = site.rows("SELECT count(*) FROM articles")
    assert left[0] < 5
    for more in ([], ["--again"]):
        assert site.crawl(*more).code == 0
        assert site.rows("SELECT count(*) FROM articles") == [left]
    ((url,),) = site.rows("SELECT url FROM fetches WHERE reason = 'pruned' LIMIT 1")
    assert "removed by policy" in watchfloor("explain", url, "--db", site.db, "--sources", site.file).out
