"""The watch itself: sources and how they are, runs and what went wrong, the status that monitors ask for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.web.pages import Found, local, missing, number, page
from db import browse, read
from db.connect import Database, now

SHOWN = 30
"""Runs on a page, and visits of a source that a picture shows."""
DAYS, FEW_DAYS = 60, 30
"""Days of new articles that a picture shows, at most and at least."""
FEW = 10
"""Articles of a source on its page."""

Row = dict[str, Any]


@page("sources.html", here="/sources")
def sources(request: Request, db: Database) -> Found:
    """Every source at a glance: how it is, what came of late, what is wrong."""
    return {"sources": _health(db)}


def _health(db: Database, source: str = "") -> list[Row]:
    found = read.health(db, runs=SHOWN, now=now(), source=source)
    return [{**row, "state": read.state_of(row)} for row in found]


@page("source.html", here="/sources", feed="articles")
def source(request: Request, db: Database) -> Found:
    """One source over time: new articles a day, failures, what its articles had, and its latest."""
    row = browse.source(db, request.path_params["id"])
    if row is None:
        raise missing("source of this name")
    articles = browse.articles(db, browse.Shelf(source=row["id"]), limit=FEW)
    found = {"source": row, "articles": articles, "feed_title": row["name"]}
    if request.scope.get("suffix") == "atom":
        return found
    visits = browse.visits(db, row["id"])
    known = {**next(iter(_health(db, row["id"])), {}), "daily": _daily(visits), "failures": _failures(visits)}
    depth = read.depth(db, row["id"], runs=SHOWN)
    return {**found, "health": known, "fields": _shares(depth["fields"]), "runs": depth["runs"][::-1]}


def _daily(visits: Sequence[Row]) -> list[Row]:
    """New articles by day, in this machine's zone, days without any included; the latest day last."""
    new: dict[date, int] = {}
    for visit in visits:
        if at := local(visit["at"]):
            new[at.date()] = new.get(at.date(), 0) + visit["new"]
    if not new:
        return []
    last = max(new)
    first = min(last - timedelta(days=FEW_DAYS - 1), max(min(new), last - timedelta(days=DAYS - 1)))
    return [{"day": str(d), "new": new.get(d)} for n in range((last - first).days + 1) if (d := first + timedelta(n))]


def _failures(visits: Sequence[Row]) -> list[int | None]:
    return [None if visit["resting"] else visit["failed"] + visit["blocked"] for visit in visits[-DAYS:]]


def _shares(fields: dict[str, list[Row]]) -> list[Row]:
    """Of each field, in which share of the articles that each run read it was."""
    found = []
    for name, counts in fields.items():
        read_, filled = (sum(count[key] for count in counts) for key in ("read", "filled"))
        shares = [count["filled"] / count["read"] for count in counts if count["read"]]
        found.append({"name": name, "read": read_, "filled": filled, "shares": shares})
    return found


@page("runs.html", here="/runs")
def runs(request: Request, db: Database) -> Found:
    """The last runs, and what went wrong in them."""
    before = number(request, "before", default=2**62) or 2**62
    found = browse.runs(db, limit=SHOWN, before=before)
    return {"runs": found, "next": found[-1]["id"] if len(found) == SHOWN else 0, "first": before == 2**62}


@page("run.html", here="/runs")
def run(request: Request, db: Database) -> Found:
    """One run, source by source."""
    row = browse.run(db, min(request.path_params["id"], 2**62))
    if row is None:
        raise missing("run of this number")
    return {"run": row}


@page("status.html", here="/runs")
def status(request: Request, db: Database) -> Found:
    """What `watchfloor status` shows; `/status.json` is for monitors, with the same `last_run` and `problems`."""
    health, last = _health(db), read.last_good_end(db)
    troubled = [row for row in health if row["state"] == "trouble" and row["enabled"]]
    wrong = read.run_problems(db)
    ended = local(last) if last else None
    hours = round((datetime.now(UTC) - ended).total_seconds() / 3600, 2) if ended else None
    found = {"last_run": last, "hours": hours, "problems": wrong, "ok": bool(last) and not (troubled or wrong)}
    counted = {"counts": browse.counts(db), "held": browse.held(db)} if not request.scope.get("suffix") else {}
    return {**found, "troubled": len(troubled), "sources": health, **counted}


ROUTES = [
    Route("/sources", sources),
    Route("/sources/{id}", source),
    Route("/runs", runs),
    Route("/runs/{id:int}", run),
    Route("/status", status),
]
