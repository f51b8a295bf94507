"""A command that kills itself, as `kill -9` does, at a moment that a test chooses.

    python tests/crashing.py MOMENT NUMBER ACKNOWLEDGED ARGUMENT...

MOMENT is one of `POINTS`, places in the write where NUMBER counts how often they are passed, or one of `STAGES` of a
run, where NUMBER counts calls of functions while the run is in that stage; 0 counts them all, and prints the counts at
the end. The file ACKNOWLEDGED gets the address of each article whose transaction has ended. The moments are subclasses
that take the place of the product's: nothing of them is in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

STAGES = ("start", "fetch", "write", "flag", "close")
POINTS = ("after article", "after comments", "before commit", "after commit", "in indexing")


class Moment:
    """When it ends. One for a process."""

    def __init__(self, name: str, number: int, acknowledged: str) -> None:
        self.name, self.number, self.acknowledged = name, number, acknowledged
        self.stage = "start"
        self.counts: Counter[str] = Counter()

    def passed(self, point: str) -> None:
        """Told of each point in the write."""
        if point == self.name:
            self.count(point)

    def called(self, frame: Any, event: str, arg: Any) -> None:
        """Told by the interpreter of each call."""
        if event == "call":
            self.count(self.stage)

    def count(self, name: str) -> None:
        self.counts[name] += 1
        if name == self.name and self.counts[name] == self.number:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextlib.contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """The stage while something is done."""
        before, self.stage = self.stage, stage
        yield
        self.stage = before

    def stored(self, url: str) -> None:
        """Told of each article that is stored."""
        with open(self.acknowledged, "a", encoding="utf-8") as file:
            file.write(f"{url}\n")


def crashing(store: type[Any], moment: Moment) -> type[Any]:
    """The store with moments at which it ends."""

    class Crashing(store):  # type: ignore[misc]
        watched: ClassVar[Moment] = moment

        def apply(self, delta: Any, *args: Any, **kwargs: Any) -> Any:
            with moment.during("write"):
                saved = super().apply(delta, *args, **kwargs)
            moment.stored(delta.page.article.url)
            moment.passed("after commit")
            return saved

        def _save_article(self, *args: Any) -> Any:
            saved = super()._save_article(*args)
            moment.passed("after article")
            return saved

        def _save(self, *args: Any) -> Any:
            saved = super()._save(*args)
            moment.passed("after comments")
            return saved

        def _ledger(self, *args: Any) -> Any:
            written = super()._ledger(*args)
            moment.passed("before commit")
            return written

        def index(self, **how: Any) -> None:
            self.db.conn.set_trace_callback(lambda sql: moment.passed("in indexing") if "_fts (rowid" in sql else None)
            super().index(**how)
            self.db.conn.set_trace_callback(None)

    return Crashing


def staged(moment: Moment) -> None:
    """The run's parts say which stage they are."""
    from crawler import report
    from pipelines import stages

    class Run(report.Report):
        def begin(self, *args: Any) -> Any:
            begun = super().begin(*args)
            moment.stage = "fetch"
            return begun

        def close(self, reason: str) -> None:
            moment.stage = "close"
            super().close(reason)
            moment.stage = "ended"

    class Flagging(stages.Moderate):
        def process_item(self, visit: Any) -> Any:
            with moment.during("flag"):
                return super().process_item(visit)

    report.Store = crashing(report.Store, moment)  # type: ignore[misc]
    report.Report, stages.Moderate = Run, Flagging  # type: ignore[misc]


def main() -> None:
    """The command, with its end in it."""
    moment = Moment(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    if moment.name in STAGES:
        os.register_at_fork(after_in_child=lambda: sys.setprofile(None))
        sys.setprofile(moment.called)
    from app.cli.main import main as command

    staged(moment)
    sys.argv[1:] = sys.argv[4:]
    try:
        command()
    finally:
        sys.setprofile(None)
        print(json.dumps(moment.counts))


if __name__ == "__main__":
    main()
