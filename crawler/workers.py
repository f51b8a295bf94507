"""Child processes that read what strangers wrote: each page within limits of processor time and memory, which the
kernel keeps, since a parser cannot be interrupted from inside. A page that ends its reader costs its own row.

A run forks one process before it opens anything: the nursery, which imports the reading rooms once. Readers are forks
of it, a few milliseconds each, also while the run has threads and a database open. All of them end with the run,
however it ends: they wait at sockets whose other end is the run's.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import os
import resource
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import ForkingPickler
from typing import Any, Literal, NamedTuple, NoReturn, Self, cast

from crawler import limits
from crawler.gathering import Got, Read, Reading
from crawler.items import Listing, Outcome
from crawler.merging import Answer, Kind
from crawler.source import Source

ROOM = "crawler.reading"
"""Whose functions the readers call, by name: the run itself need not import them."""
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a terminal, a service manager or `timeout` sends to all of a group: the run decides when its readers end."""
TOO_COSTLY, BROKEN = "too costly to read", "reader broke"


def usual_count() -> int:
    """Readers for this machine: one for each processor that the run may use, at most `limits.READERS`."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, limits.READERS)


class Unreadable(Exception):
    """An answer that was not read: its reader broke a limit, or broke."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail

    @property
    def outcome(self) -> Outcome:
        """For the ledger: beyond a limit is a fact about the page; anything else is trouble of ours."""
        return "rejected" if self.reason == TOO_COSTLY else "failed"


class Readers:
    """Reads answers in up to `count` processes at once; with a count of 0 in this one, without limits."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._nursery: _Nursery | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._own = threading.local()
        self._starting = threading.Lock()
        self._one_at_a_time = asyncio.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def page(self, got: Got, source: Source) -> Read:
        """An article's page and the ways to further comments. Raises `Unreadable`."""
        return cast(Read, await self._ask(len(got.body), "page", got, source))

    async def answer(self, kind: Kind, got: Got, source: Source) -> Answer:
        """What one way to further comments gave. Raises `Unreadable`."""
        return cast(Answer, await self._ask(len(got.body), "answer", kind, got, source))

    async def listing(self, kind: str, body: bytes, url: str, source: Source) -> Listing:
        """What a feed, a sitemap or a section page offers. Raises `Unreadable`."""
        return cast(Listing, await self._ask(len(body), "listing", kind, body, url, source))

    def again(self, got: Got, source: Source, others: dict[str, Got], asked_as: str) -> Reading:
        """A page and the answers with its further comments, all from an archive. Raises `Unreadable`."""
        return cast(Reading, self._read("again", got, source, others, asked_as))

    def start(self) -> None:
        """Makes the nursery, if there is none yet. The earlier, the less of the run is in it."""
        with self._starting:
            if self.count and self._nursery is None:
                self._nursery = _Nursery()
                self._threads = ThreadPoolExecutor(max_workers=self.count, thread_name_prefix="reader")

    def close(self) -> None:
        """Ends all readers, at whatever they are."""
        if self._nursery and self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._nursery.close()
            self._threads.shutdown()
        self._nursery = self._threads = None

    async def _ask(self, size: int, name: str, *given: Any) -> Any:
        """One answer of so many bytes."""
        async with self._one_at_a_time if size > limits.LARGE_BYTES else contextlib.nullcontext():
            self.start()
            if self._threads is None:
                return self._read(name, *given)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, name, *given)

    def _read(self, name: str, *given: Any) -> Any:
        """One answer, by the reader of this thread; waits until it is read."""
        self.start()
        if self._nursery is None:
            return _call(name, given)
        reader: _Reader | None = getattr(self._own, "reader", None)
        if reader is None or reader.ended:
            reader = self._own.reader = _Reader(self._nursery)
        return reader.read(name, given)


class _Said(NamedTuple):
    """What a reader sends back."""

    how: Literal["read", "raised", "out of memory"]
    value: Any
    last: bool
    """True when it ends now: it has grown too large."""


class _Reader:
    """A reader, as the run sees it: one thread asks, and waits."""

    def __init__(self, nursery: _Nursery) -> None:
        self._nursery = nursery
        self._here, there = Pipe()
        with there:
            self._pid = nursery.fork(there)
        self.ended = False

    def read(self, name: str, given: tuple[Any, ...]) -> Any:
        """The answer, read. Raises `Unreadable`, or what the function raised."""
        try:
            self._here.send((name, given))
            if not self._here.poll(limits.READING_WAIT_SECONDS):
                self._end()
                raise Unreadable(BROKEN, f"no answer within {limits.READING_WAIT_SECONDS} s")
            said: _Said = self._here.recv()
        except (EOFError, OSError):
            raise _why(self._end()) from None
        if said.last:
            self._end()
        if said.how == "raised":
            raise said.value
        if said.how == "out of memory":
            raise Unreadable(TOO_COSTLY, f"more than {limits.READING_BYTES >> 20} MB of memory")
        return said.value

    def _end(self) -> int:
        """Ends the process; its exit code, or the negative number of the signal that ended it."""
        self.ended = True
        self._here.close()
        return self._nursery.reap(self._pid)


def _why(code: int) -> Unreadable:
    if code == -signal.SIGXCPU:
        return Unreadable(TOO_COSTLY, f"more than {limits.READING_SECONDS} s of processor time")
    return Unreadable(BROKEN, f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}")


class _Nursery:
    """The process that readers are forks of, as the run sees it."""

    def __init__(self) -> None:
        self._here, there = socket.socketpair()
        self._asking = threading.Lock()
        self._readers: set[int] = set()
        self._pid = os.fork()
        if not self._pid:
            _childs_own(_raise_readers, there)
        there.close()

    def fork(self, end: Connection) -> int:
        """A new reader at this end of a pipe: the number of its process. Raises `Unreadable` when there can be none."""
        try:
            with self._asking:
                socket.send_fds(self._here, [b"fork"], [end.fileno()])
                pid = int(self._here.recv(32))
                self._readers.add(pid)
                return pid
        except (OSError, ValueError) as e:
            raise Unreadable(BROKEN, f"no reader can be started: {e}") from None

    def reap(self, pid: int) -> int:
        """Ends a reader, if it has not ended by itself; its exit code, or minus the signal that ended it."""
        with self._asking, contextlib.suppress(OSError, ValueError):
            self._readers.discard(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._here.send(b"%d" % pid)
            return int(self._here.recv(32))
        return -signal.SIGKILL

    def close(self) -> None:
        """Ends the readers, then itself, and waits for it: what they cost counts as the run's."""
        with self._asking:
            for pid in self._readers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._here.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


# ---- in the child processes


def _childs_own(work: Callable[[socket.socket], None], end: socket.socket) -> NoReturn:
    """Becomes a process that has nothing of the run but this socket and its standard error, and only ends by it."""
    code = 1
    try:
        for each in IGNORED:
            signal.signal(each, signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        _close_all_but(end.fileno())
        _set_limit(resource.RLIMIT_CORE, 0)
        work(end)
        code = 0
    except BaseException:  # noqa: BLE001 - the last words of a process that has no caller
        traceback.print_exc()
    finally:
        os._exit(code)


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _raise_readers(control: socket.socket) -> None:
    """The nursery: forks a reader for each end of a pipe that comes, waits for one whose number comes."""
    import_module(ROOM)
    gc.collect()
    gc.freeze()
    while True:
        said, ends, _, _ = socket.recv_fds(control, 32, 1)
        if ends:
            control.send(b"%d" % _forked(ends[0], control))
            os.close(ends[0])
        elif said:
            control.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(int(said), 0)[1]))
        else:
            break
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def _forked(end: int, control: socket.socket) -> int:
    pid = os.fork()
    if not pid:
        control.close()
        _serve(Connection(end))
    return pid


def _serve(asked: Connection) -> NoReturn:
    """The reader: one answer after the other, until the run closes the pipe or it has grown too large."""
    code = 0
    try:
        size, resident = _memory()
        if size:
            _set_limit(resource.RLIMIT_AS, size + limits.READING_BYTES)
        last = False
        while not last:
            try:
                name, given = asked.recv()
            except (EOFError, OSError):
                break
            _set_limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + limits.READING_SECONDS))
            how, value = _outcome(name, given)
            grown = _peak() - resident > limits.READER_BYTES and _memory()[1] - resident > limits.READER_BYTES
            last = how == "out of memory" or grown
            asked.send(_Said(how, value, last))
    except BaseException:  # noqa: BLE001 - the last words of a process that has no caller
        traceback.print_exc()
        code = 1
    finally:
        os._exit(code)


def _outcome(name: str, given: tuple[Any, ...]) -> tuple[Literal["read", "raised", "out of memory"], Any]:
    try:
        return "read", _call(name, given)
    except MemoryError:
        return "out of memory", None
    except Exception as e:  # noqa: BLE001 - it is the run that decides what a defect of ours costs
        return "raised", _sendable(e)


def _call(name: str, given: tuple[Any, ...]) -> Any:
    return getattr(import_module(ROOM), name)(*given)


def _sendable(error: Exception) -> Exception:
    """The error with a note of where it was raised; one that cannot be sent by its name and words alone."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its own pickling raises
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _memory() -> tuple[int, int]:
    """Bytes of address space and of memory that this process has; zeros where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            size, resident = file.read().split()[:2]
        page = resource.getpagesize()
        return int(size) * page, int(resident) * page
    except (OSError, ValueError):
        return 0, 0


def _peak() -> int:
    """Bytes of memory that this process had at most: cheaper to ask than what it has."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _set_limit(of: int, soft: int) -> None:
    """Lowers or raises a limit of this process, as far as it may."""
    hard = resource.getrlimit(of)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(of, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
