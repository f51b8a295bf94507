"""`watchfloor review` in a terminal of its own (a pty): the keys, what they write, a window that changes, no tricks."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from browser import copied
from conftest import ROOT, watchfloor
from moderation.review import decide

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")
PATIENCE = 30.0


@pytest.fixture
def db(demo_db: Path, tmp_path: Path) -> Path:
    return copied(demo_db, tmp_path / "watchfloor.db")


class Terminal:
    """A person's terminal with the command in it."""

    def __init__(self, pid: int, file: int) -> None:
        self.pid, self.file, self.seen = pid, file, ""

    def shows(self, text: str) -> str:
        """What is on the screen once it shows the text; what came before it is forgotten."""
        until = time.monotonic() + PATIENCE
        while text not in CONTROL.sub("", self.seen):
            assert time.monotonic() < until, f"no {text!r} in {self.seen[-2000:]!r}"
            if select.select([self.file], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.file, 65536).decode("utf-8", "replace")
                except OSError:
                    break
        seen, self.seen = self.seen, ""
        assert text in CONTROL.sub("", seen), seen
        return seen

    def press(self, keys: str) -> None:
        os.write(self.file, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def end(self) -> int:
        """The exit code."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if select.select([self.file], [], [], 0.05)[0]:
                with suppress(OSError):
                    self.seen += os.read(self.file, 65536).decode("utf-8", "replace")
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it does not end")


@contextmanager
def sitting(db: Path, *args: str) -> Iterator[Terminal]:
    pid, file = pty.fork()
    if not pid:
        os.chdir(ROOT)
        os.environ.update(TERM="xterm-256color", WATCHFLOOR_HOME=str(db.parent), COLUMNS="", LINES="")
        for name in ("COLUMNS", "LINES"):
            del os.environ[name]
        os.execv(
            sys.executable, [sys.executable, "-m", "app.cli.main", "review", "--db", str(db), "--by", "ann", *args]
        )
    fcntl.ioctl(file, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    terminal = Terminal(pid, file)
    try:
        yield terminal
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(file)


def rows(db: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(db)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def words(db: Path) -> list[tuple[object, ...]]:
    return rows(db, "SELECT comment_id, said, judge FROM verdicts WHERE person ORDER BY id")


def queue(db: Path) -> list[int]:
    return [int(str(id)) for (id,) in rows(db, "SELECT id FROM review_queue")]


def test_keys_decide_take_back_and_group_as_in_the_browser(db: Path) -> None:
    ids = queue(db)
    with sitting(db) as terminal:
        terminal.shows(f"#{ids[0]} ")
        terminal.press("s")
        terminal.shows(f"spam: #{ids[0]}")
        assert words(db) == [(ids[0], "spam", "ann")], "written before the next one is shown"
        terminal.press("a")
        terminal.shows(f"ok: #{ids[1]}")
        terminal.press("z")
        terminal.shows(f"taken back: ok on #{ids[1]}")
        for id in (ids[1], ids[2]):
            terminal.press("x")
            terminal.shows("selected")
            terminal.press("j")
            terminal.shows(f"#{ids[ids.index(id) + 1]} ")
        terminal.press("S")
        terminal.shows("2 comments spam?")
        terminal.press("n")
        terminal.shows("left alone")
        terminal.press("S")
        terminal.shows("2 comments spam?")
        terminal.press("S")
        terminal.shows("spam: 2 comments")
        terminal.press("z")
        terminal.shows("taken back: spam on 2 comments")
        terminal.press("?")
        terminal.shows("take back your last decision")
        terminal.press("x")
        terminal.press("/casino\r")
        terminal.shows("with casino")
        terminal.press("q")
        assert terminal.end() == 0
    said = [word for _, word, _ in words(db)]
    assert said == ["spam", "ok", "undo", "spam", "spam", "undo", "undo"]


def test_somebody_else_was_first(db: Path) -> None:
    ids = queue(db)
    with sitting(db) as terminal:
        terminal.shows(f"#{ids[0]} ")
        decide(db, ids[0], "ok", by="bob")
        terminal.press("s")
        terminal.shows("bob said ok")
        terminal.press("q")
        assert terminal.end() == 0
    assert words(db) == [(ids[0], "ok", "bob")]


def test_a_busy_database_is_tried_again_and_nothing_is_lost(db: Path) -> None:
    ids = queue(db)
    holding = sqlite3.connect(db, isolation_level=None)
    with sitting(db) as terminal:
        terminal.shows(f"#{ids[0]} ")
        holding.execute("BEGIN IMMEDIATE")
        terminal.press("s")
        terminal.shows("tried again")
        assert not words(db)
        holding.execute("ROLLBACK")
        terminal.shows(f"spam: #{ids[0]}")
        terminal.press("\x03")
        assert terminal.end() == 0
    assert words(db) == [(ids[0], "spam", "ann")]


def test_a_window_may_change_and_page_text_moves_no_cursor(db: Path) -> None:
    connection = sqlite3.connect(db)
    connection.execute("PRAGMA trusted_schema = ON")
    evil = "x" * 60 + "\n\x9b2J\x1b]0;owned\x07\u202eevil [bold]rich[/bold] " + "W" * 5_000
    with connection:
        connection.execute("UPDATE comments SET text = ?, author = ? WHERE id = ?", (evil, evil[60:100], queue(db)[0]))
    connection.close()
    with sitting(db) as terminal:
        seen = terminal.shows("[bold]rich[/bold]")
        assert "\x9b" not in seen and "\x1b]0;" not in seen and "\u202e" not in seen
        terminal.resize(12, 40)
        terminal.shows("\\u202eevil")
        terminal.resize(50, 200)
        terminal.shows("\\u202eevil")
        terminal.press("q")
        assert terminal.end() == 0


def test_without_a_terminal_it_says_what_to_use(db: Path) -> None:
    ran = watchfloor("review", "--db", db)
    assert (ran.code, "watchfloor flagged" in ran.err) == (2, True)
