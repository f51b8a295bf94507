"""`watchfloor crawl`: one run, under a lock, with an exit code that tells the truth."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.alerting import Afterwards, alert_option, metrics_option, ping_option
from app.cli.locking import Held, lock
from app.cli.options import (
    GIGABYTE,
    allow_option,
    db_of,
    db_option,
    gigabytes_option,
    home_of,
    home_option,
    json_option,
    reading,
)
from app.cli.reading import tally_line
from app.cli.terminal import as_json, complain, is_terminal, one_line, safe, say
from app.cli.watches import new_lines
from crawler import limits
from crawler.health import DATABASE, LOCKED, NOTHING_WORKED
from crawler.items import RunReport, SourceTally
from crawler.source import Source, catalogue, choose
from db import watches
from db.connect import DatabaseProblem
from db.store import Store
from moderation.policy import load_policy

if TYPE_CHECKING:
    from crawler.workers import Readers


@click.command()
@click.argument("source", nargs=-1)
@click.option("--sources", "files", type=click.Path(path_type=Path, exists=True), help="A source file, or a folder.")
@db_option
@home_option
@allow_option
@click.option(
    "--failed-share", type=click.FloatRange(0, 1), help="Share of failed pages that is trouble. Default 0.05."
)
@click.option("--readers", type=click.IntRange(1, 64), help="Processes that read pages. Default: one a core, up to 4.")
@click.option(
    "--max-minutes", type=click.FloatRange(0, min_open=True), help=f"The run may take. Default {limits.RUN_MINUTES}."
)
@click.option("--again", is_flag=True, help="Ask for every page that the listings offer, due or not.")
@click.option("--no-archive", is_flag=True, help="Keep no raw pages of this run for `watchfloor replay`.")
@gigabytes_option("--archive-limit", default=limits.ARCHIVE_BYTES / GIGABYTE, help="Of raw pages; the oldest go.")
@alert_option
@ping_option
@metrics_option
@click.option("-q", "--quiet", is_flag=True, help="Say nothing when all is well.")
@click.option("-v", "--verbose", count=True, help="Tell what happens; twice for everything.")
@json_option
def crawl(
    source: tuple[str, ...],
    files: Path | None,
    db: Path | None,
    home: Path | None,
    allowed: tuple[str, ...],
    alerts: tuple[str, ...],
    ping: str,
    metrics: Path | None,
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
    afterwards = Afterwards(alerts=alerts, ping=ping, metrics=metrics)
    afterwards.check()
    chosen, path = _chosen(source, files, home_of(home)), db_of(db, home)
    how["named"] = bool(source)
    try:
        code, report = run_crawl(chosen, path, rules=_rules(home_of(home)), addresses=allowed, **how)
    except DatabaseProblem as e:
        afterwards.tell(path, DATABASE, None, str(e))
        raise
    afterwards.tell(path, code, report)
    return code


def run_crawl(
    chosen: tuple[Source, ...],
    path: Path,
    *,
    rules: Path | None = None,
    addresses: tuple[str, ...],
    failed_share: float | None = None,
    max_minutes: float | None = None,
    readers: int | None = None,
    again: bool = False,
    named: bool = False,
    no_archive: bool = False,
    archive_limit: int = limits.ARCHIVE_BYTES,
    quiet: bool = False,
    verbose: int = 0,
    json_: bool = False,
) -> tuple[int, RunReport | None]:
    """One run over the chosen sources: its exit code, and its report if it began. Those that were `named` are visited
    also when they should rest.

    Raises `DatabaseProblem` before anything is fetched.
    """
    path = path.resolve()  # one lock for one file, whatever links lead to it
    try:
        with _readers(readers) as begun, lock(path):
            Store(path).close()
            settings = _settings(path, rules, addresses, failed_share, verbose)
            settings["WATCHFLOOR_NAMED"] = named
            settings["WATCHFLOOR_RUN_MINUTES"] = max_minutes or limits.RUN_MINUTES
            settings |= {"WATCHFLOOR_ARCHIVE": not no_archive, "WATCHFLOOR_ARCHIVE_BYTES": archive_limit}
            report = _crawled(
                chosen, settings, begun, again=again, progress=is_terminal() and not (quiet or verbose or json_)
            )
            if report and not no_archive:
                _keep_within(path, archive_limit, quiet=quiet)
    except Held as e:
        complain(str(e))
        return LOCKED, None
    if report is None:
        complain("the crawl could not start; `watchfloor crawl -v` says more")
        return NOTHING_WORKED, None
    _tell(report, _found(path), quiet=quiet, json_=json_)
    return report.exit_code, report


def _keep_within(path: Path, most: int, *, quiet: bool) -> None:
    """Lets the oldest raw pages go; which, is said."""
    from app.cli.archive import let_go, told

    try:
        gone = let_go(path, most=most)
    except (DatabaseProblem, OSError) as e:
        return complain(f"the archive was not kept within its limit: {e}")
    if gone and not quiet:
        complain(f"archive: {told(gone)} let go, over --archive-limit {most / GIGABYTE:g}")


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


def _readers(count: int | None) -> Readers:
    """Begun before the lock is taken and the database opened: a reader that outlives a killed run holds neither."""
    from crawler.workers import Readers, usual_count

    readers = Readers(count or usual_count())
    readers.start()
    return readers


def _crawled(
    chosen: tuple[Source, ...], settings: dict[str, Any], readers: Readers, *, again: bool, progress: bool
) -> RunReport | None:
    from app.cli.running import crawl_once

    return crawl_once(chosen, settings, readers, again=again, progress=progress)


def _found(path: Path) -> list[dict[str, Any]]:
    """What the run found for kept searches; nothing where the database cannot be read any more."""
    with contextlib.suppress(DatabaseProblem), reading(path) as db:
        return watches.found_last(db)
    return []


def _tell(report: RunReport, found: list[dict[str, Any]], *, quiet: bool, json_: bool) -> None:
    if json_:
        tallies = {id: asdict(tally) for id, tally in report.tallies.items()}
        shown = {"status": report.status, "exit_code": report.exit_code, "sources": tallies}
        return as_json({**shown, "problems": [asdict(p) for p in report.problems], "watches": found})
    if report.exit_code or not quiet:
        say(summary(report))
    for line in new_lines(found):
        say(line)
    for problem in report.problems:
        where = f"{problem.source}: " if problem.source else ""
        click.echo("  ! " + one_line(f"{where}{problem.name}: {problem.detail}"), err=True)


def summary(report: RunReport) -> str:
    """A run in one line."""
    total = {name: sum(getattr(t, name) or 0 for t in report.tallies.values()) for name in asdict(SourceTally())}
    sources = f"{len(report.tallies)} source{'s' if len(report.tallies) != 1 else ''}"
    resting = f", {total.pop('resting')} resting" if total["resting"] else ""
    return safe(f"watchfloor crawl: {report.status}: {sources}{resting}: {tally_line(total)}")
