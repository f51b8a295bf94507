"""Another program holds the database: a crawl waits and loses nothing; of two crawls at once one gives way."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from db.store import Store
from soundness import (
    SEED,
    article_pages,
    begun,
    check,
    long_test,
    made_up_for,
    one_at_a_time,
    same,
    under_way,
    undisturbed,
    until,
)


@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=long_test())])
def test_a_crawl_waits_for_who_holds_the_database_and_loses_nothing(seconds: int, tmp_path: Path) -> None:
    """Twice: before its first write, and after some pages."""
    watch, base = one_at_a_time(undisturbed().server, tmp_path), undisturbed()
    Store(watch.db).close()
    other = sqlite3.connect(watch.db, isolation_level=None, timeout=30, check_same_thread=False)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(seconds, other.execute, ["ROLLBACK"]).start()
        began = time.monotonic()
        with under_way(watch, "-q", pages=3) as process:
            assert time.monotonic() - began >= seconds  # nothing is asked for before the run has its row
            with contextlib.closing(sqlite3.connect(watch.db, isolation_level=None, timeout=30)) as second:
                second.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                second.execute("ROLLBACK")
            out, err = process.communicate(timeout=60 + seconds)
    assert (process.returncode, out, err) == (0, "", "")
    check(watch.db, broken=False)
    same(watch.db, base.rows, watch.server.url)


def test_of_two_crawls_at_once_one_gives_way_and_all_is_stored_once(tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    both = [begun(watch, "-q") for _ in range(2)]
    said = [process.communicate(timeout=90) for process in both]
    assert sorted(process.returncode for process in both) == [0, 75], said
    (refused,) = [err for process, (_, err) in zip(both, said, strict=True) if process.returncode == 75]
    assert len(refused.splitlines()) == 1 and "another crawl holds it" in refused
    check(watch.db, broken=False)
    same(watch.db, undisturbed().rows, watch.server.url)


def test_who_comes_after_a_killed_crawl_starts_at_once(tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    with under_way(watch, "-q") as process:
        process.send_signal(signal.SIGKILL)
        made_up_for(watch)  # though what the first one had begun may be ending still
    assert watch.rows("SELECT status FROM runs ORDER BY id") == [("interrupted",), ("ok",)]


@pytest.mark.parametrize("time_", [pytest.param(n, marks=long_test()) for n in range(10)])
def test_crawls_that_start_when_others_are_killed_never_damage_anything(time_: int, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} overlap {time_}")
    print(f"seed {SEED}, {time_}")
    watch = one_at_a_time(undisturbed().server, tmp_path)
    for _ in range(3):
        first, second = begun(watch, "-q"), begun(watch, "-q")
        before = article_pages(watch)
        with contextlib.suppress(AssertionError):
            until(lambda before=before: article_pages(watch) > before + chance.randrange(8), seconds=10)
        for process in (first, second):
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
        check(watch.db)
    made_up_for(watch)
