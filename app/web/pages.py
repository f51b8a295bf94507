"""How a page is made: what a room found, as HTML, or as JSON or Atom where the address ends so."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.web.sparks import columns, line
from app.web.text import is_address, language, link, shown
from db import browse
from db.connect import Database, DatabaseProblem, now, open_reader, problems_of
from db.feeds import Feed, NoFeed, atom, entries, feed_id

HERE = Path(__file__).parent
LOOK = HERE / "static"
ROOMS = (
    ("Latest", "/"),
    ("Stories", "/stories"),
    ("Sources", "/sources"),
    ("Runs", "/runs"),
    ("Review", "/review"),
    ("Audit", "/audit"),
    ("SQL", "/sql/"),
)
"""Name and address of what the bar on every page leads to."""
SECONDS = 2.0
"""The longest that a page may read for; a person has turned to something else by then."""
STEPS = 10_000
"""Steps of SQLite's machine between two looks at the clock; about a millisecond."""

Row = dict[str, Any]
Found = Mapping[str, Any]
Room = Callable[[Request, Database], Found]


def page(template: str, here: str = "", feed: str = "") -> Callable[[Room], Callable[[Request], Response]]:
    """Makes an endpoint of a function that reads: (request, database) → what it found.

    The template receives what was found, by name; `/x.json` gives the same as JSON. `here` is the room's address in the
    bar. `feed` is under what name the rows are that `/x.atom` gives; without one there is none.
    """

    def made(room: Room) -> Callable[[Request], Response]:
        @functools.wraps(room)
        def answer(request: Request) -> Response:
            suffix = request.scope.get("suffix", "")
            if suffix == "atom" and not feed:
                raise missing("feed")
            with reading(request.app.state.path) as db:
                found = room(request, db)
                waiting = browse.held(db) if not suffix else 0
            if suffix == "json":
                return Response(json.dumps(found, default=str, ensure_ascii=True), media_type="application/json")
            if suffix == "atom":
                return _atom(request, found.get("feed_title", ""), found[feed])
            return html(template, request, here=here, waiting=waiting, feed=_feed_address(request, feed), **found)

        return answer

    return made


@contextmanager
def reading(path: Path, seconds: float = SECONDS) -> Iterator[Database]:
    """The database for one page, for so long. Raises `DatabaseProblem`, or a 503 when it takes longer."""
    until = time.monotonic() + seconds
    with problems_of(path):
        db = open_reader(path)
        try:
            db.conn.set_progress_handler(lambda: time.monotonic() > until, STEPS)
            with problems_of(path):
                yield db
        except DatabaseProblem:
            if time.monotonic() > until:
                raise HTTPException(503, "This took too long and was stopped. Ask for less, or try again.") from None
            raise
        finally:
            db.close()


def html(template: str, request: Request, *, status: int = 200, **values: Any) -> Response:
    """A page of ours; `here` is the room's address in the bar, `waiting` how many comments are held."""
    text = _made(template, **{"rooms": ROOMS, "request": request, "status": status, **values})
    return Response(text, status_code=status, media_type="text/html")


def closed(status: int, told: str) -> str:
    """A page for somebody who was not let in: what is told, and no way into any room."""
    return _made("closed.html", rooms=(), status=status, told=told)


def bar(rooms: Sequence[tuple[str, str]], home: str, here: str) -> Markup:
    """What stands at the top of every page, for pages that are made elsewhere."""
    return Markup(_made("bar.html", rooms=rooms, home=home, here=here))  # noqa: S704 - escaped by the template


def _made(template: str, **values: Any) -> str:
    given = {"home": "/", "here": "", "waiting": 0, "feed": "", "asked": "", "zone": _zone(), **values}
    return _environment().get_template(template).render(given)


def _atom(request: Request, title: str, rows: Sequence[Row]) -> Response:
    names = list(dict.fromkeys(name for row in rows for name in row))
    try:
        made = entries(names, [[_plain(row.get(name)) for name in names] for row in rows], now=now()) if rows else []
    except NoFeed:
        raise missing("feed") from None
    question = f"{request.url.path}?{request.url.query}"
    named = f"watchfloor: {title}" if title else "watchfloor"
    head = Feed(title=named, about="What watchfloor collected", id=feed_id("page", question), now=now())
    return Response(atom(head, made), media_type="application/atom+xml")


def _plain(value: Any) -> Any:
    """A value as the database has it: lists are JSON there."""
    return json.dumps(value) if isinstance(value, list) else value


def _feed_address(request: Request, feed: str) -> str:
    """Where this page is to be had as Atom; empty for nowhere. A feed begins with the newest."""
    if not feed:
        return ""
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "before"]
    path = "/index" if request.url.path == "/" else request.url.path
    return f"{path}.atom" + (f"?{urlencode(asked)}" if asked else "")


def number(request: Request, name: str, default: int = 0, most: int = 2**63 - 1) -> int:
    """A whole number of the query; the default for anything else."""
    text = request.query_params.get(name, "")
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else default
    return min(value, most)


def word(request: Request, name: str, most: int = 500) -> str:
    """A text of the query, cut; without what no database takes."""
    return request.query_params.get(name, "")[:most].replace("\0", "").encode("utf-8", "ignore").decode()


def missing(what: str) -> HTTPException:
    """A page that is not there."""
    return HTTPException(404, f"There is no {what} here.")


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "shown": shown,
        "moment": moment,
        "ago": ago,
        "day": day,
        "outside": outside,
        "marked": marked,
        "several": several,
        "size": size,
        "language": language,
    }
    made.globals |= {"address": address, "columns": columns, "line": line}
    return made


def address(path: str, **query: Any) -> str:
    """An address of ours with a query; what is empty is left out."""
    asked = {name: value for name, value in query.items() if value not in ("", None, 0, False)}
    return f"{path}?{urlencode(asked)}" if asked else path


def _zone() -> str:
    at = datetime.now().astimezone()
    return f"local ({at.tzname()}, UTC{at:%z})" if at.utcoffset() else "UTC"


def moment(text: str | None, how: str = "%-d %b %Y, %H:%M") -> Markup:
    """A time of the database in this machine's zone, the original at hand; a bare day stays one."""
    if not text:
        return Markup('<span class="quiet">no date</span>')
    at = local(text)
    if at is None:
        return Markup("<span>{}</span>").format(shown(text, 40))
    told = f"{at:%-d %b %Y}" if len(text) == 10 else f"{at:{how}}" if at.tzinfo else f"{at:{how}}, zone unknown"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(text, text, told)


def ago(text: str | None) -> Markup:
    """How long ago a time was, as people say it, the time at hand."""
    at = local(text) if text else None
    if at is None or at.tzinfo is None:
        return Markup("<span>never</span>") if not text else moment(text)
    minutes = (datetime.now().astimezone() - at).total_seconds() / 60
    if minutes < 60:
        told = f"{max(0, round(minutes))} min ago"
    else:
        told = f"{round(minutes / 60)} h ago" if minutes < 48 * 60 else f"{round(minutes / 1440):,} days ago"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(text, f"{at:%-d %b %Y, %H:%M}", told)


def local(text: str) -> datetime | None:
    """A time of the database, in this machine's zone where it names one of its own. None for what is none."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone() if at.tzinfo else at
    except (ValueError, OverflowError):
        return None


def day(text: str | None) -> str:
    """The day of a time, in this machine's zone, as a heading has it."""
    at = local(text) if text else None
    if at is None:
        return "Without a date"
    there: date = at.date()
    return f"{there:%A, %-d %B %Y}"


def outside(address: str, most: int = 0) -> Markup:
    """An address as a link that takes nothing along, beside it the host as machines spell it where that is another; as
    text where it is no address that a browser should follow."""
    if not is_address(address):
        return shown(address, most)
    plain = punycode(address)
    return link(address, most) + (Markup(' <span class="tag">{}</span>').format(plain) if plain else Markup(""))


def punycode(address: str) -> str:
    """The host of an address in ASCII, when it is written otherwise (RFC 3492); empty for one that is."""
    try:
        host = urlsplit(address).hostname or ""
        return "" if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:
        return "no host of this name"


def marked(snippet: str, open: str = "\x02", close: str = "\x03") -> Markup:
    """A snippet with its hits marked."""
    parts = []
    for number, part in enumerate(snippet.split(open)):
        hit, _, rest = part.partition(close) if number else ("", "", part)
        parts.append((Markup("<mark>{}</mark>").format(shown(hit)) if hit else Markup("")) + shown(rest))
    return Markup("").join(parts)


def several(count: int, one: str, more: str = "") -> str:
    """`1 comment`, `2 comments`."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def size(count: int) -> str:
    """`12 kB`, `3.4 MB`."""
    return f"{count / 1_000_000:,.1f} MB" if count >= 1_000_000 else f"{count / 1000:,.0f} kB"
