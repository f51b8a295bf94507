"""No room: for the database, for the log of its changes, for what a command prints, for temporary files. The crawl says
it with the exit code of a database that cannot be used; what was stored stays, and with room again the next run ends
where an undisturbed one does. `make faults` runs it."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT, Ran, Watch
from soundness import SEED, check, command, complete, long_test, made_up_for, one_at_a_time, undisturbed

pytestmark = long_test()
SIZES = 12
"""At so many places the room ends."""


def ran(watch: Watch, *more: str, limit: int = 0, **env: str) -> Ran:
    """A crawl, in which no file can grow beyond the limit: what a disk without room is to SQLite."""

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    done = subprocess.run(
        command(watch, *more),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=limited if limit else None,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def told_in_few_lines(done: Ran, watch: Watch) -> None:
    assert "Traceback" not in done.err + done.out, done.err
    assert str(watch.db) in done.err and "disk" in done.err


@pytest.mark.parametrize("number", range(SIZES))
def test_wherever_the_room_ends_the_crawl_says_so_and_the_next_makes_up_for_it(number: int, tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    limit = random.Random(f"{SEED} room {number}").randrange(20_000, 600_000)
    done = ran(watch, "-q", "--no-archive", limit=limit)
    print(f"seed {SEED}, {number}: room for {limit:,} bytes a file: exit code {done.code}: {done.err[:200]}")
    if done.code == 0:
        assert max(file.stat().st_size for file in tmp_path.glob("watchfloor.db*")) <= limit
    else:
        assert done.code == 4, done.err
        told_in_few_lines(done, watch)
        check(watch.db)
        complete(watch.db, undisturbed().rows, watch.server.url)
    if watch.db.exists() and watch.db.stat().st_size and done.code:
        read = watch("latest")
        assert read.code in (0, 4) and "Traceback" not in read.err
    made_up_for(watch)


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of this size, in memory; it needs root."""
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("needs root: mounts a disk of its own")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "watchfloor-test", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"this machine mounts nothing: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: Path) -> None:
    """Takes all the room there is."""
    out = os.open(file, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(out, b"x" * 4096):
            pass
    os.close(out)


@pytest.mark.parametrize("filled_to", ["at once", "in the middle"])
def test_on_a_full_disk_nothing_is_lost_and_a_reviewer_reads_on(filled_to: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        watch = one_at_a_time(undisturbed().server, disk)
        assert watch.crawl("--no-archive").code == 0
        said = watch("decide", str(watch.rows("SELECT id FROM review_queue LIMIT 1")[0][0]), "spam")
        assert said.code == 0
        before = watch.rows("SELECT id, said FROM verdicts WHERE person")
        fill(disk / "filler")
        if filled_to == "in the middle":
            os.truncate(disk / "filler", (disk / "filler").stat().st_size - 90_000)
        done = ran(watch, "--again", "-q", "--no-archive")
        print(f"exit code {done.code}: {done.err[:300]}")
        if done.code:
            told_in_few_lines(done, watch)
            assert done.code == 4
        assert watch("flagged").code == 0 and watch("latest").code == 0
        assert watch.rows("SELECT id, said FROM verdicts WHERE person") == before
        (disk / "filler").unlink()
        assert watch.crawl("--again", "--no-archive").code == 0
        check(watch.db, broken=False)


@pytest.mark.parametrize("more", [("-v",), ("--json",), ()], ids=["log", "json", "line"])
def test_what_is_printed_onto_a_full_disk_costs_no_page(more: tuple[str, ...], tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    with open("/dev/full", "w") as full:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command(watch, *more), cwd=ROOT, env=env, stdout=full, stderr=full, timeout=120, check=False
        )
    print(f"exit code {done.returncode}")
    check(watch.db, broken=False)
    made_up_for(watch)


def test_a_full_folder_for_temporary_files_is_told_and_stops_nobody_who_reads(tmp_path: Path) -> None:
    with small_disk(tmp_path / "temporary", "64k") as folder:
        fill(folder / "filler")
        watch = one_at_a_time(undisturbed().server, tmp_path)
        done = ran(watch, "-q", TMPDIR=str(folder), SQLITE_TMPDIR=str(folder))
        assert done.code == 4 and "temporary files" in done.err and len(done.err.splitlines()) == 1
        assert ran(watch, "-q").code == 0
        for command_ in (["integrity"], ["flagged"], ["search", "radar"]):
            asked = [sys.executable, "-m", "app.cli.main", *command_, "--db", str(watch.db)]
            env = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "SQLITE_TMPDIR": str(folder)}
            read = subprocess.run(asked, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
            assert read.returncode == 0, read.stderr
    made_up_for(watch)


def test_an_archive_on_a_full_disk_costs_no_page(tmp_path: Path) -> None:
    with small_disk(tmp_path / "archive", "16k") as folder:
        (folder / "filler").write_bytes(b"x" * 8192)
        watch = one_at_a_time(undisturbed().server, tmp_path)
        done = ran(watch, "--json")
        assert done.code in (0, 1) and "archive" in done.err
        assert done.json["sources"]["demo"]["failed"] == 0
    check(watch.db, broken=False)
