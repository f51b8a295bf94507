"""`watchfloor watch`: searches that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli.options import json_option, limit_option, number, reading, with_db
from app.cli.reading import TYPED, typed
from app.cli.terminal import as_json, complain, one_line, safe, say
from db import search, watches
from db.connect import now, open_writer, problems_of

Row = dict[str, Any]
COUNTED = 1_000
"""Matches that are counted when a search is added; more are "more than" it."""
TEXT = 160
"""Characters of a comment in a line."""


@click.group()
def watch() -> None:
    """Searches that are kept: what is new for them is told after each run.

    `watchfloor crawl` prints it, `--alert` sends it, `watchfloor export watch NAME` makes a feed of it. New is what is
    stored, or changed so that it matches, after the search was added; each article and comment is told of once.

    \b
    Example: watchfloor watch add '"air defence" -exercise lang:en' --name air-defence
    """


@watch.command(context_settings=TYPED)
@click.argument("query", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--name", default="", help="What to call it. Default: the query itself.")
@click.option("--comments", is_flag=True, help="Look in reader comments instead of articles.")
@json_option
@with_db
def add(path: Path, query: tuple[str, ...], name: str, comments: bool, json_: bool) -> None:
    """Keep a search for QUERY, written as for `watchfloor search`; say how many match now. Those are not told of.

    \b
    Examples: watchfloor watch add 'frigate* source:twz'
              watchfloor watch add --comments --name shops '"buy now"'
    """
    text, subject = typed(query), "comments" if comments else "articles"
    name = one_line(name or text)
    asked = search.ask(text, subject=subject)
    if asked.nothing:
        raise click.UsageError(search.NOTHING)
    if not name or len(name) > watches.NAME_CHARACTERS:
        raise click.UsageError(f"a name has 1 to {watches.NAME_CHARACTERS} characters; give one with --name")
    for note in asked.notes:
        complain(note)
    db = open_writer(path)
    try:
        with problems_of(path):
            watches.add(db, name, text, subject=subject, now=now())
            found = search.count(db, text, most=COUNTED + 1, subject=subject)
    except watches.WatchError as e:
        raise click.ClickException(safe(str(e))) from None
    finally:
        db.close()
    if json_:
        return as_json({"name": name, "query": text, "subject": subject, "matches_now": found})
    many = f"more than {COUNTED:,}" if found > COUNTED else f"{found:,}"
    say(f"watch {safe(name)!r}: {many} {subject} match now; new ones are told after each run")


@watch.command("list")
@json_option
@with_db
def list_(path: Path, json_: bool) -> None:
    """The searches that are kept, and how much each has found since.

    \b
    Example: watchfloor watch list
    """
    with reading(path) as db:
        rows = watches.listed(db)
    if json_:
        return as_json(rows)
    for row in rows:
        last = f", the last {row['last_at']}" if row["last_at"] else ""
        told = f"{one_line(row['name'], 40)}: {row['subject']} with {one_line(row['query'], 80)}"
        say(f"{told}: {row['matches']:,} since {row['added_at'][:10]}{last}")
    if not rows:
        complain("no searches are kept; `watchfloor watch add QUERY` keeps one")


@watch.command()
@click.argument("name", default="")
@limit_option(20)
@click.option("--run", type=number, default=None, help="Only what this run found.")
@json_option
@with_db
def matches(path: Path, name: str, limit: int, run: int | None, json_: bool) -> None:
    """What the kept search NAME has found, or all of them; what was found last first.

    \b
    Example: watchfloor watch matches air-defence --limit 5
    """
    with reading(path) as db:
        try:
            rows = watches.matches(db, name, run=run or 0, limit=limit)
        except watches.WatchError as e:
            raise click.ClickException(safe(str(e))) from None
    if json_:
        return as_json(rows)
    for row in rows:
        which = "" if name else f"{one_line(row['watch'], 40)}: "
        said = f"{one_line(row['author'], 40)}: {one_line(row['text'], TEXT)}" if row["subject"] == "comments" else ""
        say(f"{row['id']:>6} {row['at'][:10]} {safe(row['source_id']):<12} {which}{said or one_line(row['headline'])}")
    if not rows:
        complain("nothing found yet")


@watch.command()
@click.argument("name")
@json_option
@with_db
def remove(path: Path, name: str, json_: bool) -> None:
    """Forget the kept search NAME, and what it found. Articles and comments stay.

    \b
    Example: watchfloor watch remove air-defence
    """
    db = open_writer(path)
    try:
        with problems_of(path):
            watches.remove(db, name)
    except watches.WatchError as e:
        raise click.ClickException(safe(str(e))) from None
    finally:
        db.close()
    as_json({"removed": name}) if json_ else say(f"watch {safe(name)!r} is gone")


def new_lines(rows: list[Row]) -> list[str]:
    """What a run found for kept searches, a line each."""
    return [one_line(f"watch {row['name']!r}: {row['new']:,} new: {headlines(row)}") for row in rows]


def headlines(row: Row) -> str:
    """The first of what is new, in one line."""
    told = [f"{each['author']} on {each['headline']}" if each["author"] else each["headline"] for each in row["first"]]
    return "; ".join(told) + ("; …" if row["new"] > len(told) else "")
