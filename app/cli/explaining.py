"""`watchfloor explain`: what is known of a URL, and what the next run would do with it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.cli.options import db_of, db_option, home_of, home_option, json_option, reading
from app.cli.terminal import as_json, one_line, safe, say
from crawler.items import Found, Moment
from crawler.robots import decide
from crawler.schedule import Visited, due
from crawler.settings import cleaned_by
from crawler.source import Source, catalogue
from crawler.urls import host_of, normal
from db import read
from db.connect import Database, now

Row = dict[str, Any]


@click.command()
@click.argument("url")
@click.option("--sources", "files", type=click.Path(path_type=Path, exists=True), help="A source file, or a folder.")
@db_option
@home_option
@json_option
def explain(url: str, files: Path | None, db: Path | None, home: Path | None, json_: bool) -> int:
    """Tell what is known of a URL and what the next run would do with it.

    Exit codes: 0 it was taken up before; 1 nothing is known of it.

    \b
    Example: watchfloor explain https://paper.example/2026/11/frigate-slips/
    """
    key = normal(url)
    if not key:
        raise click.UsageError(f"{url}: no http or https address")
    with reading(db_of(db, home)) as database:
        known = read.fetch(database, key)
        robots = _robots(read.robots(database, host_of(key)), key)
        sources = [s for s in catalogue(files, home_of(home)).values() if host_of(key) in s.all_hosts]
        rests = {s.id: _rests(database, s.id) for s in sources}
    barred = "" if not robots or robots["allowed"] else "nothing: its robots.txt forbids it"
    then = barred or _left_alone(sources, rests) or _next(known, sources)
    told = {"url": key, "sources": [s.id for s in sources], "known": known, "robots": robots, "next": then}
    if json_:
        as_json(told)
    else:
        _say(told)
    return 0 if known else 1


def _next(known: Row | None, sources: list[Source]) -> str:
    """What the next run does with it, where a listing offers it and says nothing new."""
    if not sources and not known:
        return "nothing: its host belongs to no source"
    if known and known["kind"] == "listing":
        return "it is a listing: read in each run of its source"
    if not known:
        return f"it is asked for as soon as a listing of {sources[0].id} offers it"
    stated = Moment(iso=known["lastmod"], raw=known["lastmod"]) if known["lastmod"] else None
    visited = Visited(**{name: known[name] for name in Visited.__dataclass_fields__})
    found = Found(url=known["url"], listing=known["found_on"], lastmod=stated)
    by = cleaned_by(sources[0]) if sources else known["cleaned_by"]
    decided = due(visited, found, now=datetime.now(UTC), cleaned_by=by)
    if decided.now:
        return f"asked for, if a listing offers it: {decided.why}"
    return f"left alone until {decided.at}: {decided.why}" if decided.at else f"left alone: {decided.why}"


def _rests(db: Database, source: str) -> str:
    """UTC: until when a source rests; empty when it does not."""
    return next((row["resting_until"] for row in read.health(db, runs=1, now=now(), source=source)), "")


def _left_alone(sources: list[Source], rests: dict[str, str]) -> str:
    """Why a run of every enabled source does not visit this one; empty when it does."""
    if sources and not any(s.enabled for s in sources):
        return f"nothing, unless it is named: {sources[0].id} is not enabled"
    awake = [s for s in sources if s.enabled and not rests[s.id]]
    if sources and not awake:
        return f"nothing: {sources[0].id} rests until {rests[sources[0].id]}, after failures; named, it is visited"
    return ""


def _robots(known: Row | None, url: str) -> Row | None:
    """What its host's robots.txt says of a URL, as the last run read it; None when none ever did."""
    if known is None:
        return None
    return {**asdict(decide(known["text"], url)), "fetched_at": known["fetched_at"], "run_id": known["run_id"]}


def _say(told: Row) -> None:
    known = told["known"]
    say(safe(told["url"]))
    say(f"source     {safe(', '.join(told['sources'])) or 'none that is known'}")
    if known is None:
        say("known      nothing: no run has taken it up")
    else:
        status = f" (HTTP {known['status']})" if known["status"] else ""
        why = one_line(": ".join(filter(None, (known["reason"], known["detail"]))))
        say(f"outcome    {known['outcome']}{status}{f': {why}' if why else ''}")
        say(f"visits     first {known['first_seen_at']}, last {known['fetched_at']} in run {known['run_id']}")
        for label, name in (("article", "article_id"), ("led to", "final_url"), ("found on", "found_on")):
            if known[name]:
                say(f"{label:<10} {safe(str(known[name]))}")
        if known["failures"]:
            say(f"failures   {known['failures']} in a row")
        stated = [f"{label} {safe(known[name])}" for label, name in _STATED if known[name]]
        say(f"said       {'; '.join(stated) or 'nothing by which a change could be told'}")
    say(f"robots.txt {one_line(_said_by_robots(told['robots']), 200)}")
    say(f"next run   {one_line(told['next'], 200)}")


def _said_by_robots(robots: Row | None) -> str:
    if robots is None:
        return "no run has read it"
    allowed = "allowed" if robots["allowed"] else "forbidden"
    why = f"by its line “{robots['rule']}” for {robots['group']}" if robots["rule"] else "no line forbids it"
    delay = "" if robots["delay"] is None else f"; {robots['delay']:g} s between requests"
    return f"{allowed}, {why}{delay}; read {robots['fetched_at']} in run {robots['run_id']}"


_STATED = (("ETag", "etag"), ("Last-Modified", "last_modified"), ("its listing: changed", "lastmod"))
