"""What a command costs with all that it starts: wall time, CPU time, peak memory.

    python bench/measure.py FILE TIMEOUT COMMAND...     writes the figures into FILE, as JSON

`measure` runs the command under this program, in a process of its own, which adopts whatever the command leaves behind
(PR_SET_CHILD_SUBREAPER): the CPU of a grandchild that nobody waits for counts too. Memory is what all the processes
hold at one moment; a page that two of them share counts twice. Linux only; only the standard library is imported.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

EVERY_SECONDS = 0.1
"""Between two looks at the processes."""
AFTERWARDS_SECONDS = 10.0
"""For what the command leaves behind; then it is killed."""
SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER, of linux/prctl.h."""
MEGABYTE = 2**20


class Measured(NamedTuple):
    """Of a command and all its processes."""

    wall: float
    """Seconds until it ended."""
    cpu: float
    """Seconds, user and system."""
    peak: float
    """Megabytes of 2^20 bytes."""
    code: int
    """Its exit code; minus the signal that ended it."""
    late: bool
    """True when it was killed because it took too long."""


def measure(
    command: Sequence[str | Path],
    *,
    timeout: float = 3600,
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: IO[str] | IO[bytes] | int = subprocess.DEVNULL,
) -> Measured:
    """Runs it to its end, or for so many seconds; what it says goes to the log."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as figures:
        runner = [sys.executable, "-P", __file__, figures.name, str(timeout), *map(str, command)]
        subprocess.run(
            runner, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=True
        )
        return Measured(**json.load(figures))


def tree(root: int) -> Iterator[int]:
    """A process and all below it."""
    waiting = [root]
    while waiting:
        yield (pid := waiting.pop())
        for task in _tasks(pid):
            with contextlib.suppress(OSError):
                waiting += map(int, (task / "children").read_text().split())


def memory(root: int) -> float:
    """Megabytes that a process and all below it hold now."""
    return sum(map(_resident, tree(root))) * resource.getpagesize() / MEGABYTE


def cpu(pid: int) -> tuple[int, float]:
    """When a process began, in ticks, which tells it from another of the same number, and its CPU seconds.

    Raises `OSError` when it is gone.
    """
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return int(fields[19]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _tasks(pid: int) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(Path(f"/proc/{pid}/task").iterdir())
    return []


def _resident(pid: int) -> int:
    """Pages of memory; none for a process that is gone."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return 0


class _Watcher(threading.Thread):
    """Looks at all processes below this one until it is told to stop; ends them when their time is over, or when
    nobody is there any more who wants to know."""

    def __init__(self, timeout: float) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self.seen: dict[tuple[int, int], float] = {}
        """CPU seconds of each process when it was last seen: also of one whose parent did not want to know."""
        self.until = time.monotonic() + timeout
        self.asked_by = os.getppid()
        self.late = False
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            below = list(tree(os.getpid()))[1:]
            self.peak = max(self.peak, sum(map(_resident, below)) * resource.getpagesize() / MEGABYTE)
            for pid in below:
                with contextlib.suppress(OSError):
                    begun, spent = cpu(pid)
                    self.seen[pid, begun] = spent
            if time.monotonic() > self.until or os.getppid() != self.asked_by:
                self.late = True
                end(below)

    def stop(self) -> None:
        """Returns when it looks no more."""
        self._over.set()
        self.join()


def end(pids: Sequence[int]) -> None:
    """Kills them."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Runs the command, waits for all that it started, writes the figures."""
    file, timeout, *command = arguments
    if ctypes.CDLL(None, use_errno=True).prctl(SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no subreaper")
    watcher = _Watcher(float(timeout))
    begun = time.monotonic()
    started = os.posix_spawnp(command[0], command, os.environ)
    watcher.start()
    code, wall = 0, 0.0
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.wait()
            if pid == started:
                code, wall, late = os.waitstatus_to_exitcode(status), time.monotonic() - begun, watcher.late
                watcher.until = min(watcher.until, time.monotonic() + AFTERWARDS_SECONDS)
    watcher.stop()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = max(used.ru_utime + used.ru_stime, sum(watcher.seen.values()))
    peak = max(watcher.peak, used.ru_maxrss / 1024)
    figures = Measured(wall, spent, peak, code, late)
    Path(file).write_text(json.dumps(figures._asdict()), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
