"""`watchfloor history`: how an article changed after it was published."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.cli.options import json_option, reading, with_db
from app.cli.terminal import as_json, complain, one_line, safe, say
from db import read
from pipelines.differences import Piece, pieces

Row = dict[str, Any]
SHOWN = 60
"""Characters of unchanged text that stand on each side of a change."""
KINDS = {"reading": " (our reading of it, by a replay)", "template": " (its source's template, not the article)"}
GONE, NEW = ("[-", "-]"), ("{+", "+}")
"""As in `wdiff`; on a terminal in red and green as well."""


@click.command()
@click.argument("article")
@click.option("--diff", is_flag=True, help="Show what changed, word by word.")
@json_option
@with_db
def history(path: Path, article: str, diff: bool, json_: bool) -> int:
    """Every version of ARTICLE, its number or its address: when it was seen, and what had changed.

    An edit changes at least one word: other quotation marks, blanks and the like are none. A change that comes from
    `watchfloor replay` is one of our reading, not of the page, and is said to be that; so is one that nearly all
    articles of the source went through at once, which is its template's.

    Exit codes: 0 it is there; 1 no such article.

    \b
    Examples: watchfloor history 12 --diff
              watchfloor query changed-headlines
              watchfloor export view article_history --limit 100
    """
    with reading(path) as db:
        found = read.article(db, article)
        versions = read.versions(db, found["id"]) if found else []
    if not found:
        complain(f"no article {article}")
        return 1
    for before, version in itertools.pairwise(versions):
        version["differences"] = {name: _differences(before, version, name) for name in version["changed"]}
    if json_:
        as_json({"id": found["id"], "url": found["url"], "versions": versions})
    else:
        say(safe(found["url"]))
        for version in versions:
            _say(version, diff=diff)
    return 0


def _differences(before: Row, version: Row, name: str) -> list[list[str]]:
    """Pieces of both versions, as [kind, text]."""
    old, new = (_text(row, name) for row in (before, version))
    return [[piece.kind, piece.text] for piece in pieces(old, new)]


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _say(version: Row, *, diff: bool) -> None:
    what = f"changed: {', '.join(version['changed'])}" if version["changed"] else "first version"
    size = f", {version['words_gone']} words gone, {version['words_new']} new" if version["changed"] else ""
    say(f"{version['revision']:>3}  {version['seen_at']}  {what}{size}{KINDS.get(version['kind'], '')}")
    if not version["changed"] or not diff:
        say(f"     {one_line(version['headline'], 110)}")
    for name, found in version.get("differences", {}).items() if diff else ():
        say(f"     {name}:")
        for line in shown([Piece(kind, text) for kind, text in found]).split("\n"):
            say(f"       {line}")


def shown(found: Sequence[Piece]) -> str:
    """The changes with a little of what stands round them, as a terminal has it."""
    parts = []
    for number, piece in enumerate(found):
        text = safe(piece.text)
        if piece.kind == "same":
            first, last = number == 0, number == len(found) - 1
            parts.append(_clipped(text, head=not first, tail=not last))
        else:
            open, close = GONE if piece.kind == "gone" else NEW
            parts.append(click.style(f"{open}{text}{close}", fg="red" if piece.kind == "gone" else "green"))
    return "".join(parts)


def _clipped(text: str, *, head: bool, tail: bool) -> str:
    """Unchanged text: its beginning behind a change, its end before one."""
    if len(text) <= SHOWN * (head + tail):
        return text
    return f"{text[:SHOWN] if head else ''} … {text[-SHOWN:] if tail else ''}"
