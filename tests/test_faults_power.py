"""The power goes: of what was written, the disk has what was forced onto it, and any part of the rest, in any order.
The database can be opened, is whole, and has every word that a person was told was taken. `make faults` runs it.

Two ways. Copies of the database and its log, taken at random moments of a crawl without the memory that programs share
(`-shm`), which no power cut leaves. And every write of a crawl as the system saw it (`strace`), played again on an
empty folder up to a random point: all before the last sync of a file, and a random choice of the later ones.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import ROOT, Watch
from db.connect import LOG_BYTES, open_writer
from soundness import (
    SEED,
    Rows,
    arguments,
    begun,
    check,
    complete,
    damage,
    long_test,
    one_at_a_time,
    rows,
    slower,
    undisturbed,
    until,
    words,
)

pytestmark = long_test()
COPIES, CUTS = 100, 200
LOST = (0.0, 0.002, 0.02, 0.5)
"""Of the writes that nobody forced onto the disk; one share for each cut."""
SIDES = ("", "-wal")
"""Of a database, what is on the disk."""


def whole(path: Path, expected: Rows, origin: str) -> int:
    """Opens what a power cut left, as the next command does; how many articles are in it."""
    try:
        if not path.exists() or not path.stat().st_size or not rows(path, "SELECT 1 FROM sqlite_master"):
            return 0
    except sqlite3.DatabaseError as e:
        raise AssertionError(f"{path}: {e}") from None
    open_writer(path).close()
    assert damage(path) == {}
    complete(path, expected, origin)
    return int(rows(path, "SELECT count(*) FROM articles")[0][0])


def test_copies_without_the_shared_memory_are_whole_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} copies")
    print(f"seed {SEED}")
    found, copies = [], 0
    while copies < COPIES:
        folder = tmp_path / f"crawl{copies}"
        folder.mkdir()
        watch = one_at_a_time(undisturbed().server, folder)
        slower(watch, 0.1)
        process = begun(watch, "-q", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(watch.db.exists)
        while process.poll() is None and copies < COPIES:
            time.sleep(chance.uniform(0, 0.2))
            copy = tmp_path / f"copy{copies}.db"
            process.send_signal(signal.SIGSTOP)  # a cut has one moment; a copy takes some
            for side in SIDES:
                if (there := Path(f"{watch.db}{side}")).exists():
                    shutil.copy(there, f"{copy}{side}")
            process.send_signal(signal.SIGCONT)
            if copy.exists():
                found.append(whole(copy, undisturbed().rows, watch.server.url))
                copies += 1
        assert process.wait(timeout=120) in (0, -signal.SIGKILL)
    print(f"articles in the copies: {found}")
    assert max(found) > min(found)


# ---- the writes, played again


@dataclass(frozen=True)
class Write:
    """A write of the system, as `strace` has it."""

    path: str
    kind: str
    """write, truncate, sync, remove."""
    at: int = 0
    data: bytes = b""


_CALL = re.compile(r"^\d+ +(?P<name>\w+)\((?P<rest>.*)\) += (?P<result>-?\d+)")
_FILE = re.compile(r'^\d+<(?P<path>[^>]*)>, "(?P<data>(?:\\x[0-9a-f]{2})*)", (?P<length>\d+), (?P<at>\d+)')
_SIZE = re.compile(r"^\d+<(?P<path>[^>]*)>, (?P<at>\d+)")
_HANDLE = re.compile(r"^\d+<(?P<path>[^>]*)>")
_NAME = re.compile(r'^(?:AT_FDCWD(?:<[^>]*>)?, )?"(?P<path>(?:\\x[0-9a-f]{2})*)"')


def parsed(log: Path, base: str) -> list[Write]:
    """The writes to a database and its log, in order."""
    found = []
    for line in log.read_text("latin-1").splitlines():
        call = _CALL.match(line)
        if not call or call["result"].startswith("-"):
            continue
        name, rest = call["name"], call["rest"]
        if name == "pwrite64" and (m := _FILE.match(rest)):
            found.append(Write(_text(m["path"]), "write", int(m["at"]), _bytes(m["data"])))
        elif name == "ftruncate" and (m := _SIZE.match(rest)):
            found.append(Write(_text(m["path"]), "truncate", int(m["at"])))
        elif name in ("fsync", "fdatasync") and (m := _HANDLE.match(rest)):
            found.append(Write(_text(m["path"]), "sync"))
        elif name in ("unlink", "unlinkat") and (m := _NAME.match(rest)):
            found.append(Write(_text(m["path"]), "remove"))
    return [each for each in found if each.path in [f"{base}{side}" for side in SIDES]]


def _text(name: str) -> str:
    """The name of a file, which some calls have in hexadecimal."""
    return _bytes(name).decode() if name.startswith("\\x") else name


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def played(writes: list[Write], chance: random.Random, folder: Path, *, torn: bool) -> Path:
    """What the disk may have after a cut behind these writes."""
    kept: dict[str, bytearray] = {}
    lost = chance.choice(LOST)
    last = {w.path: n for n, w in enumerate(writes) if w.kind == "sync"}
    for number, write in enumerate(writes):
        sure = number <= last.get(write.path, -1)
        if write.kind == "remove":
            if sure or chance.random() >= lost:
                kept.pop(write.path, None)
            continue
        if write.kind == "sync" or (not sure and chance.random() < lost):
            continue
        file = kept.setdefault(write.path, bytearray())
        if write.kind == "truncate":
            del file[write.at :]
            file.extend(bytes(write.at - len(file)))
            continue
        data = write.data
        if torn and not sure and chance.random() < lost:  # a sector is written whole, a page need not be
            data = data[: chance.randrange(0, len(data) // 512 + 1) * 512]
        file.extend(bytes(max(0, write.at - len(file))))
        file[write.at : write.at + len(data)] = data
    for path, data in kept.items():
        (folder / Path(path).name).write_bytes(data)
    return folder / "watchfloor.db"


def traced(watch: Watch, log: Path, args: list[str]) -> None:
    calls = "trace=pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat"
    tracing = ["strace", "-f", "-y", "-xx", "-s", "70000", "-e", calls, "-o", str(log)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*tracing, sys.executable, "-m", "app.cli.main", *args]
    subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=300, check=True)


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace: apt-get install strace")
@pytest.mark.parametrize("torn", [False, True], ids=["whole writes", "torn writes"])
def test_whatever_the_disk_has_of_the_writes_the_database_is_whole(torn: bool, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} writes {torn}")
    print(f"seed {SEED}")
    watch, log = one_at_a_time(undisturbed().server, tmp_path), tmp_path / "calls"
    traced(watch, log, arguments(watch, "-q", "--no-archive"))
    writes = parsed(log, str(watch.db))
    assert sum(each.kind == "write" for each in writes) > 100
    found = []
    for number in range(CUTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = played(writes[: chance.randrange(len(writes))], chance, folder, torn=torn)
        found.append(whole(path, undisturbed().rows, watch.server.url))
        shutil.rmtree(folder)
    print(f"{len(writes)} writes; articles after the cuts: {sorted(found)}")
    assert max(found) > min(found)


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace: apt-get install strace")
def test_a_decision_that_was_taken_outlives_every_power_cut(tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} decisions")
    watch = one_at_a_time(undisturbed().server, tmp_path)
    assert watch.crawl("--no-archive").code == 0
    start = {side: Path(f"{watch.db}{side}").read_bytes() for side in SIDES if Path(f"{watch.db}{side}").exists()}
    ids = [str(id) for (id,) in watch.rows("SELECT id FROM review_queue LIMIT 3")]
    log = tmp_path / "calls"
    traced(watch, log, ["decide", ids[0], "spam", "--db", str(watch.db)])
    writes = parsed(log, str(watch.db))
    for number in range(CUTS // 4):  # everything after the command has ended: all of it was promised
        folder = tmp_path / str(number)
        folder.mkdir()
        before = [Write(f"{watch.db}{side}", "write", 0, data) for side, data in start.items()]
        synced = [Write(f"{watch.db}{side}", "sync") for side in start]
        path = played([*before, *synced, *writes], chance, folder, torn=True)
        open_writer(path).close()
        assert [row[3] for row in words(path)] == ["spam"]
        assert damage(path) == {}


# ---- the log alone


@pytest.mark.parametrize("number", range(20))
def test_a_log_whose_end_is_noise_gives_what_was_whole_before_it(number: int, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} tail {number}")
    watch = one_at_a_time(undisturbed().server, tmp_path)
    slower(watch, 0.02)
    process = begun(watch, "-q", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(chance.uniform(1.5, 4))
    process.send_signal(signal.SIGKILL)
    process.wait()
    log = watch.db.with_name(f"{watch.db.name}-wal")
    if log.exists() and (size := log.stat().st_size) > 4096:
        assert size <= LOG_BYTES
        data, at = bytearray(log.read_bytes()), chance.randrange(32, size)
        data[at:] = chance.choice((b"", bytes(size - at), chance.randbytes(size - at)))
        log.write_bytes(data)
    watch.db.with_name(f"{watch.db.name}-shm").unlink(missing_ok=True)
    whole(watch.db, undisturbed().rows, watch.server.url)
    check(watch.db)
