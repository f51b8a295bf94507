"""`watchfloor doctor`: what is wrong here, and how to mend it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from app.cli.options import db_of, db_option, home_of, home_option, json_option, reading
from app.cli.terminal import as_json, one_line, say
from crawler.settings import USER_AGENT, our_version
from crawler.source import SourceError, catalogue
from db import read
from db.connect import SQLITE_VERSION, Database, DatabaseProblem, has_wal_reset_bug

Level = Literal["ok", "warning", "problem"]
ROOM_MB = 500
"""Less free disk than this is worth a word: a year of one busy source takes about as much."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    what: str
    mend: str = ""


@click.command()
@db_option
@home_option
@json_option
def doctor(db: Path | None, home: Path | None, json_: bool) -> int:
    """What is wrong here, and how to mend it: versions, disk, sources, rules, database.

    Exit code 0 when nothing is broken, 1 for a problem, 4 when the database cannot be used.

    \b
    Example: watchfloor doctor --db news.db
    """
    path = db_of(db, home)
    findings = [*_machine(path), _contact(), *_files(home_of(home))]
    broken = False
    try:
        findings += _database(path)
    except DatabaseProblem as e:
        broken = True
        findings.append(Finding("problem", str(e)))
    if json_:
        as_json([asdict(f) for f in findings])
    else:
        for finding in findings:
            say(f"{finding.level:<8} " + one_line(finding.what + (f": {finding.mend}" if finding.mend else "")))
    return 4 if broken else int(any(f.level == "problem" for f in findings))


def _machine(path: Path) -> Iterator[Finding]:
    yield Finding("ok", f"watchfloor {our_version()}, Python {sys.version.split()[0]}, SQLite {SQLITE_VERSION}")
    if has_wal_reset_bug(SQLITE_VERSION):
        mend = (
            "two programs writing at once can, very rarely, damage the file; upgrade SQLite to 3.51.3 and keep backups"
        )
        yield Finding("warning", f"SQLite {SQLITE_VERSION} has the WAL-reset bug", mend)
    folder = next(p for p in (path.parent, *path.absolute().parents) if p.exists())
    free = shutil.disk_usage(folder).free // 2**20
    level: Level = "ok" if free >= ROOM_MB else "warning"
    yield Finding(level, f"{free:,} MB free on the disk of {folder}")


def _contact() -> Finding:
    agent = USER_AGENT
    if "@" in agent or "+http" in agent:
        return Finding("ok", f"sites see us as {agent}")
    mend = "set WATCHFLOOR_CONTACT to an address of yours, so that a site's owner can write before blocking you"
    return Finding("warning", f"sites see us as {agent}", mend)


def _files(home: Path) -> Iterator[Finding]:
    from moderation.policy import PolicyError, default_policy, load_policy

    try:
        listed = catalogue(None, home)
        enabled = sum(s.enabled for s in listed.values())
        level: Level = "ok" if enabled else "warning"
        mend = "" if enabled else "nothing to visit yet: write a source file, see docs/adding-a-source.md"
        yield Finding(level, f"{len(listed)} sources, {enabled} enabled", mend)
    except SourceError as e:
        yield Finding("problem", str(e), "mend the file; `watchfloor crawl` stops on it")
    own = home / "rules.toml"
    try:
        policy = load_policy(own) if own.exists() else default_policy()
        yield Finding("ok", f"rules {policy.version}")
    except PolicyError as e:
        yield Finding("problem", str(e), "mend the file; `watchfloor crawl` stops on it")


def _database(path: Path) -> Iterator[Finding]:
    if not path.exists() or not path.stat().st_size:
        yield Finding("ok", f"no database at {path} yet; `watchfloor crawl` makes one")
        return
    with reading(path) as db:
        yield from _sound(db)
        held = ", ".join(f"{number:,} {name}" for name, number in read.counts(db).items())
        yield Finding("ok", f"{path}: {held}")
        last = read.runs(db, limit=1)
    for run in last:
        level: Level = "ok" if run["status"] in ("ok", "running") else "warning"
        yield Finding(level, f"the last run ({run['id']}) of {run['started_at']}: {run['status']}")
    wal = Path(f"{path}-wal")
    size = wal.stat().st_size // 2**20 if wal.exists() else 0
    if size > 256:
        yield Finding(
            "warning", f"the write-ahead log has {size} MB", "a reader holds an old transaction open; close it"
        )


def _sound(db: Database) -> Iterator[Finding]:
    damage = [row[0] for row in db.execute("PRAGMA integrity_check(5)")]
    if damage == ["ok"]:
        yield Finding("ok", "the database is sound")
    else:
        yield Finding("problem", f"the database is damaged: {damage[0]}", "restore a backup, or sqlite3 FILE .recover")
    orphans = len(list(db.execute("PRAGMA foreign_key_check")))
    if orphans:
        yield Finding("problem", f"{orphans} rows point at rows that are not there", "restore a backup")
    wrong = (
        "SELECT count(*) FROM holding h LEFT JOIN standing s USING (comment_id) WHERE s.verdict_id IS NOT h.verdict_id"
    )
    (differ,) = db.execute(wrong).fetchone()
    if differ:
        yield Finding(
            "problem", f"the standing of {differ} comments is not what their verdicts say", "restore a backup"
        )
