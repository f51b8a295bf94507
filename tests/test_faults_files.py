"""A file that is not what it should be: read-only, damaged, empty, another's. Said in one line with the way out, before
anything is asked of a site, and left as it is."""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from conftest import ROOT, Watch
from soundness import SEED, arguments, check, long_test, one_at_a_time, same, undisturbed

PAGE = 4096
NOBODY = 65534


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that a crawl filled."""
    watch = one_at_a_time(undisturbed().server, tmp_path_factory.mktemp("crawled"))
    assert watch.crawl("--no-archive").code == 0
    return watch.db


@pytest.fixture
def watch(crawled: Path, tmp_path: Path) -> Watch:
    """The same site, with a copy of that database."""
    found = one_at_a_time(undisturbed().server, tmp_path)
    shutil.copy(crawled, found.db)
    return found


# ---- read-only


@cache
def as_anybody() -> list[str]:
    """In front of a command: runs it as an ordinary user, or as a root whom the modes of files bind."""
    if os.geteuid():
        return []
    who = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    for prefix in (who, bound):
        tried = [*prefix, sys.executable, "-c", "import app.cli.main"]
        if shutil.which("setpriv") and not subprocess.run(tried, cwd=ROOT, capture_output=True, check=False).returncode:
            return prefix
    pytest.skip("needs setpriv, or a user that is not root: root may write anything")


RIGHTS = {"the file": (0o444, 0o777), "the folder": (0o666, 0o555), "both": (0o444, 0o555)}


@pytest.fixture
def closed(crawled: Path) -> Iterator[Callable[[int, int], Watch]]:
    """A copy of that database with these modes; not under pytest's folder, which nobody else may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def make(file: int, mode: int) -> Watch:
            found = one_at_a_time(undisturbed().server, folder)
            Path(shutil.copy(crawled, found.db)).chmod(file)
            folder.chmod(mode)
            return found

        yield make
        folder.chmod(0o755)


def run(*commands: list[str]) -> list[subprocess.CompletedProcess[str]]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}
    start = [*as_anybody(), sys.executable, "-m", "app.cli.main"]
    return [
        subprocess.run([*start, *each], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        for each in commands
    ]


@pytest.mark.parametrize("what", ["the folder", *(pytest.param(each, marks=long_test()) for each in RIGHTS)])
def test_a_crawl_that_may_not_write_says_so_before_it_asks_for_anything_and_others_read_on(
    what: str, closed: Callable[[int, int], Watch]
) -> None:
    watch = closed(*RIGHTS[what])
    before, asked = watch.db.read_bytes(), len(watch.server.requests)
    reading = [["latest"], ["flagged", "--json"], ["export", "view", "comment_threads"]]
    crawl, *read = run(arguments(watch), *([*each, "--db", str(watch.db)] for each in reading))
    assert crawl.returncode == 4, crawl
    assert len(crawl.stderr.splitlines()) == 1 and str(watch.db) in crawl.stderr
    assert re.search("read-only|[Pp]ermission denied|may not write", crawl.stderr)
    assert len(watch.server.requests) == asked
    assert [ran.returncode for ran in read] == [0, 0, 0], read
    assert all(ran.stdout.strip() for ran in read), read
    assert not any("Traceback" in ran.stderr for ran in read), read
    assert watch.db.read_bytes() == before


# ---- damaged


def header(data: bytes, _: random.Random) -> bytes:
    return bytes(byte ^ 0xFF for byte in data[:16]) + data[16:]


def middle(data: bytes, chance: random.Random) -> bytes:
    rotten = bytearray(data)
    for _ in range(200):
        rotten[chance.randrange(PAGE, len(data))] ^= 0xFF
    return bytes(rotten)


def cut(data: bytes, _: random.Random) -> bytes:
    return data[: len(data) // 2]


def letter(data: bytes, _: random.Random) -> bytes:
    return b"This is a letter, and no database.\n" * 500


@pytest.mark.parametrize(
    ("spoil", "number"),
    [(header, 0), (cut, 0), (letter, 0), (middle, 0), *(pytest.param(middle, n, marks=long_test()) for n in range(20))],
)
def test_a_damaged_file_is_named_with_the_way_out_and_left_as_it_is(
    spoil: Callable[[bytes, random.Random], bytes], number: int, watch: Watch
) -> None:
    print(f"seed {SEED}, {number}")
    data = spoil(watch.db.read_bytes(), random.Random(f"{SEED} {number}"))
    watch.db.write_bytes(data)
    asked = len(watch.server.requests)
    ran = watch.crawl("--again")
    if spoil is middle and ran.code == 0:  # what nothing reads, nothing finds: `integrity` does
        assert watch("integrity").code == 4
        return
    assert ran.code == 4, ran
    assert "Traceback" not in ran.err and str(watch.db) in ran.err
    assert re.search(r"restore a backup|name another file", ran.err)
    if spoil is not middle:
        assert len(watch.server.requests) == asked
        assert watch.db.read_bytes() == data
    for command in ("latest", "flagged", "doctor"):
        read = watch(command)
        assert "Traceback" not in read.err and (spoil is middle or read.code == 4)


def test_an_empty_file_becomes_a_database_and_that_is_said(watch: Watch) -> None:
    watch.db.write_bytes(b"")
    ran = watch.crawl("-q")
    assert ran.code == 0
    assert f"{watch.db}: an empty file; a new database is made in it" in ran.err
    check(watch.db, broken=False)
    same(watch.db, undisturbed().rows, watch.server.url)


@pytest.mark.parametrize(
    "left",
    [b"\0" * 5000, pytest.param(b"", marks=long_test()), pytest.param(b"a letter " * 900, marks=long_test())],
    ids=["zeros", "empty", "text"],
)
def test_a_log_that_is_none_changes_nothing(left: bytes, watch: Watch) -> None:
    watch.db.with_name(f"{watch.db.name}-wal").write_bytes(left)
    ran = watch.crawl("--again")
    assert (ran.code, ran.json["problems"]) == (0, [])
    check(watch.db, broken=False)
    same(watch.db, undisturbed().rows, watch.server.url)


def test_a_database_of_somebody_else_is_refused_and_left_as_it_is(watch: Watch) -> None:
    watch.db.unlink()
    with closing(sqlite3.connect(watch.db)) as other:
        other.execute("CREATE TABLE places (url)")
    before, asked = watch.db.read_bytes(), len(watch.server.requests)
    ran = watch.crawl()
    assert ran.code == 4 and "not watchfloor's" in ran.err
    assert watch.db.read_bytes() == before and len(watch.server.requests) == asked


def test_a_database_of_a_newer_watchfloor_is_refused_and_left_as_it_is(watch: Watch) -> None:
    with closing(sqlite3.connect(watch.db)) as db, db:
        sql = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('watchfloor', 'm999_later', '')"
        db.execute(sql)
    before, asked = watch.db.read_bytes(), len(watch.server.requests)
    ran = watch.crawl()
    assert ran.code == 4 and "newer watchfloor" in ran.err
    assert watch.db.read_bytes() == before and len(watch.server.requests) == asked
