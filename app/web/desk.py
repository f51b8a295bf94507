"""What the review desk keeps in mind while the server runs, and what every page of it shares."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request

from app.web.forms import is_number
from app.web.pages import reading
from crawler.source import catalogue
from db import desk, read
from db.connect import Database
from moderation import ruling
from moderation.learning import learn_when_due
from moderation.policy import Policy, default_policy, load_policy
from moderation.queue import Group, Order, Queue, Sieve
from moderation.review import named

Row = dict[str, Any]

PLANS = 200
"""Previews that are remembered: a decision on a group is on those that were shown, and no others."""
GROUPS_SECONDS = 20.0
"""How long groups may lack what came since they were made: making them takes a fifth of a second at 20,000."""
PATIENCE_SECONDS = 0.06
"""Before a page says that something is still being counted."""
LONGEST_SECONDS = 600.0
"""For what nobody waits for: reading the whole queue, counting what a word on a domain changes."""
FILES_SECONDS = 20.0
"""How long rules and sources are taken to be as they were read: fifty files take a tenth of a second."""
LEARN_EVERY = 10
"""Decisions after which it is looked whether there is enough new to learn from."""
AGES = {
    "1": "last 24 hours",
    "7": "last 7 days",
    "30": "last 30 days",
    "-7": "over 7 days old",
    "-30": "over 30 days old",
}
"""By days; negative for older."""
ORDERS = {"score": "Worst first", "newest": "Newest", "campaigns": "Campaigns", "domains": "Domains"}


@dataclass
class Plan:
    """What somebody was shown before a decision on many: comment and verdict, and what became of it."""

    seen: dict[int, int]
    done: Row | None = None


class Worker:
    """Does one thing after the other beside the pages, in a thread that keeps no server from ending."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        threading.Thread(target=self._work, name="desk", daemon=True).start()

    def submit(self, task: Callable[..., Any], *args: Any) -> Future[Any]:
        """Does it when all before it is done."""
        promised: Future[Any] = Future()
        self._tasks.put((promised, partial(task, *args)))
        return promised

    def _work(self) -> None:
        while True:
            promised, task = self._tasks.get()
            try:
                promised.set_result(task())
            except BaseException as e:  # noqa: BLE001 - who asks for the result meets it
                promised.set_exception(e)


@dataclass
class Desk:
    """What the review desk remembers while the server runs; nothing of it is lost with it."""

    path: Path
    home: Path
    by: str
    """Who decides when the session has no name of its own."""
    token: str
    """In every form of ours: a second line behind the guard's look at the request's origin."""
    waiting: desk.Waiting = field(default_factory=desk.Waiting)
    plans: OrderedDict[str, Plan] = field(default_factory=OrderedDict)
    notes: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """What the next page says of what was done, by a name that its address carries: an address says nothing itself."""
    counting: OrderedDict[tuple[Any, ...], Future[ruling.Effect]] = field(default_factory=OrderedDict)
    ready: threading.Event = field(default_factory=threading.Event)
    """Set when the queue is read: at a million comments that takes some seconds after the start."""
    grouped_at: float = -GROUPS_SECONDS
    decided: int = 0
    _files: tuple[float, tuple[Policy, dict[str, frozenset[str]]] | None] = (0.0, None)
    _worker: Worker = field(default_factory=Worker)

    def start(self) -> None:
        """Reads the queue before anybody asks for it."""
        self._worker.submit(self._warm)

    def groups(self, db: Database, queue: Queue) -> list[Group]:
        """The groups of what waits, at most some seconds behind."""
        roughly = time.monotonic() - self.grouped_at < GROUPS_SECONDS
        if not roughly:
            self.grouped_at = time.monotonic()
        return queue.groups(lambda ids: desk.texts(db, ids), roughly=roughly)

    def plan(self, seen: dict[int, int]) -> str:
        """Remembers what somebody is shown; the name to decide by."""
        name = secrets.token_urlsafe(16)
        self.plans[name] = Plan(seen)
        while len(self.plans) > PLANS:
            self.plans.popitem(last=False)
        return name

    def note(self, told: str) -> str:
        """Keeps what the next page is to say; its name."""
        name = secrets.token_urlsafe(8)
        self.notes[name] = told
        while len(self.notes) > PLANS:
            self.notes.popitem(last=False)
        return name

    def files(self) -> tuple[Policy, dict[str, frozenset[str]]]:
        """The rules of the home folder, or the shipped ones, and the own hosts of the sources by id, as the files said
        within the last seconds."""
        until, read = self._files
        if read is None or time.monotonic() > until:
            own = self.home / "rules.toml"
            policy = load_policy(own) if own.exists() else default_policy()
            read = policy, {id: source.all_hosts for id, source in catalogue(None, self.home).items()}
            self._files = time.monotonic() + FILES_SECONDS, read
        return read

    def effect(self, db: Database, domain: str, said: str) -> ruling.Effect | None:
        """What a word on a domain would change; None while it is being counted."""
        newest = read.rows_of(db, "SELECT max(id) AS id FROM verdicts")[0]["id"]
        key = (domain, said, newest)
        if key not in self.counting:
            self.counting[key] = self._worker.submit(self._what_if, domain, said)
            while len(self.counting) > PLANS:
                self.counting.popitem(last=False)
        try:
            return self.counting[key].result(timeout=PATIENCE_SECONDS)
        except NotYet:
            return None

    def apply(self, domain: str) -> Future[ruling.Effect]:
        """Judges again what links to a domain."""
        return self._worker.submit(lambda: ruling.apply(self.path, *self.files(), domain))

    def learn(self, decided: int) -> None:
        """By itself, every so often; what it meets is no failure of the decision."""
        before, self.decided = self.decided, self.decided + decided
        if before // LEARN_EVERY != self.decided // LEARN_EVERY:
            self._worker.submit(learn_when_due, self.path)

    def _what_if(self, domain: str, said: str) -> ruling.Effect:
        with reading(self.path, LONGEST_SECONDS) as db:
            return ruling.what_if(db, *self.files(), domain, said)

    def _warm(self) -> None:
        try:
            with reading(self.path, LONGEST_SECONDS) as db, self.waiting.now(db) as queue:
                self.groups(db, queue)
            self.files()
        finally:
            self.ready.set()  # what went wrong is told by the page that meets it


@dataclass(frozen=True)
class View:
    """What of the queue is looked at: the part of the address that stays the same from comment to comment."""

    order: str
    source: str
    reason: str
    language: str
    age: str
    domain: str
    like: str
    words: str

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> View:
        """From a query; what makes no sense is left out."""
        text = {name: asked.get(name, "")[:200] for name in ("source", "reason", "language", "domain", "words")}
        order, age, like = asked.get("order", ""), asked.get("age", ""), asked.get("like", "")
        return cls(
            order=order if order in ORDERS else "score",
            age=age if age in AGES else "",
            like=like if is_number(like) else "",
            **text,
        )

    @property
    def query(self) -> str:
        """As an address has it."""
        told = {name: value for name, value in vars(self).items() if value and (name, value) != ("order", "score")}
        return urlencode(told)

    @property
    def listing(self) -> Order:
        """In which order comments stand, also those of a group."""
        return "newest" if self.order == "newest" else "score"

    def sieve(self, queue: Queue, texts: Callable[[list[int]], dict[int, str]]) -> Sieve:
        """For the queue."""
        among = None
        if self.like:
            group = queue.group(int(self.like), texts)
            among = frozenset(group.comments) if group else frozenset()
        days = int(self.age or 0)
        edge = f"{datetime.now(UTC) - timedelta(days=abs(days)):%Y-%m-%dT%H:%M:%SZ}" if days else ""
        return Sieve(
            source=self.source,
            reason=self.reason,
            language=self.language if self.language != "none" else "",
            domain=self.domain,
            words=tuple(self.words.casefold().split()[:10]),
            since=edge if days > 0 else "",
            before=edge if days < 0 else "",
            among=among,
        )


def viewed(text: str) -> dict[str, str]:
    """What was looked at, as a form or an address carries it."""
    found = parse_qs(text[:2_000], max_num_fields=50) if text.count("&") < 50 else {}
    return {name: values[0] for name, values in found.items() if name in View.__dataclass_fields__}


def desk_of(request: Request) -> Desk:
    """The desk of this server."""
    found: Desk = request.app.state.desk
    return found


def reviewer(request: Request) -> str:
    """Who is working: the name that the session has, else the server's."""
    return named(str(request.scope.get("reviewer") or "") or desk_of(request).by)


def last_of(db: Database, by: str) -> Row | None:
    """What `z` takes back: {verdict, on}; None when there is nothing."""
    found = desk.last_decision(db, by)
    return {"verdict": found[0]["verdict"], "on": decided_on(found)} if found else None


def decided_on(rows: Sequence[Row]) -> str:
    """`spam on #17`, `ok on 12 comments`: of rows with comment_id and said."""
    one = f"#{rows[0]['comment_id']}" if len(rows) == 1 else f"{len(rows):,} comments"
    return f"{rows[0]['said']} on {one}"


def for_script(request: Request) -> bool:
    """Does a script of ours ask, not a form?"""
    return "application/json" in request.headers.get("accept", "")


def number_of(text: str) -> int:
    """0 for what is none."""
    return int(text) if is_number(text) else 0
