"""`watchfloor serve`: reading room and review desk in the browser."""

from __future__ import annotations

import ipaddress
import os
import socket
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import click

from app.cli.options import by_option, db_of, db_option, existing_file, home_of, home_option, reading
from app.cli.terminal import complain, one_line, safe, say
from db.queries import QueryError, pack
from moderation.policy import load_policy
from moderation.review import named

USAGE = 2  # as in crawler.health
PORT = 8000
LOOPBACK = "127.0.0.1"


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Listen here; 0 takes any free one."
)
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="Listen on this address; for one that other machines reach a password is needed.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST",
    help="With --host: a name that browsers use for this server, as before a proxy. Can be given several times.",
)
@click.option(
    "--password-file",
    type=existing_file,
    help="With --host: the password that lets in, on the first line. Default: WATCHFLOOR_PASSWORD.",
)
@click.option("--open/--no-open", "browse", default=False, help="Open the browser too.")
@by_option("decides")
@db_option
@home_option
def serve(
    port: int,
    host: str,
    names: tuple[str, ...],
    password_file: Path | None,
    browse: bool,
    by: str,
    db: Path | None,
    home: Path | None,
) -> int:
    """Read and review in the browser until Ctrl-C: articles, search, the review desk, the audit log, the query pack.

    It listens on this machine alone, and the address that is printed opens it once, for the browser that uses it. For
    several people give --host and a password: then everybody logs in with a name, which goes with each decision.

    \b
    Examples: watchfloor serve
              watchfloor serve --port 0 --open --by ann
              watchfloor serve --host 0.0.0.0 --password-file desk.txt
    """
    password = _password(password_file)
    if not _is_loopback(host) and not password:
        raise click.UsageError(
            f"--host {safe(host)} lets other machines in: set WATCHFLOOR_PASSWORD or --password-file"
        )
    path, folder = db_of(db, home), home_of(home)
    _checked(path, folder)
    from app.web.application import walled
    from app.web.guard import ENTRANCE, Key
    from app.web.login import SHORTEST
    from app.web.serving import listen, run

    if password and len(password) < SHORTEST:
        raise click.UsageError(f"the password needs {SHORTEST} characters")
    try:
        listening = listen(port, host)
    except OSError as e:
        complain(f"{host} port {port} cannot be had ({e.strerror}); --port 0 takes any free one")
        return USAGE
    with listening:
        port = listening.getsockname()[1]
        key = Key(port)
        known = tuple(_names(host, port, names))
        app = walled(path, key, port, home=folder, by=named(by), password=password, hosts=known)
        address = f"http://{_as_url(host)}:{port}{ENTRANCE}?token={key.token}"
        say(f"{one_line(str(path))}, deciding as {one_line(named(by))}, until Ctrl-C. This address opens it, once:")
        say(f"  {address}")
        if password:
            say(
                f"Others log in at http://{next(iter(known), f'{_as_url(host)}:{port}')}/ with a name and the password."
            )
        if browse:
            webbrowser.open(address)
        run(app, listening)
    return 0


def _checked(path: Path, home: Path) -> None:
    """Tells now what is wrong, before a second goes into loading the application."""
    try:
        pack(home / "queries.toml")
    except QueryError as e:
        raise click.UsageError(str(e)) from None
    if (own := home / "rules.toml").exists():
        load_policy(own)
    with reading(path):
        pass


def _password(file: Path | None) -> str:
    if file is None:
        return os.environ.get("WATCHFLOOR_PASSWORD", "")
    lines = file.read_text("utf-8", "replace").splitlines()
    if not lines or not lines[0].strip():
        raise click.UsageError(f"{safe(str(file))}: no password on its first line")
    return lines[0].strip()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _names(host: str, port: int, names: tuple[str, ...]) -> Iterator[str]:
    """What a browser may call this server, besides loopback: the names that were given, else the machine's own."""
    for name in names:
        yield from (name.lower(), f"{name.lower()}:{port}")
    if _is_loopback(host):
        return
    if not ipaddress.ip_address(host).is_unspecified:
        yield f"{_as_url(host)}:{port}"
        return
    machine = socket.gethostname().lower()
    yield f"{machine}:{port}"
    for *_, where in socket.getaddrinfo(machine, port, type=socket.SOCK_STREAM):
        yield f"{_as_url(str(where[0]))}:{port}"


def _as_url(host: str) -> str:
    plain = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 - named, not bound
    return f"[{plain}]" if ":" in plain else plain
