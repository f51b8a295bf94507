"""`watchfloor doctor`: what is wrong here, and how to mend it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import click

from app.cli.options import db_of, db_option, home_of, home_option, json_option, reading
from app.cli.terminal import as_json, one_line, say
from crawler.settings import USER_AGENT, our_version
from crawler.source import SourceError, catalogue
from db import integrity, read
from db.backups import default_folder, made
from db.connect import SQLITE_VERSION, DatabaseProblem, has_wal_reset_bug

Level = Literal["ok", "note", "warning", "problem"]
ROOM_MB = 500
"""Less free disk than this is worth a word: a year of one busy source takes about as much."""
WAL_MB = 256
"""A write-ahead log of this size is not emptied any more: it is a few MB while nobody holds it back."""
BACKUP_AGE = timedelta(days=7)
"""After this a backup is a week's decisions behind."""


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
    found = list(integrity.look(path, quick=True))
    wrong = [finding for finding in found if finding.level == "problem"]
    if not wrong:
        yield Finding("ok", "the database is sound; `watchfloor integrity` looks closer")
    for finding in (*wrong, *(f for f in found if f.level == "note")):
        yield Finding(finding.level, finding.told, finding.mend)
    with reading(path) as db:
        held = ", ".join(f"{number:,} {name}" for name, number in read.counts(db).items())
        yield Finding("ok", f"{path}: {held}")
        last = read.runs(db, limit=1)
    for run in last:
        level: Level = "ok" if run["status"] in ("ok", "running") else "warning"
        yield Finding(level, f"the last run ({run['id']}) of {run['started_at']}: {run['status']}")
    yield _backup(path.resolve())
    wal = Path(f"{path}-wal")
    size = wal.stat().st_size // 2**20 if wal.exists() else 0
    if size > WAL_MB:
        told = f"the write-ahead log has {size:,} MB"
        yield Finding(
            "warning", told, "some program holds an old reading open: close it, and the next crawl empties it"
        )


def _backup(path: Path) -> Finding:
    """How old the newest backup is, of those that `watchfloor backup` put in its own folder."""
    folder = default_folder(path)
    listed = made(path, folder)
    if not listed:
        return Finding("note", f"no backup in {folder}", "`watchfloor backup` makes one; elsewhere is better still")
    age = datetime.now(UTC) - listed[0][0]
    if age > BACKUP_AGE:
        return Finding("note", f"the last backup in {folder} is {age.days} days old", "`watchfloor backup` from cron")
    return Finding("ok", f"the last backup is of {listed[0][0]:%Y-%m-%d %H:%M} UTC")
