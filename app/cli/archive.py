"""`watchfloor archive`: the raw pages that are kept, in WARC files: list, check, prune."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from app.cli.locking import Held, lock
from app.cli.options import db_of, db_option, gigabytes_option, home_option, json_option
from app.cli.terminal import as_json, complain, is_terminal, safe, say
from crawler.health import LOCKED, OK, TROUBLE
from crawler.settings import archive_of
from db.archive import check as check_file
from db.archive import files
from db.captures import Kept, kept, missing, prune, surplus
from db.connect import Database, open_reader
from db.store import Store


@click.group(invoke_without_command=True)
@db_option
@home_option
@json_option
@click.pass_context
def archive(context: click.Context, db: Path | None, home: Path | None, json_: bool) -> None:
    """List the files of the archive, the oldest first: records, bytes, first and last date.

    The archive has every article's page as it came, and every answer with further comments, in WARC files; what
    `watchfloor replay` reads. It stands beside the database.

    \b
    Examples: watchfloor archive
              watchfloor archive check
              watchfloor archive prune --keep-days 90 --dry-run
    """
    if context.invoked_subcommand:
        context.obj = (db, home, json_)
        return
    path = db_of(db, home).resolve()
    with _database(path) as database:
        listed = kept(database, archive_of(path))
    if json_:
        return as_json({"folder": str(archive_of(path)), **_counted(listed), "files": [asdict(k) for k in listed]})
    for each in listed:
        days = f"{each.first[:10]} to {each.last[:10]}" if each.first else "no page of this database"
        size = _size(each.bytes) if each.bytes else "missing"
        say(f"{each.file}  {each.records:>7,} records  {size:>9}  {days}")
    say(safe(f"{archive_of(path)}: {told(listed)}"))


@archive.command("prune", short_help="Let the oldest files go.")
@click.option("--keep-days", type=click.IntRange(0, 36_500), metavar="N", help="Files whose last page is older go.")
@gigabytes_option("--limit", default=None, help="The oldest files go until what is left is no larger.")
@click.option("--lost", is_flag=True, help="Forget the pages whose file is missing.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and let nothing go.")
@db_option
@home_option
@json_option
@click.pass_obj
def prune_(
    above: tuple[Path | None, Path | None, bool],
    keep_days: int | None,
    limit: int | None,
    lost: bool,
    dry_run: bool,
    db: Path | None,
    home: Path | None,
    json_: bool,
) -> int:
    """Let the oldest files of the archive go, by their age or until the rest is within a limit.

    What is stored of the articles stays; only what could be read again from these files is gone. Files go whole.

    \b
    Exit codes: 0 done; 2 nothing named to go by; 4 the database cannot be used; 75 a crawl holds it.

    \b
    Example: watchfloor archive prune --keep-days 90 --limit 10
    """
    if keep_days is None and limit is None and not lost:
        raise click.UsageError("name what goes: --keep-days N, --limit GB, --lost")
    path = db_of(db or above[0], home or above[1]).resolve()
    try:
        with contextlib.nullcontext() if dry_run else lock(path):
            gone = let_go(path, most=limit, days=keep_days, lost=lost, dry_run=dry_run)
    except Held as e:
        complain(str(e))
        return LOCKED
    if json_ or above[2]:
        as_json({"dry_run": dry_run, **_counted(gone), "files": [k.file for k in gone]})
        return OK
    for each in gone:
        say(f"{each.file}  {each.first[:10]} to {each.last[:10]}")
    say(f"{told(gone)} {'would be ' if dry_run else ''}let go")
    return OK


@archive.command("check", short_help="Read every record, and say which files are damaged.")
@db_option
@home_option
@json_option
@click.pass_obj
def check_(above: tuple[Path | None, Path | None, bool], db: Path | None, home: Path | None, json_: bool) -> int:
    """Read every record of every file with its digests, and say which files are damaged.

    A file whose last record is cut off was being written to when a run was killed; the next crawl mends it.

    \b
    Exit codes: 0 all whole; 1 a file is damaged, or missing; 4 the database cannot be used.

    \b
    Example: watchfloor archive check
    """
    path = db_of(db or above[0], home or above[1]).resolve()
    folder = archive_of(path)
    with _database(path) as database:
        missing = [k.file for k in kept(database, folder) if not k.bytes]
    found = [{"file": name, "records": 0, "problem": "missing"} for name in missing]
    with Progress(console=Console(stderr=True), transient=True, disable=not is_terminal()) as progress:
        listed = progress.track(files(folder), description="reading")
        found += [{"file": file.name, **_checked(file)} for file in listed]
    damaged = sum(bool(each["problem"]) for each in found)
    if json_ or above[2]:
        as_json({"damaged": damaged, "files": found})
    else:
        for each in found:
            say(safe(f"{each['file']}  {each['records']:>7,} records  {each['problem'] or 'whole'}"))
        say(f"{len(found)} files, {damaged} damaged" if found else "no archive there: nothing to check")
    return TROUBLE if damaged else OK


def let_go(
    path: Path, *, most: int | None, days: int | None = None, lost: bool = False, dry_run: bool = False
) -> list[Kept]:
    """Lets the oldest files go, and tells which. `path` is the database's; who writes holds its lock."""
    folder = archive_of(path)
    with _database(path) as database:
        gone = surplus(kept(database, folder), most=most, days=days)
        if lost and database:
            gone += [each for each in missing(database, folder) if each not in gone]
    if gone and not dry_run:
        with Store(path) if path.exists() else contextlib.nullcontext() as store:
            prune(store.db if store else None, path, folder, gone)
    return gone


def told(listed: list[Kept]) -> str:
    """Files in a few words."""
    counted = _counted(listed)
    first, last = counted["first"][:10], counted["last"][:10]
    between = f", {first} to {last}" if first else ""
    number = f"{len(listed)} file{'s' if len(listed) != 1 else ''}"
    return f"{number}, {counted['records']:,} records, {_size(counted['bytes'])}{between}"


@contextlib.contextmanager
def _database(path: Path) -> Iterator[Database | None]:
    """The database, for reading; None where there is none, as its archive can be looked at without it."""
    if not path.exists():
        yield None
        return
    database = open_reader(path)
    try:
        yield database
    finally:
        database.close()


def _checked(file: Path) -> dict[str, Any]:
    try:
        return asdict(check_file(file))
    except OSError as e:
        return {"records": 0, "problem": e.strerror or str(e)}


def _counted(listed: list[Kept]) -> dict[str, Any]:
    return {
        "records": sum(k.records for k in listed),
        "bytes": sum(k.bytes for k in listed),
        "first": min((k.first for k in listed if k.first), default=""),
        "last": max((k.last for k in listed), default=""),
    }


def _size(number: int) -> str:
    return f"{number / 1000**3:.1f} GB" if number >= 1000**3 else f"{number / 1000**2:.1f} MB"
