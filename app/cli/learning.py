"""Commands of the learning: learn, review-report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app.cli.options import json_option, reading, with_db
from app.cli.terminal import as_json, complain, say
from db.connect import DatabaseProblem
from moderation.learning import FIRST
from moderation.learning import learn as train_now
from moderation.learning import report as report_of


@click.command()
@json_option
@with_db
def learn(path: Path, json_: bool) -> None:
    """Learn from people's decisions now. It also happens by itself, after every fifty of them.

    What was learnt orders the queue; it holds no comment and lets none pass unless the rules say so ([model] acts).

    \b
    Example: watchfloor learn
    """
    if not path.exists():
        raise DatabaseProblem(f"{path}: no database here yet; `watchfloor crawl` makes one")
    model = train_now(path)
    if json_:
        return as_json({"model": model.version if model else None, "summary": asdict(model.summary) if model else None})
    if model is None:
        return complain(f"nothing learnt: that takes {FIRST} decisions, of both kinds")
    say(f"model {model.version}, from {_trained(asdict(model.summary))}")


@click.command("review-report")
@json_option
@with_db
def review_report(path: Path, json_: bool) -> None:
    """How well the rules do: precision, and recall as the blind sample tells it, each with its interval.

    A few comments in the queue were not flagged: drawn at random and unmarked, so that deciding on them tells how much
    spam the rules miss.

    \b
    Example: watchfloor review-report --json
    """
    with reading(path) as db:
        told = report_of(db)
    if json_:
        return as_json(told)
    say(f"{told['waiting']} comments wait; {told['unflagged']} were not flagged")
    say(f"precision  {_share(told['precision'])}  of what was held and decided on is spam")
    say(f"missed     {_share(told['missed'])}  of the blind sample is spam")
    recall = told["recall"]
    if recall["estimate"] is None:
        say("recall     not known yet: no comment of the blind sample has been decided on")
    else:
        say(
            f"recall     {recall['estimate']:.0%} ({recall['low']:.0%} to {recall['high']:.0%}), estimated from the two"
        )
    if told["model"]:
        say(f"model {told['model']['version']}: {_trained(told['model'])}")


def _share(row: dict[str, Any]) -> str:
    if row["estimate"] is None:
        return "not known yet"
    return f"{row['counted']} of {row['of']} = {row['estimate']:.0%} ({row['low']:.0%} to {row['high']:.0%})"


def _trained(summary: dict[str, Any]) -> str:
    text = f"{summary['decisions']} decisions, {summary['spam']} of them spam"
    if summary["precision"] is None:
        return f"{text}; too few to say how good it is"
    return (
        f"{text}; on decisions it did not see: precision {summary['precision']:.0%}, recall {summary['recall']:.0%},"
        f" {summary['blocked_ham']:.1%} of the honest ones blocked"
    )
