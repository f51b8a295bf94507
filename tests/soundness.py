"""What must hold of a database after any fault, whatever the fault was: the common check of `docs/faults.md`."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from app.demo.server import Server, serve
from conftest import ROOT, Ran, Watch, watchfloor

LONG = os.environ.get("WATCHFLOOR_FAULTS") == "1"
"""Whether `make faults` runs."""
SEED = int(os.environ.get("WATCHFLOOR_SEED", "20261123"))
"""Of everything that is drawn by lot in the tests of faults; each prints its own."""
Rows = dict[str, list[tuple[Any, ...]]]

HALVES = {
    "an address twice": "SELECT url FROM articles NOT INDEXED GROUP BY url HAVING count(*) > 1",
    "a comment twice": "SELECT article_id, key FROM comments NOT INDEXED GROUP BY 1, 2 HAVING count(*) > 1",
    "an article that no visit gave": """
      SELECT url FROM articles WHERE NOT EXISTS (SELECT 1 FROM fetches WHERE article_id = articles.id)""",
    "an article without where its fields were read": """
      SELECT url FROM articles WHERE NOT EXISTS (SELECT 1 FROM field_evidence WHERE article_id = articles.id)""",
    "a comment that nobody judged": """
      SELECT id FROM comments c WHERE NOT EXISTS (
        SELECT 1 FROM verdicts v WHERE v.comment_id = c.id AND v.revision = c.revision AND NOT v.person)""",
    "a flag without a link or a reason": """
      SELECT v.id FROM verdicts v WHERE said = 'flagged' AND reasons = '[]'""",
    "a verdict without its comment": """
      SELECT id FROM verdicts WHERE comment_id NOT IN (SELECT id FROM comments)""",
    "a standing that its verdicts do not give": """
      SELECT comment_id, verdict_id, state, score, place FROM standing
      EXCEPT SELECT comment_id, verdict_id, state, score, place FROM holding""",
    "verdicts that give no standing": """
      SELECT comment_id, verdict_id, state, score, place FROM holding
      EXCEPT SELECT comment_id, verdict_id, state, score, place FROM standing""",
    "a run that ended twice": "SELECT id FROM runs WHERE status = 'running' AND exit_code IS NOT NULL",
}
"""What half a transaction would leave, as questions that must find nothing."""

_COMMENT = "(SELECT a.url || c.key FROM comments c JOIN articles a ON a.id = c.article_id WHERE c.id = t.comment_id)"
_NAMED = {
    "article_id": "(SELECT url FROM articles a WHERE a.id = t.article_id)",
    "comment_id": _COMMENT,
    "outcome": "replace(outcome, 'unchanged', 'stored')",
    "status": "CASE status WHEN 304 THEN 200 ELSE status END",
}
"""Numbers depend on the order of arrival; that a page was stored before is no difference."""
_DIFFERENT = (
    *("id", "run_id", "first_run_id", "verdict_id", "bytes", "etag", "last_modified", "found_on", "at"),
    *("place", "fingerprint"),
)
"""What may differ: numbers of rows and runs, the lot that is drawn by them, what a site said of a page that it did not
send again, and fingerprints, which have the site's port in them."""
_TIMES = ("first_seen_at", "changed_at", "fetched_at")
_TABLES = ("articles", "field_evidence", "comments", "links", "verdicts", "standing", "cuts", "fetches")
_ROWS = {"field_evidence": "origin <> 'listing'"}
"""Without what the listing said: of several, it is the one that offered a page last."""


def long_test(*also: Any) -> Any:
    """For tests that `make faults` runs, and no other; `also` are further marks."""
    return [pytest.mark.skipif(not LONG, reason="takes long or needs the machine; `make faults` runs it"), *also]


def rows(path: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What is in a database."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(sql, values).fetchall()


def told(path: Path, origin: str = "") -> Rows:
    """Everything that a database says but times, and numbers of rows and runs, in order; `origin` is left out of
    addresses, so that the same site at another port gives the same."""
    found = {
        name: rows(path, f"SELECT {_columns(path, name)} FROM {name} t WHERE {_ROWS.get(name, 1)}") for name in _TABLES
    }
    found["revisions"] = rows(path, "SELECT article_id FROM article_revisions UNION SELECT comment_id FROM"
                              " comment_revisions")  # fmt: skip
    return {name: sorted((_without(origin, row) for row in each), key=repr) for name, each in found.items()}


def _columns(path: Path, table: str) -> str:
    names = [name for _, name, *_ in rows(path, f"PRAGMA table_info({table})")]
    return ", ".join(_NAMED.get(name, name) for name in names if name not in (*_DIFFERENT, *_TIMES))


def _without(origin: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    if not origin:
        return row
    host = origin.partition("//")[2]
    return tuple(v.replace(origin, "").replace(host, "HOST") if isinstance(v, str) else v for v in row)


def same(path: Path, expected: Rows, origin: str = "") -> None:
    """Fails with the table in which a database says something else."""
    found = told(path, origin)
    for table, there in expected.items():
        assert found[table] == there, table


def words(path: Path) -> list[tuple[Any, ...]]:
    """All that people ever decided, in order."""
    return rows(path, "SELECT id, comment_id, revision, said, judge, note, undoes, at FROM verdicts WHERE person"
                " ORDER BY id")  # fmt: skip


def damage(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What is wrong with a database, by name; empty for one that is whole."""
    found = {name: rows(path, sql) for name, sql in HALVES.items()}
    found["damage"] = [row for row in rows(path, "PRAGMA integrity_check") if row != ("ok",)]
    found["references"] = rows(path, "PRAGMA foreign_key_check")
    return {name: wrong for name, wrong in found.items() if wrong}


def told_as_ok(path: Path) -> bool:
    """Whether the last run is written down as one that ended well."""
    if not path.exists() or not rows(path, "SELECT 1 FROM sqlite_master WHERE name = 'runs'"):
        return False
    return rows(path, "SELECT status FROM runs ORDER BY id DESC LIMIT 1") == [("ok",)]


def check(
    path: Path, *, acknowledged: set[str] | None = None, said: list[tuple[Any, ...]] | None = None, broken: bool = True
) -> None:
    """The common check. `acknowledged` are addresses whose transaction had ended, `said` what people had decided, and
    `broken` says that the last run did not come to its end. A database that was never made is well."""
    if not path.exists() or not path.stat().st_size or not rows(path, "SELECT 1 FROM sqlite_master"):
        assert not acknowledged and not said
        return
    assert damage(path) == {}
    stored = {url for (url,) in rows(path, "SELECT url FROM articles")}
    assert (acknowledged or set()) <= stored
    if said is not None:
        assert words(path)[: len(said)] == said
    assert not (broken and told_as_ok(path)), "a broken run says that all was well"
    with FileLock(f"{path}.lock", timeout=5):
        pass


def complete(path: Path, expected: Rows, origin: str = "") -> None:
    """Each article that is there has all that belongs to it: one article, one transaction."""
    if not path.exists() or not rows(path, "SELECT 1 FROM sqlite_master"):
        return
    whole = of_articles(expected)
    for url, parts in of_articles(told(path, origin)).items():
        assert parts == whole[url], url


def of_articles(found: Rows) -> dict[str, list[tuple[Any, ...]]]:
    """By the address of each article: its comments, links, verdicts and where its fields were read."""
    whole: dict[str, list[tuple[Any, ...]]] = {row[0]: [("articles", *row)] for row in found["articles"]}
    for table in ("field_evidence", "comments", "links", "verdicts"):
        for row in found[table]:
            url = next(
                url for url in whole if row[0] == url or (table in ("links", "verdicts") and _under(row[0], url))
            )
            whole[url].append((table, *row))
    return whole


def _under(comment: str, url: str) -> bool:
    return comment.startswith((f"{url}id:", f"{url}fp:"))


# ---- crawls


@dataclass(frozen=True)
class Undisturbed:
    """A demo site, what a crawl of it stores that nothing disturbs, and how many requests that takes."""

    server: Server
    rows: Rows
    requests: int


@cache
def undisturbed() -> Undisturbed:
    """One for all tests of a process; nobody changes its site."""
    server = serve()
    with tempfile.TemporaryDirectory() as folder:
        watch = one_at_a_time(server, Path(folder))
        ran = watch.crawl()
        assert ran.code == 0, f"{ran.code} {ran.err} {ran.out}"
        return Undisturbed(server, told(watch.db, server.url), len(server.times))


def one_at_a_time(server: Server, folder: Path) -> Watch:
    """Pages come in one order: what a verdict can know of other comments depends on it."""
    watch = Watch(server, folder)
    slower(watch, 0.01)
    return watch


def slower(watch: Watch, delay: float) -> None:
    """Lets so many seconds pass between two requests."""
    lines = watch.file.read_text("utf-8").splitlines(True)
    kept = [line for line in lines if not line.startswith("delay")]
    at = next((n for n, line in enumerate(kept) if line.startswith("[")), len(kept))
    watch.file.write_text("".join((*kept[:at], f"delay = {delay}\n", *kept[at:])), "utf-8")


def made_up_for(watch: Watch) -> None:
    """The next run is clean and ends where an undisturbed one would have ended."""
    ran = watch.crawl("--again")
    assert ran.code == 0, f"{ran.code} {ran.err} {ran.out}"
    check(watch.db, broken=False)
    same(watch.db, undisturbed().rows, watch.server.url)
    assert not watch.rows("SELECT 1 FROM runs WHERE status = 'running'")


def arguments(watch: Watch, *more: str | Path) -> list[str]:
    """Those of a crawl of this site."""
    allowed = f"127.0.0.1:{watch.server.port}"
    given = ("crawl", "--sources", watch.file, "--db", watch.db, "--allow-address", allowed, *more)
    return [str(each) for each in given]


def command(watch: Watch, *more: str | Path) -> list[str]:
    """The crawl as a command of its own."""
    return [sys.executable, "-m", "app.cli.main", *arguments(watch, *more)]


def begun(watch: Watch, *more: str | Path, **how: Any) -> subprocess.Popen[str]:
    """A crawl in a process of its own, heard."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    piped: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command(watch, *more), text=True, cwd=ROOT, env=env, **{**piped, **how})


def until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Waits for it. Raises AssertionError when it does not happen in time."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def article_pages(watch: Watch) -> int:
    """How many articles the site was asked for."""
    return sum(path.startswith("/20") for _, path, _ in watch.server.requests)


@contextlib.contextmanager
def under_way(watch: Watch, *more: str | Path, pages: int = 2, **how: Any) -> Iterator[subprocess.Popen[str]]:
    """A crawl that has asked for some articles; ended when nobody did it."""
    before = article_pages(watch)
    process = begun(watch, *more, **how)
    try:
        until(lambda: article_pages(watch) >= before + pages or process.poll() is not None)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)


def quiet(ran: Ran) -> None:
    """It said what is wrong without showing its insides."""
    assert "Traceback" not in ran.err + ran.out, ran
    assert len(ran.err.splitlines()) <= 3, ran.err


def asked(command: str, db: Path, *args: str) -> Ran:
    """A command that reads."""
    return watchfloor(command, *args, "--db", db)
