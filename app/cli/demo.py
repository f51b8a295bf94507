"""`watchfloor demo`: the whole line on a small bundled news site, so that a first run needs no network."""

from __future__ import annotations

import contextlib
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click

from app.cli.crawl import run_crawl
from app.cli.options import reading
from app.cli.reading import headline_line
from app.cli.review import say_flagged
from app.cli.terminal import complain, say
from app.demo.server import Server, serve, source
from crawler.source import parse_source
from db import read

SHOWN = 5
"""Flagged comments that are shown in full; the rest is a command away."""


@click.command()
@click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("watchfloor-demo.db"),
    show_default=True,
    help="Where to store it.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Serve on this port; 0 takes any free one.")
@click.option("--serve", "serve_only", is_flag=True, help="Only serve the site, until Ctrl-C; crawl it yourself.")
def demo(db: Path, port: int, serve_only: bool) -> int:
    """Crawl a small bundled news site over HTTP into a database, print the report and the flagged comments, and end.

    \b
    Examples: watchfloor demo
              watchfloor demo --serve --port 8000
    """
    before = 0 if serve_only else _port_before(db)
    try:
        server = serve(port=port or before)
    except OSError as e:
        filled = "" if port or not before else f"; {db} was filled from it: name another file with --db"
        complain(f"port {port or before} is not free ({e.strerror}){filled}")
        return 2
    if serve_only:
        return _serve_only(server)
    with server:
        code = _crawl(server, db)
    if code not in (0, 1):
        return code
    _show(db)
    return code


def _crawl(server: Server, db: Path) -> int:
    say(f"The demo site answers at {server.url}; crawling it into {db}")
    watched = parse_source(source(server.url), id="demo", file="the demo's source file")
    return run_crawl((watched,), db, addresses=(f"127.0.0.1:{server.port}",))[0]


def _port_before(db: Path) -> int:
    """The port that this database was filled from: an article's address has the port in it. 0 for a new database."""
    if not db.exists() or not db.stat().st_size:
        return 0
    with reading(db) as database:
        known = read.sources(database).get("demo")
    return (urlsplit(known["home"]).port or 0) if known else 0


def _show(db: Path) -> None:
    with reading(db) as database:
        articles = read.latest(database, limit=100)
        flagged = read.flagged(database, limit=SHOWN)
        waiting = read.waiting(database)
    _title(f"{len(articles)} articles")
    for row in articles:
        say(headline_line(row))
    _title(f"{waiting} comments held for review, the worst first")
    for row in flagged:
        say_flagged(row)
    _title("Now try")
    for command, purpose in _commands(db, flagged[0]["id"] if flagged else 1):
        say(f"  {command:<60} {purpose}")


def _commands(db: Path, comment: int) -> Iterator[tuple[str, str]]:
    watchfloor = "watchfloor" if shutil.which("watchfloor") else ".venv/bin/watchfloor"
    yield f"{watchfloor} flagged --db {db}", "all that wait, with their reasons"
    yield f"{watchfloor} decide {comment} spam --db {db}", "your word on one of them: spam or ok"
    yield f"{watchfloor} undo --db {db}", "take it back"
    yield f"{watchfloor} search 'north korea' --db {db}", "find articles"
    yield f"{watchfloor} show 1 --db {db}", "read one, with its comments"


def _title(text: str) -> None:
    say()
    say(click.style(text, bold=True))


def _serve_only(server: Server) -> int:
    with server:
        say(f"The demo site answers at {server.url} until Ctrl-C. To crawl it, save this as demo.toml:")
        say()
        say(source(server.url))
        say(f"  watchfloor crawl --sources demo.toml --allow-address 127.0.0.1:{server.port} --db demo.db")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
    return 0
