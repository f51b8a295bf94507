"""The reading room: what was collected, made for reading."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.web.pages import Found, address, day, missing, number, page, word
from db import browse, read
from db.connect import Database
from db.rows import sections_of
from db.search import CLOSE, OPEN, ask
from db.search import search as find
from pipelines.differences import pieces

SHOWN = 50
"""Articles on a page."""
MOST = 200
"""Of one search; who needs more narrows it, or takes `watchfloor export`."""
NARROWED = (("source", "source"), ("lang", "lang"), ("since", "since"), ("until", "until"), ("by", "by"))
"""Fields of the search form, each with the filter that it writes into the words."""
COMPARED = 400_000
"""Characters that are compared word by word for a page, which takes a tenth of a second; what is beyond is shown as it
stood."""

Row = dict[str, Any]


@page("latest.html", here="/", feed="articles")
def latest(request: Request, db: Database) -> Found:
    """The newest articles by day; of a story each, or its newest with the other outlets."""
    before, by_story = word(request, "before"), word(request, "by") != "article"
    names = ("source", "language", "country", "kind")
    chosen = {name: word(request, name, 100) for name in names}
    rows = browse.articles(db, browse.Shelf(**chosen), limit=SHOWN, before=before, once=by_story)
    others = browse.outlets(db, rows) if by_story else {}
    found: Row = {
        "articles": rows,
        "others": others,
        "next": browse.next_page(rows, SHOWN),
        "feed_title": _titled(chosen),
    }
    if request.scope.get("suffix"):
        return found
    days: dict[str, list[Row]] = {}
    for row in rows:  # a bare day stands among the times in UTC, which may be another day here
        days.setdefault(day(row["at"]), []).append(row)
    beside: Row = {"choices": browse.choices(db), "told": [], "state": {}}
    if not before:
        told, _ = browse.stories(db, publishers=2, limit=6)
        beside |= {"told": told, "state": _watch(db)}
    by = "" if by_story else "article"
    return {**found, **beside, "days": [*days.items()], "chosen": chosen, "by": by, "before": before}


def _titled(chosen: dict[str, str]) -> str:
    return ", ".join(value for value in chosen.values() if value)


def _watch(db: Database) -> Row:
    last = next(iter(browse.runs(db, limit=1, before=2**62)), None)
    return {"run": last, "held": browse.held(db)}


def search(request: Request) -> Response:
    """What the form's fields say is written into the words, so that the address alone says all."""
    narrowed = [f"{key}:{_quoted(value)}" for name, key in NARROWED if (value := word(request, name, 100).strip())]
    if narrowed and not request.scope.get("suffix"):
        asked = " ".join([word(request, "q").strip(), *narrowed]).strip()
        subject = word(request, "in")
        return RedirectResponse(address("/search", q=asked, **({"in": subject} if subject == "comments" else {})), 303)
    return found(request)


def _quoted(value: str) -> str:
    value = value.replace('"', " ")
    return f'"{value}"' if " " in value else value


@page("search.html", feed="rows")
def found(request: Request, db: Database) -> Found:
    """Articles, or comments, that hold the words."""
    asked, subject = word(request, "q"), "comments" if word(request, "in") == "comments" else "articles"
    most = min(max(SHOWN, number(request, "most")), MOST)
    rows = find(db, asked, limit=most, subject=subject) if asked.strip() else []
    notes = list(ask(asked, subject=subject).notes)
    told = {"asked": asked, "subject": subject, "rows": rows, "most": most, "notes": notes, "feed_title": asked}
    if request.scope.get("suffix"):
        return {**told, "rows": [{**row, "snippet": _starred(row["snippet"])} for row in rows]}
    names = dict(browse.choices(db)["source"])
    return {**told, "choices": browse.choices(db), "names": names, "room_for_more": len(rows) == most < MOST}


def _starred(snippet: str) -> str:
    """As `watchfloor search --json` has it."""
    return snippet.replace(OPEN, "**").replace(CLOSE, "**")


@page("article.html", here="/")
def article(request: Request, db: Database) -> Found:
    """One article made for reading, with what is known of it and a page of its comments."""
    row = _article(request, db)
    wanted = number(request, "comment")
    at = browse.page_of_comment(db, row["id"], wanted) if wanted else number(request, "page", 1, 10**6)
    others = [told for told in browse.outlets(db, [row]).get(row["id"], ()) if told["id"] != row["id"]]
    return {"article": row, "thread": browse.thread(db, row["id"], page=at), "others": others, "parts": _parts(row)}


def _parts(row: Row) -> list[Row]:
    """The body, section by section: heading, and its blocks as kind and text, items of a list together."""
    parts = []
    for section in sections_of(row["body"], row["blocks"]):
        grouped = groupby(section.blocks, key=lambda block: block.kind)
        blocks = [{"kind": kind, "texts": [block.text for block in those]} for kind, those in grouped]
        parts.append({"heading": section.heading, "blocks": blocks})
    return parts


def _article(request: Request, db: Database) -> Row:
    row = browse.article(db, min(request.path_params["id"], 2**62))
    if row is None:
        raise missing("article of this number")
    return row


@page("history.html", here="/")
def history(request: Request, db: Database) -> Found:
    """Every version of an article, the latest first, each with what it changed; or one of them, as it stood too."""
    row = _article(request, db)
    versions = read.versions(db, row["id"])
    wanted = number(request, "version")
    stood = next((version for version in versions if version["revision"] == wanted), None)
    room = COMPARED
    for before, version in list(zip([None, *versions], versions, strict=False))[::-1]:
        version["differences"] = {}
        if before and stood in (None, version):
            version["differences"], room = _differences(before, version, room)
    return {"article": row, "versions": versions[::-1], "stood": stood}


def _differences(before: Row, version: Row, room: int) -> tuple[Row, int]:
    """What changed, by field, as far as there is room; and the room that is left."""
    told = {}
    for name in version["changed"]:
        old, new = (_text(row.get(name)) for row in (before, version))
        room -= len(old) + len(new)
        told[name] = [(piece.kind, piece.text) for piece in pieces(old, new)] if room >= 0 else None
    return told, max(0, room)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


@page("stories.html", here="/stories", feed="stories")
def stories(request: Request, db: Database) -> Found:
    """Stories that several outlets tell."""
    publishers, before = max(2, number(request, "publishers", default=2, most=1000)), word(request, "before")
    told, later = browse.stories(db, publishers=publishers, limit=SHOWN, before=before)
    found = {"stories": told, "publishers": publishers, "next": later, "before": before}
    return {**found, "feed_title": f"stories of {publishers} publishers and more"}


@page("story.html", here="/stories", feed="articles")
def story(request: Request, db: Database) -> Found:
    """One story: who told it, when, and what each changed of the first one's text."""
    told = read.story(db, min(request.path_params["id"], 2**62))
    if not told:
        raise missing("story of this number")
    room = COMPARED
    for row in told[1:]:
        changed, room = _differences(told[0], {**row, "changed": ["body"]}, room)
        row["changes"] = changed["body"]
    return {"articles": told, "feed_title": told[0]["headline"]}


ROUTES = [
    Route("/", latest),
    Route("/search", search),
    Route("/articles/{id:int}", article),
    Route("/articles/{id:int}/history", history),
    Route("/stories", stories),
    Route("/stories/{id:int}", story),
]
