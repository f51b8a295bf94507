"""The review desk: the queue with one comment open, whole groups, domains. Looks only; `deciding` writes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.web.desk import (
    AGES,
    ORDERS,
    Desk,
    View,
    desk_of,
    for_script,
    last_of,
    number_of,
    reviewer,
    viewed,
)
from app.web.forms import is_number
from app.web.pages import Found, html, page, reading
from db import desk, read
from db.connect import Database
from moderation import ruling
from moderation.queue import Entry, Group, Queue, Sieve, after, cursor
from moderation.review import segments
from pipelines.differences import pieces

Row = dict[str, Any]

SHOWN = 50
"""Comments of the queue on a page; a script asks for the next ones before they are needed."""
GROUPS_SHOWN = 25
CARDS = 12
"""Comments that a script may ask for at once."""
PICKED = 500
"""Comments that can be picked by hand for one decision."""
LISTED = 60
"""Comments of a group that are listed before it is decided on; all are counted."""
READING_SECONDS = 1.0
"""How long a page waits for the queue to be read after the start, before it says so."""
CUT = 2_000
"""Characters of a comment that are shown at once."""


@page("review.html", here="/review")
def queue(request: Request, db: Database) -> Found:
    """The queue with one comment open; or its groups, or its domains."""
    return looked(request, db, request.query_params)


def looked(request: Request, db: Database, asked: Mapping[str, str], *, told: str = "") -> Row:
    """What the page of the queue shows for a query."""
    view, mine = View.of(asked), desk_of(request)
    common: Row = {
        "view": vars(view) | {"query": view.query},
        "orders": ORDERS,
        "ages": AGES,
        "names": dict(read.source_names(db)),
        "last": last_of(db, reviewer(request)),
        "reviewer": reviewer(request),
        "told": told or mine.notes.get(asked.get("told", ""), ""),
        "token": mine.token,
    }
    if not mine.ready.wait(READING_SECONDS):
        return common | {"mode": "reading"}
    with mine.waiting.now(db) as waiting:
        common |= {"counts": _facets(waiting), "total": waiting.counts().waiting}
        if view.order == "campaigns" and not view.like:
            return common | _campaigns(db, mine.groups(db, waiting), number_of(asked.get("after", "")))
        if view.order == "domains" and not view.domain:
            listed = [(name, count) for name, count in waiting.counts().domains.most_common() if count]
            return common | _domains(db, listed, number_of(asked.get("after", "")))
        found = waiting.found(view.sieve(waiting, lambda ids: desk.texts(db, ids)), view.listing)
    return common | _opened(db, found, view, number_of(asked.get("at", "")), asked.get("after", ""))


def _opened(db: Database, found: list[Entry], view: View, at: int, behind: str) -> Row:
    """A page of the list, with the comment that is asked for, or the first."""
    rest = after(found, view.listing, behind) if behind else found
    if at and not behind:
        rest = _from(found, at)
    shown = rest[:SHOWN]
    rows = desk.lines(db, [entry.id for entry in shown])
    if at and at not in {row["id"] for row in rows}:
        rows = desk.lines(db, [at]) + rows
    card = desk.card(db, at) if at else desk.card(db, rows[0]["id"]) if rows else None
    following = [row["id"] for row in rows if card is None or row["id"] != card["id"]]
    return {
        "mode": "comments",
        "found": len(found),
        "rows": rows,
        "card": _told(card) if card else None,
        "next": following[0] if following else None,
        "after": cursor(shown[-1], view.listing) if len(rest) > SHOWN else "",
    }


def _from(found: list[Entry], at: int) -> list[Entry]:
    """The page of the list on which a comment stands, from two before it on."""
    places = (number for number, entry in enumerate(found) if entry.id == at)
    place = next(places, None)
    return found if place is None or place < SHOWN - 5 else found[max(0, place - 2) :]


def _campaigns(db: Database, groups: list[Group], start: int) -> Row:
    shown = groups[start : start + GROUPS_SHOWN]
    examples = {row["id"]: row for row in desk.lines(db, [group.comments[0] for group in shown])}
    rows = [
        {
            "first": group.comments[0],
            "size": len(group.comments),
            "places": group.places[:3],
            "alike": group.alike,
            "example": examples.get(group.comments[0]),
        }
        for group in shown
    ]
    more = start + GROUPS_SHOWN
    return {"mode": "campaigns", "groups": rows, "found": len(groups), "after": more if more < len(groups) else 0}


def _domains(db: Database, listed: list[tuple[str, int]], start: int) -> Row:
    shown = listed[start : start + GROUPS_SHOWN]
    rows = [{**desk.domain_record(db, name), "waiting": count} for name, count in shown]
    more = start + GROUPS_SHOWN
    return {"mode": "domains", "groups": rows, "found": len(listed), "after": more if more < len(listed) else 0}


def rows(request: Request) -> Response:
    """More of the list, for a script: {html, after}."""
    view = View.of(request.query_params)
    mine = desk_of(request)
    with reading(mine.path) as db:
        with mine.waiting.now(db) as waiting:
            found = waiting.found(view.sieve(waiting, lambda ids: desk.texts(db, ids)), view.listing)
        more = _opened_rows(db, found, view, request.query_params.get("after", ""))
    names: Row = {"view": vars(view) | {"query": view.query}, "card": None}
    listed = html("review-rows.html", request, rows=more["rows"], names=more["names"], **names).body
    return JSONResponse({"html": bytes(listed).decode(), "after": more["after"]})


def _opened_rows(db: Database, found: list[Entry], view: View, behind: str) -> Row:
    rest = after(found, view.listing, behind)
    listed = desk.lines(db, [entry.id for entry in rest[:SHOWN]])
    place = cursor(rest[SHOWN - 1], view.listing) if len(rest) > SHOWN else ""
    return {"rows": listed, "after": place, "names": dict(read.source_names(db))}


def cards(request: Request) -> Response:
    """Comments with all that is known around them, for a script: {cards: {number: {html, seen, line}}}."""
    ids = [int(id) for id in request.query_params.get("ids", "").split(",")[:CARDS] if is_number(id)]
    mine, told = desk_of(request), {}
    view = View.of(request.query_params)
    with reading(mine.path) as db:
        for id in ids:
            if card := desk.card(db, id):
                told[id] = _as_fragment(request, card, view)
    return JSONResponse({"cards": told})


def _as_fragment(request: Request, card: Row, view: View) -> Row:
    body = html("review-card.html", request, card=_told(card), view=vars(view) | {"query": view.query}).body
    return {"html": bytes(body).decode(), "seen": card["verdict"], "state": card["state"], "author": card["author"]}


def group(request: Request) -> Response:
    """What a decision on many would touch, before it does: what is like a comment, has a domain, or was picked."""
    asked, mine = request.query_params, desk_of(request)
    view = View.of(viewed(asked["back"]) if "back" in asked else asked)
    said = asked["said"] if asked.get("said") in ("spam", "ok") else "spam"
    with reading(mine.path) as db:
        told = _touched(db, mine, request)
        seen = {id: verdict for id, verdict in desk.verdicts_of(db, told["ids"]).items() if id in set(told["ids"])}
        ids = [id for id in told["ids"] if id in seen]
        found = {
            **told,
            "count": len(ids),
            "rows": desk.lines(db, ids[:LISTED]),
            "names": dict(read.source_names(db)),
            "plan": mine.plan({id: seen[id] for id in ids}),
            "said": said,
            "token": mine.token,
            "view": vars(view) | {"query": view.query},
        }
    if for_script(request):
        body = html("review-bulk.html", request, **found).body
        return JSONResponse({"html": bytes(body).decode(), "count": len(ids), "plan": found["plan"], "ids": ids})
    return html("review-group.html", request, here="/review", **found)


def _touched(db: Database, mine: Desk, request: Request) -> Row:
    asked = request.query_params
    with mine.waiting.now(db) as waiting:
        if picks := [int(id) for id in asked.getlist("pick") if is_number(id)][:PICKED]:
            return {"ids": list(dict.fromkeys(picks)), "why": "picked by hand"}
        if domain := asked.get("whole", "")[:300]:
            held = [entry.id for entry in waiting.found(Sieve(domain=domain)) if not entry.blind]
            return {"ids": held, "why": f"with a link to {domain}"}
        found = waiting.group(number_of(asked.get("of", "")), lambda ids: desk.texts(db, ids))
    if found is None:
        raise HTTPException(404, "This comment does not wait any more.")
    return {"ids": list(found.comments), "why": _why(found)}


def _why(found: Group) -> str:
    advertise = f"that advertise {', '.join(found.places[:3])}" if found.places else ""
    alike = "that say nearly the same" if found.alike else ""
    return " or ".join(filter(None, (advertise, alike))) or "with nothing like it waiting"


@page("review-domain.html", here="/review")
def domain(request: Request, db: Database) -> Found:
    """A domain's record, and what always allowing or denying it would change."""
    asked, mine = request.query_params, desk_of(request)
    said = asked.get("said", "") if asked.get("said") in ("allow", "deny", "none") else ""
    try:
        name = ruling.checked(asked.get("name", ""), said)
    except ruling.NotADomain as e:
        raise HTTPException(400, str(e)) from None
    effect = mine.effect(db, name, said) if said else None
    examples = desk.lines(db, effect.examples) if effect else []
    return {
        "record": desk.domain_record(db, name),
        "said": said,
        "effect": vars_of(effect),
        "rows": examples,
        "names": dict(read.source_names(db)),
        "token": mine.token,
        "view": {"query": ""},
        "back": asked.get("back", "")[:500],
        "told": mine.notes.get(asked.get("told", ""), ""),
    }


def vars_of(effect: ruling.Effect | None) -> Row | None:
    """An effect as a row."""
    names = ("carrying", "changed", "held", "freed")
    return {name: getattr(effect, name) for name in names} if effect else None


def cut(pieces: list[tuple[str, int]], most: int) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """The pieces up to so many characters, and the others."""
    head, rest, left = [], [], most
    for text, number in pieces:
        if left > 0:
            head.append((text[:left], number))
        if len(text) > left:
            rest.append((text[max(0, left) :], number))
        left -= len(text)
    return head, rest


def _told(card: Row) -> Row:
    """A card as the template has it."""
    head, rest = cut(segments(card["text"], card["links"]), CUT)
    versions = [*card["versions"], {"text": card["text"], "revision": card["revision"]}]
    differences = [
        {
            "revision": new["revision"],
            "at": old["replaced_at"],
            "pieces": [(p.kind, p.text) for p in pieces(old["text"], new["text"])],
        }
        for old, new in pairwise(versions)
    ]
    links = [{**link, "says": _says(card["text"], link)} for link in card["links"]]
    return {**card, "links": links, "head": head, "rest": rest, "differences": differences[::-1]}


def _says(text: str, link: Row) -> str:
    """What a reader sees of a link: the words that it hides behind, or its address as it stands there."""
    return (
        text[link["start"] : link["stop"]] if link["place"] == "href" and link["start"] < link["stop"] else link["text"]
    )


def _facets(waiting: Queue) -> Row:
    counts = waiting.counts()
    named = {"sources": counts.sources, "reasons": counts.reasons, "languages": counts.languages}
    return {name: [(key, n) for key, n in counted.most_common() if n > 0] for name, counted in named.items()}


ROUTES = [
    Route("/review", queue),
    Route("/review/rows", rows),
    Route("/review/cards", cards),
    Route("/review/group", group, methods=["GET"]),
    Route("/review/domain", domain, methods=["GET"]),
]
