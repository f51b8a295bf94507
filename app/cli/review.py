"""Commands of the review: flagged, decide, undo."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import click

from app.cli.options import (
    by_option,
    check_source,
    json_option,
    limit_option,
    note_option,
    number,
    reading,
    source_option,
    with_db,
)
from app.cli.terminal import as_json, complain, marked, one_line, safe, say
from db import read
from db.connect import DatabaseProblem
from db.decisions import NotThere, Overtaken
from moderation.group import Group, decide_group, group_of, groups, undo_group
from moderation.learning import learn_when_due
from moderation.review import because, named, spans
from moderation.review import decide as write_decision
from moderation.review import undo as take_back

LISTED = 50
"""Comments of a group that are listed before it is decided on: more would scroll the question's sense away."""


@click.command()
@limit_option(20)
@source_option
@click.option("--group", is_flag=True, help="As groups that one decision settles, the largest first.")
@json_option
@with_db
def flagged(path: Path, limit: int, source: str, group: bool, json_: bool) -> None:
    """Comments that wait for a person, the worst first: each with its links ⟦marked⟧ in place and the reasons.

    With --group, those that advertise the same or say nearly the same, as one: how many, an example, and the command
    that decides on all of them.

    \b
    Examples: watchfloor flagged --limit 5
              watchfloor flagged --group
    """
    if group:
        return _flagged_groups(path, limit, source, json_=json_)
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


def _flagged_groups(path: Path, limit: int, source: str, *, json_: bool) -> None:
    with reading(path) as db:
        check_source(db, source)
        found = list(islice(groups(db, source=source), limit + 1))
        rows = [_group_row(group, read.held(db, group.comments[0])) for group in found[:limit]]
        waiting = read.waiting(db, source=source)
    if json_:
        return as_json(rows)
    for row in rows:
        _say_group(row)
    if not rows:
        return say("no two comments that wait belong together" if waiting else "nothing waits for review")
    more = "; --limit shows more groups" if len(found) > limit else ""
    held = len({id for row in rows for id in row["comments"]})
    many = "1 group" if len(rows) == 1 else f"{len(rows)} groups"
    say(f"{held} comments in {many}; {waiting} wait in all{more}")


def _group_row(group: Group, example: dict[str, Any] | None) -> dict[str, Any]:
    first = group.comments[0]
    told = {"size": len(group.comments), "places": list(group.places), "alike": group.alike}
    command = f"watchfloor decide {first} spam --group"
    return {**told, "comments": list(group.comments), "decide": command, "example": example}


def _say_group(row: dict[str, Any]) -> None:
    """A group: how many, why, the one that the others are like, and what to type."""
    advertise = f"advertise {one_line(', '.join(row['places']), 80)}" if row["places"] else ""
    alike = f"say nearly the same ({row['alike'] + 1})" if row["alike"] else ""
    why = " or ".join(part for part in (advertise, alike) if part)
    say(click.style(f"{row['size']} comments that {why}", bold=True))
    if row["example"]:
        say_flagged(row["example"], end="")
    say(f"  all of them: {row['decide']}   (or ok)")
    say()


@click.command()
@click.argument("comment", type=number)
@click.argument("decision", type=click.Choice(["spam", "ok"]))
@by_option("decides")
@note_option("decision")
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
    if group and seen is not None:
        raise click.UsageError("--seen is about one comment's verdict, --group about many")
    if group:
        return _decide_group(path, comment, decision, by=by, note=note, yes=yes, json_=json_)
    try:
        verdict = write_decision(path, comment, decision, by=by, note=note, seen=seen)
    except NotThere as e:
        raise click.ClickException(f"{e}; `watchfloor flagged` lists those that wait") from None
    except Overtaken as e:
        raise click.ClickException(f"{e}; nothing was written, look again") from None
    said = {"comment": comment, "decision": decision, "by": named(by), "verdict": verdict}
    as_json(said) if json_ else say(f"#{comment}: {decision}, by {safe(said['by'])}")
    learn_by_itself(path)


def _decide_group(path: Path, comment: int, decision: Any, *, by: str, note: str, yes: bool, json_: bool) -> None:
    """The same word on all that are like it, after saying how many that are."""
    with reading(path) as db:
        members = group_of(db, comment)
    if not members:
        raise click.ClickException(f"comment {comment} does not wait; `watchfloor flagged` lists those that do")
    if not json_:
        for member in members[:LISTED]:
            say(f"#{member['id']}  {one_line(member['text'], 90)}")
        if len(members) > LISTED:
            say(f"… and {len(members) - LISTED} more")
        say(f"{len(members)} comments would be {decision}")
    if not yes:
        click.confirm("All of them?", abort=True, err=True)
    decided = decide_group(path, [member["id"] for member in members], decision, by=by, note=note)
    said = {"comments": decided, "decision": decision, "by": named(by)}
    as_json(said) if json_ else say(f"{len(decided)} comments: {decision}, by {safe(said['by'])}")
    learn_by_itself(path)


def learn_by_itself(path: Path) -> None:
    """By itself, every so often. The decision is written: what learning meets is no failure of it."""
    try:
        model = learn_when_due(path)
    except DatabaseProblem as e:
        return complain(f"not learnt this time: {e}")
    if model is not None:
        complain(f"learnt from {model.summary.decisions} decisions: model {model.version}")


@click.command()
@click.argument("comment", type=number, required=False)
@by_option("takes it back")
@click.option("--group", is_flag=True, help="And all that `decide --group` decided together with COMMENT.")
@json_option
@with_db
def undo(path: Path, comment: int | None, by: str, group: bool, json_: bool) -> None:
    """Take a decision back: the last one, or the last on COMMENT.

    Both stay in the record, the decision and its undoing.

    \b
    Examples: watchfloor undo
              watchfloor undo 17 --group
    """
    if group and comment is None:
        raise click.UsageError("--group: name one COMMENT of the group")
    _known(path)
    try:
        undone = undo_group(path, comment, by=by) if group and comment else [take_back(path, comment, by=by)]
    except NotThere as e:
        raise click.ClickException(str(e)) from None
    rows = [{"comment": u.comment_id, "undone": u.said, "now": u.now} for u in undone]
    if json_:
        return as_json(rows if group else rows[0])
    for row in rows:
        say(f"#{row['comment']}: {row['undone']} taken back; now {row['now']}")


def say_flagged(row: dict[str, Any], end: str = "\n") -> None:
    """One comment of the queue, and an empty line."""
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
    if end:
        say()


def _known(path: Path) -> None:
    """Deciding makes no database."""
    if not path.exists():
        raise DatabaseProblem(f"{path}: no database here yet; `watchfloor crawl` makes one")
