"""Open the database as we want it, or say in one line why it cannot be used."""

from __future__ import annotations

import contextlib
import filecmp
import itertools
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from db.migrations import APPLICATION_ID, migrations, names
from db.sqlite import Database as Database  # the doors know it by this room's name

log = logging.getLogger(__name__)
CRAWL_WAIT_SECONDS = 90
"""How long the crawl waits for another writer; a backup or a bulk decision takes less."""
PERSON_WAIT_SECONDS = 3
"""How long a person waits before being told that the database is busy."""
READER_CACHE_KB = 32 * 1024
"""Of pages that a reader keeps at most: with SQLite's own 2 MB a search of 100,000 articles reads some of them twice,
and takes up to twice as long."""
LOG_BYTES = 16 * 2**20
"""What the write-ahead log is cut back to once it has grown because somebody read for long: four times what it grows
to when nobody does."""
TOLD = 200
"""Characters of SQLite's message, which can repeat what is stored."""
SQLITE_VERSION = sqlite3.sqlite_version
"""Of the SQLite library that this Python uses."""


class DatabaseProblem(Exception):
    """The database cannot be used. The message names the file, what is wrong and the way out."""


class DatabaseBusy(DatabaseProblem):
    """Another writer held the database for longer than we wait. Nothing was written; try again."""


class Unstorable(Exception):
    """These values cannot be stored: a constraint or a limit of the database says no. The database itself is well."""


def open_writer(path: Path, *, wait: float = PERSON_WAIT_SECONDS) -> Database:
    """The database, for writing, made or upgraded when needed. Raises `DatabaseProblem`."""
    with problems_of(path):
        new = not path.exists() or path.stat().st_size == 0
        if new and path.exists():
            log.warning("%s: an empty file; a new database is made in it", path)
        if new:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _lay(path)
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None)
        try:
            return _prepared(Database(connection, execute_plugins=False), path, new=new)
        except BaseException:
            connection.close()
            raise


def open_reader(path: Path, *, wait: float = PERSON_WAIT_SECONDS) -> Database:
    """The database, for reading only. Raises `DatabaseProblem`, also when there is none yet."""
    with problems_of(path):
        if not path.exists() or path.stat().st_size == 0:
            raise DatabaseProblem(f"{path}: no database here yet; `watchfloor crawl` makes one")
        how = "mode=ro&immutable=1" if _lies_still(path) else "mode=ro"
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=wait, isolation_level=None)
        try:
            connection.execute("PRAGMA query_only = ON")
            connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KB}")
            connection.execute("PRAGMA trusted_schema = OFF")  # a writer's FTS triggers need it on before SQLite 3.44
            db = Database(connection, execute_plugins=False)
            if _is_blank(db):
                raise DatabaseProblem(f"{path}: nothing in it yet; `watchfloor crawl` fills it")
            _check_ours(db, path)
            if len(_applied(db)) < len(names()):
                raise DatabaseProblem(f"{path}: made by an older watchfloor; `watchfloor crawl` upgrades it")
            return db
        except BaseException:
            connection.close()
            raise


def _lies_still(path: Path) -> bool:
    """True where SQLite may lay no files beside the database to read it, and nobody who writes has done so."""
    return not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()


def now() -> str:
    """This moment in UTC, as the database has times."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def has_wal_reset_bug(version: str) -> bool:
    """True for the SQLite versions in which two connections that write and checkpoint at once can damage a WAL
    database: 3.7.0 to 3.51.2, without the back-ports 3.44.6 and 3.50.7 (sqlite.org, release notes of 3.51.3)."""
    number = tuple(int(part) for part in version.split("."))
    fixed = number >= (3, 51, 3) or (3, 50, 7) <= number < (3, 51) or (3, 44, 6) <= number < (3, 45)
    return number >= (3, 7, 0) and not fixed


@contextlib.contextmanager
def problems_of(path: Path) -> Iterator[None]:
    """Turns what SQLite and the system say of this file into a `DatabaseProblem` that a person can act on.

    What they say of the values alone becomes `Unstorable`.
    """
    try:
        yield
    except UnicodeDecodeError as e:
        raise DatabaseProblem(f"{path}: what it holds is no text: the file is damaged; {_way_out(path)}") from e
    except (sqlite3.IntegrityError, sqlite3.DataError, UnicodeEncodeError, OverflowError) as e:
        raise Unstorable(str(e)) from e
    except sqlite3.Error as e:
        raise explain(e, path) from e
    except OSError as e:
        raise DatabaseProblem(f"{path}: {e.strerror or e}") from e


def explain(error: sqlite3.Error, path: Path) -> DatabaseProblem:
    """What a SQLite error means for the person who has to mend it."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    said = str(error)[:TOLD]
    text = f"{path}: {said}"
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseBusy(f"{path}: busy: another program is writing to it; try again in a moment")
    if primary == sqlite3.SQLITE_NOTADB:
        return DatabaseProblem(f"{path}: not a SQLite database; name another file with --db")
    if primary == sqlite3.SQLITE_CORRUPT:
        return DatabaseProblem(f"{text}: the file is damaged; {_way_out(path)}")
    if primary == sqlite3.SQLITE_FULL:
        return DatabaseProblem(f"{text}: no room left on its disk, or for temporary files; nothing was half written")
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return DatabaseProblem(f"{text}: this user may not write to it or to its folder")
    if primary == sqlite3.SQLITE_CANTOPEN:
        return DatabaseProblem(f"{text}: does its folder exist, and may this user write there?")
    if primary == sqlite3.SQLITE_IOERR:
        return DatabaseProblem(f"{text}: is its disk full, or failing? Nothing was half written")
    if "no such" in said or "has no column" in said:
        return DatabaseProblem(f"{text}: did another watchfloor change it meanwhile? Start this program again")
    if "decode to UTF-8" in said:
        return DatabaseProblem(f"{text}: the file is damaged; {_way_out(path)}")
    return DatabaseProblem(text)


def _way_out(path: Path) -> str:
    return f"restore a backup, or save what can be read: sqlite3 {path} .recover"


def _prepared(db: Database, path: Path, *, new: bool) -> Database:
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise DatabaseProblem(f"{path}: read-only: this user may not write to it or to its folder")
    db.execute("PRAGMA foreign_keys = ON")
    if not new:
        _check_ours(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    _upgrade(db, path, new=new)
    return db


def _check_ours(db: Database, path: Path) -> None:
    """Refuses a database that is somebody else's, or that a newer watchfloor made. Changes nothing."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and not _applied(db):
            raise DatabaseProblem(f"{path}: a SQLite database, but not watchfloor's; name another file with --db")
    refuse_newer(_applied(db), path)


def refuse_newer(applied: Iterable[str], path: Path) -> None:
    """Raises `DatabaseProblem` when a newer watchfloor made this database, as the migrations say that it has."""
    unknown = [name for name in applied if name not in names()]
    if unknown:
        raise DatabaseProblem(
            f"{path}: made by a newer watchfloor (it has {unknown[-1]}); upgrade watchfloor to use it"
        )


def _lay(path: Path) -> None:
    """A new database, there whole or not at all. Where that cannot be it is left to `_upgrade`, where another was first
    to that one."""
    laid = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        with laid.open("xb") as file:
            file.write(_blank())
            file.flush()
            os.fsync(file.fileno())
        os.link(laid, path)
    except OSError as e:
        log.debug("%s: not laid down whole: %s", path, e)
    finally:
        with contextlib.suppress(OSError):
            laid.unlink()


@cache
def _blank() -> bytes:
    """A database without rows, as its file is. Made once: the migrations take twenty times as long as to write it."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _upgrade(Database(connection, execute_plugins=False), Path(":memory:"), new=True)
        return connection.serialize()


def _is_blank(db: Database) -> bool:
    (things,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not things


def _applied(db: Database) -> list[str]:
    return [m.name for m in migrations.applied(db)]


def _upgrade(db: Database, path: Path, *, new: bool) -> None:
    """Every pending migration in one transaction; a copy of the old file beside it first. Who comes second waits.

    Tables that others refer to are made anew with the references unchecked, and all are checked before the commit
    (sqlite.org/lang_altertable.html, 7).
    """
    if not migrations.pending(db):
        return
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("BEGIN IMMEDIATE")
    try:
        if (pending := migrations.pending(db)) and not new and _applied(db):
            _back_up(path, path.with_name(f"{path.name}.before-{pending[0].name}"))
        migrations.apply(db)
        if broken := db.execute("PRAGMA foreign_key_check").fetchone():
            raise DatabaseProblem(
                f"{path}: not upgraded: rows of {broken[0]} refer to rows of {broken[2]} that are missing"
            )
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    finally:
        db.execute("PRAGMA foreign_keys = ON")


def _back_up(path: Path, backup: Path) -> None:
    """A copy of the database by a connection of its own, while the caller keeps writers out; whole, or not there.

    One that lies there already and says something else stays: this one gets a number.
    """
    half = backup.with_name(f"{backup.name}.half")
    half.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reading:
            reading.execute("VACUUM INTO ?", [str(half)])
        with half.open("rb") as copied:
            os.fsync(copied.fileno())
            same = (free for free in _free(backup) if not free.exists() or filecmp.cmp(free, half, shallow=False))
            half.rename(next(same))
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def _free(backup: Path) -> Iterator[Path]:
    """The names that a copy can have, in the order of choice."""
    yield backup
    for number in itertools.count(2):
        yield backup.with_name(f"{backup.name}.{number}")
