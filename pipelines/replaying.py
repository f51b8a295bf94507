"""Archived pages, read and judged again as a crawl would, without any request.

What the archive has of an article is compared with what is stored only where it is no older: the last capture of all
its addresses, made by the last run that read it. Where that one was no article, as a wall before the site is none, it
is the last one before. Whatever came by other ways since stays: comments that an import
added, people's decisions, that a page is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from crawler.gathering import Got, Reading
from crawler.items import Delta, Found, Rejected
from crawler.limits import DETAIL_CHARACTERS
from crawler.settings import cleaned_by
from crawler.source import Source
from crawler.text import tidy
from crawler.urls import normal
from crawler.workers import Readers, Unreadable
from db.archive import Answer, Damaged, read
from db.captures import (
    Capture,
    Ledger,
    captured,
    captured_comments,
    earlier,
    imported_since,
    latest,
    read_since,
    stored_cuts,
)
from db.connect import DatabaseProblem
from db.store import Store
from moderation.policy import Policy
from moderation.rejudge import Bench
from pipelines.compare import compare
from pipelines.normalise import normalise

Outcome = Literal["same", "changed", "new", "rejected", "older", "moved", "lost", "raised"]
OUTCOMES: dict[Outcome, str] = {
    "same": "read as they are stored",
    "changed": "stored articles that change",
    "new": "articles that were none",
    "rejected": "no articles any more",
    "older": "older than what is stored, left alone",
    "moved": "known by another address now, left alone",
    "lost": "not to be read from the archive",
    "raised": "pages on which watchfloor itself fails",
}
"""What can become of a page, in words behind a number of pages."""

Heard = Callable[[int, int], None]
"""Hears how many pages are read, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What an archived page amounts to now."""

    capture: Capture
    outcome: Outcome
    detail: str = ""
    """Why it is rejected, lost or raised; empty for an article."""
    delta: Delta | None = None
    """What changes of the article and its comments; None where nothing does."""
    ledger: Mapping[str, Any] = field(default_factory=dict)
    """What changes of the row that the ledger has of the page."""

    @property
    def writes(self) -> bool:
        """True when there is something to write."""
        return bool(self.delta or self.ledger)


class Replay:
    """Reads archived pages of these sources again, with the database as it is."""

    def __init__(
        self, store: Store, folder: Path, sources: Mapping[str, Source], policy: Policy, readers: Readers
    ) -> None:
        self.store, self.folder, self.sources = store, folder, sources
        self._readers = readers
        self._bench = Bench(store.db, policy)
        self._seen: set[str] = set()
        """Addresses of the articles that were read: two pages of one that was none before are not stored in turns."""

    def pages(self, *, since: str = "", limit: int = -1, heard: Heard = lambda done, total: None) -> Iterator[Replayed]:
        """Each page, in the order in which they were captured: of these the `limit` newest, since a time in UTC."""
        listed = latest(self.store.db, tuple(self.sources), since=since, limit=limit)
        for done, number in enumerate(listed, 1):
            yield self._numbered(number)
            heard(done, len(listed))

    def write(self, replayed: Replayed, *, run_id: int, now: str) -> None:
        """Stores what changes."""
        capture = replayed.capture
        self.store.reread(
            replayed.delta, replayed.ledger, url=capture.url, source_id=capture.source_id, run_id=run_id, now=now
        )

    def _numbered(self, number: int) -> Replayed:
        try:
            return self._page(*captured(self.store.db, number))
        except Damaged as e:
            unreadable = Capture(run_id=0, source_id="", url="", at="")
            return Replayed(capture=unreadable, outcome="lost", detail=str(e))

    def _page(self, capture: Capture, ledger: Ledger) -> Replayed:
        if ledger.article_id and read_since(self.store.db, ledger.article_id, capture.run_id):
            return Replayed(capture=capture, outcome="older")
        replayed = self._read(capture, ledger)
        was_none = ledger.outcome == "rejected" and replayed.outcome == "same" and replayed.detail
        return self._before(replayed, ledger, ledger.article_id) if was_none and ledger.article_id else replayed

    def _before(self, replayed: Replayed, ledger: Ledger, article_id: int) -> Replayed:
        """The article as earlier pages gave it, where the last ones gave none, then as now: a wall, an error page."""
        for capture in earlier(self.store.db, article_id, replayed.capture):
            again = self._read(capture, ledger)
            if not again.detail:
                known = again.outcome in ("same", "changed")
                return replace(replayed, outcome=again.outcome, detail="", delta=again.delta) if known else replayed
        return replayed

    def _read(self, capture: Capture, ledger: Ledger) -> Replayed:
        if capture.place is None:
            return Replayed(capture=capture, outcome="older")
        try:
            answer = read(self.folder, capture.place)
            others = {c.url: _got(read(self.folder, c.place)) for c in self._comments(capture) if c.place}
        except Damaged as e:
            return Replayed(capture=capture, outcome="lost", detail=str(e))
        try:
            return self._compared(capture, ledger, answer, others)
        except DatabaseProblem:
            raise
        except Exception as e:  # noqa: BLE001 - a defect of ours costs one page, as in a crawl
            detail = tidy(f"{type(e).__name__}: {e}", DETAIL_CHARACTERS)
            return Replayed(capture=capture, outcome="raised", detail=detail)

    def _compared(self, capture: Capture, ledger: Ledger, answer: Answer, others: Mapping[str, Got]) -> Replayed:
        source = self.sources[capture.source_id]
        try:
            reading = self._readers.again(_got(answer), source, dict(others), capture.url)
        except Unreadable as e:
            if e.outcome != "rejected":
                raise
            reading = Reading(page=Rejected(reason=e.reason, detail=e.detail), alone=True)
        told = _told(ledger, reading, capture, source)
        if isinstance(reading.page, Rejected):
            new = ledger.outcome != "rejected" and bool(told)
            detail = ": ".join(filter(None, (reading.page.reason, tidy(reading.page.detail))))
            return Replayed(capture=capture, outcome="rejected" if new else "same", detail=detail, ledger=told)
        delta = self._delta(reading, capture, ledger, answer, source)
        if isinstance(delta, str):
            return Replayed(capture=capture, outcome=delta)
        if delta is None:
            return Replayed(capture=capture, outcome="same", ledger=told)
        outcome: Outcome = "changed" if delta.known.article_id else "new"
        return Replayed(capture=capture, outcome=outcome, delta=delta, ledger=told)

    def _delta(
        self, reading: Reading, capture: Capture, ledger: Ledger, answer: Answer, source: Source
    ) -> Delta | Literal["older", "moved"] | None:
        """What changes; None for nothing, or why the page is left alone."""
        assert not isinstance(reading.page, Rejected)
        asked = normal(answer.url) or capture.url
        page = normalise(reading.page, asked=asked, found=_found(capture), source=source)
        if page.article.url not in (asked, capture.url) and self.store.speaks_for_itself(page.article.url):
            return "older"
        known = self.store.known(page.article.url)
        if ledger.article_id and known.article_id != ledger.article_id:
            return "moved"
        if page.article.url in self._seen or (not ledger.article_id and self._has_a_better(capture, known.article_id)):
            return "older"
        self._seen.add(page.article.url)
        delta = compare(page, replace(known, gone=False))
        if known.article_id:
            delta = _sparing(delta, imported_since(self.store.db, known.article_id, capture.run_id))
            cuts = {cut.limit: cut for cut in page.cuts}
            if delta.empty and frozenset(cuts.values()) == stored_cuts(self.store.db, known.article_id):
                return None
        return replace(delta, verdicts=self._bench.verdicts(delta, source))

    def _comments(self, capture: Capture) -> list[Capture]:
        return captured_comments(self.store.db, capture)

    def _has_a_better(self, capture: Capture, article_id: int | None) -> bool:
        """True where a page that gave no article would now speak for one that another page gave, in the same run."""
        return article_id is not None and read_since(self.store.db, article_id, capture.run_id - 1)


def _told(ledger: Ledger, reading: Reading, capture: Capture, source: Source) -> dict[str, Any]:
    """What changes of the ledger's row. A later visit that read nothing (it failed, the page is gone) stays as it is;
    one of the same run failed in our own hands, after the page had come."""
    ours = ledger.outcome == "failed" and ledger.run_id == capture.run_id
    if ledger.outcome not in ("stored", "unchanged", "rejected") and not ours:
        return {}
    row: dict[str, Any] = {"cleaned_by": cleaned_by(source)}
    if isinstance(reading.page, Rejected):
        row |= {"outcome": "rejected", "reason": reading.page.reason, "detail": tidy(reading.page.detail)}
    elif ledger.outcome not in ("stored", "unchanged"):
        row |= {"outcome": "stored", "reason": "", "detail": ""}
    differs = any(getattr(ledger, name) != value for name, value in row.items())
    changed = row if differs else {}
    if ours:
        changed["failures"] = 0
    if ledger.receipt and not reading.alone:
        changed |= {"etag": "", "last_modified": ""}
    return changed


def _sparing(delta: Delta, imported: frozenset[str]) -> Delta:
    """The delta without what an import has said since."""
    if not imported:
        return delta
    return replace(
        delta,
        edited=tuple(k for k in delta.edited if k.key not in imported),
        gone=tuple(key for key in delta.gone if key not in imported),
    )


def _got(answer: Answer) -> Got:
    content_type = tidy(answer.header("Content-Type"), DETAIL_CHARACTERS)
    return Got(url=answer.url, body=answer.body, content_type=content_type)


def _found(capture: Capture) -> Found:
    return capture.found or Found(url=capture.url, listing="")
