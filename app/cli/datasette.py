"""`watchfloor sql`: the database in the browser, read-only, with the query pack."""

from __future__ import annotations

import warnings
import webbrowser
from pathlib import Path

import click

from app.cli.options import db_of, db_option, home_of, home_option, reading
from app.cli.terminal import complain, one_line, say
from db.queries import QueryError, pack

USAGE = 2  # as in crawler.health
PORT = 8001


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Listen here, on this machine alone; 0 takes any free one.",
)
@click.option("--open/--no-open", "browse", default=False, help="Open the browser too.")
@db_option
@home_option
def sql(port: int, browse: bool, db: Path | None, home: Path | None) -> int:
    """Open the database in the browser until Ctrl-C: tables, views, SQL and the query pack with its charts.

    Nothing can be changed there, and nobody else can reach it: it listens on this machine alone, and the address that
    is printed opens it once, for the browser that uses it. Served by Datasette.

    \b
    Examples: watchfloor sql
              watchfloor sql --port 0 --open
    """
    path = db_of(db, home)
    try:
        queries = pack(home_of(home) / "queries.toml")
    except QueryError as e:
        raise click.UsageError(str(e)) from None
    with reading(path):
        """What is wrong with it is told before a second goes into loading Datasette."""
    from app.web.serving import HOST, listen, run

    try:
        listening = listen(port)
    except OSError as e:
        complain(f"port {port} cannot be had ({e.strerror}); --port 0 takes any free one")
        return USAGE
    with listening:
        port = listening.getsockname()[1]
        from app.sql.app import datasette_app
        from app.web.guard import ENTRANCE, Guard, Key

        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)  # a facet that is not there
        key = Key(port)
        app = Guard(datasette_app(path, queries), key, port)
        address = f"http://{HOST}:{port}{ENTRANCE}?token={key.token}"
        say(f"{one_line(str(path))}, read-only, until Ctrl-C. This address opens it, once:")
        say(f"  {address}")
        if browse:
            webbrowser.open(address)
        run(app, listening)
    return 0
