"""What a person decides at the review desk: on one comment, on many, on a domain; and takes back. Each is a POST.

A form carries the number of the verdict that was looked at: where another one holds by now nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.web.desk import decided_on, desk_of, for_script, last_of, reviewer, viewed
from app.web.forms import Fields, is_number, posted
from app.web.pages import html, reading, several
from app.web.review import looked
from crawler.source import SourceError
from db import desk
from db.connect import DatabaseProblem, now
from db.decisions import NotThere, Overtaken
from db.people import Ledger
from moderation import ruling
from moderation.group import decide_group
from moderation.policy import PolicyError
from moderation.review import decide as write_decision

Row = dict[str, Any]

NOTE_CHARACTERS = 2_000
SAID = {"allow": "always allowed", "deny": "always denied", "none": "no rule any more"}
APPLY_SECONDS = 2.0
"""How long the page waits for stored comments to be judged by a new word on a domain."""


@posted
def decide(request: Request, fields: Fields) -> Response:
    """One decision, on the verdict that was looked at; one only, however often it is sent."""
    mine, by = desk_of(request), reviewer(request)
    comment, seen, said = fields.number("comment"), fields.number("seen"), fields.said()
    try:
        verdict = write_decision(mine.path, comment, said, by=by, note=fields["note"][:NOTE_CHARACTERS], seen=seen)
    except NotThere:
        raise HTTPException(404, f"There is no comment {comment} here any more.") from None
    except Overtaken:
        return _overtaken(request, fields, comment, said)
    mine.learn(1)
    return _answered(request, fields, {"comment": comment, "said": said, "verdict": verdict})


def _overtaken(request: Request, fields: Fields, comment: int, said: str) -> Response:
    """Somebody else was first, with who and when; the same decision of the same person sent again is no conflict."""
    mine = desk_of(request)
    with reading(mine.path) as db:
        stands = desk.holding(db, comment) or {"by": "", "state": "", "at": "", "person": 0, "verdict": 0}
        if stands["person"] and stands["by"] == reviewer(request) and stands["state"] == said:
            again = {"comment": comment, "said": said, "verdict": stands["verdict"], "again": True}
            return _answered(request, fields, again)
        told = f"Not written: {stands['by']} said {stands['state']} on #{comment} at {stands['at']}."
        if for_script(request):
            return JSONResponse({"told": told, "comment": comment, "stands": stands}, status_code=409)
        found = looked(request, db, viewed(fields["back"]) | {"at": str(comment)}, told=told)
    return html("review.html", request, status=409, here="/review", **found)


@posted
def decide_many(request: Request, fields: Fields) -> Response:
    """The same word on all that were shown, where what was shown still holds."""
    mine, said = desk_of(request), fields.said()
    plan = mine.plans.get(fields["plan"])
    if plan is None:
        raise HTTPException(404, "This preview is too old. Look at the group again; nothing was written.")
    if plan.done is None:
        ids = list(plan.seen)
        note = (
            f"{desk.TOGETHER}{ids[0]}" + (f": {fields['note'][:NOTE_CHARACTERS]}" if fields["note"] else "")
            if ids
            else ""
        )
        done = decide_group(mine.path, ids, said, by=reviewer(request), note=note, seen=plan.seen) if ids else []
        missed = sorted(set(ids) - set(done))
        plan.done = {"comments": done, "said": said, "missed": missed}
        mine.learn(len(done))
    told = f"{several(len(plan.done['comments']), 'comment')}: {plan.done['said']}."
    if plan.done["missed"]:
        told += f" {len(plan.done['missed'])} were left alone: somebody else decided, or they changed, meanwhile."
    return _answered(request, fields, plan.done | {"told": told})


@posted
def undo(request: Request, fields: Fields) -> Response:
    """Takes back a decision, by its number, with those made together with it; without a number this person's last."""
    mine, by = desk_of(request), reviewer(request)
    with reading(mine.path) as db:
        number = fields["verdict"]
        found = desk.decided_with(db, int(number)) if is_number(number) else desk.last_decision(db, by)
    undone = _taken_back(mine.path, [row["verdict"] for row in found], by) if found else []
    if not found and not is_number(fields["verdict"]):
        return _answered(request, fields, {"undone": [], "told": "There is nothing to take back."})
    rows = [{"comment_id": u.comment_id, "said": u.said, "now": u.now} for u in undone]
    told = f"Taken back: {decided_on(rows)}." if rows else "That was taken back already."
    at = str(rows[0]["comment_id"]) if len(rows) == 1 else ""
    return _answered(request, fields, {"undone": rows, "told": told}, at=at)


@posted
def rule(request: Request, fields: Fields) -> Response:
    """Always allow or deny a domain, or neither; then what is stored is judged again."""
    mine, said = desk_of(request), fields["said"]
    if said not in SAID:
        raise HTTPException(400, "A domain is allowed, denied or neither.")
    try:
        name = ruling.checked(fields["name"], said)
    except ruling.NotADomain as e:
        raise HTTPException(400, str(e)) from None
    ruling.rule(mine.path, name, said, by=reviewer(request), note=fields["note"][:NOTE_CHARACTERS])
    told = f"{name}: {SAID[said]}. {_applied(mine.apply(name))}"
    if for_script(request):
        return JSONResponse({"told": told})
    return _redirected(
        f"/review/domain?{urlencode({'name': name, 'told': mine.note(told), 'back': fields['back'][:500]})}"
    )


def _applied(judging: Future[ruling.Effect]) -> str:
    try:
        effect = judging.result(timeout=APPLY_SECONDS)
    except NotYet:
        return "What is stored is being judged by it; that takes a moment more."
    except (DatabaseProblem, PolicyError, SourceError):
        return "What is stored could not be judged by it just now; `watchfloor rejudge` does it, or says why not."
    return f"{effect.changed:,} stored comments judged anew: {effect.held:,} newly held, {effect.freed:,} let go."


def _taken_back(path: Path, verdicts: Sequence[int], by: str) -> list[Any]:
    """Takes back these decisions in one transaction."""
    with Ledger(path) as ledger:
        return ledger.take_back(verdicts, by=by, now=now())


def _answered(request: Request, fields: Fields, done: Row, *, at: str = "") -> Response:
    """For a script what was done, and what `z` would take back next; for a form the page it came from."""
    mine = desk_of(request)
    if for_script(request):
        with reading(mine.path) as db:
            last = last_of(db, reviewer(request))
            with mine.waiting.now(db) as waiting:
                total = waiting.counts().waiting
        return JSONResponse({**done, "last": last, "total": total})
    query = viewed(fields["back"])
    if at or fields["next"]:
        query["at"] = at or (fields["next"] if is_number(fields["next"]) else "")
    if "told" in done:
        query["told"] = mine.note(done["told"])
    return _redirected(f"/review?{urlencode({name: value for name, value in query.items() if value})}")


def _redirected(address: str) -> Response:
    return RedirectResponse(address, status_code=303)


ROUTES = [
    Route("/review/decide", decide, methods=["POST"]),
    Route("/review/group", decide_many, methods=["POST"]),
    Route("/review/undo", undo, methods=["POST"]),
    Route("/review/domain", rule, methods=["POST"]),
]
