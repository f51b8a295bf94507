"""Verified copies of the database, and one of them put in its place: each whole, or not there."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from db.connect import PERSON_WAIT_SECONDS, DatabaseBusy, DatabaseProblem, explain, open_writer, problems_of
from db.disk import made_new, settle, sync
from db.integrity import Foreign, as_it_is, room_for, schema
from db.sqlite import Database

Watch = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""
BESIDE = ("-wal", "-shm", "-journal", ".lock", ".lock-holder")
"""What SQLite and we call files beside a database: a copy under such a name would be taken for one of them."""
STEPS = 10_000
"""Of SQLite's machine, between two looks at how far a copy is: about a millisecond."""
LEFT_SECONDS = 24 * 3600
"""After this a half copy is one that was killed."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR)
_STAMP = "%Y-%m-%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What tells one state of a database from another."""

    schema: str
    """The last migration."""
    rows: Mapping[str, int]
    """Of the tables that a person asks about."""
    decisions: int
    """That people made, those taken back among them."""
    last_run_at: str
    """UTC; empty without a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy that was made."""

    file: Path
    bytes: int
    contents: Contents


@dataclass(frozen=True, slots=True)
class _Marks:
    """What a copy that is made after them must have."""

    rows: Mapping[str, int]
    people: Mapping[str, int]
    """By table of what people said: the number of the last row."""
    said: str
    """A digest of all these rows."""
    removed: str
    """What was removed by policy so far."""


def default_folder(path: Path) -> Path:
    """Where the backups of a database go unless another place is named."""
    return path.parent / "backups"


def default_name(path: Path, at: datetime) -> str:
    """The name of a backup that is made now."""
    return f"{path.stem}-{at.astimezone(UTC).strftime(_STAMP)}.db"


def made(path: Path, folder: Path) -> list[tuple[datetime, Path]]:
    """The backups of a database that have such a name in a folder, the newest first."""
    named = re.compile(rf"{re.escape(path.stem)}-(\d{{4}}-\d\d-\d\dT\d{{6}}Z)\.db", re.ASCII)
    found = [(match[1], file) for file in folder.glob("*.db") if (match := named.fullmatch(file.name))]
    dated = []
    for at, file in found:
        with contextlib.suppress(ValueError):  # the 31st of February
            dated.append((datetime.strptime(at, _STAMP).replace(tzinfo=UTC), file))
    return sorted(dated, reverse=True)


def rotate(path: Path, folder: Path, keep: int) -> list[Path]:
    """Removes all but the `keep` newest backups of a database with such a name in a folder; which these were."""
    gone = [file for _, file in made(path, folder)[keep:]]
    for file in gone:
        file.unlink(missing_ok=True)
    return gone


def contents(path: Path) -> Contents:
    """What a database holds, of this watchfloor or an older one. Raises `DatabaseProblem`."""
    with problems_of(path), as_it_is(path) as db:
        return _contents(db, path)


def there(path: Path) -> Contents | DatabaseProblem | None:
    """What is in the place of a database: what it holds, or why it cannot be used; None for nothing. Raises `Foreign`
    for what is not watchfloor's and must stay."""
    if not path.exists() or not path.stat().st_size:
        return None
    try:
        return contents(path)
    except Foreign:
        raise
    except DatabaseProblem as e:
        return e


def back_up(path: Path, target: Path, *, watch: Watch = lambda what, done, of: None) -> Backup:
    """Copies a database into a file that is not there yet, while others read and write, and verifies the copy.

    The database is read as it was at one moment, and nobody waits for it; its write-ahead log grows meanwhile by what
    others write. Raises `DatabaseProblem`: then there is no copy.
    """
    half = target.with_name(f"{target.name}.{os.getpid()}.half")
    with problems_of(path), as_it_is(path) as db:
        _check_target(path, target)
        _sweep(path, target.parent)
        _check_room(db, target)
        version, before = _version(db), _marks(db)
        with problems_of(target), made_new(half):
            _vacuum_into(db, half, (path, target), watch)
            with as_it_is(half) as copy:
                _check_whole(copy, target, watch)
                others = _version(db) != version
                _check_complete(copy, db, before, others, target)
                held = _contents(copy, half)
            settle(half, path)
            if target.exists():
                raise DatabaseProblem(f"{target}: is there already; nothing was written over it")
            half.rename(target)
            sync(target.parent)
    return Backup(file=target, bytes=target.stat().st_size, contents=held)


def verify(file: Path, *, watch: Watch = lambda what, done, of: None) -> Contents:
    """What a backup holds, when it is whole and watchfloor's, of this version or an older one. Raises
    `DatabaseProblem`."""
    with problems_of(file), as_it_is(file) as db:
        _check_whole(db, file, watch)
        return _contents(db, file)


def put_back(path: Path, file: Path, *, watch: Watch = lambda what, done, of: None) -> Path | None:
    """Puts a verified backup in the place of the database; where what was there is kept, None where nothing was.

    The caller holds the lock of the database. At every moment the database is the old one or the new one. Raises
    `DatabaseProblem`: then the old one is in its place.
    """
    if path.exists() and file.exists() and file.samefile(path):
        raise DatabaseProblem(f"{file}: that is the database itself; name a backup of it")
    there(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.restoring")
    for left in (new, *(new.with_name(f"{new.name}{end}") for end in BESIDE[:3])):
        left.unlink(missing_ok=True)  # of a restore that was killed
    with problems_of(path), as_it_is(file) as backup, made_new(new):
        _check_room(backup, path)
        held = _contents(backup, file)
        _vacuum_into(backup, new, (file, path), watch)
        with as_it_is(new) as copy:
            if _contents(copy, new) != held or _damage(copy, "quick_check"):
                raise DatabaseProblem(f"{path}: the copy of {file} came out wrong; the database is as it was")
        settle(new, path if path.exists() else file)
        kept = _swap(path, new)
    open_writer(path).close()
    return kept


# ---- the parts of `put_back`


def _swap(path: Path, new: Path) -> Path | None:
    """The old file gets another name beside, then the new one its place: two steps of the file system, each whole."""
    if not path.exists():
        _moved_along(path, _beside(path, "stray"))
        new.rename(path)
        sync(path.parent)
        return None
    kept = _beside(path, "before-restore")
    with _alone(path) as folded:
        _also_as(path, kept)
        if not folded:
            _moved_along(path, kept)
        sync(path.parent)
        new.rename(path)
        sync(path.parent)
    return kept


def _beside(path: Path, why: str) -> Path:
    """A name beside that nobody has."""
    stamped = f"{path.name}.{why}-{datetime.now(UTC).strftime(_STAMP)}"
    names = (path.with_name(f"{stamped}-{n}" if n else stamped) for n in itertools.count())
    return next(name for name in names if not any(name.with_name(name.name + end).exists() for end in ("", *BESIDE)))


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Folds the write-ahead log into the database and keeps everybody else out of it; False for one that is too
    damaged for that, or none of SQLite's. Raises `DatabaseProblem` while another program has it open: what that one
    wrote next would be in neither."""
    with contextlib.closing(sqlite3.connect(path, timeout=PERSON_WAIT_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            folded = True
        except sqlite3.DatabaseError as e:
            problem = explain(e, path)
            if isinstance(problem, DatabaseBusy):
                told = "another program has it open (a server? a terminal with sqlite3?); stop it, then restore"
                raise DatabaseBusy(f"{path}: {told}") from e
            if (e.sqlite_errorcode & 0xFF) not in _DAMAGED:
                raise problem from e
            folded = False
        yield folded


def _also_as(path: Path, kept: Path) -> None:
    """A second name for a file; a copy where the file system knows no second names."""
    try:
        os.link(path, kept)
    except OSError:
        shutil.copy2(path, kept)
        sync(kept)


def _moved_along(path: Path, kept: Path) -> None:
    """The logs beside a database follow it: SQLite would read them into whatever has its name."""
    for end in BESIDE[:3]:
        log = path.with_name(f"{path.name}{end}")
        if log.exists():
            log.rename(kept.with_name(f"{kept.name}{end}"))


# ---- the parts of `back_up`


def _check_target(path: Path, target: Path) -> None:
    """Refuses what must not be written to, before anything is read."""
    real = path.resolve()
    if target.resolve() in (real, *(real.with_name(f"{real.name}{end}") for end in BESIDE)):
        raise DatabaseProblem(f"{target}: that is the database itself, or a file of its; name another file")
    if not target.parent.is_dir():
        raise DatabaseProblem(f"{target.parent}: no such folder; make it first")
    if target.exists():
        raise DatabaseProblem(f"{target}: is there already; nothing is written over it")
    if not os.access(target.parent, os.W_OK):
        raise DatabaseProblem(f"{target.parent}: this user may not write there")


def _sweep(path: Path, folder: Path) -> None:
    """Removes what backups with such a name left when they were killed; one that is being made is younger."""
    named = re.compile(rf"{re.escape(path.stem)}-\d{{4}}-\d\d-\d\dT\d{{6}}Z\.db\.\d+\.half(-journal)?", re.ASCII)
    for file in folder.glob("*.half*"):
        if named.fullmatch(file.name) and time.time() - file.stat().st_mtime > LEFT_SECONDS:
            file.unlink(missing_ok=True)


def _check_room(db: Database, target: Path) -> None:
    if short := room_for(db, target.parent):
        megabytes = -(-short // 1000**2)
        raise DatabaseProblem(f"{target}: no room for the copy: {megabytes:,} MB too few are free on its disk")


def _vacuum_into(db: Database, file: Path, told: tuple[Path, Path], watch: Watch) -> None:
    """A copy into an empty file. `told` are the database and the place that the copy is for, as a message has them."""
    (size,) = db.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").fetchone()

    def look() -> int:
        watch("copying", min(file.stat().st_size, size), size)
        return 0

    db.conn.set_progress_handler(look, STEPS)
    try:
        db.execute("VACUUM INTO ?", [str(file)])
    except sqlite3.Error as e:
        code = getattr(e, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from None
        raise explain(e, told[code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)]) from e
    finally:
        db.conn.set_progress_handler(None, STEPS)


def _check_whole(db: Database, file: Path, watch: Watch) -> None:
    watch("verifying", 0, 0)
    if damage := _damage(db, "integrity_check"):
        raise DatabaseProblem(f"{file}: damaged: {' '.join(damage.split())}")
    if broken := db.execute("PRAGMA foreign_key_check").fetchone():
        raise DatabaseProblem(f"{file}: damaged: rows of {broken[0]} refer to rows of {broken[2]} that are missing")


def _damage(db: Database, pragma: str) -> str:
    """The first damage that SQLite finds; empty for none."""
    said = str(db.execute(f"PRAGMA {pragma}(1)").fetchone()[0])
    return "" if said == "ok" else said


def _check_complete(copy: Database, db: Database, before: _Marks, others: bool, target: Path) -> None:
    """The copy has every word of people that was there when it was begun, and every row; more where `others` wrote
    meanwhile, less only where a policy removed some."""
    if _said(copy, before.people) != before.said:
        raise DatabaseProblem(f"{target}: not made: the copy does not have what people decided, word for word")
    rows = _rows(copy)
    less = [table for table, many in before.rows.items() if rows[table] < many]
    more = [table for table, many in before.rows.items() if rows[table] > many]
    if (less and _removed(db) == before.removed) or ((less or more) and not others):
        raise DatabaseProblem(f"{target}: not made: the copy does not have the same {(less or more)[0]}")


# ---- what a database holds

_COUNTED = ("articles", "comments", "verdicts", "fetches", "runs")
_PEOPLE = {
    "verdicts": "SELECT id, comment_id, revision, said, judge, note, undoes, at FROM verdicts WHERE person",
    "domain_rules": "SELECT id, domain, said, source_id, note, judge, at FROM domain_rules WHERE 1",
}
"""What people said, by table."""


def _contents(db: Database, path: Path) -> Contents:
    (decisions,) = db.execute("SELECT count(*) FROM verdicts WHERE said IN ('spam', 'ok')").fetchone()
    (last,) = db.execute("SELECT max(started_at) FROM runs").fetchone()
    return Contents(schema=schema(db, path), rows=_rows(db), decisions=decisions, last_run_at=last or "")


def _rows(db: Database) -> dict[str, int]:
    return {table: int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in _COUNTED}


def _marks(db: Database) -> _Marks:
    """As one moment has them."""
    db.execute("BEGIN")
    try:
        there = _tables(db)
        lasts = {
            table: int(db.execute(f"SELECT coalesce(max(id), 0) FROM ({sql})").fetchone()[0])
            for table, sql in _PEOPLE.items()
            if table in there
        }
        return _Marks(rows=_rows(db), people=lasts, said=_said(db, lasts), removed=_removed(db))
    finally:
        db.execute("COMMIT")


def _said(db: Database, lasts: Mapping[str, int]) -> str:
    """A digest of what people said, up to the given row of each table."""
    digest = hashlib.sha256()
    for table, last in lasts.items():
        for row in db.execute(f"{_PEOPLE[table]} AND id <= ? ORDER BY id", [last]):
            digest.update(repr(row).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def _removed(db: Database) -> str:
    if "prunings" not in _tables(db):
        return ""
    return repr(db.execute("SELECT id, removed FROM prunings ORDER BY id DESC LIMIT 1").fetchone())


def _tables(db: Database) -> Sequence[str]:
    return [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _version(db: Database) -> int:
    """Another number after every commit of somebody else."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])
