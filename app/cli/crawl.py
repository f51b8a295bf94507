"""`watchfloor crawl`: one run, under a lock, with an exit code that tells the truth."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from filelock import FileLock, Timeout

from app.cli.options import allow_option, db_of, db_option, home_of, home_option, json_option
from app.cli.reading import tally_line
from app.cli.terminal import as_json, complain, is_terminal, one_line, safe, say
from crawler.health import DATABASE, LOCKED, NOTHING_WORKED
from crawler.items import RunReport, SourceTally
from crawler.source import Source, catalogue, choose
from db.store import Store
from moderation.policy import load_policy


@click.command()
@click.argument("source", nargs=-1)
@click.option("--sources", "files", type=click.Path(path_type=Path, exists=True), help="A source file, or a folder.")
@db_option
@home_option
@allow_option
@click.option(
    "--failed-share", type=click.FloatRange(0, 1), help="Share of failed pages that is trouble. Default 0.05."
)
@click.option("--again", is_flag=True, help="Ask for every page that the listings offer, due or not.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing when all is well.")
@click.option("-v", "--verbose", count=True, help="Tell what happens; twice for everything.")
@json_option
def crawl(
    source: tuple[str, ...],
    files: Path | None,
    db: Path | None,
    home: Path | None,
    allowed: tuple[str, ...],
    **how: Any,
) -> int:
    """Visit each SOURCE, or every enabled one: store what is new, judge the comments, report.

    \b
    Exit codes: 0 all well; 1 finished with trouble; 2 usage or configuration; 3 nothing worked;
    4 the database cannot be used; 75 another crawl holds it; 129, 130, 143 interrupted by a signal.

    \b
    Examples: watchfloor crawl -q
              watchfloor crawl --sources example.toml --db news.db
    """
    chosen = _chosen(source, files, home_of(home))
    return run_crawl(chosen, db_of(db, home), rules=_rules(home_of(home)), addresses=allowed, **how)


def run_crawl(
    chosen: tuple[Source, ...],
    path: Path,
    *,
    rules: Path | None = None,
    addresses: tuple[str, ...],
    failed_share: float | None = None,
    again: bool = False,
    quiet: bool = False,
    verbose: int = 0,
    json_: bool = False,
) -> int:
    """One run over the chosen sources; its exit code. Raises `DatabaseProblem` before anything is fetched."""
    path = path.resolve()  # one lock for one file, whatever links lead to it
    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        complain(f"{path}: another crawl holds it ({_holder(path)}); this one ends")
        return LOCKED
    except OSError as e:
        complain(f"{path}: {e.strerror or e}")
        return DATABASE
    try:
        Store(path).close()
        _say_holder(path)
        settings = _settings(path, rules, addresses, failed_share, verbose)
        report = _crawled(chosen, settings, again=again, progress=is_terminal() and not (quiet or verbose or json_))
    finally:
        _holder_file(path).unlink(missing_ok=True)
        lock.release()
    if report is None:
        complain("the crawl could not start; `watchfloor crawl -v` says more")
        return NOTHING_WORKED
    _tell(report, quiet=quiet, json_=json_)
    return report.exit_code


def _chosen(ids: tuple[str, ...], files: Path | None, home: Path) -> tuple[Source, ...]:
    listed = catalogue(files, home)
    named = ids or (tuple(listed) if files and files.is_file() else ())
    chosen = choose(listed, named)
    if not chosen:
        raise click.UsageError("no sources to visit; give --sources FILE|DIR, or enable one")
    return chosen


def _rules(home: Path) -> Path | None:
    """The user's own rules, if there are any and they can be used. Raises `PolicyError`."""
    own = home / "rules.toml"
    if not own.exists():
        return None
    load_policy(own)
    return own


def _settings(
    path: Path, rules: Path | None, addresses: tuple[str, ...], failed_share: float | None, verbose: int
) -> dict[str, Any]:
    from crawler.fetching import Addresses  # Scrapy costs a second: only a crawl pays for it

    try:
        Addresses.parse(addresses)
    except ValueError as e:
        raise click.UsageError(f"--allow-address: {e}") from None
    settings: dict[str, Any] = {
        "WATCHFLOOR_DB": str(path),
        "WATCHFLOOR_RULES": str(rules or ""),
        "WATCHFLOOR_ADDRESSES": ",".join(addresses),
        "LOG_LEVEL": ("ERROR", "INFO", "DEBUG")[min(verbose, 2)],
    }
    return settings if failed_share is None else {**settings, "WATCHFLOOR_FAILED_SHARE": failed_share}


def _crawled(chosen: tuple[Source, ...], settings: dict[str, Any], *, again: bool, progress: bool) -> RunReport | None:
    from app.cli.running import crawl_once

    return crawl_once(chosen, settings, again=again, progress=progress)


def _tell(report: RunReport, *, quiet: bool, json_: bool) -> None:
    if json_:
        tallies = {id: asdict(tally) for id, tally in report.tallies.items()}
        shown = {"status": report.status, "exit_code": report.exit_code, "sources": tallies}
        return as_json({**shown, "problems": [asdict(p) for p in report.problems]})
    if report.exit_code or not quiet:
        say(summary(report))
    for problem in report.problems:
        where = f"{problem.source}: " if problem.source else ""
        click.echo("  ! " + one_line(f"{where}{problem.name}: {problem.detail}"), err=True)


def summary(report: RunReport) -> str:
    """A run in one line."""
    total = {name: sum(getattr(t, name) or 0 for t in report.tallies.values()) for name in asdict(SourceTally())}
    sources = f"{len(report.tallies)} source{'s' if len(report.tallies) != 1 else ''}"
    return safe(f"watchfloor crawl: {report.status}: {sources}: {tally_line(total)}")


def _say_holder(path: Path) -> None:
    """For whoever meets the lock. Only a courtesy: the lock holds without it."""
    with contextlib.suppress(OSError):
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        _holder_file(path).write_text(f"process {os.getpid()}, since {since}", "utf-8")


def _holder_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock-holder")


def _holder(path: Path) -> str:
    try:
        return _holder_file(path).read_text("utf-8")[:200]
    except OSError:
        return "it has not said who it is"
