"""The audit log: every word of a person, on comments and on domains, as it was written. Nothing here can change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app.web.forms import is_number
from app.web.pages import Found, page, reading
from db import desk
from db.connect import Database
from db.export import csv_lines

Row = dict[str, Any]

SHOWN = 100
AT_ONCE = 2_000
"""Rows that are read at once where all are asked for."""
MOST = 1_000_000
"""Rows of a file; more are asked for in parts, by who or since when."""
FILE_SECONDS = 120.0
SAID = ("spam", "ok", "undo", "allow", "deny", "none")
SINCE = {"1": "last 24 hours", "7": "last 7 days", "30": "last 30 days", "365": "last year"}
COLUMNS = (
    "at",
    "judge",
    "said",
    "what",
    "id",
    "comment_id",
    "revision",
    "domain",
    "source_id",
    "before",
    "undoes",
    "undid",
    "undone",
    "note",
    "text",
)
"""Of a file: when, who, what; on which version of which comment, or which domain; what held before."""


@page("audit.html", here="/audit")
def audit(request: Request, db: Database) -> Found:
    """A page of the log, the latest first."""
    asked = request.query_params
    filters = _filters(asked)
    rows = desk.audit(db, **filters, **_place(asked.get("after", "")), limit=SHOWN + 1)
    query = {name: asked.get(name, "")[:200] for name in ("person", "said", "q", "since")}
    return {
        "rows": rows[:SHOWN],
        "people": desk.people(db),
        "said": SAID,
        "ages": SINCE,
        "filters": query,
        "query": urlencode({name: value for name, value in query.items() if value}),
        "after": _after(rows[:SHOWN], asked.get("after", "")) if len(rows) > SHOWN else "",
    }


def audit_csv(request: Request) -> Response:
    """All of it that passes the filters, as CSV that no spreadsheet executes."""
    lines = csv_lines(COLUMNS, _all(request))
    head = {"content-disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=head)


def _all(request: Request) -> Iterator[list[Any]]:
    filters, after = _filters(request.query_params), ""
    with reading(request.app.state.path, FILE_SECONDS) as db:
        for _ in range(MOST // AT_ONCE):
            rows = desk.audit(db, **filters, **_place(after), limit=AT_ONCE)
            yield from ([row[name] for name in COLUMNS] for row in rows)
            if len(rows) < AT_ONCE:
                return
            after = _after(rows, after)


def _filters(asked: Mapping[str, str]) -> Row:
    said, days, on = asked.get("said", ""), asked.get("since", ""), asked.get("q", "").strip().removeprefix("#")[:300]
    edge = datetime.now(UTC) - timedelta(days=int(days)) if days in SINCE else None
    return {
        "person": asked.get("person", "")[:200],
        "said": said if said in SAID else "",
        "comment": int(on) if is_number(on) else 0,
        "domain": "" if is_number(on) else on.lower(),
        "since": f"{edge:%Y-%m-%dT%H:%M:%SZ}" if edge else "",
    }


def _place(after: str) -> Row:
    """Where a page begins: the two kinds of words are numbered each for itself."""
    words, _, rules = after.partition("~")
    if not (is_number(words) and is_number(rules)):
        return {}
    return {"verdicts_before": int(words), "rules_before": int(rules)}


def _after(rows: list[Row], before: str) -> str:
    """Where the page behind these begins."""
    place = {"comment": 2**62, "domain": 2**62}
    if began := _place(before):
        place = {"comment": began["verdicts_before"], "domain": began["rules_before"]}
    for row in rows:
        place[row["what"]] = row["id"]
    return f"{place['comment']}~{place['domain']}"


ROUTES = [Route("/audit", audit), Route("/audit.csv", audit_csv)]
