"""What Datasette is told to do differently, by its own hooks: safe search, cells, CSV, errors, charts.

Plugins are registered for the whole process; this one acts only on the applications that `register` was given.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Generator, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from datasette.database import QueryInterrupted
from datasette.plugins import pm
from datasette.utils import is_url
from datasette.utils.asgi import Base400, NotFound, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup
from pluggy import HookimplMarker, Result

from app.charts import picture
from app.web.pages import LOOK, bar
from app.web.text import is_address, link, shown
from db.connect import DatabaseProblem
from db.export import csv_lines
from db.metadata import DATABASE
from db.queries import Query
from db.search import match_query

SECONDS = 2.0
"""The longest that SQL may take."""
STOPPED = (
    f"This took longer than {SECONDS:g} seconds and was stopped. Ask for less: fewer days, a WHERE on a column with an "
    "index, a LIMIT. `watchfloor query` and other programs may take longer."
)
SHORT, LONG = 24, 60
"""Characters: a time or a name stays on one line; a text gets a column that can be read."""
NOTHING = '""'
"""An FTS5 query that finds nothing and fails at nothing."""
OURS = {"frame.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
"""Of what all pages look like, with what each is."""
MISREAD = (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What Datasette raises for addresses that it does not check, such as `?_next=x`."""

Rooms = Sequence[tuple[str, str]]
"""Name and address of each place that the bar on a page leads to."""

whole: ContextVar[bool] = ContextVar("whole", default=False)
"""True while a row's own page is made: it shows all of each cell."""
hookimpl = HookimplMarker("datasette")
_log = logging.getLogger("watchfloor.sql")
_ours: MutableMapping[Any, tuple[Mapping[str, Query], Rooms]] = WeakKeyDictionary()
"""Our applications, each with the queries by their names in addresses, and the rooms beside it."""


def register(datasette: Any, queries: Mapping[str, Query], rooms: Rooms = ()) -> None:
    """From now on this plugin acts on this Datasette."""
    _ours[datasette] = queries, rooms
    if not pm.has_plugin(__name__):
        pm.register(_Plugin(), __name__)


def searched(text: Any) -> str:
    """What was typed as an FTS5 query that cannot fail: `watchfloor search`'s words, phrases and beginnings*."""
    return match_query(text if isinstance(text, str) else "") or NOTHING


class _Plugin:
    """The hooks. Each is Datasette's own; see its documentation, Plugin hooks."""

    __name__ = __name__

    @hookimpl(trylast=True)
    def prepare_connection(self, conn: Any, database: str, datasette: Any) -> None:
        """The query pack's search, in place of Datasette's own too."""
        if datasette in _ours and database == DATABASE:
            for name in ("match_query", "escape_fts"):
                conn.create_function(name, 1, searched, deterministic=True)

    @hookimpl
    def render_cell(self, value: Any, datasette: Any, database: str) -> Any:
        """Texts with what is hidden in them spelled out; addresses as links only where they are known."""
        if datasette not in _ours or not isinstance(value, str) or not value:
            return None
        most = 0 if whole.get() else datasette.setting("truncate_cells_html")
        if is_url(value.strip()) and is_address(value):
            return lambda: _linked(datasette, database, value, most)
        return shown(value, most)

    @hookimpl
    def extra_template_vars(self, datasette: Any) -> dict[str, Any] | None:
        """What the templates ask for: the query behind a name, and its picture."""
        if datasette not in _ours:
            return {}
        queries, rooms = _ours[datasette]

        def chart(name: str, columns: Sequence[str], rows: Sequence[Any]) -> Markup:
            query = queries.get(name)
            return picture(query.chart, query.title, columns, rows) if query and query.chart else Markup("")

        return {"asked": queries.get, "chart": chart, "extent": _extent, "shown": shown, **_frame(rooms)}

    @hookimpl
    def register_routes(self, datasette: Any) -> list[tuple[str, Any]]:
        """The front page is the database's; CSV and what all pages look like are our own."""
        if datasette not in _ours:
            return []
        table = r"/(?P<database>[^/.]+)(?:/(?P<table>[^/.]+))?\.csv$"
        return [(r"/$", _front), (r"/look/(?P<name>frame\.css|icon\.svg)$", _look), (table, _csv)]

    @hookimpl(hookwrapper=True)
    def handle_exception(
        self, datasette: Any, request: Any, exception: Exception
    ) -> Generator[None, Result[Any], None]:
        """In place of Datasette's own, which prints every 404 with all its variables."""
        outcome = yield
        if datasette in _ours:
            outcome.force_result([lambda: _error(datasette, request, exception)])


def _extent(value: Any) -> str:
    """The class of a cell, by how much room its value wants."""
    if isinstance(value, int | float):
        return " number"
    length = len(value) if isinstance(value, str) else 0
    return " short" if length <= SHORT else " long" if length > LONG else ""


async def _linked(datasette: Any, database: str, address: str, most: int) -> Markup:
    """The address, as a link when it is that of a stored article or of a watched site: nobody else's is trusted."""
    sql = "SELECT 1 FROM articles WHERE url = :url UNION ALL SELECT 1 FROM sources WHERE home = :url LIMIT 1"
    with contextlib.suppress(QueryInterrupted):
        if database == DATABASE and (await datasette.execute(database, sql, {"url": address})).rows:
            return link(address, most)
    return shown(address, most)


async def _front(datasette: Any) -> Any:
    return Response.redirect(datasette.urls.database(DATABASE))


def _frame(rooms: Rooms) -> dict[str, Any]:
    """What every page needs to stand beside the others."""
    return {"bar": partial(bar, rooms), "rooms": rooms}


async def _look(request: Any) -> Any:
    name = request.url_vars["name"]
    return Response((LOOK / name).read_text("utf-8"), content_type=OURS[name])


async def _csv(datasette: Any, request: Any) -> Any:
    """The rows of a table, view or query as CSV that no spreadsheet executes; the file's name says when it has not all.

    Datasette's own CSV hands on formulas. This one is made of its JSON.
    """
    asked = [
        (key, value) for key in request.args for value in request.args.getlist(key) if key not in ("_shape", "_nl")
    ]
    path = request.path.removesuffix(".csv")
    most = [] if dict(asked).get("_size") else [("_size", "max")]
    answer = await datasette.client.get(
        f"{path}.json?{urlencode([*asked, *most, ('_nofacet', '1')])}", follow_redirects=True
    )
    found = answer.json()
    if answer.status_code != 200 or not found.get("columns"):
        raise DatasetteError(found.get("error") or "Nothing that can be a table.", status=max(answer.status_code, 400))
    rest = f"-first-{len(found['rows'])}-rows" if found.get("next") or found.get("truncated") else ""
    name = "".join(c for c in path.rpartition("/")[2] if c.isalnum() or c in "-_") or DATABASE
    headers = {"Content-Disposition": f'attachment; filename="{name}{rest}.csv"'}
    body = "".join(csv_lines(found["columns"], ([_flat(cell) for cell in row] for row in found["rows"])))
    return Response(body, headers=headers, content_type="text/csv; charset=utf-8")


def _flat(cell: Any) -> Any:
    """A cell of JSON as one of CSV: labels and binary come as objects there."""
    return cell if isinstance(cell, str | int | float | None) else str(cell)


async def _error(datasette: Any, request: Any, exception: Exception) -> Any:
    """A page, or JSON, that says in a line what is wrong; what is our fault is in the log under a name."""
    status, title, text = _explained(exception)
    if request.path.partition("?")[0].endswith(".json"):
        return Response.json({"ok": False, "error": text, "status": status, "title": title}, status=status)
    template = datasette.jinja_env.get_template("error.html")
    context = {"status": status, "title": title, "error": text, "urls": datasette.urls, **_frame(_ours[datasette][1])}
    return Response.html(await template.render_async(context), status=status)


def _explained(exception: Exception) -> tuple[int, str, str]:
    """Status, title and line for what was raised."""
    if isinstance(exception, QueryInterrupted) or getattr(exception, "title", None) == "SQL Interrupted":
        return 400, "Stopped", STOPPED
    if isinstance(exception, NotFound):
        return 404, "Not here", "There is nothing of that name in the database."
    if isinstance(exception, Base400):
        return exception.status, "Not understood", str(exception.args[0])
    if isinstance(exception, DatasetteError):
        return (
            exception.status if exception.status < 500 else 400,
            exception.title or "Not understood",
            exception.message,
        )
    if type(exception).__module__ == "sqlite3":
        return 400, "Invalid SQL", str(exception)
    if isinstance(exception, DatabaseProblem):
        _log.error("%s", exception)
        return 503, "Not now", "The database cannot be read just now; the terminal says why."
    if isinstance(exception, MISREAD):
        return 400, "Not understood", "Something in this address cannot be understood."
    name = secrets.token_hex(4)
    _log.error("error %s", name, exc_info=exception)
    return 500, "Something went wrong", f"The log calls it error {name}."
