"""What is around a crawl: the poor environment of cron, and processes of its own that hold nothing of it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from soundness import arguments, check, made_up_for, one_at_a_time, same, slower, told, under_way, undisturbed, until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux: looks at /proc")


def test_from_cron_a_crawl_does_what_it_does_by_hand(tmp_path: Path) -> None:
    """`env -i /bin/sh -c 'cd /; watchfloor crawl ...'`: no PATH, HOME, LANG, terminal or folder of its own."""
    watch = one_at_a_time(undisturbed().server, tmp_path)
    command = shlex.join([sys.executable, "-c", _COMMAND.format(str(ROOT)), *arguments(watch)])
    ran = subprocess.run(
        ["/usr/bin/env", "-i", "/bin/sh", "-c", f"cd /; {command}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(ran.stdout.splitlines()) == 1 and "16 new" in ran.stdout
    check(watch.db, broken=False)
    same(watch.db, undisturbed().rows, watch.server.url)


_COMMAND = "import sys; sys.path.insert(0, {!r}); sys.argv[0] = 'watchfloor'; from app.cli.main import main; main()"


# ---- its processes


def children(pid: int) -> list[int]:
    """Of a process and of its children."""
    try:
        listed = [p for task in Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]
    except OSError:
        return []
    return [each for child in map(int, listed) for each in (child, *children(child))]


def holds(pid: int) -> list[str]:
    """The files that a process has open."""
    try:
        return [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def test_the_processes_that_read_pages_hold_neither_database_nor_lock_and_end_with_the_run(tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    slower(watch, 0.2)
    with under_way(watch, "-q", "--readers", "8", pages=4) as process:
        readers = children(process.pid)
        assert readers
        held = {pid: holds(pid) for pid in readers}
        assert any(str(watch.db) in name for name in holds(process.pid))
        for pid, names in held.items():
            assert not [name for name in names if str(tmp_path) in name], pid
            assert not [name for name in names if name.startswith("socket:")][2:], pid
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        until(lambda: not any(_runs(pid) for pid in readers), seconds=20)
    check(watch.db)
    slower(watch, 0.01)
    made_up_for(watch)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_reader_that_is_killed_costs_its_own_page_at_most(tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    slower(watch, 0.2)
    with under_way(watch, "--json", pages=4) as process:
        for pid in children(process.pid)[1:]:
            os.kill(pid, signal.SIGKILL)
        _, err = process.communicate(timeout=90)
    assert process.returncode in (0, 1), err
    assert "Traceback" not in err
    lost = watch.rows("SELECT reason FROM fetches WHERE outcome IN ('failed', 'rejected')")
    assert len(lost) <= 4
    ((articles,),) = watch.rows("SELECT count(*) FROM articles")
    assert articles + len(lost) >= len(undisturbed().rows["articles"])
    check(watch.db, broken=bool(process.returncode))
    slower(watch, 0.01)
    assert watch.crawl("--again").code == 0
    check(watch.db, broken=False)
    for table in ("articles", "comments", "links"):  # who came later is judged with more in mind
        assert told(watch.db, watch.server.url)[table] == undisturbed().rows[table]
