"""`watchfloor review`: the review desk in the terminal, with the keys of the one in the browser, also over ssh."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import termios
import tty
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.cli.options import by_option, check_source, reading, source_option, with_db
from app.cli.review import learn_by_itself
from app.cli.terminal import one_line, safe, say
from db import desk
from db.connect import DatabaseBusy, now
from db.decisions import NotThere, Overtaken
from db.people import Ledger
from moderation.group import decide_group
from moderation.queue import Entry, Order, Sieve
from moderation.review import decide, named, segments

USAGE = 2  # as in crawler.health
TROUBLE = 1
WAIT_SECONDS = 0.5
"""Between two looks at the size of the window."""
AGAIN_SECONDS = 1.0
"""Before a busy database is tried again."""
LISTED = 12
"""Comments of a group that are listed before it is decided on."""
LEARN_EVERY = 10
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[@-~]|O.)")
"""What arrows and other keys of more than one character send (ECMA-48, 5.4)."""
KEYS = (
    ("s", "spam, and the next one"),
    ("a", "ok, and the next one"),
    ("z", "take back your last decision, or your last group"),
    ("j k", "next, previous"),
    ("x", "select"),
    ("S A", "the selection, or all that are like this one: shown first, then decided"),
    ("/", "find words in the queue; nothing for all"),
    ("?", "this list"),
    ("q", "quit"),
)


@click.command()
@source_option
@click.option("--newest", is_flag=True, help="The newest first, not the worst.")
@by_option("decides")
@with_db
def review(path: Path, source: str, newest: bool, by: str) -> int:
    """Review in the terminal: one comment at a time with its links, reasons and record, decided by one key.

    The keys are those of the review desk in the browser; ? lists them. Each decision is written before the next comment
    is shown: a connection that breaks loses nothing.

    \b
    Examples: watchfloor review
              ssh newsroom watchfloor review --by ann
    """
    with reading(path) as db:
        check_source(db, source)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("this needs a terminal; `watchfloor flagged` and `watchfloor decide` do not")
    sitting = Sitting(path, named(by), Sieve(source=source), "newest" if newest else "score")
    with keyboard() as keys, Console().screen() as screen:
        sitting.run(keys, lambda shown: screen.update(shown))
    say(f"{sitting.decided} decided" + (f"; {sitting.left} wait" if sitting.left else ""))
    for pending in sitting.pending:
        say(f"not written, the database was busy: watchfloor decide {pending}")
    return TROUBLE if sitting.pending else 0


class Keys:
    """Keys as they are pressed, one character each; an escape sequence is one key that means nothing here."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._pressed: deque[str] = deque()

    def next(self, seconds: float) -> str:
        """The next key; empty when none is pressed in time, `q` for Ctrl-C or when the terminal is gone."""
        if not self._pressed:
            if not select.select([self._terminal], [], [], seconds)[0]:
                return ""
            read = os.read(self._terminal, 1024).decode("utf-8", "replace") or "q"
            self._pressed.extend(ESCAPES.sub("", read))
        key = self._pressed.popleft() if self._pressed else ""
        return "q" if key in ("\x03", "\x04") else key

    def line(self, prompt: RenderableType, show: Any) -> str:
        """Some words, ended by Enter; what was typed is shown behind the prompt."""
        typed = ""
        while True:
            show(Group(prompt, Text(f"/{safe(typed)}▏")))
            key = self.next(WAIT_SECONDS)
            if key and key in "\r\n":
                return typed
            if key == "\x1b":
                return ""
            typed = typed[:-1] if key and key in "\x7f\b" else typed + key if key.isprintable() else typed


@contextlib.contextmanager
def keyboard() -> Iterator[Keys]:
    """The terminal gives each key at once, unechoed, until the end; then it is as it was."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal, termios.TCSAFLUSH)
        changed = termios.tcgetattr(terminal)
        changed[1] |= termios.OPOST
        termios.tcsetattr(terminal, termios.TCSANOW, changed)
        yield Keys(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@dataclass
class Sitting:
    """One person at the terminal."""

    path: Path
    by: str
    sieve: Sieve
    order: Order
    decided: int = 0
    left: int = 0
    pending: list[str] = field(default_factory=list)
    """Decisions that could not be written, as the command takes them."""
    told: str = ""
    at: int = 0
    """The number of the comment that is shown; 0 for none."""
    picked: dict[int, int] = field(default_factory=dict)
    """Comment and the verdict that was seen."""
    _waiting: desk.Waiting = field(default_factory=desk.Waiting)

    def run(self, keys: Keys, show: Any) -> None:
        """Until `q`."""
        self._keys, self._show = keys, show
        acts = {"s": self._spam, "a": self._ok, "z": self._undo, "x": self._pick, "/": self._find, "?": self._help}
        acts |= {"j": lambda: self._move(1), "k": lambda: self._move(-1)}
        acts |= {"S": lambda: self._many("spam"), "A": lambda: self._many("ok")}
        show(Text("Reading the queue…"))
        card, size = self._look(), os.get_terminal_size()
        show(page(card, self))
        while (pressed := keys.next(WAIT_SECONDS)) != "q":
            if pressed in acts:
                self.told = ""
                acts[pressed]()
                card = self._look()
            before, size = size, os.get_terminal_size()
            if pressed or size != before:
                show(page(card, self))

    def _look(self) -> dict[str, Any] | None:
        """The comment that is shown, as it is now; the one behind it when it waits no more."""
        with reading(self.path) as db:
            found = self._found(db)
            self.left = len(found)
            if self.at not in {entry.id for entry in found}:
                self.at = self._after(found)
            self._order = [entry.id for entry in found]
            return desk.card(db, self.at) if self.at else None

    def _found(self, db: Any) -> list[Entry]:
        with self._waiting.now(db) as queue:
            return queue.found(self.sieve, self.order)

    def _after(self, found: list[Entry]) -> int:
        """Where to go on: with what stood behind it, else with the first."""
        known = getattr(self, "_order", [])
        behind = known[known.index(self.at) + 1 :] if self.at in known else []
        waiting = {entry.id for entry in found}
        return next((id for id in behind if id in waiting), found[0].id if found else 0)

    def _move(self, step: int) -> None:
        place = self._order.index(self.at) + step if self.at else -1
        if 0 <= place < len(self._order):
            self.at = self._order[place]
        else:
            self.told = "That was the last one." if step > 0 else "That is the first one."

    def _spam(self) -> None:
        self._decide("spam")

    def _ok(self) -> None:
        self._decide("ok")

    def _decide(self, said: Any) -> None:
        if not self.at:
            return
        comment, seen = self.at, self._seen(self.at)
        try:
            if self._written(lambda: decide(self.path, comment, said, by=self.by, seen=seen), f"{comment} {said}"):
                self._count(1)
                self.told = f"{said}: #{comment}"
        except (Overtaken, NotThere) as e:
            self.told = f"not written: {e}"

    def _many(self, said: Any) -> None:
        """Shown first; the same key, or Enter, then decides."""
        with reading(self.path) as db:
            seen = dict(self.picked) or desk.verdicts_of(db, self._like(db))
            rows = desk.lines(db, list(seen)[:LISTED])
        if not seen:
            return
        self._show(preview(rows, len(seen), said))
        if self._pressed() not in ("S" if said == "spam" else "A", "y", "\r", "\n"):
            self.told = "left alone"
            return
        first, ids = next(iter(seen)), list(seen)
        note = f"{desk.TOGETHER}{first}"
        done: list[int] = []
        act = lambda: done.extend(decide_group(self.path, ids, said, by=self.by, note=note, seen=seen))  # noqa: E731
        if self._written(act, f"{first} {said} --group"):
            self.picked = {}
            self._count(len(done))
            missed = len(ids) - len(done)
            self.told = f"{said}: {len(done)} comments" + (f"; {missed} had changed meanwhile" if missed else "")

    def _like(self, db: Any) -> list[int]:
        with self._waiting.now(db) as queue:
            found = queue.group(self.at, lambda ids: desk.texts(db, ids))
        return list(found.comments) if found else []

    def _undo(self) -> None:
        with reading(self.path) as db:
            last = desk.last_decision(db, self.by)
        if not last:
            self.told = "there is nothing to take back"
            return

        def act() -> None:
            with Ledger(self.path) as ledger:
                ledger.take_back([row["verdict"] for row in last], by=self.by, now=now())

        if self._written(act, ""):
            self.at = last[0]["comment_id"]
            on = f"#{self.at}" if len(last) == 1 else f"{len(last)} comments"
            self.told = f"taken back: {last[0]['said']} on {on}"

    def _pick(self) -> None:
        if self.at in self.picked:
            del self.picked[self.at]
        elif self.at:
            self.picked[self.at] = self._seen(self.at)
        self.told = f"{len(self.picked)} selected"

    def _find(self) -> None:
        typed = self._keys.line(Text("Words in the text or the name; Enter for all, Esc to leave it"), self._show)
        self.sieve = Sieve(source=self.sieve.source, words=tuple(typed.casefold().split()))
        self.told = f"with {one_line(typed, 40)}" if typed else ""

    def _help(self) -> None:
        listed = Table.grid(padding=(0, 2))
        for key, does in KEYS:
            listed.add_row(Text(key, style="bold"), Text(does))
        self._show(listed)
        self._pressed()

    def _seen(self, comment: int) -> int:
        """The verdict as the last look found it."""
        return self._waiting.verdict(comment)

    def _pressed(self) -> str:
        while not (key := self._keys.next(WAIT_SECONDS)):
            pass
        return key

    def _written(self, act: Any, command: str) -> bool:
        """Again while the database is busy; `q` gives up, and the decision is told at the end."""
        while True:
            try:
                act()
                return True
            except DatabaseBusy:
                self._show(Text("The database is busy; the decision is tried again. q gives up.", style="bold"))
                if self._keys.next(AGAIN_SECONDS) == "q":
                    self.pending += [command] if command else []
                    self.told = "not written: the database is busy"
                    return False

    def _count(self, decided: int) -> None:
        before, self.decided = self.decided, self.decided + decided
        if before // LEARN_EVERY != self.decided // LEARN_EVERY:
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
                learn_by_itself(self.path)


def page(card: dict[str, Any] | None, sitting: Sitting) -> RenderableType:
    """One comment with all that is known of it, and a line of what happened."""
    foot = Text(f"{sitting.left:,} wait", style="dim")
    foot.append("   s spam  a ok  z undo  j k move  x select  S A many  / find  ? keys  q quit")
    told = Text(safe(sitting.told), style="bold")
    if card is None:
        return Group(Text("Nothing waits here.", style="bold"), told, foot)
    return Group(_head(card, card["id"] in sitting.picked), Text(), _said(card), *_known(card), Text(), told, foot)


def preview(rows: list[dict[str, Any]], count: int, said: str) -> RenderableType:
    """What a decision on many would touch."""
    lines = [Text(f"#{row['id']}  {one_line(row['author'], 24)}  {one_line(row['text'], 90)}") for row in rows]
    more = [Text(f"… and {count - len(rows)} more")] if count > len(rows) else []
    key = "S" if said == "spam" else "A"
    return Group(
        *lines, *more, Text(), Text(f"{count} comments {said}?  {key} or Enter: yes; any other key: no", "bold")
    )


def _head(card: dict[str, Any], picked: bool) -> Text:
    head = Text("● " if picked else "", style="bold")
    head.append(f"#{card['id']}  {one_line(card['author'], 40) or 'no name'}")
    score = "" if card["score"] is None else f"  {card['score']:.1f}"
    head.append(f"{score}  {safe(card['source'])}  {card['posted_at'] or ''}\n", style="dim")
    head.append(f"under {one_line(card['headline'], 100)}", style="dim")
    return head


def _said(card: dict[str, Any]) -> Text:
    said = Text()
    for text, number in segments(card["text"][:2_000], card["links"]):
        said.append(safe(text), style="reverse" if number else "")
        said.append(f"[{number}]" if number else "", style="bold")
    return said


def _known(card: dict[str, Any]) -> Iterator[Text]:
    yield Text()
    for number, link in enumerate(card["links"][:10], 1):
        how = link["disguise"] or {"href": "behind its words", "author": "behind the name"}.get(link["place"], "")
        yield Text(
            f"[{number}] {one_line(link['text'], 60)} → {one_line(link['url'], 90)} {f'({safe(how)})' if how else ''}"
        )
    for reason in card["reasons"]:
        yield Text(
            f"{reason['weight']:+g}  {one_line(reason['name'].replace('_', ' '), 40)}  {one_line(reason['note'], 90)}"
        )
    for record in card["domains"]:
        rules = "".join(f", always {'allowed' if rule['said'] == 'allow' else 'denied'}" for rule in record["rules"])
        yield Text(f"{one_line(record['domain'], 60)}: {_record(record)}{rules}", style="dim")
    if card["author_record"]:
        yield Text(f"under this name: {_record(card['author_record'])}", style="dim")
    for past in card["alike"][:3]:
        yield Text(f"{past['said']} on #{past['id']} by {one_line(past['judge'], 30)}: {past['because']}", style="dim")


def _record(record: dict[str, Any]) -> str:
    return f"{record['spam']} spam, {record['ok']} ok, {record['flagged']} wait, {record['clean']} let pass"
