"""`watchfloor stories`: the same story in many outlets, and what each made of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from app.cli.history import shown
from app.cli.options import json_option, limit_option, number, reading, with_db
from app.cli.terminal import as_json, complain, one_line, safe, say
from db import read
from pipelines.differences import pieces

Row = dict[str, Any]
DAYS = 36_500
"""A century: longer than any news site has been there."""


@click.command()
@click.argument("story", type=number, required=False)
@click.option("--days", type=click.IntRange(1, DAYS), default=7, show_default=True, help="With something new since.")
@click.option("--publishers", type=click.IntRange(1), default=2, show_default=True, help="Told by so many sources.")
@click.option("--diff", is_flag=True, help="With STORY: show what each changed of the first one's text.")
@limit_option(20)
@json_option
@with_db
def stories(path: Path, story: int | None, days: int, publishers: int, limit: int, diff: bool, json_: bool) -> int:
    """Stories that several outlets tell; or one STORY, by its number or that of an article, with all who tell it.

    An article belongs to a story when its text is that of another one: copied, edited, or cut. The same story in
    another language, or in words of its own, is another one.

    Exit codes: 0 there are some; 1 no such story.

    \b
    Examples: watchfloor stories --days 2 --publishers 3
              watchfloor stories 12 --diff
    """
    if story is None and diff:
        raise click.UsageError("--diff needs the number of a story or of an article")
    with reading(path) as db:
        if story is None:
            since = f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
            found = read.stories(db, since=since, publishers=publishers, limit=limit)
        else:
            found = read.story(db, story)
    if json_:
        as_json(found)
    elif story is None:
        _say_stories(found)
    else:
        _say_story(found, diff=diff)
    if story is not None and not found:
        complain(f"no other article tells what {story} does, or there is no such story")
        return 1
    return 0


def _say_stories(found: list[Row]) -> None:
    for row in found:
        say(f"{row['story_id']:>6}  {one_line(row['headline'], 100)}")
        say(
            f"        {row['publishers']} publishers, {row['independent']} with a text of their own; first"
            f" {safe(row['first_source_id'])}, {row['first_at']}; {one_line(', '.join(row['source_ids']), 100)}"
        )
    if not found:
        complain("no story that several outlets tell; see --days and --publishers")


def _say_story(found: list[Row], *, diff: bool) -> None:
    for row in found:
        say(f"{row['id']:>6}  {row['at']}  {safe(row['source_id']):<16} {_said(row)}")
        say(f"        {one_line(row['headline'], 110)}")
        if diff and row is not found[0]:
            for name in ("headline", "body"):
                text = shown(pieces(found[0][name], row[name]))
                for line in text.split("\n"):
                    say(f"          {line}")


def _said(row: Row) -> str:
    if row["kind"] == "first":
        return "the text that others are compared with"
    if row["kind"] == "copy":
        return f"a copy of {row['like_id']}"
    return f"{row['kind']}: {row['share']:.0%} in common with {row['like_id']}"
