"""Options that many commands share, and where they lead."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from app.cli.terminal import safe
from crawler.settings import home as default_home
from db import read
from db.connect import Database, open_reader, problems_of
from moderation.exchange import NAME_CHARACTERS, NOTE_CHARACTERS

Command = Callable[..., Any]


def home_of(home: Path | None) -> Path:
    """The folder with the database, the archive and the user's own files."""
    return home or default_home()


def db_of(db: Path | None, home: Path | None) -> Path:
    """The database that was named, or the one in the home folder."""
    stated = os.environ.get("WATCHFLOOR_DB")
    return db or (Path(stated) if stated and home is None else home_of(home) / "watchfloor.db")


def with_db(command: Command) -> Command:
    """Gives a command `--db` and `--home`; it receives `path`, the database's."""

    @functools.wraps(command)
    def wrapped(*args: Any, db: Path | None, home: Path | None, **kwargs: Any) -> Any:
        return command(*args, path=db_of(db, home), **kwargs)

    return home_option(db_option(wrapped))


def _named(_: click.Context, option: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and value == Path("."):
        raise click.BadParameter("an empty name", param=option)
    return value


db_option = click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_named,
    help="The database, instead of the one in --home.",
)
allow_option = click.option(
    "--allow-address",
    "allowed",
    multiple=True,
    metavar="HOST:PORT",
    help="Let this private address or unusual port be reached. Without it only public addresses are, ports 80 and 443.",
)
home_option = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of database, archive, sources and rules. Default: WATCHFLOOR_HOME, else the user's data folder.",
)
existing_file = click.Path(path_type=Path, exists=True, dir_okay=False)
json_option = click.option("--json", "json_", is_flag=True, help="One JSON document on standard output.")
source_option = click.option("--source", default="", metavar="ID", help="Only this source.")


def _short_enough(most: int) -> Callable[[click.Context, click.Parameter, str], str]:
    def checked(_: click.Context, option: click.Parameter, value: str) -> str:
        if len(value) > most:
            raise click.BadParameter(f"longer than {most:,} characters", param=option)
        return value

    return checked


def by_option(does: str) -> Callable[[Command], Command]:
    """`--by NAME`: who it is that `does` this."""
    meaning = f"Who {does}. Default: WATCHFLOOR_REVIEWER, else you."
    return click.option("--by", default="", metavar="NAME", callback=_short_enough(NAME_CHARACTERS), help=meaning)


def note_option(kept_with: str) -> Callable[[Command], Command]:
    """`--note TEXT`."""
    check = _short_enough(NOTE_CHARACTERS)
    return click.option("--note", default="", metavar="TEXT", callback=check, help=f"Why; kept with the {kept_with}.")


number = click.IntRange(1, 2**63 - 1)
"""The number of a row in the database."""


def limit_option(default: int) -> Callable[[Command], Command]:
    """`--limit N`, with its default."""
    return click.option("--limit", type=click.IntRange(1, 100_000), default=default, show_default=True, help="At most.")


def check_source(db: Database, id: str) -> None:
    """Ends the command when the database has nothing of this source."""
    from crawler.source import nearest

    known = read.source_ids(db)
    if id and id not in known:
        raise click.ClickException(f"nothing of a source {safe(id)!r} is stored here{nearest(id, known)}")


GIGABYTE = 1000**3


def gigabytes_option(name: str, *, default: float | None, help: str) -> Callable[[Command], Command]:
    """An option in GB, of which the command receives bytes."""
    most = click.FloatRange(0, 1_000_000, min_open=True)
    return click.option(
        name,
        type=most,
        default=default,
        show_default=default is not None,
        metavar="GB",
        callback=lambda _, __, value: None if value is None else int(value * GIGABYTE),
        help=help,
    )


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Database]:
    """The database, for reading. Raises `DatabaseProblem`."""
    db = open_reader(path)
    try:
        with problems_of(path):
            yield db
    finally:
        db.close()
