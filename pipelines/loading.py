"""Shards into a database: each row through the stages of a crawl, from comparing on, with all that is known here.

Normalise ─► Compare (reads what is known) ─► Moderate ─► Save (one transaction)

What was read later than the row, or at the same time, stays as it is: loading again, or in another order, changes
nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from crawler.items import Delta, Fetch
from crawler.limits import DETAIL_CHARACTERS
from crawler.source import Source
from crawler.text import tidy
from crawler.urls import normal
from db.connect import Unstorable, now
from db.loaded import know_source, last_read
from db.store import Store
from moderation.policy import Policy
from moderation.rejudge import Bench
from pipelines.belonging import Sources
from pipelines.compare import compare, unheard
from pipelines.normalise import normalise
from pipelines.records import BadRow, page_of
from pipelines.shards import BrokenShard, rows

Outcome = Literal["new", "changed", "same", "older", "pruned", "noted", "bad"]
OUTCOMES: dict[Outcome, str] = {
    "new": "new articles",
    "changed": "articles that changed",
    "same": "articles that are stored as they are",
    "older": "no newer than what is known here, left alone",
    "pruned": "removed here by policy, left alone",
    "noted": "pages without an article, in the ledger",
    "bad": "rows that are none",
}
"""What can become of a row, in words behind a number of rows."""
BAD_ROWS = 100
"""Of one shard that have a row in the ledger each; what lies beyond is counted."""
SHARDS = Source(
    id="shards",
    name="Shards",
    home="https://shards.invalid/",
    enabled=False,
    note="Stands for the shards that were loaded, in the ledger.",
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

Heard = Callable[[Outcome], None]
"""Hears what became of each row."""
Began = Callable[[], int]
"""The number of the run, which begins with the first thing that is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    asked: str
    source: Source
    at: str
    said: Mapping[str, Any]


class Loading:
    """Loads shards, one after the other."""

    def __init__(self, store: Store, catalogue: Mapping[str, Source], policy: Policy, run: Began) -> None:
        self.store, self.catalogue, self.run = store, catalogue, run
        self.done = Counter[str]()
        """By outcome; `comments`, `flagged` and `shards` too."""
        self.problems: list[str] = []
        """What is bad, in words."""
        self._sources = Sources(catalogue.values())
        self._bench = Bench(store.db, policy)
        self._known: set[str] = set()

    def shard(self, path: str, heard: Heard = lambda outcome: None) -> None:
        """Loads one. What is no shard, or only in part, is a problem, and a row of the ledger."""
        before, name = self.done.copy(), f"load:{'/'.join(path.split('/')[-3:])}"
        count = bad = 0
        problem = ""
        try:
            for number, said in rows(path):
                count += 1
                try:
                    outcome = self._row(said, name)
                except (BadRow, Unstorable) as e:
                    outcome, bad = "bad", bad + 1
                    self._bad(f"{name}#{number}", f"{path}: row {number}: {e}", "bad row", quiet=bad > BAD_ROWS)
                self.done[outcome] += 1
                heard(outcome)
        except BrokenShard as e:
            problem = str(e)
            self._bad(name, problem, "broken shard", quiet=False)
        self.done["shards"] += 1
        wrote = any(self.done[each] > before[each] for each in ("new", "changed", "same", "noted", "bad"))
        if wrote and not problem:
            self._record(Fetch(url=name, source_id=SHARDS.id, outcome="read", kind="listing", links_found=count))

    def _row(self, said: Mapping[str, Any] | BadRow, shard: str) -> Outcome:
        row = self._checked(said)
        if row.said["outcome"] != "stored":
            return self._noted(row, shard)
        if self.store.pruned(row.asked):
            return "pruned"
        seen = self.store.visited(row.asked)
        if seen and seen.outcome in ("stored", "unchanged", "gone") and seen.fetched_at >= row.at:
            return "older"
        return self._loaded(row, shard)

    def _checked(self, said: Mapping[str, Any] | BadRow) -> _Row:
        if isinstance(said, BadRow):
            raise said
        asked, at = said.get("asked"), said.get("fetched_at")
        if said.get("outcome") not in ("stored", "rejected", "failed"):
            raise BadRow("no outcome")
        if not isinstance(asked, str) or (not normal(asked) and said["outcome"] == "stored"):
            raise BadRow("no address")
        if not isinstance(at, str) or (at and not _TIME.fullmatch(at)):
            raise BadRow("no time")
        source = self.catalogue.get(str(said.get("source_id"))) or self._sources.of(asked)
        return _Row(asked=normal(asked), source=source, at=at, said=said)

    def _loaded(self, row: _Row, shard: str) -> Outcome:
        page = normalise(page_of(row.said), asked=row.asked, source=row.source)
        url = page.article.url
        known = self.store.known(url)
        if known.article_id is not None and last_read(self.store, known.article_id) >= (row.at or "0"):
            return "older"
        delta = compare(page, known)
        if url != row.asked and self.store.speaks_for_itself(url):
            delta = unheard(delta)
        delta = replace(delta, verdicts=self._bench.verdicts(delta, row.source))
        self._save(row, delta, shard)
        self.done["comments"] += len(delta.new)
        self.done["flagged"] += sum(verdict.decision == "flagged" for verdict in delta.verdicts.values())
        return "new" if known.article_id is None else "changed" if delta.news else "same"

    def _save(self, row: _Row, delta: Delta, shard: str) -> None:
        run_id = self._begun(row.source)
        fetch = _fetch(row, shard, "stored" if delta.news else "unchanged")
        self.store.apply(delta, fetch, run_id=run_id, now=now())
        if row.at:  # the page was fetched then, not now: what is newer is told by that
            ledger = {"fetched_at": row.at}
            self.store.reread(None, ledger, url=row.asked, source_id=row.source.id, run_id=run_id, now=now())

    def _noted(self, row: _Row, shard: str) -> Outcome:
        """A page that gave no article: a row in the ledger where it has none."""
        if not row.asked or self.store.visited(row.asked):
            return "older"
        run_id = self._begun(row.source)
        outcome: Literal["rejected", "failed"] = "rejected" if row.said["outcome"] == "rejected" else "failed"
        self.store.record_unvisited([_fetch(row, shard, outcome)], run_id=run_id, now=row.at or now())
        return "noted"

    def _bad(self, url: str, problem: str, reason: str, *, quiet: bool) -> None:
        if quiet:
            return
        self.problems.append(problem)
        detail = tidy(problem, DETAIL_CHARACTERS)
        self._record(
            Fetch(url=url, source_id=SHARDS.id, outcome="failed", kind="listing", reason=reason, detail=detail)
        )

    def _record(self, fetch: Fetch) -> None:
        self.store.record(fetch, run_id=self._begun(SHARDS), now=now())

    def _begun(self, source: Source) -> int:
        if source.id not in self._known:
            know_source(self.store, source)
            self._known.add(source.id)
        return self.run()


def _fetch(row: _Row, shard: str, outcome: Literal["stored", "unchanged", "rejected", "failed"]) -> Fetch:
    status, size = row.said.get("status"), row.said.get("bytes")
    return Fetch(
        url=row.asked,
        source_id=row.source.id,
        outcome=outcome,
        reason="" if outcome in ("stored", "unchanged") else tidy(str(row.said.get("reason")), DETAIL_CHARACTERS),
        detail=tidy(str(row.said.get("detail") or ""), DETAIL_CHARACTERS),
        status=status if isinstance(status, int) and 0 < status < 1000 else None,
        bytes=size if isinstance(size, int) and 0 <= size < 2**62 else 0,
        cleaned_by=tidy(str(row.said.get("cleaned_by") or ""), DETAIL_CHARACTERS),
        found_on=shard,
    )
