"""`watchfloor export` and `watchfloor digest`: what the database holds, as files that others read."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from app.cli.options import (
    Command,
    check_source,
    db_of,
    db_option,
    home_of,
    home_option,
    reading,
    source_option,
    with_db,
)
from app.cli.outfile import Refused, destination, out_option
from app.cli.querying import given_parameters
from app.cli.terminal import complain, is_terminal, safe
from db.connect import Database, now
from db.export import csv_lines, excel_lines, json_lines, json_list, write_parquet
from db.feeds import Feed, NoFeed, atom, entries, feed_id, rss, web_address
from db.queries import QueryError, choose, pack
from db.selections import NoSelection, Selection, best, kept, newest, one_moment, question, view

if TYPE_CHECKING:
    from db.digest import Day

TEXTS = {"csv": csv_lines, "json": json_list, "jsonl": json_lines}
FEEDS = {"atom": atom, "rss": rss}
FORMATS = (*TEXTS, "parquet", *FEEDS)
BY_ENDING = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".atom": "atom",
    ".xml": "atom",
    ".rss": "rss",
}
FOUND = 1_000
"""What a search gives where no limit is set: the best of it."""
FEED = 50
"""Entries of a feed where no limit is set; readers keep what they have seen."""
PROGRESS_SECONDS = 0.5
PAGES = ("html", "md")
PAGE_BY_ENDING = {".html": "html", ".htm": "html"}
YEARS = range(1900, 2200)
"""Days beyond have no news, and clocks differ on them."""


@dataclass(slots=True)
class Order:
    """What is wanted: the form, where it goes, how much."""

    form: str
    out: Path | None
    limit: int | None
    self_url: str = ""
    excel: bool = False
    count: int = field(default=0, init=False)
    """Rows that were written."""
    more: bool = field(default=False, init=False)
    """True when there were more."""

    @property
    def feeds(self) -> bool:
        """True for a feed: the newest first, and few."""
        return self.form in FEEDS

    def taken(self, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """As many of the rows as are wanted, counted."""
        each, told = iter(rows), time.monotonic()
        self.count = 0
        for row in itertools.islice(each, self.limit):
            yield row
            self.count += 1
            if not self.count % 1_000 and time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                _progress(f"{self.count:,} rows")
        self.more = self.limit is not None and next(each, None) is not None


def _ordered(command: Command) -> Command:
    """Gives a command the options of an export; it receives them as `order`."""

    @functools.wraps(command)
    def wrapped(
        *args: Any,
        form: str | None,
        out: Path | None,
        limit: int | None,
        self_url: str,
        excel: bool,
        **kwargs: Any,
    ) -> Any:
        form = form or BY_ENDING.get(out.suffix.lower() if out else "", "csv")
        if excel and form != "csv":
            raise Refused(f"--excel is for CSV, not for {form}")
        if self_url and not web_address(self_url):
            raise Refused("--self-url is an http or https address")
        return command(*args, order=Order(form, out, limit, web_address(self_url), excel), **kwargs)

    for option in (
        click.option("--excel", is_flag=True, help="CSV as Excel opens it: UTF-8 marked, cells of 32,767 characters."),
        click.option("--self-url", default="", metavar="URL", help="Where a feed will be found; it says so itself."),
        click.option("--limit", type=click.IntRange(1), help="Rows at most. Default: all; 50 of a feed."),
        out_option,
        click.option("--format", "form", type=click.Choice(FORMATS), help="Default: by the ending of --out, else csv."),
    ):
        wrapped = option(wrapped)
    return wrapped


@click.group()
def export() -> None:
    """Any view, search, kept search or query as CSV, JSON, JSON lines, Parquet, Atom or RSS.

    CSV is safe to open in a spreadsheet: a `'` stands before whatever would be a formula. JSON and Parquet are exact.
    Parquet needs pyarrow (`watchfloor[parquet]`). Feeds are of what has a headline and an address.

    \b
    Examples: watchfloor export view latest_articles --out articles.parquet
              watchfloor export search 'drone* "North Korea"' --out drones.atom
              watchfloor export query most-commented --days 7 --out talk.csv
    """


@export.command("view", short_help="A view of the database.")
@click.argument("name")
@_ordered
@with_db
def export_view(path: Path, name: str, order: Order) -> None:
    """Every row of the view NAME: latest_articles, article_history, story_coverage, comment_threads, flagged_comments,
    review_queue, spam_domains or source_health, or one that you made yourself.

    \b
    Example: watchfloor export view flagged_comments --out flagged.csv
    """
    _export(path, order, lambda db: view(db, name))


@export.command("search", short_help="What a search finds.")
@click.argument("words", nargs=-1, required=True)
@click.option("--comments", is_flag=True, help="Search comments, not articles.")
@_ordered
@with_db
def export_search(path: Path, words: tuple[str, ...], comments: bool, order: Order) -> None:
    """What `watchfloor search WORDS` finds, the best 1,000 or --limit; in a feed the newest first.

    \b
    Examples: watchfloor export search baltic --format jsonl
              watchfloor export search baltic --out baltic.rss --self-url https://news.example/baltic.rss
    """
    if order.limit is None:
        order.limit = FEED if order.feeds else FOUND
    chosen, limit, subject = newest if order.feeds else best, order.limit + 1, "comments" if comments else "articles"
    _export(path, order, lambda db: chosen(db, " ".join(words), subject=subject, limit=limit))


@export.command("watch", short_help="What a kept search found.")
@click.argument("name")
@_ordered
@with_db
def export_watch(path: Path, name: str, order: Order) -> None:
    """What the kept search NAME found so far, what was found last first.

    \b
    Example: watchfloor export watch baltic --out baltic.atom
    """
    _export(path, order, lambda db: kept(db, name))


@export.command("query", short_help="The answer to a query.", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("parameters", nargs=-1, type=click.UNPROCESSED)
@_ordered
@db_option
@home_option
def export_query(name: str, parameters: tuple[str, ...], order: Order, db: Path | None, home: Path | None) -> None:
    """The answer to the query NAME of the query pack, with its parameters as options. `watchfloor query` lists them.

    \b
    Example: watchfloor export query changed-headlines --source twz --out changed.csv
    """
    given, own = given_parameters(parameters), home_of(home) / "queries.toml"
    _export(db_of(db, home), order, lambda database: question(database, choose(pack(own), name), given))


def _export(path: Path, order: Order, choose: Callable[[Database], Selection]) -> None:
    if order.form == "parquet":
        _check_parquet(order)
    if order.feeds and order.limit is None:
        order.limit = FEED
    try:
        with reading(path) as db, one_moment(db):
            selection = choose(db)
            with destination(order.out, spared=path) as file:
                _write(file, selection, order)
    except (NoSelection, NoFeed, QueryError) as e:
        raise Refused(safe(str(e))) from None
    _tell(selection.name, order)


def _write(file: IO[bytes], selection: Selection, order: Order) -> None:
    columns = selection.columns
    if order.form == "parquet":
        write_parquet(file, columns, lambda: order.taken(selection.rows()))
    elif order.feeds:
        moment = now()
        listed = entries(columns, order.taken(selection.rows()), now=moment)
        file.write(FEEDS[order.form](_head(selection, order, moment), listed))
    else:
        lines = excel_lines if order.excel else TEXTS[order.form]
        for text in lines(columns, order.taken(selection.rows())):
            file.write(text.encode())


def _head(selection: Selection, order: Order, moment: str) -> Feed:
    about = {"search": "Newest matches of a search", "watch": "Matches of a kept search"}
    return Feed(
        title=f"watchfloor: {selection.name}",
        about=f"{about.get(selection.kind, f'Rows of a {selection.kind}')}: {selection.name}",
        id=feed_id(selection.kind, selection.name),
        self_url=order.self_url,
        now=moment,
    )


def _check_parquet(order: Order) -> None:
    if importlib.util.find_spec("pyarrow") is None:
        raise Refused("Parquet needs pyarrow: pip install 'watchfloor[parquet]'")
    if order.out is None and sys.stdout.isatty():
        raise Refused("Parquet is not for a terminal; name a file with --out")


def _progress(text: str) -> None:
    """On one line that is written over, for a person who waits."""
    if is_terminal():
        click.echo(f"\r{text} \r", nl=False, err=True)


def _tell(name: str, order: Order) -> None:
    where = f" to {order.out}" if order.out else ""
    more = "; there are more: --limit" if order.more else ""
    complain(f"{' '.join(name.split())}: {order.count:,} row{'' if order.count == 1 else 's'}{where}{more}")


@click.command()
@click.option("--day", default="today", show_default=True, metavar="DAY", help="2026-11-22, today or yesterday.")
@click.option("--zone", default="UTC", show_default=True, help="Whose day and clock it is, as Europe/Berlin.")
@click.option("--format", "form", type=click.Choice(list(PAGES)), help="Default: by the ending of --out, else md.")
@out_option
@source_option
@with_db
def digest(path: Path, day: str, zone: str, form: str | None, out: Path | None, source: str) -> None:
    """The news of a day as one static page: stories that several outlets told, the rest by source, headlines that were
    changed, and what went wrong. With links and numbers of comments, without their texts.

    An article belongs to the day it was published, or first seen where its site names no date.

    \b
    Examples: watchfloor digest
              watchfloor digest --day yesterday --out yesterday.html
              watchfloor digest --day 2026-11-22 --zone Europe/Berlin --out today.md
    """
    from app import digest as pages
    from db.digest import digest as of_day

    form = form or (PAGE_BY_ENDING.get(out.suffix.lower(), "md") if out else "md")
    wanted = _day(day, zone)
    with reading(path) as db, one_moment(db):
        check_source(db, source)
        found = of_day(db, wanted, source=source, now=now())
    text = pages.page(found) if form == "html" else pages.markdown(found)
    with destination(out, spared=path) as file:
        file.write(text.encode())
    if out:
        complain(f"{wanted.day}: {', '.join(pages.counts(found)) or 'nothing'} to {out}")


def _day(day: str, zone: str) -> Day:
    """The day that was named, as that zone has it. Raises `Refused`."""
    from db.digest import Day

    try:
        clock = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(f"--zone {safe(zone)}: no such time zone; they are named like Europe/Berlin") from None
    today = datetime.now(clock).date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        found = named.get(day) or date.fromisoformat(day)
    except ValueError:
        raise Refused(f"--day {safe(day)}: not a day; they are written like {today}, or today, or yesterday") from None
    if found.year not in YEARS:
        raise Refused(f"--day {found}: too far away")
    return Day(day=found, zone=clock, zone_name=zone)
