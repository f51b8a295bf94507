"""What is old goes by policy: told to the row before it happens, in bounded transactions, and written down.

Nothing goes that a person ever decided on, nor the article that it hangs under; no word of a person, no model.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from db.connect import CRAWL_WAIT_SECONDS, DatabaseProblem, now, open_reader, open_writer, problems_of
from db.integrity import SPARED_BYTES
from db.retention import DECIDED, GONE, KINDS, OURS, PICKED, WAITING, Part
from db.sqlite import Database

WEIGHT = 100
"""Of one transaction: so many articles, or rows of another kind, each with its comments. It takes about a tenth of a
second, and a crawl waits for it."""
PAUSE_SECONDS = 0.15
"""Between two transactions: whoever waits for the database looks again every 0.1 seconds, and goes first."""
Watch = Callable[[str, int, int], None]
"""Told what is being removed, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is to go."""

    before: str
    """UTC: what nothing has happened to since then is old."""
    kinds: Sequence[str]
    """Of `KINDS`."""
    source: str = ""
    """Only what is this source's; empty for all."""

    def __str__(self) -> str:
        where = f" of source {self.source}" if self.source else ""
        return f"{', '.join(self.kinds)}{where}, of before {self.before}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a policy removes now."""

    rows: Mapping[str, int]
    """By table; `fetches` that are marked, not removed, are under `addresses`."""
    waiting: int
    """Of the comments: those that wait for a person."""
    decided: int
    """Articles that are as old, and stay because a person decided on a comment under them."""


def plan(path: Path, policy: Policy) -> Plan:
    """What a policy would remove. Changes nothing. Raises `DatabaseProblem`."""
    with problems_of(path), contextlib.closing(open_reader(path)) as db:
        db.execute("PRAGMA query_only = OFF")  # tables of our own, in memory; the file itself is open for reading only
        _set_up(db)
        db.execute("BEGIN")
        return _planned(db, policy)


def prune(
    path: Path, policy: Policy, *, by: str, watch: Watch = lambda what, done, of: None, pause: float = PAUSE_SECONDS
) -> dict[str, int]:
    """Removes what the policy says, and writes it down as it goes; how many rows of each table. What has changed since
    it was picked stays. Raises `DatabaseProblem`; what was removed until then is written down."""
    removed: Counter[str] = Counter()
    with problems_of(path), contextlib.closing(open_writer(path, wait=CRAWL_WAIT_SECONDS)) as db:
        db.execute("PRAGMA foreign_keys = OFF")  # all that refers goes too; looking for it would read a table a row
        _set_up(db)
        number = 0
        for part in _parts(policy):
            batches = _pick(db, part, policy)
            for done, (low, high) in enumerate(batches):
                watch(part.of, done, len(batches))
                with _transaction(db):
                    _narrow(db, part, policy, low, high)
                    removed.update(_removed(db, part))
                    number = _written_down(db, number, policy, removed, by)
                time.sleep(pause)
    return dict(removed)


def smaller(path: Path) -> tuple[int, int]:
    """Rebuilds the file without its empty pages: its size before and after. The caller holds the lock; who writes waits
    until it is done. Raises `DatabaseProblem`, also where there is no room for it."""
    with problems_of(path), contextlib.closing(open_writer(path, wait=CRAWL_WAIT_SECONDS)) as db:
        before = path.stat().st_size
        check_room(path)
        for subject in ("articles", "comments"):
            db.execute(f"INSERT INTO {subject}_fts ({subject}_fts) VALUES ('optimize')")
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return before, path.stat().st_size


def check_room(path: Path) -> None:
    """Raises `DatabaseProblem` where the disk has no room for the file to be rebuilt: twice, as it is written aside
    first and then goes through the log."""
    short = 2 * path.stat().st_size + SPARED_BYTES - shutil.disk_usage(path.parent).free
    if short > 0:
        raise DatabaseProblem(
            f"{path}: no room to rebuild it: {-(-short // 1000**2):,} MB too few are free on its disk"
        )


# ---- the parts of both


def _parts(policy: Policy) -> Iterator[Part]:
    for kind in KINDS:
        if kind in policy.kinds:
            yield from KINDS[kind]


def _planned(db: Database, policy: Policy) -> Plan:
    rows: Counter[str] = Counter()
    waiting = 0
    for part in _parts(policy):
        _pick(db, part, policy)
        _narrow(db, part, policy, 0, 2**62)
        for step in part.steps:
            sql = f"SELECT (SELECT count(*) FROM {step.table or step.name} WHERE {step.which}) + ({step.also or 0})"
            rows[step.name] += db.execute(sql).fetchone()[0]
        if part.of == "articles":
            waiting = db.execute(WAITING).fetchone()[0]
            db.execute("INSERT INTO temp.gone SELECT a FROM temp.batch")
    decided = db.execute(DECIDED, _values(policy)).fetchone()[0] if "articles" in policy.kinds else 0
    return Plan(rows={table: many for table, many in rows.items() if many}, waiting=waiting, decided=decided)


def _set_up(db: Database) -> None:
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute(f"CREATE TEMP TABLE gone ({GONE})")


def _pick(db: Database, part: Part, policy: Policy) -> list[tuple[int, int]]:
    """Numbers what goes, and where each transaction begins and ends in it."""
    for name, columns in OURS.items():
        db.execute(f"DROP TABLE IF EXISTS temp.{name}")
        db.execute(f"CREATE TEMP TABLE {name} ({columns})")
    picked = part.pick.format(only="")
    db.execute(f"INSERT INTO temp.going (a, b, weight) {picked} ORDER BY 1, 2", _values(policy))
    return list(_batches(db))


def _batches(db: Database) -> Iterator[tuple[int, int]]:
    first, weight, last = 1, 0.0, 0
    for number, own in db.execute("SELECT n, weight FROM temp.going ORDER BY n"):
        if weight and weight + own > WEIGHT:
            yield first, last
            first, weight = number, 0.0
        weight, last = weight + own, number
    if last:
        yield first, last


def _narrow(db: Database, part: Part, policy: Policy, low: int, high: int) -> None:
    """What goes in this transaction: of what was picked, that to which nothing has happened since."""
    for name in ("batch", "replies"):
        db.execute(f"DELETE FROM temp.{name}")
    between = {"low": low, "high": high}
    if part.only:
        picked = part.pick.format(only=f"AND {part.only}")
        db.execute(f"INSERT INTO temp.batch (a, b) SELECT a, b FROM ({picked})", {**_values(policy), **between})
    else:
        db.execute(f"INSERT INTO temp.batch (a, b) SELECT a, b FROM {PICKED}", between)
    if part.of == "articles":
        db.execute("INSERT INTO temp.replies SELECT id FROM comments WHERE article_id IN (SELECT a FROM temp.batch)")


def _removed(db: Database, part: Part) -> dict[str, int]:
    for statement in part.first:
        db.execute(statement)
    many: Counter[str] = Counter()
    for step in part.steps:
        table = step.table or step.name
        act = f"UPDATE {table} SET {step.change}" if step.change else f"DELETE FROM {table}"
        many[step.name] += db.execute(f"{act} WHERE {step.which}").rowcount
    return {name: number for name, number in many.items() if number}


def _written_down(db: Database, number: int, policy: Policy, removed: Mapping[str, int], by: str) -> int:
    told = json.dumps(removed)
    if not number:
        sql = "INSERT INTO prunings (policy, removed, by, at) VALUES (?, ?, ?, ?)"
        return int(db.execute(sql, (str(policy), told, by, now())).lastrowid or 0)
    db.execute("UPDATE prunings SET removed = ? WHERE id = ?", (told, number))
    return number


def _values(policy: Policy) -> dict[str, str]:
    return {"before": policy.before, "source": policy.source}


@contextlib.contextmanager
def _transaction(db: Database) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
