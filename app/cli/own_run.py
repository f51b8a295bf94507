"""The run of a command that writes articles without a crawl: an import, a replay."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from crawler.items import RunKind, RunReport
from crawler.settings import our_version
from crawler.source import Source
from db.connect import now
from db.store import Store


class OwnRun:
    """Begun with the first thing that is written: a command that finds nothing new leaves no trace."""

    def __init__(self, store: Store, kind: RunKind, sources: Iterable[Source] = ()) -> None:
        self.store, self.kind, self.sources, self.id = store, kind, tuple(sources), 0

    def begun(self) -> int:
        """Its number."""
        self.id = self.id or self.store.begin_run(self.sources, version=our_version(), now=now(), kind=self.kind)
        return self.id

    def __enter__(self) -> OwnRun:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self.id:
            return
        status, code = ("interrupted", 130) if kind else ("ok", 0)
        report = RunReport(status=status, exit_code=code, tallies={}, problems=())  # type: ignore[arg-type]
        with contextlib.suppress(Exception) if kind else contextlib.nullcontext():
            self.store.end_run(self.id, report, now=now())
