"""Commands that read the database: latest, search, show, runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from app.cli.options import (
    check_source,
    json_option,
    limit_option,
    reading,
    source_option,
    with_db,
)
from app.cli.terminal import as_json, complain, marked, one_line, safe, say
from db import read
from db.rows import sections_of
from db.search import CLOSE, NOTHING, OPEN, ask
from db.search import search as find
from moderation.review import because, spans

Row = dict[str, Any]


@click.command()
@limit_option(20)
@source_option
@json_option
@with_db
def latest(path: Path, limit: int, source: str, json_: bool) -> None:
    """The newest articles.

    \b
    Example: watchfloor latest --source demo --limit 5
    """
    with reading(path) as db:
        check_source(db, source)
        rows = read.latest(db, limit=limit, source=source)
    if json_:
        return as_json(rows)
    for row in rows:
        say(headline_line(row))
    if not rows:
        complain("no articles yet")


TYPED = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""Of a command that takes what is typed into a search: `-word` is no option of one letter."""


def typed(words: tuple[str, ...]) -> str:
    """What was typed into a search. Raises `click.NoSuchOption` for a misspelled option."""
    wrong = next((word for word in words if word.startswith("--") and word.strip("-")), None)
    if wrong:
        raise click.NoSuchOption(wrong)
    return " ".join(words)


@click.command(context_settings=TYPED)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--comments", is_flag=True, help="Look in reader comments instead of articles.")
@limit_option(20)
@source_option
@json_option
@with_db
def search(path: Path, words: tuple[str, ...], comments: bool, limit: int, source: str, json_: bool) -> None:
    """Find articles that hold all WORDS, the best first: in the headline before elsewhere, newer before older.

    \b
    "air defence"      these words next to each other
    drone*             what begins so
    -exercise          without this word, or -"this phrase"
    title:frigate      in the headline
    by:"Jane Smith"    by this author
    source:twz,isw     of one of these sources; -source:twz of any other
    lang:en            in this language
    since:2026-11      from then on: a day, a month, a year, 7d, 2w, yesterday, today
    until:2026-11-05   up to and with then

    Filters alone show the newest first.

    \b
    Examples: watchfloor search 'drone* "North Korea" -exercise since:30d'
              watchfloor search --comments 'by:bob "buy now"'
    """
    text, subject = typed(words), "comments" if comments else "articles"
    asked = ask(text, source=source, subject=subject)
    for note in asked.notes:
        complain(note)
    with reading(path) as db:
        rows = find(db, text, limit=limit, source=source, subject=subject)
        if not rows:
            check_source(db, source)
    if json_:
        return as_json([{**r, "snippet": r["snippet"].replace(OPEN, "**").replace(CLOSE, "**")} for r in rows])
    for row in rows:
        say(_comment_line(row) if comments else headline_line(row))
        snippet = one_line(row["snippet"].replace(OPEN, "⟦").replace(CLOSE, "⟧"))
        say(f"       {snippet}")
    if not rows:
        complain(NOTHING if asked.nothing else f"nothing found for: {text}")


@click.command()
@click.argument("article")
@json_option
@with_db
def show(path: Path, article: str, json_: bool) -> None:
    """One article, by its number or URL, with its comments and their verdicts.

    \b
    Example: watchfloor show 12
    """
    from crawler.urls import normal

    with reading(path) as db:
        row = read.article(db, article) or read.article(db, normal(article))
    if row is None:
        raise click.ClickException(f"no article {safe(article)}; `watchfloor latest` lists them")
    as_json(row) if json_ else _say_article(row)


@click.command()
@limit_option(10)
@json_option
@with_db
def runs(path: Path, limit: int, json_: bool) -> None:
    """What the last crawls did, and what went wrong.

    \b
    Example: watchfloor runs --limit 1 --json
    """
    with reading(path) as db:
        rows = read.runs(db, limit=limit)
    if json_:
        return as_json(rows)
    for run in rows:
        _say_run(run)
    if not rows:
        complain("no runs yet")


def headline_line(row: Row) -> str:
    """One article in a line."""
    when = (row["published_at"] or "          ")[:10]
    talk = f"  ({row['comments']} comments)" if row.get("comments") else ""
    return f"{row['id']:>6} {safe(when)} {safe(row['source_id']):<12} {one_line(row['headline'])}{talk}"


def _comment_line(row: Row) -> str:
    """One comment in a line."""
    when, state = (row["posted_at"] or "          ")[:10], row["state"] or "unjudged"
    said = f"{one_line(row['author'], 40)} [{state}] on {one_line(row['headline'])}"
    return f"{row['id']:>6} {safe(when)} {safe(row['source_id']):<12} {said}"


def _say_article(row: Row) -> None:
    say(click.style(one_line(row["headline"]), bold=True))
    say(safe(row["url"]))
    said = [", ".join(row["authors"]), row["published_at"] or "no date", row["source"], f"revision {row['revision']}"]
    say(one_line(" · ".join(part for part in said if part)))
    if row["gone_at"]:
        say(f"gone since {row['gone_at']}")
    for cut in row["cuts"]:
        say(one_line(f"cut by {cut['name']}: {cut['left_out']} {cut['unit']} left out"))
    say()
    for section in sections_of(row["body"], row["blocks"]):
        if section.heading:
            say(click.style(safe(section.heading), bold=True) + "\n")
        for block in section.blocks:
            say(_block(block.kind, safe(block.text)) + "\n")
    comments = [c for c in row["comments"] if c["kind"] == "comment"]
    say(f"{len(comments)} comments ({row['comments_state']})")
    for comment in row["comments"]:
        _say_comment(comment)


def _block(kind: str, text: str) -> str:
    marks = {"item": "• ", "quote": "> ", "row": "| ", "caption": "[", "code": "    "}
    return marks.get(kind, "") + text + ("]" if kind == "caption" else "")


def _say_comment(comment: Row) -> None:
    indent = "  " * (min(comment["depth"], 10) + 1)
    state = comment["state"] or "unjudged"
    kind = "" if comment["kind"] == "comment" else f" {comment['kind']}"
    gone = " gone" if comment["gone_at"] else ""
    head = f"#{comment['id']} {one_line(comment['author'], 40)} {comment['posted_at'] or ''} [{state}{kind}{gone}]"
    say()
    say(indent + click.style(head, fg={"flagged": "yellow", "spam": "red"}.get(state)))
    for line in marked(comment["text"], spans(comment["links"])).split("\n"):
        say(indent + line)
    for verdict in comment["verdicts"]:
        say(indent + one_line(_said(verdict)))


def _said(verdict: Row) -> str:
    """One verdict: who said what, when, why."""
    score = "" if verdict["score"] is None else f" {verdict['score']:g}"
    why = "; ".join((*because(verdict["reasons"]), verdict["note"])).strip("; ")
    return f"– {verdict['said']}{score} by {verdict['judge']}, {verdict['at']}" + (f": {why}" if why else "")


def _say_run(run: Row) -> None:
    code = "" if run["exit_code"] is None else f" (exit {run['exit_code']})"
    ended = run["ended_at"] or ("still running" if run["status"] == "running" else "killed")
    say(f"run {run['id']}: {run['status']}{code}, {run['started_at']} – {ended}")
    for id, tally in run["sources"].items():
        say(f"  {safe(id):<16} {tally_line(tally)}")
        if tally["requests"]:
            say(f"  {'':<16} {pace_line(tally)}")
    for problem in run["problems"]:
        where = f"{problem['source']}: " if problem["source"] else ""
        say("  ! " + one_line(f"{where}{problem_line(problem, run['id'])}"))


def problem_line(problem: Row, run_id: int = 0) -> str:
    """A problem that a run named, with the run since which it holds where that is another one."""
    since = problem.get("since") or run_id
    still = "" if since == run_id or problem.get("field") else f" since run {since}"  # a field's detail says it
    return f"{problem['name']}{still}: {problem['detail']}"


def pace_line(tally: Row) -> str:
    """How one source was asked, in a line."""
    share = f"{100 * tally['not_modified'] / tally['requests']:.0f} % answered 304"
    saved = f" and saved {tally['bytes_saved'] / 1000:,.0f} kB" if tally["bytes_saved"] else ""
    kept = "" if tally["delay_kept"] is None else f", {tally['delay_kept']:g} s kept"
    return (
        f"{tally['requests']} requests, {share}{saved}; {tally['bytes'] / 1000:,.0f} kB came;"
        f" {tally['delay_asked']:g} s between two asked{kept}"
    )


def tally_line(tally: Row) -> str:
    """One source's numbers in a line."""
    if tally.get("resting"):
        return "resting"
    names = ("new", "edited", "unchanged", "rejected", "failed", "blocked", "skipped", "gone", "not_due")
    parts = [f"{tally[name]} {name.replace('_', ' ')}" for name in names if tally[name] or name == "new"]
    return f"{', '.join(parts)}; {tally['comments_new']} comments, {tally['comments_flagged']} held for review"


def dump(value: object) -> str:
    """JSON on one line, ASCII only."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
