"""`watchfloor load`: shards that `watchfloor extract` wrote, into the database."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import Progress

from app.cli.locking import Held, lock
from app.cli.options import db_of, db_option, home_of, home_option, json_option
from app.cli.outfile import Refused
from app.cli.own_run import OwnRun
from app.cli.rules import policy_of
from app.cli.terminal import as_json, complain, is_terminal, safe, say
from crawler.health import LOCKED, OK, TROUBLE
from crawler.source import catalogue
from db.store import Store

if TYPE_CHECKING:
    from pipelines.loading import Loading

SHOWN = 10
"""Of what is bad; the ledger has the others."""


@click.command()
@click.argument("shards", nargs=-1, required=True, metavar="DIR|SHARD...")
@click.option("--sources", "files", type=click.Path(path_type=Path, exists=True), help="A source file, or a folder.")
@db_option
@home_option
@json_option
def load(shards: tuple[str, ...], files: Path | None, db: Path | None, home: Path | None, json_: bool) -> int:
    """Load shards of `watchfloor extract`: each SHARD, or those of a DIR that it filled, articles and ledger.

    Each article is compared with what is stored and its comments are judged with all that is known here, as a crawl
    does it. A page that was read later, or is loaded already, stays as it is: loading again changes nothing, and goes
    on where it was ended. A row that is none costs itself, and says why in the ledger.

    Needs the extra `archives`: pip install 'watchfloor[archives]'.

    \b
    Exit codes: 0 done; 1 a shard or a row could not be read; 2 usage or configuration; 4 the database cannot be used;
    75 a crawl holds it.

    \b
    Examples: watchfloor load shards
              watchfloor load shards/articles/00003.parquet --json
              watchfloor load s3://bucket/news --db news.db
    """
    if missing := [name for name in ("fsspec", "pyarrow") if importlib.util.find_spec(name) is None]:
        raise Refused(f"loading needs {', '.join(missing)}: pip install 'watchfloor[archives]'")
    from pipelines.shards import BrokenShard, listed

    try:
        paths = [path for each in shards for path in listed(each)]
    except BrokenShard as e:
        raise Refused(safe(str(e))) from None
    path, sources = db_of(db, home).resolve(), catalogue(files, home_of(home))
    try:
        with lock(path), Store(path) as store, OwnRun(store, "import") as run, _progress(json_, len(paths)) as heard:
            from pipelines.loading import Loading

            loading = Loading(store, sources, policy_of(None, home_of(home)), run.begun)
            for number, each in enumerate(paths):
                loading.shard(each, lambda _, number=number: heard(number))  # type: ignore[misc]
    except Held as e:
        complain(str(e))
        return LOCKED
    told = _told(loading)
    as_json(told) if json_ else _say(loading, told)
    return TROUBLE if loading.problems else OK


def _told(loading: Loading) -> dict[str, Any]:
    from pipelines.loading import OUTCOMES

    names = ("shards", *OUTCOMES, "comments", "flagged")
    return {**{name: loading.done[name] for name in names}, "problems": loading.problems}


def _say(loading: Loading, told: dict[str, Any]) -> None:
    from pipelines.loading import OUTCOMES

    for problem in loading.problems[:SHOWN]:
        complain(problem)
    if more := len(loading.problems) - SHOWN:
        complain(f"{more:,} more, all in the ledger") if more > 0 else None
    count = sum(loading.done[outcome] for outcome in OUTCOMES)
    say(f"{count:,} rows of {told['shards']:,} shards read")
    for outcome, words in OUTCOMES.items():
        if told[outcome]:
            say(f"  {told[outcome]:>9,}  {words}")
    say(f"  {told['comments']:>9,}  new comments, {told['flagged']:,} held for review")


@contextlib.contextmanager
def _progress(quiet: bool, shards: int) -> Iterator[Any]:
    """A bar on a person's terminal."""
    with Progress(console=Console(stderr=True), transient=True, disable=quiet or not is_terminal()) as bar:
        task, rows = bar.add_task("loading", total=shards), [0]

        def heard(number: int) -> None:
            rows[0] += 1
            bar.update(task, completed=number, description=f"loading, {rows[0]:,} rows")

        yield heard
