"""A crawl that is killed at any moment loses nothing: the next one ends where an undisturbed one would have ended."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.demo.server import Server, serve
from conftest import ROOT, Watch

KILLS = int(os.environ.get("WATCHFLOOR_KILLS", "4"))
"""How many moments are tried; `make kills` tries 20."""
SEED = int(os.environ.get("WATCHFLOOR_SEED", "20261122"))

_COMMENT = "(SELECT a.url || c.key FROM comments c JOIN articles a ON a.id = c.article_id WHERE c.id = t.comment_id)"
_NAMED = {
    "article_id": "(SELECT url FROM articles a WHERE a.id = t.article_id)",
    "comment_id": _COMMENT,
    "outcome": "replace(outcome, 'unchanged', 'stored')",
    "status": "CASE status WHEN 304 THEN 200 ELSE status END",
}
"""Numbers depend on the order of arrival; that a page was stored before is no difference."""
_DIFFERENT = ("id", "run_id", "first_run_id", "verdict_id", "bytes", "etag", "last_modified", "found_on", "at")
"""What may differ: numbers of rows and runs, what a site said of a page that it did not send again, and which listing
of several offered a page last."""
_TIMES = ("first_seen_at", "changed_at", "fetched_at")
_TABLES = ("articles", "field_evidence", "comments", "links", "verdicts", "standing", "cuts", "fetches")


def stored(watch: Watch) -> dict[str, list[tuple[Any, ...]]]:
    """Everything but times and numbers of rows."""
    found = {name: watch.rows(f"SELECT {_columns(watch, name)} FROM {name} t") for name in _TABLES}
    revisions = watch.rows("SELECT article_id FROM article_revisions UNION SELECT comment_id FROM comment_revisions")
    return {**{name: sorted(rows, key=repr) for name, rows in found.items()}, "revisions": revisions}


def _columns(watch: Watch, table: str) -> str:
    names = [name for _, name, *_ in watch.rows(f"PRAGMA table_info({table})")]
    return ", ".join(_NAMED.get(name, name) for name in names if name not in (*_DIFFERENT, *_TIMES))


def command(watch: Watch) -> list[str]:
    allowed = f"127.0.0.1:{watch.server.port}"
    return [
        *(sys.executable, "-m", "app.cli.main", "crawl", "-q"),
        *("--sources", str(watch.file), "--db", str(watch.db), "--allow-address", allowed),
    ]


def killed_after(watch: Watch, requests: int, seconds: float) -> int:
    """A crawl that is killed some time after the site got so many requests; what it returned."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    before = len(watch.server.times)
    process = subprocess.Popen(command(watch), env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(watch.server.times) - before < requests:
        time.sleep(0.001)
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait()


@dataclass(frozen=True)
class Undisturbed:
    """A crawl that nobody kills, and its site."""

    server: Server
    rows: dict[str, list[tuple[Any, ...]]]
    requests: int


def one_at_a_time(server: Server, folder: Path) -> Watch:
    """Pages come in one order: what a verdict can know of other comments depends on it."""
    watch = Watch(server, folder)
    watch.file.write_text(watch.file.read_text("utf-8").replace("delay = 0", "delay = 0.01"), "utf-8")
    return watch


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    """What an undisturbed crawl stores."""
    with serve() as server:
        watch = one_at_a_time(server, tmp_path_factory.mktemp("whole"))
        assert watch.crawl().code == 0
        yield Undisturbed(server, stored(watch), len(server.times))


@pytest.mark.parametrize("number", range(KILLS))
def test_the_run_after_a_kill_ends_where_an_undisturbed_one_does(
    number: int, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    watch = one_at_a_time(undisturbed.server, tmp_path)
    moment = random.Random(SEED + number)
    requests, seconds = moment.randrange(undisturbed.requests), moment.uniform(0, 0.05)
    code = killed_after(watch, requests, seconds)
    known = watch.rows("SELECT count(*) FROM fetches")[0] if watch.db.exists() else "none"
    print(f"seed {SEED + number}: killed {seconds * 1000:.0f} ms after request {requests}: {code}; ledger: {known}")
    assert code == -signal.SIGKILL
    assert watch.crawl("--again").code == 0
    now = stored(watch)
    for table, rows in undisturbed.rows.items():
        assert now[table] == rows, table
    assert watch.rows("PRAGMA integrity_check") == [("ok",)]
    assert not watch.rows("SELECT 1 FROM runs WHERE status = 'running'")
