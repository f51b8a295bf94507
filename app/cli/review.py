"""Commands of the review: flagged, decide, undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli.options import check_source, json_option, limit_option, number, reading, source_option, with_db
from app.cli.terminal import as_json, complain, marked, one_line, safe, say
from db import read
from db.connect import DatabaseProblem
from db.store import NotThere, Overtaken
from moderation.group import decide_group, group_of
from moderation.learning import learn_when_due
from moderation.review import because, reviewer, spans
from moderation.review import decide as write_decision
from moderation.review import undo as take_back

by_option = click.option(
    "--by", default="", metavar="NAME", help="Who decides. Default: WATCHFLOOR_REVIEWER, else you."
)


@click.command()
@limit_option(20)
@source_option
@json_option
@with_db
def flagged(path: Path, limit: int, source: str, json_: bool) -> None:
    """Comments that wait for a person, the worst first: each with its links ⟦marked⟧ in place and the reasons.

    \b
    Example: watchfloor flagged --limit 5
    """
    with reading(path) as db:
        check_source(db, source)
        rows = read.flagged(db, limit=limit, source=source)
        waiting = read.waiting(db, source=source)
    if json_:
        return as_json(rows)
    for row in rows:
        say_flagged(row)
    if rows:
        say(f"{waiting} waiting. Decide with: watchfloor decide {rows[0]['id']} spam|ok")
    else:
        say("nothing waits for review")


@click.command()
@click.argument("comment", type=number)
@click.argument("decision", type=click.Choice(["spam", "ok"]))
@by_option
@click.option("--note", default="", metavar="TEXT", help="Why; kept with the decision.")
@click.option(
    "--seen", type=number, metavar="VERDICT", help="Refuse when this verdict (see flagged --json) holds no more."
)
@click.option("--group", is_flag=True, help="And on every waiting comment with its domain or nearly its text.")
@click.option("--yes", is_flag=True, help="With --group: do not ask.")
@json_option
@with_db
def decide(
    path: Path, comment: int, decision: Any, by: str, note: str, seen: int | None, group: bool, yes: bool, json_: bool
) -> None:
    """Decide on COMMENT, by its number: spam or ok.

    A decision holds through every re-crawl; `watchfloor undo` takes it back. When the comment is edited later, the new
    version is judged and may be held again.

    \b
    Example: watchfloor decide 17 spam --note "same shop again"
    """
    _known(path)
    if group:
        return _decide_group(path, comment, decision, by=by, note=note, yes=yes, json_=json_)
    try:
        verdict = write_decision(path, comment, decision, by=by, note=note, seen=seen)
    except NotThere as e:
        raise click.ClickException(f"{e}; `watchfloor flagged` lists those that wait") from None
    except Overtaken as e:
        raise click.ClickException(f"{e}; nothing was written, look again") from None
    said = {"comment": comment, "decision": decision, "by": by or reviewer(), "verdict": verdict}
    as_json(said) if json_ else say(f"#{comment}: {decision}, by {safe(said['by'])}")
    _learn(path)


def _decide_group(path: Path, comment: int, decision: Any, *, by: str, note: str, yes: bool, json_: bool) -> None:
    """The same word on all that are like it, after saying how many that are."""
    with reading(path) as db:
        members = group_of(db, comment)
    if not members:
        raise click.ClickException(f"comment {comment} does not wait; `watchfloor flagged` lists those that do")
    if not json_:
        for member in members:
            say(f"#{member['id']}  {one_line(member['text'], 90)}")
        say(f"{len(members)} comments would be {decision}")
    if not yes:
        click.confirm("All of them?", abort=True, err=True)
    decided = decide_group(path, [member["id"] for member in members], decision, by=by, note=note)
    said = {"comments": decided, "decision": decision, "by": by or reviewer()}
    as_json(said) if json_ else say(f"{len(decided)} comments: {decision}, by {safe(said['by'])}")
    _learn(path)


def _learn(path: Path) -> None:
    """By itself, every so often. The decision is written: what learning meets is no failure of it."""
    try:
        model = learn_when_due(path)
    except DatabaseProblem as e:
        return complain(f"not learnt this time: {e}")
    if model is not None:
        complain(f"learnt from {model.summary.decisions} decisions: model {model.version}")


@click.command()
@click.argument("comment", type=number, required=False)
@by_option
@json_option
@with_db
def undo(path: Path, comment: int | None, by: str, json_: bool) -> None:
    """Take a decision back: the last one, or the last on COMMENT.

    Both stay in the record, the decision and its undoing.

    \b
    Example: watchfloor undo
    """
    _known(path)
    try:
        undone = take_back(path, comment, by=by)
    except NotThere as e:
        raise click.ClickException(str(e)) from None
    if json_:
        return as_json({"comment": undone.comment_id, "undone": undone.said, "now": undone.now})
    say(f"#{undone.comment_id}: {undone.said} taken back; now {undone.now}")


def say_flagged(row: dict[str, Any]) -> None:
    """One comment of the queue."""
    who = one_line(row["author"], 40) or "(no name)"
    head = f"#{row['id']}  score {row['score']:g}  {who}  {row['posted_at'] or ''}"
    say(click.style(head, bold=True))
    say(f"  under: {one_line(row['headline'], 90)} ({safe(row['source_id'])})")
    for line in marked(row["text"], spans(row["links"])).split("\n"):
        say(f"  │ {line}")
    for link in row["links"]:
        if link["disguise"] or link["place"] != "text":
            how = link["disguise"] or {"href": "behind its words", "author": "behind the author's name"}[link["place"]]
            say(f"  → {one_line(link['text'], 60)} leads to {one_line(link['url'], 80)} ({safe(how)})")
    for reason in because(row["reasons"]):
        say(f"  · {one_line(reason, 110)}")
    say()


def _known(path: Path) -> None:
    """Deciding makes no database."""
    if not path.exists():
        raise DatabaseProblem(f"{path}: no database here yet; `watchfloor crawl` makes one")
