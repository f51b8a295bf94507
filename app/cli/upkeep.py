"""`watchfloor backup`, `restore`, `prune`, `integrity`: the database kept, brought back, kept small, looked at."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.locking import Held, lock
from app.cli.options import by_option, check_source, json_option, reading, source_option, with_db
from app.cli.terminal import as_json, complain, is_terminal, one_line, safe, say
from crawler.health import DATABASE, LOCKED, OK, USAGE
from db.backups import Backup, Contents, back_up, default_folder, default_name, put_back, rotate, there, verify
from db.connect import DatabaseProblem
from db.integrity import Finding, look
from db.pruning import Plan, Policy, check_room, plan, smaller
from db.pruning import prune as prune_now
from db.retention import KINDS
from moderation.review import named

_DAYS = {"d": 1.0, "w": 7.0, "m": 365.25 / 12, "y": 365.25}
Watch = Callable[[str, int, int], None]


class Age(click.ParamType[timedelta]):
    """An age as people write it: 90d, 12w, 18m, 2y."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """As a time span."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([0-9]{1,5})([dwmy])", str(value).strip().lower())
        days = int(match[1]) * _DAYS[match[2]] if match else 0
        if not 1 <= days <= 36_525:
            self.fail(f"{safe(str(value))!r} is no age; write it as 90d, 12w, 18m or 2y, of a day to a century")
        return timedelta(days=days)


@click.command()
@click.argument("target", metavar="[FILE|FOLDER]", type=click.Path(path_type=Path), required=False)
@click.option("--keep", type=click.IntRange(1, 10_000), metavar="N", help="Leave the N newest backups in the folder.")
@json_option
@with_db
def backup(path: Path, target: Path | None, keep: int | None, json_: bool) -> None:
    """Copy the database into one file, while crawls go on, and verify the copy.

    Into FOLDER, or `backups` beside the database, it goes as watchfloor-2026-11-22T221500Z.db; of such names --keep
    leaves the newest, and touches nothing else. Nothing is ever written over.

    \b
    Examples: watchfloor backup
              watchfloor backup /mnt/backup --keep 14
    """
    path = path.resolve()
    folder = target if target and target.is_dir() else None if target else default_folder(path)
    if keep and not folder:
        raise click.UsageError("--keep goes with a folder")
    if folder and not target:
        _make(path, folder)
    begun = time.monotonic()
    with _progress() as watch:
        made = back_up(path, folder / default_name(path, datetime.now(UTC)) if folder else target or path, watch=watch)
    gone = rotate(path, folder, keep) if folder and keep else []
    if json_:
        return as_json(
            {**_told(made), "seconds": round(time.monotonic() - begun, 1), "removed": [str(f) for f in gone]}
        )
    say(safe(f"{made.file}: {_size(made.bytes)}, {_held(made.contents)}; whole"))
    if gone:
        say(f"{len(gone)} older backup{'s' * (len(gone) > 1)} removed")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_db
def restore(path: Path, file: Path, yes: bool, json_: bool) -> int:
    """Put a backup in the place of the database. What is there is kept beside it.

    FILE is verified first. What is there gets the name watchfloor.db.before-restore-TIME. A backup of an older
    watchfloor is upgraded, with a copy beside. Stop whatever else has the database open.

    \b
    Exit codes: 0 done; 2 nobody there to ask; 4 FILE or the database cannot be used; 75 a crawl holds it.

    \b
    Example: watchfloor restore backups/watchfloor-2026-11-22T221500Z.db
    """
    path = path.resolve()
    if not yes and not sys.stdin.isatty():
        complain("restore asks before it puts anything in the database's place, and nobody is there; add --yes")
        return USAGE
    try:
        with lock(path):
            pass  # a crawl holds it: told before a large file is read
        present = there(path)
        with _progress() as watch:
            comes = verify(file, watch=watch)
        if not json_:
            say(safe(f"there:  {path}: {_present(present)}"))
            say(safe(f"comes:  {file}: {_held(comes)}"))
        if not yes:
            click.confirm("Put it in the place of what is there?", abort=True, err=True)
        with lock(path), _progress() as watch:
            kept = put_back(path, file, watch=watch)
    except Held as e:
        complain(str(e))
        return LOCKED
    if json_:
        as_json({"database": str(path), "restored": asdict(comes), "kept": str(kept) if kept else None})
        return OK
    say(safe(f"{path}: restored" + (f"; what was there is {kept.name}" if kept else "")))
    return OK


@click.command()
@click.option("--older-than", "age", type=Age(), required=True, metavar="AGE", help="90d, 12w, 18m, 2y.")
@source_option
@click.option(
    "--what",
    "kinds",
    type=click.Choice(list(KINDS)),
    multiple=True,
    default=("articles",),
    show_default=True,
    help="What goes; may be given several times.",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and let nothing go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--vacuum", is_flag=True, help="Make the file smaller afterwards: needs its size twice in free space.")
@by_option("removes it")
@json_option
@with_db
def prune(path: Path, json_: bool, **given: Any) -> int:
    """Remove what is old, and say what goes before it goes.

    \b
    articles   with comments and all that is ours of them, when nothing of them changed for AGE
    ledger     rows of addresses that gave no article, last asked for before that
    revisions  earlier versions of articles and comments
    evidence   where fields of articles were read from
    runs       numbers of runs that nothing is judged by any more

    An article stays when a person ever decided on a comment under it. One that goes is not fetched again. What was
    removed, when and by whom is in the table `prunings`. A crawl may run meanwhile, but for --vacuum.

    \b
    Exit codes: 0 done; 2 nobody there to ask; 4 the database cannot be used; 75 a crawl holds it (--vacuum).

    \b
    Examples: watchfloor prune --older-than 2y --dry-run
              watchfloor prune --older-than 90d --what ledger --what runs --yes
    """
    path = path.resolve()
    before = f"{datetime.now(UTC) - given['age']:%Y-%m-%dT%H:%M:%SZ}"
    policy = Policy(before=before, kinds=given["kinds"], source=given["source"])
    if not (given["yes"] or given["dry_run"] or sys.stdin.isatty()):
        complain("prune asks before it removes anything, and nobody is there; add --yes, or --dry-run")
        return USAGE
    with reading(path) as db:
        check_source(db, policy.source)
    try:
        with lock(path) if given["vacuum"] and not given["dry_run"] else contextlib.nullcontext():
            return _pruned(path, policy, given, json_)
    except Held as e:
        complain(str(e))
        return LOCKED


@click.command()
@click.option("--quick", is_flag=True, help="Leave out what reads everything twice: indexes, search index, keys.")
@json_option
@with_db
def integrity(path: Path, quick: bool, json_: bool) -> int:
    """Whether the database is whole: file, references, standing, versions, links, stories, search index.

    Nothing is changed, and a crawl may run meanwhile. The search index is looked at on a copy, which takes room.

    \b
    Exit codes: 0 all well; 4 something is wrong, or the database cannot be used.

    \b
    Example: watchfloor integrity
    """
    found = []
    with _progress() as watch:
        for finding in look(path.resolve(), quick=quick, begins=lambda name: watch(name, 0, 0)):
            found.append(finding)
            if not json_:
                _say_finding(finding)
    if json_:
        as_json([asdict(finding) for finding in found])
    return DATABASE if any(finding.level == "problem" for finding in found) else OK


# ---- parts


def _pruned(path: Path, policy: Policy, given: Mapping[str, Any], json_: bool) -> int:
    planned = plan(path, policy)
    if not json_:
        _say_plan(policy, planned)
    if given["dry_run"]:
        if json_:
            as_json({"dry_run": True, **_plan_told(policy, planned)})
        return OK
    if given["vacuum"]:
        check_room(path)
    if planned.rows and not given["yes"]:
        click.confirm("Remove it?", abort=True, err=True)
    with _progress() as watch:
        removed = prune_now(path, policy, by=named(given["by"]), watch=watch) if planned.rows else {}
        if given["vacuum"]:
            watch("rebuilding the file", 0, 0)
        sizes = smaller(path) if given["vacuum"] else None
    if json_:
        told = {"dry_run": False, **_plan_told(policy, planned), "removed": removed}
        as_json({**told, "bytes": {"before": sizes[0], "after": sizes[1]} if sizes else None})
        return OK
    if removed:
        say("removed" if removed == planned.rows else f"removed, with what changed meanwhile: {_listed(removed)}")
    if sizes:
        say(f"{_size(sizes[0])} before, {_size(sizes[1])} now")
    elif removed:
        say("the file keeps its size, and new rows take the room; --vacuum makes it smaller")
    return OK


def _say_plan(policy: Policy, planned: Plan) -> None:
    if not planned.rows:
        say(safe(f"nothing to remove: {policy}"))
    for name, many in planned.rows.items():
        waiting = f", {planned.waiting:,} of them in the queue" if name == "comments" and planned.waiting else ""
        say(f"{many:>12,}  {_NAMES.get(name, name.replace('_', ' '))}{waiting}")
    if planned.decided:
        say(f"{planned.decided:>12,}  articles stay: people decided on their comments")
    if planned.rows.get("captures"):
        say("their raw pages stay in the archive until `watchfloor archive prune`")


_NAMES = {"addresses": "addresses in the ledger marked, so that they are not fetched again", "fetches": "ledger rows"}


def _listed(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{many:,} {name}" for name, many in rows.items())


def _plan_told(policy: Policy, planned: Plan) -> dict[str, Any]:
    return {"policy": str(policy), **asdict(planned)}


def _say_finding(finding: Finding) -> None:
    say(f"{finding.level:<8} " + one_line(finding.told + (f": {finding.mend}" if finding.mend else "")))


def _make(path: Path, folder: Path) -> None:
    """The folder that nobody named, beside a database that is there."""
    if path.exists():
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as e:
            raise DatabaseProblem(f"{folder}: {e.strerror or e}") from None


def _told(made: Backup) -> dict[str, Any]:
    return {"file": str(made.file), "bytes": made.bytes, **asdict(made.contents)}


def _present(present: Contents | DatabaseProblem | None) -> str:
    if present is None:
        return "nothing"
    return _held(present) if isinstance(present, Contents) else f"cannot be read ({present})"


def _held(contents: Contents) -> str:
    rows = contents.rows
    last = f"last run {contents.last_run_at}" if contents.last_run_at else "no run"
    return f"{rows['articles']:,} articles, {rows['comments']:,} comments, {contents.decisions:,} decisions, {last}"


def _size(number: int) -> str:
    return f"{number / 1000**3:.1f} GB" if number >= 1000**3 else f"{number / 1000**2:.1f} MB"


@contextlib.contextmanager
def _progress() -> Iterator[Watch]:
    """Shows how far something is, to a person; where it cannot be told, that it goes on."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not is_terminal()) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, of: progress.update(task, description=what, completed=done, total=of or None)
